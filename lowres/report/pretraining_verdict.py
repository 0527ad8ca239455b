"""Whether a pretraining run learns, in words, by rules that anybody can check against the numbers.

A linguist needs one sentence before any curve (FEATURES.md, complaint C24). Three questions are asked in this order:
are the codes used at all (a collapsed quantiser makes every other figure meaningless), is the hidden sound found more
often than by guessing, and does the loss on speech held out from training still fall?
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

LEARNS_FROM: Final = 5.0
"""Times the accuracy of guessing from which a run is said to learn."""

BEGINS_FROM: Final = 2.0
"""Times the accuracy of guessing from which a run is said to begin to learn."""

WELL_USED: Final = 0.5
"""Share of all codes from which they are said to be used."""

HARDLY_USED: Final = 0.1

COLLAPSED_PERPLEXITY: Final = 2.0
"""Code perplexity of a codebook under which it says next to nothing."""

ALIKE: Final = 0.95
"""Mean cosine similarity between different frames' targets from which they count as nearly the same."""

TREND: Final = 0.01
"""Relative change of the held-out loss under which it counts as level."""

PAPER_HOURS_PER_UPDATE: Final = 1.6
"""Hours of audio in one update of the paper's BASE (section 4.2)."""

FAR_BELOW: Final = 0.25
"""Share of the paper's hours per update under which a batch counts as far smaller."""

Learning = Literal["nothing reported", "not yet", "beginning", "learns"]
CodeUse = Literal["unknown", "collapsed", "hardly", "partly", "well"]
Trend = Literal["unknown", "falling", "level", "rising"]


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """The numbers a verdict rests on; None where nothing was reported.

    Args:
        accuracy: share of masked frames whose target was told from its distractors, 0-1.
        is_held_out: whether accuracy and codes are those of held-out speech.
        num_distractors: K.
        used_codes_share: 0-1.
        code_perplexity: one per codebook, 1 to V, of the entries that were chosen.
        latent_similarity: -1 to 1.
        held_out_losses: mean over languages, one per evaluation, in order.
        has_collapsed: the run itself was stopped because of a collapse.
    """

    accuracy: float | None
    is_held_out: bool
    num_distractors: int
    used_codes_share: float | None
    code_perplexity: tuple[float, ...]
    latent_similarity: float | None
    held_out_losses: tuple[float, ...]
    has_collapsed: bool


@dataclass(frozen=True)
class Verdict:
    """What the evidence amounts to: one sentence, and what each part of it is."""

    sentence: str
    learning: Learning
    codes: CodeUse
    trend: Trend
    has_collapsed: bool

    @property
    def is_good(self) -> bool:
        """Whether nothing speaks against the run."""
        return not self.has_collapsed and self.learning == "learns" and self.codes == "well" and self.trend != "rising"


def chance_accuracy(num_distractors: int) -> float:
    """Return the accuracy of guessing among a target and K distractors, 1 / (K + 1)."""
    return 1 / (num_distractors + 1)


def judge(evidence: Evidence) -> Verdict:
    """Weigh the evidence."""
    learning = judge_learning(evidence.accuracy, evidence.num_distractors)
    codes = judge_codes(evidence)
    trend = judge_trend(evidence.held_out_losses)
    has_collapsed = codes == "collapsed" or evidence.has_collapsed
    sentence = _collapse_sentence(evidence, codes) if has_collapsed else _sentence(learning, codes, trend)
    return Verdict(sentence, learning, codes, trend, has_collapsed)


def judge_learning(accuracy: float | None, num_distractors: int) -> Learning:
    """Compare accuracy with guessing."""
    if accuracy is None:
        return "nothing reported"
    times = accuracy / chance_accuracy(num_distractors)
    return "learns" if times >= LEARNS_FROM else "beginning" if times >= BEGINS_FROM else "not yet"


def judge_codes(evidence: Evidence) -> CodeUse:
    """Say how well the quantiser's entries are used."""
    if min(evidence.code_perplexity, default=COLLAPSED_PERPLEXITY) < COLLAPSED_PERPLEXITY:
        return "collapsed"
    share = evidence.used_codes_share
    if share is None:
        return "unknown"
    return "well" if share >= WELL_USED else "partly" if share >= HARDLY_USED else "hardly"


def judge_trend(losses: Sequence[float]) -> Trend:
    """Compare the mean of the latest quarter of the evaluations with that of the quarter before it.

    Args:
        losses: one per evaluation, in order; fewer than two say nothing.
    """
    if len(losses) < 2:
        return "unknown"
    span = max(len(losses) // 4, 1)
    latest, before = sum(losses[-span:]) / span, sum(losses[-2 * span : -span]) / span
    if abs(latest - before) <= TREND * abs(before):
        return "level"
    return "falling" if latest < before else "rising"


def is_small_update(hours_per_update: float) -> bool:
    """Tell whether an update learns from far less audio than the paper's."""
    return hours_per_update < FAR_BELOW * PAPER_HOURS_PER_UPDATE


def _collapse_sentence(evidence: Evidence, codes: CodeUse) -> str:
    if codes in ("collapsed", "hardly"):
        return "The codes have collapsed to a few, so the network has nothing left to learn from."
    if evidence.latent_similarity is not None and evidence.latent_similarity >= ALIKE:
        return "All sounds have come to look alike, so the network has nothing left to learn from."
    return "The run was stopped because it had collapsed."


def _sentence(learning: Learning, codes: CodeUse, trend: Trend) -> str:
    if learning == "nothing reported":
        return "Nothing has been reported yet, so there is nothing to judge."
    learned = {"learns": "It learns", "beginning": "It begins to learn", "not yet": "It does not learn yet"}[learning]
    used = {
        "well": "most of its codes are used",
        "partly": "only part of its codes are used",
        "hardly": "hardly any of its codes are used",
        "unknown": "it is not known how many of its codes are used",
    }[codes]
    good, fine = learning == "learns", codes == "well"
    joined = f"{learned}, {'and' if good == fine else 'but'} {used}"
    more = {
        "falling": "the loss on held-out speech is still falling",
        "level": "the loss on held-out speech does not fall",
        "rising": "the loss on held-out speech is rising",
        "unknown": "",
    }[trend]
    return f"{joined}; {more}." if more else f"{joined}."
