"""Curves of any run, drawn over the hours of audio it processed: from a figure of its reports to a chart."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from lowres.report.axes import Print, Scale
from lowres.report.line_chart import Chart, Line, Place
from lowres.report.run_log import Point, RunLog
from lowres.report.sentences import percent

X_UNIT: Final = "hours of audio processed"
_WIDE_RANGE: Final = 30.0
"""Greatest over least value from which an axis is logarithmic."""

TRAINING, HELD_OUT = 0, 1
RATE: Print = "{:.2e}".format
RATIO: Print = "{:.3g}".format


def percent_tenths(value: float) -> str:
    """Print a rate of 0-1 in percent with one decimal."""
    return percent(value, 1)


@dataclass(frozen=True)
class StepFigure:
    """A figure of the step reports that has a chart of its own; 0 is always on its axis unless it is logarithmic.

    `evaluated_as`: what speech evaluations report it of too; "" where they do not.
    """

    name: str
    title: str
    explanation: str
    unit: str
    ceiling: float | None = None
    show: Print = RATIO
    evaluated_as: str = ""
    may_be_logarithmic: bool = False


GRADIENT_NORM: Final = StepFigure(
    "gradient_norm",
    "Gradient norm",
    "Before clipping. Spikes now and then are harmless; a steady rise is not.",
    "norm",
    may_be_logarithmic=True,
)
LEARNING_RATE: Final = StepFigure("learning_rate", "Learning rate", "Warms up, then decays.", "rate", show=RATE)
SPEED: Final = StepFigure("hours_per_hour", "Speed", "Hours of audio learnt from per hour of work.", "hours per hour")
WAITED_SHARE: Final = StepFigure(
    "waited_share",
    "Waiting for audio",
    "Share of the time in which training waited for audio.",
    "of the time",
    show=percent_tenths,
)


def hours_text(hours: float) -> str:
    """Write hours of audio: "0.052 h", "0.40 h", "12.3 h", "1,640 h"."""
    decimals = 0 if hours >= 100 else 1 if hours >= 1 else 2 if hours >= 0.1 or hours == 0 else 3
    return f"{hours:,.{decimals}f}\u00a0h"


def place_text(hours: float, step: int) -> str:
    """Say where on the run something is, in both measures."""
    return f"at {hours_text(hours)} (update {step:,})"


def curve_line(name: str, points: Sequence[Point], look: int, has_markers: bool = False) -> Line:
    """Make a line of a curve of a run, each place of which names its hours and its update."""
    places = [Place(point.hours, point.value, place_text(point.hours, point.step)) for point in points]
    return Line(name, places, look, has_markers)


def step_chart(log: RunLog, figure: StepFigure) -> Chart:
    """Draw a figure of the step reports, and of the evaluations where they have it."""
    points = log.training_curve(figure.name)
    scale = _scale(points) if figure.may_be_logarithmic else "linear"
    lines = [curve_line("training", points, TRAINING)]
    if figure.evaluated_as:
        lines.append(curve_line(figure.evaluated_as, log.evaluation_curve(figure.name), HELD_OUT, True))
    return Chart(
        key=figure.name.replace("_", "-"),
        title=figure.title,
        explanation=figure.explanation,
        unit=figure.unit,
        x_unit=X_UNIT,
        lines=lines,
        floor=0.0 if scale == "linear" else None,
        ceiling=figure.ceiling,
        scale=scale,
        print_value=figure.show,
    )


def _scale(points: Sequence[Point]) -> Scale:
    values = [point.value for point in points]
    is_wide = bool(values) and min(values) > 0 and max(values) / min(values) > _WIDE_RANGE
    return "logarithmic" if is_wide else "linear"
