"""The curves of a pretraining run: which figures are drawn, beside what they are read, and how to read them."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from lowres.report.axes import Print, Scale
from lowres.report.line_chart import Chart, Line, Place
from lowres.report.pretraining_run import Point, PretrainingRun
from lowres.report.pretraining_verdict import chance_accuracy
from lowres.report.sentences import percent

MOST_LANGUAGES: Final = 8
"""Languages drawn in one chart; all of them stand in the table."""

_X_UNIT: Final = "hours of audio processed"
_WIDE_RANGE: Final = 30.0
"""Greatest over least value from which an axis is logarithmic."""

_TRAINING, _HELD_OUT, _FIRST_OF_MANY = 0, 1, 2
_RATE: Print = "{:.2e}".format
_RATIO: Print = "{:.3g}".format


def _percent(value: float) -> str:
    return percent(value, 1)


@dataclass(frozen=True)
class _Figure:
    """A figure of the step reports that has a chart of its own; 0 is always on its axis unless it is logarithmic."""

    name: str
    title: str
    explanation: str
    unit: str
    ceiling: float | None = None
    show: Print = _RATIO
    has_held_out: bool = False
    may_be_logarithmic: bool = False


_CODE_FIGURES: Final = (
    _Figure(
        "used_codes_share",
        "Share of codes used",
        "Entries of all codebooks that were chosen at least once.",
        "of all codes",
        ceiling=1.0,
        show=_percent,
        has_held_out=True,
    ),
    _Figure("diversity_loss", "Diversity loss", "Falls as the codes are used more evenly.", "loss"),
    _Figure(
        "latent_similarity",
        "Similarity of targets",
        "Mean cosine between the targets of different frames of an utterance. Near 1, all sounds look the same.",
        "cosine",
        ceiling=1.0,
        has_held_out=True,
    ),
)

_HEALTH_FIGURES: Final = (
    _Figure(
        "latent_penalty",
        "Latent penalty",
        "Mean square of the feature encoder’s output, which the penalty keeps small.",
        "mean square",
        may_be_logarithmic=True,
    ),
    _Figure(
        "gradient_norm",
        "Gradient norm",
        "Before clipping. Spikes now and then are harmless; a steady rise is not.",
        "norm",
        may_be_logarithmic=True,
    ),
    _Figure("learning_rate", "Learning rate", "Warms up, then decays.", "rate", show=_RATE),
    _Figure(
        "gumbel_temperature",
        "Gumbel temperature",
        "High: codes are chosen with much noise. Low: almost as they are after training.",
        "temperature",
    ),
    _Figure("hours_per_hour", "Speed", "Hours of audio learnt from per hour of work.", "hours per hour"),
    _Figure(
        "waited_share",
        "Waiting for audio",
        "Share of the time in which training waited for audio.",
        "of the time",
        show=_percent,
    ),
)


def learning_charts(run: PretrainingRun) -> list[Chart]:
    """Return the two charts that tell whether a run learns: contrastive loss and accuracy."""
    drawn = run.held_out_languages[:MOST_LANGUAGES]
    rest = len(run.held_out_languages) - len(drawn)
    limited = f" The {len(drawn)} languages with most speech are drawn; the table has all." if rest else ""
    guess = chance_accuracy(run.num_distractors)
    return [
        Chart(
            key="loss",
            title="Contrastive loss",
            explanation="How surprised the network is by the sound that was really there. Lower is better; held-out "
            f"speech is never trained on.{limited}",
            unit="nats per masked frame",
            x_unit=_X_UNIT,
            lines=[
                _line("training", run.training_curve("contrastive_loss"), _TRAINING),
                *_held_out_lines(run, drawn, "contrastive_loss"),
            ],
            level=("guessing", math.log(run.num_distractors + 1)),
            print_value=_RATIO,
        ),
        Chart(
            key="accuracy",
            title="Contrastive accuracy",
            explanation=f"How often the right sound is told from {run.num_distractors} wrong ones of the same "
            f"utterance. Guessing finds {percent(guess)}.{limited}",
            unit="of masked frames",
            x_unit=_X_UNIT,
            lines=[
                _line("training", run.training_curve("contrastive_accuracy"), _TRAINING),
                *_held_out_lines(run, drawn, "contrastive_accuracy"),
            ],
            level=("guessing", guess),
            floor=0.0,
            print_value=_percent,
        ),
    ]


def code_charts(run: PretrainingRun) -> list[Chart]:
    """Return the charts of the quantiser: perplexity, codes used, diversity loss and similarity of latents."""
    used, *others = _CODE_FIGURES
    return [
        _chart(run, used),
        _perplexity_chart(
            run,
            "chosen-perplexity",
            "Perplexity of the codes chosen",
            "How many entries of each codebook are really in use, by how often. Near 1 it has collapsed.",
            [
                *_codebook_lines(run, run.training_curve, "chosen_perplexity"),
                *_codebook_lines(run, run.evaluation_curve, "code_perplexity", is_held_out=True),
            ],
        ),
        _perplexity_chart(
            run,
            "perplexity",
            "Perplexity of the softmax",
            "The same before one entry is chosen, averaged over frames: this is what the diversity loss pushes up.",
            _codebook_lines(run, run.training_curve, "code_perplexity"),
        ),
        *(_chart(run, figure) for figure in others),
    ]


def health_charts(run: PretrainingRun) -> list[Chart]:
    """Return the charts of optimisation and of the machine."""
    return [_chart(run, figure) for figure in _HEALTH_FIGURES]


def hours_text(hours: float) -> str:
    """Write hours of audio: "0.052 h", "0.40 h", "12.3 h", "1,640 h"."""
    decimals = 0 if hours >= 100 else 1 if hours >= 1 else 2 if hours >= 0.1 or hours == 0 else 3
    return f"{hours:,.{decimals}f}\u00a0h"


def place_text(hours: float, step: int) -> str:
    """Say where on the run something is, in both measures."""
    return f"at {hours_text(hours)} (update {step:,})"


def _line(name: str, points: Sequence[Point], look: int, has_markers: bool = False) -> Line:
    places = [Place(point.hours, point.value, place_text(point.hours, point.step)) for point in points]
    return Line(name, places, look, has_markers)


def _held_out_lines(run: PretrainingRun, languages: Sequence[str], name: str) -> list[Line]:
    lines = [
        _line(f"{language}, held out", run.held_out_curve(language, name), _FIRST_OF_MANY + index, True)
        for index, language in enumerate(languages)
    ]
    if len(run.held_out_languages) != 1:
        lines.insert(0, _line("held out, mean of languages", run.evaluation_curve(name), _HELD_OUT, True))
    return lines


def _codebook_lines(
    run: PretrainingRun, curve_of: Callable[[str, int], list[Point]], name: str, *, is_held_out: bool = False
) -> list[Line]:
    after = ", held out" if is_held_out else ""
    return [
        _line(f"codebook {g + 1}{after}", curve_of(name, g), 2 * g + is_held_out, is_held_out)
        for g in range(run.num_codebooks)
    ]


def _perplexity_chart(run: PretrainingRun, key: str, title: str, explanation: str, lines: list[Line]) -> Chart:
    return Chart(
        key=key,
        title=title,
        explanation=explanation,
        unit="entries",
        x_unit=_X_UNIT,
        lines=lines,
        level=("all used alike", float(run.num_entries)),
        floor=0.0,
        print_value=_RATIO,
    )


def _chart(run: PretrainingRun, figure: _Figure) -> Chart:
    points = run.training_curve(figure.name)
    scale = _scale(points) if figure.may_be_logarithmic else "linear"
    lines = [_line("training", points, _TRAINING)]
    if figure.has_held_out:
        lines.append(_line("held out", run.evaluation_curve(figure.name), _HELD_OUT, True))
    return Chart(
        key=figure.name.replace("_", "-"),
        title=figure.title,
        explanation=figure.explanation,
        unit=figure.unit,
        x_unit=_X_UNIT,
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
