"""Luck or not: the sign test by swapping, Holm's correction for many comparisons, and how large a test must be.

The swapping test (approximate randomisation, Noreen 1989) asks another question than the bootstrap of `paired`: were
the two transcriptions alike, it would not matter whose is whose in an utterance, so how often is the difference as
large when they are swapped at random? Where both methods say the same, the answer does not hang on the method.
"""

import math
from collections.abc import Sequence
from statistics import NormalDist
from typing import Final

import numpy as np
import numpy.typing as npt

LEVEL: Final = 0.05
"""A chance of luck below this is called a difference."""

POWER: Final = 0.8
"""The chance of finding the difference that `utterances_needed` reckons with."""

NUM_SWAPS: Final = 10_000
_MOST_EXACT: Final = 13
_DRAWS_PER_BLOCK: Final = 4_000_000


def luck_by_swapping(
    differences: Sequence[int] | npt.NDArray[np.int64], *, seed: int = 1, num_swaps: int = NUM_SWAPS
) -> float:
    """Return how often swapping makes a difference at least as large, on either side, as the one that was found.

    Args:
        differences: (N,) errors of one transcription less those of the other, for each utterance.
        seed: of the random swaps; with at most 13 utterances that differ all swaps are tried, and nothing is random.
        num_swaps: how many sets of swaps are drawn.

    Returns:
        Above 0 to 1; 1 where no utterance differs.
    """
    found = np.asarray(differences, dtype=np.int64)
    found = found[found != 0]
    if found.size == 0:
        return 1.0
    total = int(found.sum())
    if found.size <= _MOST_EXACT:
        every = (np.arange(2**found.size)[:, None] >> np.arange(found.size)) & 1
        return float((np.abs(total - 2 * (every @ found)) >= abs(total)).mean())
    generator = np.random.Generator(np.random.PCG64(seed))
    block = max(1, _DRAWS_PER_BLOCK // found.size)
    num_as_large = 0
    for start in range(0, num_swaps, block):
        size = min(block, num_swaps - start)
        swapped = generator.integers(2, size=(size, found.size), dtype=np.int8)
        # Sums of small whole numbers are exact in float64, whose products are the fast ones.
        sums = swapped.astype(np.float64) @ found.astype(np.float64)
        num_as_large += int((np.abs(total - 2 * sums) >= abs(total)).sum())
    return (num_as_large + 1) / (num_swaps + 1)


def holm(chances: Sequence[float]) -> list[float]:
    """Correct the chances of luck of several comparisons for their number (Holm 1979).

    Args:
        chances: one of 0-1 for each comparison.

    Returns:
        In the same order: the smallest times their number, the next times one less, and so on; never smaller than the
        one before it and never above 1. With one comparison nothing changes.
    """
    corrected = [0.0] * len(chances)
    highest = 0.0
    for place, index in enumerate(sorted(range(len(chances)), key=lambda i: chances[i])):
        highest = max(highest, min(1.0, chances[index] * (len(chances) - place)))
        corrected[index] = highest
    return corrected


def utterances_needed(differences: Sequence[int] | npt.NDArray[np.int64]) -> int | None:
    """Estimate how many utterances like these would show the difference, were it as large as it is here.

    The number at which a two-sided test at `LEVEL` finds it with a chance of `POWER`, from the mean and the variance of
    the differences: ((1.96 + 0.84) * deviation / mean) squared.

    Args:
        differences: (N,) errors of one transcription less those of the other, for each utterance.

    Returns:
        A number of utterances, at least 2; None where the mean is 0 or there are fewer than two utterances.
    """
    found = np.asarray(differences, dtype=np.float64)
    if found.size < 2 or found.mean() == 0:
        return None
    normal = NormalDist()
    factor = normal.inv_cdf(1 - LEVEL / 2) + normal.inv_cdf(POWER)
    return max(2, math.ceil((factor * float(found.std(ddof=1)) / float(found.mean())) ** 2))
