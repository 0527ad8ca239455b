"""The curves of a fine-tuning run: error rates on dev, loss, and what tells whether training is well."""

import statistics
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from lowres.report.line_chart import Chart
from lowres.report.run_charts import (
    GRADIENT_NORM,
    HELD_OUT,
    LEARNING_RATE,
    SPEED,
    WAITED_SHARE,
    X_UNIT,
    StepFigure,
    curve_line,
    percent_tenths,
    step_chart,
)
from lowres.report.run_log import Event, Point, RunLog, attempt_of

_CHARACTERS, _WORDS = 0, 2
_FIRST_SEED = 2
_LOSS: Final = StepFigure(
    "loss",
    "Training loss",
    "How surprised the recogniser is by the transcripts it learns from, per label. Near 0 it knows them by heart.",
    "nats per label",
    may_be_logarithmic=True,
)
_HEALTH_FIGURES: Final = (
    LEARNING_RATE,
    StepFigure(
        "blank_share",
        "Share of blanks",
        "Frames in which the recogniser writes nothing. Near 100 % it has collapsed, or has not begun to write.",
        "of frames",
        ceiling=1.0,
        show=percent_tenths,
        evaluated_as="dev",
    ),
    StepFigure(
        "distinct_tokens",
        "Labels in use",
        "Different labels among the best ones of the latest batch, and of all dev. Very few mean a collapse.",
        "labels",
        evaluated_as="dev",
    ),
    GRADIENT_NORM,
    SPEED,
    WAITED_SHARE,
)


def best_evaluation(log: RunLog) -> Event | None:
    """Return the evaluation whose checkpoint was kept: the last one that was called the best."""
    return next((event for event in reversed(log.evaluations) if event.get("is_best") is True), None)


def learning_charts(log: RunLog) -> list[Chart]:
    """Return the two charts that tell how good it got: error rates on dev, and the loss it was trained by."""
    best = best_evaluation(log)
    chart = step_chart(log, _LOSS)
    return [
        Chart(
            key="dev",
            title="Error rates on dev",
            explanation="Letters (CER) and words (WER) that are wrong in speech that was not trained on. The best "
            "checkpoint by CER is kept.",
            unit="wrong",
            x_unit=X_UNIT,
            lines=[
                curve_line("letters, CER", log.evaluation_curve("dev_character_error_rate"), _CHARACTERS, True),
                curve_line("words, WER", log.evaluation_curve("dev_word_error_rate"), _WORDS, True),
            ],
            floor=0.0,
            print_value=percent_tenths,
            moments=[*_restarts(log), *([(log.hours_of(best), "best")] if best else [])],
        ),
        chart,
    ]


def health_charts(log: RunLog) -> list[Chart]:
    """Return the charts of optimisation and of the machine."""
    return [step_chart(log, figure) for figure in _HEALTH_FIGURES]


def seeds_charts(logs: Sequence[RunLog]) -> list[Chart]:
    """Return the curves of several seeds of one training, each chart with all of them and their mean.

    Args:
        logs: one per seed, in their order.
    """
    return [
        _seeds_chart(
            logs, "dev_character_error_rate", "Letters wrong on dev (CER)", "One curve per seed; only chance differs."
        ),
        _seeds_chart(logs, "dev_word_error_rate", "Words wrong on dev (WER)", "One curve per seed."),
    ]


def _seeds_chart(logs: Sequence[RunLog], name: str, title: str, explanation: str) -> Chart:
    curves = [log.evaluation_curve(name) for log in logs]
    mean, band = mean_curve(curves)
    lines = [
        curve_line(log.name or f"run {number + 1}", curve, _FIRST_SEED + number)
        for number, (log, curve) in enumerate(zip(logs, curves, strict=True))
    ]
    average = curve_line("mean of seeds", mean, HELD_OUT, True)
    shaded = " Shaded: the mean plus or minus one standard deviation over seeds." if band else ""
    return Chart(
        key=name.replace("_", "-"),
        title=title,
        explanation=explanation + shaded,
        unit="wrong",
        x_unit=X_UNIT,
        lines=[*lines, replace(average, band=band)] if mean else lines,
        floor=0.0,
        print_value=percent_tenths,
    )


def mean_curve(curves: Sequence[Sequence[Point]]) -> tuple[list[Point], list[tuple[float, float, float]]]:
    """Average curves over the updates that all of them have.

    Args:
        curves: one per seed.

    Returns:
        The mean, at the mean of the hours, and (hours, mean - deviation, mean + deviation), the sample standard
        deviation over the curves; nothing of fewer than two curves.
    """
    by_step = [{point.step: point for point in curve} for curve in curves if curve]
    if len(by_step) < 2:
        return [], []
    mean, band = [], []
    for step in sorted(set.intersection(*(set(points) for points in by_step))):
        hours = statistics.fmean(points[step].hours for points in by_step)
        values = [points[step].value for points in by_step]
        middle, deviation = statistics.fmean(values), statistics.stdev(values)
        mean.append(Point(hours, step, middle))
        band.append((hours, max(middle - deviation, 0.0), middle + deviation))
    return mean, band


def _restarts(log: RunLog) -> list[tuple[float, str]]:
    attempts = sorted({attempt_of(event) for event in log.steps})
    firsts = [next(event for event in log.steps if attempt_of(event) == attempt) for attempt in attempts[1:]]
    return [(log.hours_at(0, attempt_of(event)), f"attempt {attempt_of(event)}") for event in firsts]
