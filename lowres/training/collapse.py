"""Noticing that a recogniser has collapsed into silence or a few letters, saying why, and what to try instead.

CTC finds an all-blank answer first and some runs never leave it (FEATURES.md, complaints C1 and C2). The functions
here are pure: they see a handful of numbers and return sentences and settings.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class OutputSymptoms:
    """What one evaluation on dev showed."""

    step: int
    progress: float
    """How far the run was, 0-1."""

    train_loss: float
    """Mean training loss per token since the evaluation before."""

    blank_share: float
    """Share of dev frames whose best label is the blank, 0-1."""

    distinct_tokens: int
    """Different tokens in all dev hypotheses together."""

    gradient_norm: float
    """Mean gradient norm since the evaluation before."""


@dataclass(frozen=True)
class CollapseRule:
    """When output counts as collapsed."""

    check_share: float = 0.4
    """Share of the run before which nothing is concluded."""

    check_updates: int = 1_000
    """Updates before which nothing is concluded: every CTC recogniser is silent at first."""

    blank_share: float = 0.995
    """Share of blank frames from which output counts as silence."""

    few_tokens_share: float = 0.1
    """Share of the vocabulary under which the tokens used count as few."""


CollapseKind = Literal["silence", "few tokens"]


@dataclass(frozen=True)
class Collapse:
    """A collapsed recogniser: what it does, and what may have caused it."""

    kind: CollapseKind
    sentence: str
    is_diverging: bool
    """Whether the training loss had been lower before: the sign of a learning rate that is too high."""

    causes: tuple[str, ...]
    """One sentence each, the likeliest first, each naming what to try."""


def detect_collapse(
    history: Sequence[OutputSymptoms], *, vocabulary_size: int, rule: CollapseRule, learning_rate: float
) -> Collapse | None:
    """Look at a run's evaluations and say whether its recogniser has collapsed.

    Args:
        history: evaluations in order of steps.
        vocabulary_size: number of tokens, the blank included.
        rule: the thresholds. Nothing is concluded before `rule.check_share` of the run and `rule.check_updates`.
        learning_rate: peak learning rate, to name it in the explanation.

    Returns:
        The collapse, or None when there is none to see.
    """
    if not history or history[-1].progress < rule.check_share or history[-1].step < rule.check_updates:
        return None
    now = history[-1]
    few = max(1, int(rule.few_tokens_share * (vocabulary_size - 1)))
    kind: CollapseKind
    if now.blank_share >= rule.blank_share or now.distinct_tokens == 0:
        kind = "silence"
        what = f"answers with silence ({now.blank_share:.1%} of the frames are blank)"
    elif now.distinct_tokens <= few:
        kind = "few tokens"
        what = f"uses only {now.distinct_tokens} of its {vocabulary_size - 1} tokens"
    else:
        return None
    lowest = min(symptoms.train_loss for symptoms in history)
    is_diverging = now.train_loss > 1.1 * lowest
    return Collapse(
        kind=kind,
        sentence=f"after {now.step} updates ({now.progress:.0%} of the run) the recogniser {what}",
        is_diverging=is_diverging,
        causes=_causes(now, lowest, is_diverging, vocabulary_size, learning_rate),
    )


def _causes(
    now: OutputSymptoms, lowest_loss: float, is_diverging: bool, vocabulary_size: int, learning_rate: float
) -> tuple[str, ...]:
    causes = []
    if is_diverging:
        causes.append(
            f"the loss per token rose from {lowest_loss:.2f} to {now.train_loss:.2f}: the learning rate "
            f"{learning_rate:.1e} is too high, try --set finetune.learning_rate={learning_rate / 3:.1e}"
        )
    elif now.gradient_norm < 0.05:
        causes.append(
            f"the gradient is nearly gone (norm {now.gradient_norm:.3f}): the learning rate {learning_rate:.1e} may be "
            f"too low or this start a bad one, try another --seed or "
            f"--set finetune.learning_rate={learning_rate * 2:.1e}"
        )
    else:
        causes.append("this start was a bad one: some seeds learn where others never do, try another --seed")
    if now.step < 2000:
        causes.append(
            f"{now.step} updates are few: leaving the silent stage often takes several thousand, give it more "
            "--minutes or --set finetune.updates=..."
        )
    if vocabulary_size > 200:
        causes.append(
            f"the vocabulary is large ({vocabulary_size} tokens) for little speech: try kind = 'characters' in "
            "[vocabulary]"
        )
    causes.append("much of the audio may be silence or not match its transcripts: look at corpus/checks.tsv")
    return tuple(causes)


@dataclass(frozen=True)
class Retry:
    """What to do differently in the next attempt."""

    seed: int
    learning_rate: float
    sentence: str


SEED_STRIDE = 1000
"""Attempt n uses the seed of the run plus n times this, so that neighbouring seeds stay different runs."""


def choose_retry(collapse: Collapse, *, attempt: int, seed: int, learning_rate: float) -> Retry:
    """Choose the seed and learning rate of the next attempt.

    Args:
        collapse: what was seen.
        attempt: attempts made so far, 1 or more.
        seed: the run's own seed.
        learning_rate: peak learning rate of the attempt that collapsed.

    Returns:
        A third of the rate when the loss was rising. Otherwise only another seed the first time, then a lower rate,
        then a higher one, in turn.
    """
    if collapse.is_diverging:
        rate, change = learning_rate / 3, "a third of the learning rate"
    elif attempt == 1:
        rate, change = learning_rate, "the same learning rate"
    elif attempt % 2 == 0:
        rate, change = learning_rate / 3, "a third of the learning rate"
    else:
        rate, change = learning_rate * 6, "a higher learning rate"
    next_seed = seed + SEED_STRIDE * attempt
    return Retry(
        seed=next_seed,
        learning_rate=rate,
        sentence=f"starting again with seed {next_seed} and {change} ({rate:.1e})",
    )
