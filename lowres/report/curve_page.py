"""report.html and report.json of a learning curve, in one file that opens offline and runs no script."""

import math
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from lowres.report.axes import LARGE
from lowres.report.curve_charts import curve_charts
from lowres.report.curve_contents import CurveContents, Unit
from lowres.report.curve_sentences import (
    amount_text,
    answer_double,
    answer_target,
    answer_until_useful,
    check_sentence,
    formula,
)
from lowres.report.line_chart import draw_all
from lowres.report.templating import page_environment, plain, style_sheet
from lowres.report.writing import write_page_and_data
from lowres.scoring.power_law import PowerLaw

CURVE_SCHEMA_VERSION: Final = 1
_UNITS: Final[tuple[Unit, ...]] = ("letters", "words")


def write_curve_report(folder: Path, contents: CurveContents) -> int:
    """Write report.json and report.html into a folder, e.g. reports/curve, and return the page's size in bytes.

    Raises:
        LowresError: the folder cannot be written.
    """
    return write_page_and_data(folder, curve_json(contents), render_curve_page(contents))


def curve_json(contents: CurveContents) -> dict[str, Any]:
    """Return report.json: every number of the page, rates from 0 to 1, null where there is none or it is infinite."""
    return {
        "schema_version": CURVE_SCHEMA_VERSION,
        "language": contents.language,
        "corpus": contents.corpus_name,
        "synthetic": contents.synthetic,
        "split": contents.split,
        "num_utterances": contents.num_utterances,
        "duration_seconds": round(contents.seconds, 3),
        "points": [asdict(point) for point in contents.points],
        "curves": {unit: _law_json(contents, unit) for unit in _UNITS},
        "target": asdict(contents.target),
        "answers": answers(contents),
        "usefulness": asdict(contents.usefulness),
        "cautions": list(contents.cautions),
        "made_from": dict(contents.facts),
    }


def answers(contents: CurveContents) -> list[str]:
    """Return the sentences that answer the questions, the first one first; without those that have no answer."""
    said = [
        answer_target(contents),
        answer_double(contents),
        contents.usefulness.sentence,
        answer_until_useful(contents),
        *(check_sentence(contents.check_last(unit), unit) for unit in _UNITS),
    ]
    return [sentence for sentence in said if sentence]


def _law_json(contents: CurveContents, unit: Unit) -> dict[str, Any] | None:
    law = contents.law(unit)
    if law is None:
        return None
    checked = contents.check_last(unit)
    return {
        "scale": law.scale,
        "exponent": law.exponent,
        "floor": law.floor,
        "predictions": [
            {"hours": hours, **asdict(law.predict(hours)), "is_guess": law.is_guess(hours)}
            for hours in _round_hours(law)
        ],
        "hours_until_target": _finite(asdict(law.hours_until(contents.target.error_rate)))
        if contents.target.unit == unit
        else None,
        "largest_from_smaller": asdict(checked) if checked else None,
    }


def _finite(numbers: dict[str, float]) -> dict[str, float | None]:
    return {name: number if math.isfinite(number) else None for name, number in numbers.items()}


def _round_hours(law: PowerLaw) -> list[float]:
    """Return the amounts that predictions are shown for: what there is, twice, four and eight times as much."""
    return [law.most_hours * factor for factor in (1, 2, 4, 8)]


def render_curve_page(contents: CurveContents) -> str:
    """Write the whole page."""
    environment = page_environment(amount=amount_text)
    laws = [(unit, law) for unit in _UNITS if (law := contents.law(unit)) is not None]
    first, *others = answers(contents)
    return environment.get_template("curve.html.jinja").render(
        contents=contents,
        first=first,
        others=others,
        charts=draw_all(curve_charts(contents), LARGE),
        predictions=[
            (hours, [law.predict(hours) for _, law in laws], laws[0][1].is_guess(hours))
            for hours in (_round_hours(laws[0][1]) if laws else ())
        ],
        formulas=[(unit, formula(law)) for unit, law in laws],
        title=plain(contents.language),
        style=style_sheet("style.css", "charts.css", "corpus.css"),
    )
