"""report.html and report.json of a cross-validation, in one file that opens offline and runs no script."""

from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from lowres.report.cross_validation_contents import CrossValidationContents, MeasuredRate, SpeakerSpread
from lowres.report.cross_validation_sentences import headline, official_sentence, range_sentence, share_sentence
from lowres.report.templating import page_environment, plain, style_sheet
from lowres.report.tracks import track_part, track_width
from lowres.report.writing import write_page_and_data

CROSS_VALIDATION_SCHEMA_VERSION: Final = 1


def write_cross_validation_report(folder: Path, contents: CrossValidationContents) -> int:
    """Write report.json and report.html into a folder, e.g. reports/cross-validation; return the page's bytes.

    Raises:
        LowresError: the folder cannot be written.
    """
    return write_page_and_data(folder, cross_validation_json(contents), render_cross_validation_page(contents))


def cross_validation_json(contents: CrossValidationContents) -> dict[str, Any]:
    """Return report.json: every number of the page, rates from 0 to 1, null where there is none."""
    return {
        "schema_version": CROSS_VALIDATION_SCHEMA_VERSION,
        **asdict(contents),
        "over_speakers": {
            "letters": _spread_json(contents.spread("letters")),
            "words": _spread_json(contents.spread("words")),
        },
        "answers": answers(contents),
        "facts": dict(contents.facts),
    }


def answers(contents: CrossValidationContents) -> list[str]:
    """Return the sentences that answer the questions, the first one first."""
    said = [headline(contents), range_sentence(contents), share_sentence(contents), official_sentence(contents)]
    return [sentence for sentence in said if sentence]


def _spread_json(spread: SpeakerSpread) -> dict[str, Any]:
    return {
        "mean": spread.mean,
        "deviation": spread.deviation,
        "by_chance": spread.by_chance,
        "speaker_share": spread.speaker_share,
        "lowest": spread.lowest.speaker,
        "highest": spread.highest.speaker,
    }


def render_cross_validation_page(contents: CrossValidationContents) -> str:
    """Write the whole page."""
    environment = page_environment(fill=_fill, whisker=_whisker)
    first, *others = answers(contents)
    return environment.get_template("cross_validation.html.jinja").render(
        contents=contents,
        first=first,
        others=others,
        spreads={"letters": contents.spread("letters"), "words": contents.spread("words")},
        title=plain(contents.language),
        style=style_sheet("style.css", "charts.css", "corpus.css"),
    )


def _fill(rate: MeasuredRate) -> str:
    return f"width:{track_width(rate.error_rate)}"


def _whisker(rate: MeasuredRate) -> str:
    return track_part(rate.interval) if rate.interval else "display:none"
