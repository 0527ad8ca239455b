"""How a fine-tuning went, in words, by rules that anybody can check against the numbers.

A linguist asks three things of a training: how good did it get, was that its end or would more training help, and
did anything go wrong? The error rate on dev answers the first two.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import mean
from typing import Final, Literal

from lowres.report.pretraining_verdict import judge_trend
from lowres.report.sentences import percent

FEWEST_EVALUATIONS: Final = 4
"""Evaluations from which their course is judged."""

NEARLY_BEST: Final = 0.02
"""An error rate this share over the best counts as no worse."""

WORSE: Final = 0.05
"""A mean this share over the best says that training has gone on for too long."""

LEARNT_BY_HEART: Final = 0.05
"""Training loss per token under which the training speech is all but known by heart."""

Course = Literal["no dev", "too few", "falling", "flat", "worse"]


@dataclass(frozen=True)
class Evidence:
    """The numbers a verdict rests on.

    Args:
        error_rates: character error rates on dev, one per evaluation, in order, of all attempts.
        updates: of the run at these evaluations.
        losses: training losses per token, one per report.
        status: as run.json has it.
    """

    error_rates: Sequence[float]
    updates: Sequence[int]
    losses: Sequence[float]
    status: str


@dataclass(frozen=True)
class Verdict:
    """One sentence on how good it got, one on whether more training would help, and what both rest on."""

    sentence: str
    outlook: str
    course: Course
    num_flat: int
    """Latest evaluations in a row that were hardly better than the ones before them."""


def judge(evidence: Evidence) -> Verdict:
    """Weigh the evidence."""
    course, num_flat = judge_course(evidence.error_rates)
    return Verdict(_sentence(evidence), _outlook(evidence, course, num_flat), course, num_flat)


def judge_course(error_rates: Sequence[float]) -> tuple[Course, int]:
    """Tell whether the error rate was still falling at the end.

    Args:
        error_rates: one per evaluation, in order.

    Returns:
        The course, and how many evaluations came after the first that was nearly as good as the best.
    """
    if not error_rates:
        return "no dev", 0
    best = min(error_rates)
    first_good = next(i for i, rate in enumerate(error_rates) if rate <= best * (1 + NEARLY_BEST))
    num_flat = len(error_rates) - 1 - first_good
    if len(error_rates) < FEWEST_EVALUATIONS:
        return "too few", num_flat
    if num_flat == 0:  # the last is the best by far, however its quarter began
        return "falling", num_flat
    if _is_worse(error_rates):
        return "worse", num_flat
    return ("falling" if judge_trend(error_rates) == "falling" else "flat"), num_flat


def _is_worse(error_rates: Sequence[float]) -> bool:
    """Tell whether the error rate has risen since its best.

    A steep fall has a last quarter whose mean lies far above its end. So where the best is in that quarter, the
    quarter's second half must be worse than its first; a half of fewer than two evaluations says nothing.
    """
    span = max(len(error_rates) // 4, 1)
    latest, half = error_rates[-span:], span // 2
    if min(error_rates) < min(latest):
        return mean(latest) > min(error_rates) * (1 + WORSE)
    return half > 1 and mean(latest[-half:]) > mean(latest[:-half]) * (1 + WORSE)


def rate_text(rate: float) -> str:
    """Print an error rate as people say it: "39 %", under ten "4.1 %"."""
    return percent(rate, 0 if rate >= 0.0995 else 1)


def _sentence(evidence: Evidence) -> str:
    rates = evidence.error_rates
    if not rates and not evidence.losses:
        return "Nothing has been reported yet, so there is nothing to judge."
    if not rates:
        first, last = evidence.losses[0], evidence.losses[-1]
        return f"Without dev speech nobody knows how good it is; the training loss went from {first:.2f} to {last:.2f}."
    best = min(range(len(rates)), key=lambda i: rates[i])
    where = f"update {evidence.updates[best]:,}"
    if len(rates) == 1:
        return f"{rate_text(rates[0])} of letters on dev are wrong (CER), at the only evaluation, {where}."
    if best == 0:
        return f"Dev CER never fell below {rate_text(rates[0])}, where it was at the first evaluation."
    begun, lowest = rate_text(rates[0]), rate_text(rates[best])
    if begun == lowest:  # rounded alike: one decimal may tell them apart
        begun, lowest = percent(rates[0], 1), percent(rates[best], 1)
    course = f"has hardly fallen from {begun}" if begun == lowest else f"fell from {begun} to {lowest}"
    return f"Dev CER {course}; the best was {where}."


def _outlook(evidence: Evidence, course: Course, num_flat: int) -> str:
    if evidence.status == "collapsed":
        return "It collapsed: it no longer writes anything of use. What happened is told below, with what to try."
    now = "It is still training. " if evidence.status == "training" else ""
    is_known = bool(evidence.losses) and evidence.losses[-1] < LEARNT_BY_HEART
    by_heart = " It knows its training speech nearly by heart: more transcribed speech is what helps." * is_known
    return f"{now}{_course_sentence(course, num_flat, is_running=bool(now))}{by_heart}"


def _course_sentence(course: Course, num_flat: int, *, is_running: bool) -> str:
    match course:
        case "no dev":
            return "Prepare the corpus with a dev split to see whether more training helps."
        case "too few":
            return "There were too few evaluations to say whether longer training would help."
        case "falling":
            still = "The CER is still falling" if is_running else "It was still falling when training ended"
            return f"{still}: longer training would probably help."
        case "worse":
            return "It has got worse since: longer training would not help. The best checkpoint was kept."
        case "flat":
            evaluations = f"{num_flat:,} evaluation{'' if num_flat == 1 else 's'}"
            return (
                f"It has been flat for {evaluations}: longer training would hardly help; more transcribed speech or "
                "another backbone would."
            )
