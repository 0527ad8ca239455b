"""The pictures of a learning curve: what was measured, and the curve through it with its interval, over log hours."""

from typing import Final

from lowres.report.curve_contents import CurveContents, CurvePoint, Unit
from lowres.report.curve_sentences import amount_text
from lowres.report.line_chart import Chart, Line, Place
from lowres.report.sentences import per_hundred, percent
from lowres.scoring.power_law import GUESS_FACTOR, PowerLaw
from lowres.scoring.usefulness import SURELY_HELPFUL_WORD_ERROR_RATE

_NUM_PLACES: Final = 48
_LEFT_ROOM: Final = 1.15
_NAMES: Final = {"letters": "Letters wrong (CER)", "words": "Words wrong (WER)"}


def curve_charts(contents: CurveContents) -> list[Chart]:
    """Return one chart for letters and one for words."""
    return [_chart(contents, "letters"), _chart(contents, "words")]


def _chart(contents: CurveContents, unit: Unit) -> Chart:
    law, points = contents.law(unit), contents.points
    lines = [_measured(points, unit)]
    if law is not None:
        lines.insert(0, _curve(law, min(point.hours for point in points)))
    level = None
    if contents.target.unit == unit:
        level = (f"{per_hundred(contents.target.error_rate)} of 100", contents.target.error_rate)
    elif unit == "words":
        level = ("surely worth correcting below", SURELY_HELPFUL_WORD_ERROR_RATE)
    return Chart(
        key=f"curve-{unit}",
        title=_NAMES[unit],
        explanation="Markers: measured. Dashed: the curve through them; shaded: where 95 of 100 runs would lie. "
        "Twice as much speech is always as far to the right.",
        unit=f"of all {unit}",
        x_unit="hours of training speech",
        lines=lines,
        level=level,
        floor=0.0,
        print_value=_percent,
        x_scale="logarithmic",
        moments=[(contents.most_hours, "measured so far")] if law is not None else (),
    )


def _percent(rate: float) -> str:
    return percent(rate, 1)


def _measured(points: tuple[CurvePoint, ...], unit: Unit) -> Line:
    places = [
        Place(point.hours, point.rate(unit).error_rate, f"after training on {amount_text(point.hours)}")
        for point in points
    ]
    return Line("measured", places, look=2, has_markers=True, has_line=False)


def _curve(law: PowerLaw, first: float) -> Line:
    low, high = first / _LEFT_ROOM, law.most_hours * GUESS_FACTOR
    places, band = [], []
    for number in range(_NUM_PLACES):
        hours = low * (high / low) ** (number / (_NUM_PLACES - 1))
        predicted = law.predict(hours)
        places.append(Place(hours, predicted.error_rate, f"at {amount_text(hours)}"))
        band.append((hours, predicted.low, predicted.high))
    return Line("curve", places, look=0, band=band, is_dashed=True)
