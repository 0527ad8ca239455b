"""The curves of a pretraining run: which figures are drawn, beside what they are read, and how to read them."""

import math
from collections.abc import Callable, Sequence
from typing import Final

from lowres.report.line_chart import Chart, Line
from lowres.report.pretraining_run import PretrainingRun
from lowres.report.pretraining_verdict import chance_accuracy
from lowres.report.run_charts import (
    GRADIENT_NORM,
    HELD_OUT,
    LEARNING_RATE,
    RATIO,
    SPEED,
    TRAINING,
    WAITED_SHARE,
    X_UNIT,
    StepFigure,
    curve_line,
    percent_tenths,
    step_chart,
)
from lowres.report.run_log import Point
from lowres.report.sentences import percent

MOST_LANGUAGES: Final = 8
"""Languages drawn in one chart; all of them stand in the table."""

_FIRST_OF_MANY = 2

_CODE_FIGURES: Final = (
    StepFigure(
        "used_codes_share",
        "Share of codes used",
        "Entries of all codebooks that were chosen at least once.",
        "of all codes",
        ceiling=1.0,
        show=percent_tenths,
        evaluated_as="held out",
    ),
    StepFigure("diversity_loss", "Diversity loss", "Falls as the codes are used more evenly.", "loss"),
    StepFigure(
        "latent_similarity",
        "Similarity of targets",
        "Mean cosine between the targets of different frames of an utterance. Near 1, all sounds look the same.",
        "cosine",
        ceiling=1.0,
        evaluated_as="held out",
    ),
)

_HEALTH_FIGURES: Final = (
    StepFigure(
        "latent_penalty",
        "Latent penalty",
        "Mean square of the feature encoder’s output, which the penalty keeps small.",
        "mean square",
        may_be_logarithmic=True,
    ),
    GRADIENT_NORM,
    LEARNING_RATE,
    StepFigure(
        "gumbel_temperature",
        "Gumbel temperature",
        "High: codes are chosen with much noise. Low: almost as they are after training.",
        "temperature",
    ),
    SPEED,
    WAITED_SHARE,
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
            x_unit=X_UNIT,
            lines=[
                curve_line("training", run.log.training_curve("contrastive_loss"), TRAINING),
                *_held_out_lines(run, drawn, "contrastive_loss"),
            ],
            level=("guessing", math.log(run.num_distractors + 1)),
            print_value=RATIO,
        ),
        Chart(
            key="accuracy",
            title="Contrastive accuracy",
            explanation=f"How often the right sound is told from {run.num_distractors} wrong ones of the same "
            f"utterance. Guessing finds {percent(guess)}.{limited}",
            unit="of masked frames",
            x_unit=X_UNIT,
            lines=[
                curve_line("training", run.log.training_curve("contrastive_accuracy"), TRAINING),
                *_held_out_lines(run, drawn, "contrastive_accuracy"),
            ],
            level=("guessing", guess),
            floor=0.0,
            print_value=percent_tenths,
        ),
    ]


def code_charts(run: PretrainingRun) -> list[Chart]:
    """Return the charts of the quantiser: perplexity, codes used, diversity loss and similarity of latents."""
    used, *others = _CODE_FIGURES
    return [
        step_chart(run.log, used),
        _perplexity_chart(
            run,
            "chosen-perplexity",
            "Perplexity of the codes chosen",
            "How many entries of each codebook are really in use, by how often. Near 1 it has collapsed.",
            [
                *_codebook_lines(run, run.log.training_curve, "chosen_perplexity"),
                *_codebook_lines(run, run.log.evaluation_curve, "code_perplexity", is_held_out=True),
            ],
        ),
        _perplexity_chart(
            run,
            "perplexity",
            "Perplexity of the softmax",
            "The same before one entry is chosen, averaged over frames: this is what the diversity loss pushes up.",
            _codebook_lines(run, run.log.training_curve, "code_perplexity"),
        ),
        *(step_chart(run.log, figure) for figure in others),
    ]


def health_charts(run: PretrainingRun) -> list[Chart]:
    """Return the charts of optimisation and of the machine."""
    return [step_chart(run.log, figure) for figure in _HEALTH_FIGURES]


def _held_out_lines(run: PretrainingRun, languages: Sequence[str], name: str) -> list[Line]:
    lines = [
        curve_line(f"{language}, held out", run.held_out_curve(language, name), _FIRST_OF_MANY + index, True)
        for index, language in enumerate(languages)
    ]
    if len(run.held_out_languages) != 1:
        lines.insert(0, curve_line("held out, mean of languages", run.log.evaluation_curve(name), HELD_OUT, True))
    return lines


def _codebook_lines(
    run: PretrainingRun, curve_of: Callable[[str, int], list[Point]], name: str, *, is_held_out: bool = False
) -> list[Line]:
    after = ", held out" if is_held_out else ""
    return [
        curve_line(f"codebook {g + 1}{after}", curve_of(name, g), 2 * g + is_held_out, is_held_out)
        for g in range(run.num_codebooks)
    ]


def _perplexity_chart(run: PretrainingRun, key: str, title: str, explanation: str, lines: list[Line]) -> Chart:
    return Chart(
        key=key,
        title=title,
        explanation=explanation,
        unit="entries",
        x_unit=X_UNIT,
        lines=lines,
        level=("all used alike", float(run.num_entries)),
        floor=0.0,
        print_value=RATIO,
    )
