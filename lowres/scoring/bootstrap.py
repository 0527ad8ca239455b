"""How far an error rate might move by the luck of the draw: bootstrap intervals (Bisani & Ney 2004).

Whole utterances, or whole speakers with all they said, are drawn again with replacement; the rate of each draw is its
errors divided by its length, and how far the rates spread tells the interval. Drawing utterances answers "other
sentences from these speakers"; drawing speakers answers "other speakers", and is wider and the honest one where
several people are in the test.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from lowres.scoring.student import student_quantile

NUM_REPLICATES = 2_000
CONFIDENCE = 0.95
FEW_UNITS = 3
"""Fewer units than these have no interval: of two speakers any could be the odd one out."""
FEW_SPEAKERS = 5
"""Fewer speakers than these have an interval so wide that the reader should be told."""
_DRAWS_PER_BLOCK = 500_000
_MANY_UNITS = 20_000


@dataclass(frozen=True)
class Interval:
    """Where the true figure lies `CONFIDENCE` of the time, and how many units, utterances or speakers, say so."""

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
    wrong, said = np.asarray(errors, dtype=np.int64), np.asarray(lengths, dtype=np.int64)
    num_units = len(wrong)
    if len(said) != num_units:
        raise ValueError(f"errors and lengths need the same shape: {num_units} errors but {len(said)} lengths")
    if num_units == 0:
        raise ValueError("nothing to draw from")
    generator = np.random.Generator(np.random.PCG64(seed))
    rates = np.empty(num_replicates)
    block = max(1, _DRAWS_PER_BLOCK // num_units)
    for start in range(0, num_replicates, block):
        size = min(block, num_replicates - start)
        drawn = generator.integers(num_units, size=(size, num_units))
        with np.errstate(divide="ignore", invalid="ignore"):
            rates[start : start + size] = wrong[drawn].sum(axis=1) / said[drawn].sum(axis=1)
    return rates


def _redraw_many(
    errors: Sequence[int], lengths: Sequence[int], *, seed: int, num_replicates: int
) -> npt.NDArray[np.float64]:
    """Do as `redraw_rates` for very many units: units of the same errors and length are drawn together.

    How often each sort of unit is drawn is multinomial, so the rates are distributed alike, and the cost is that of a
    few hundred sorts instead of a million units. The draws themselves are others.
    """
    counts = np.stack([np.asarray(errors, dtype=np.int64), np.asarray(lengths, dtype=np.int64)])
    base = int(counts[1].max()) + 1
    sorts, how_many = np.unique(counts[0] * base + counts[1], return_counts=True)
    generator = np.random.Generator(np.random.PCG64(seed))
    drawn = generator.multinomial(len(errors), how_many / len(errors), size=num_replicates)
    with np.errstate(divide="ignore", invalid="ignore"):
        rates: npt.NDArray[np.float64] = (drawn @ (sorts // base)) / (drawn @ (sorts % base))
    return rates


def interval_of(values: npt.NDArray[np.float64], num_units: int) -> Interval | None:
    """Return the interval of what `redraw_rates` gave, or of differences or ratios of such rates.

    It reaches, on each side, as far as the farther of two: the percentile, taken farther out the fewer units there are
    (Hesterberg 2015, "expanded percentile"), and Student's t times the spread of the draws. The first follows a
    lopsided distribution, the second can leave the range of the few units that were drawn from. By simulation the truth
    lies inside 93-96 times in 100 from three units on; the plain percentile held it 76 times with three, 88 with ten
    (docs/decisions/2026-11-28-intervals.md).

    Args:
        values: one for each redrawn set; those that are not finite, as of draws without any reference, are left out.
        num_units: how many units were drawn from.

    Returns:
        The interval, not below 0 where no value is; None with fewer than `FEW_UNITS`, or where no value is finite.
    """
    usable = values[np.isfinite(values)]
    if usable.size == 0 or num_units < FEW_UNITS:
        return None
    tail = (1 - CONFIDENCE) / 2
    # Draws from n units vary by n - 1 parts of n of what sets of n units do.
    reach = student_quantile(1 - tail, num_units - 1) * math.sqrt(num_units / (num_units - 1))
    outer = NormalDist().cdf(-reach)
    low, high = np.quantile(usable, [outer, 1 - outer])
    centre, spread = float(usable.mean()), float(usable.std())
    low, high = min(float(low), centre - reach * spread), max(float(high), centre + reach * spread)
    return Interval(max(low, 0.0) if usable.min() >= 0 else low, high, num_units)


def interval_over_utterances(
    errors: Sequence[int], lengths: Sequence[int], *, seed: int = 1, num_replicates: int = NUM_REPLICATES
) -> Interval | None:
    """Return the interval of the error rate over utterances drawn again; None with fewer than three utterances."""
    if len(errors) < FEW_UNITS:
        return None
    redraw = redraw_rates if len(errors) < _MANY_UNITS else _redraw_many
    return interval_of(redraw(errors, lengths, seed=seed, num_replicates=num_replicates), len(errors))


def interval_over_speakers(
    errors: Sequence[int],
    lengths: Sequence[int],
    speakers: Sequence[str],
    *,
    seed: int = 1,
    num_replicates: int = NUM_REPLICATES,
) -> Interval | None:
    """Return the interval over speakers drawn again with all their utterances; None with fewer than three speakers.

    With fewer than `FEW_SPEAKERS` it is wide, and the reader should be told. Utterances of the speaker "", whom nobody
    named, are drawn together like those of one more speaker.
    """
    names, group = np.unique(np.asarray(speakers, dtype=object).astype(str), return_inverse=True)
    if len(names) < FEW_UNITS:
        return None
    errors_by_speaker = np.bincount(group, weights=np.asarray(errors)).astype(np.int64)
    lengths_by_speaker = np.bincount(group, weights=np.asarray(lengths)).astype(np.int64)
    rates = redraw_rates(errors_by_speaker, lengths_by_speaker, seed=seed, num_replicates=num_replicates)
    return interval_of(rates, len(names))
