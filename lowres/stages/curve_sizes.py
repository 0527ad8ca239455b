"""Which amounts of speech a learning curve is measured at: nested lists, each about twice the one before."""

from collections.abc import Sequence
from typing import Final

from lowres.manifest.corpus import PreparedCorpus
from lowres.manifest.settings import TRAIN

_FIRST: Final = (1 / 6, 0.5)
"""Hours; from 1 on they double."""

_LEAST_STEP: Final = 1.2
"""All of the training speech is a point of its own where it is at least so many times the amount before it."""


def training_hours(corpus: PreparedCorpus) -> float:
    """Return the hours of training speech of a corpus."""
    return float(corpus.rows(TRAIN)["duration_seconds"].sum()) / 3600


def choose_sizes(corpus: PreparedCorpus, asked: Sequence[float] | None) -> list[float | None]:
    """Return the amounts to train on, in hours, the smallest first; None is all of the training speech.

    Args:
        corpus: prepared.
        asked: hours, in any order; None doubles them from 10 minutes, 30 minutes and 1 hour on. Amounts that the
            corpus does not reach become one: all of it.
    """
    there = training_hours(corpus)
    if asked is not None:
        smaller = sorted({hours for hours in asked if hours < there * 0.999})
        reaches_all = any(hours >= there * 0.999 for hours in asked)
        return [*smaller, *([None] if reaches_all else [])]
    sizes = [hours for hours in _FIRST if hours < there]
    hours = 1.0
    while hours < there:
        sizes.append(hours)
        hours *= 2
    is_far_from_all = not sizes or there >= _LEAST_STEP * sizes[-1]
    return [*sizes, *([None] if is_far_from_all else [])]
