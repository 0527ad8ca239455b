"""How far an error rate might move by the luck of the draw: percentile bootstrap intervals (Bisani & Ney 2004).

Whole utterances, or whole speakers with all they said, are drawn again with replacement; the rate of each draw is its
errors divided by its length, and the middle 95 % of the rates is the interval. Drawing utterances answers "other
sentences from these speakers"; drawing speakers answers "other speakers", and is wider and the honest one where
several people are in the test.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

NUM_REPLICATES = 2_000
CONFIDENCE = 0.95
FEW_SPEAKERS = 5
_DRAWS_PER_BLOCK = 4_000_000


@dataclass(frozen=True)
class Interval:
    """The middle `CONFIDENCE` of the redrawn error rates, 0-1 and above, and how many units were drawn from."""

    low: float
    high: float
    num_units: int


def redraw_rates(
    errors: Sequence[int] | npt.NDArray[np.int64],
    lengths: Sequence[int] | npt.NDArray[np.int64],
    *,
    seed: int = 1,
    num_replicates: int = NUM_REPLICATES,
) -> npt.NDArray[np.float64]:
    """Return (num_replicates,) error rates of redrawn sets, the same for the same seed on every machine.

    Args:
        errors: (N,) errors of each unit, an utterance or a speaker.
        lengths: (N,) reference length of each unit, in words or characters.
        seed: start of the random draws; two calls with one seed draw the same units, so their rates are paired.
        num_replicates: how many sets are drawn.

    Raises:
        ValueError: where `errors` and `lengths` differ in length or are empty.
    """
    counts = np.stack([np.asarray(errors, dtype=np.int64), np.asarray(lengths, dtype=np.int64)])
    num_units = counts.shape[1]
    if num_units == 0:
        raise ValueError("nothing to draw from")
    generator = np.random.Generator(np.random.PCG64(seed))
    rates = np.empty(num_replicates)
    block = max(1, _DRAWS_PER_BLOCK // num_units)
    for start in range(0, num_replicates, block):
        size = min(block, num_replicates - start)
        drawn = generator.integers(num_units, size=(size, num_units))
        sums = counts[:, drawn].sum(axis=2)
        with np.errstate(divide="ignore", invalid="ignore"):
            rates[start : start + size] = sums[0] / sums[1]
    return rates


def interval_of(rates: npt.NDArray[np.float64], num_units: int) -> Interval | None:
    """Return the middle `CONFIDENCE` of `rates`; draws without any reference are left out, None if all are."""
    usable = rates[np.isfinite(rates)]
    if usable.size == 0:
        return None
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(usable, [tail, 1 - tail])
    return Interval(float(low), float(high), num_units)


def interval_over_utterances(
    errors: Sequence[int], lengths: Sequence[int], *, seed: int = 1, num_replicates: int = NUM_REPLICATES
) -> Interval | None:
    """Return the interval of the error rate over utterances drawn again; None with fewer than two utterances."""
    if len(errors) < 2:
        return None
    return interval_of(redraw_rates(errors, lengths, seed=seed, num_replicates=num_replicates), len(errors))


def interval_over_speakers(
    errors: Sequence[int],
    lengths: Sequence[int],
    speakers: Sequence[str],
    *,
    seed: int = 1,
    num_replicates: int = NUM_REPLICATES,
) -> Interval | None:
    """Return the interval over speakers drawn again with all their utterances; None with fewer than two speakers.

    With fewer than `FEW_SPEAKERS` it is a rough figure, and the reader should be told. Utterances of the speaker "",
    whom nobody named, are drawn together like those of one more speaker.
    """
    names, group = np.unique(np.asarray(speakers, dtype=object).astype(str), return_inverse=True)
    if len(names) < 2:
        return None
    errors_by_speaker = np.bincount(group, weights=np.asarray(errors)).astype(np.int64)
    lengths_by_speaker = np.bincount(group, weights=np.asarray(lengths)).astype(np.int64)
    rates = redraw_rates(errors_by_speaker, lengths_by_speaker, seed=seed, num_replicates=num_replicates)
    return interval_of(rates, len(names))
