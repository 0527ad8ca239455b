"""Whether one transcription of the same speech is better than another: the paired bootstrap (Bisani and Ney 2004).

Both are scored on the same redrawn utterances, so that what is hard about an utterance weighs on both alike and the
interval is that of the difference.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lowres.scoring.bootstrap import NUM_REPLICATES, Interval, interval_of, redraw_rates
from lowres.scoring.significance import luck_by_swapping, utterances_needed


@dataclass(frozen=True)
class RelativeGain:
    """How much lower an error rate is than the one it is compared with.

    Attributes:
        share: 1 - rate / rate before; above 0 is better, 0.25 = a quarter of the errors are gone.
        interval: of the share over redrawn utterances; None with fewer than three of them.
        chance_of_none: the share of redrawn sets in which nothing was gained, 0-1.
    """

    share: float
    interval: Interval | None
    chance_of_none: float


@dataclass(frozen=True)
class PairedDifference:
    """One error rate of two transcriptions of the same N utterances, and whether the difference is luck.

    Attributes:
        num_errors_before, num_errors: of the one compared with, and of the new one.
        num_reference: words or characters that were said.
        gain: the relative difference, over redrawn utterances.
        change: interval of rate - rate before over redrawn utterances; below 0 is better.
        gain_over_speakers: interval of the relative difference over redrawn speakers; None with fewer than three.
        num_against: redrawn sets, of `NUM_REPLICATES`, that do not show the difference, or show its contrary.
        luck_by_redrawing: two-sided chance of luck by the bootstrap, 0-1.
        luck_by_swapping: the same by the swapping test (`luck_by_swapping`).
        num_needed: utterances that would show such a difference; None where there is none at all.
    """

    num_errors_before: int
    num_errors: int
    num_reference: int
    gain: RelativeGain
    change: Interval | None
    gain_over_speakers: Interval | None
    num_against: int
    luck_by_redrawing: float
    luck_by_swapping: float
    num_needed: int | None

    @property
    def rate_before(self) -> float:
        """Error rate of the one compared with, 0-1 and above; infinite where nothing was said and something heard."""
        return _rate(self.num_errors_before, self.num_reference)

    @property
    def rate(self) -> float:
        """Error rate of the new one."""
        return _rate(self.num_errors, self.num_reference)


def relative_gain(
    errors: Sequence[int], errors_before: Sequence[int], lengths: Sequence[int], *, seed: int = 1
) -> RelativeGain:
    """Compare two transcriptions of the same N utterances.

    Args:
        errors: (N,) errors of the new one in each utterance.
        errors_before: (N,) those of the one it is compared with.
        lengths: (N,) reference lengths, in words or characters.
        seed: of the random draws.

    Raises:
        ValueError: no utterances, or lists of different lengths.
    """
    now = redraw_rates(errors, lengths, seed=seed)
    before = redraw_rates(errors_before, lengths, seed=seed)
    return _gain(errors, errors_before, now, before)


def compare_errors(
    errors: Sequence[int],
    errors_before: Sequence[int],
    lengths: Sequence[int],
    speakers: Sequence[str],
    *,
    seed: int = 1,
) -> PairedDifference:
    """Compare two transcriptions of the same N utterances, with every interval and both tests.

    Args:
        errors: (N,) errors of the new one in each utterance.
        errors_before: (N,) those of the one it is compared with.
        lengths: (N,) reference lengths, in words or characters.
        speakers: (N,) who speaks; all whom nobody named ("") count as one more speaker.
        seed: of the random draws.

    Raises:
        ValueError: no utterances, or lists of different lengths.
    """
    now = redraw_rates(errors, lengths, seed=seed)
    before = redraw_rates(errors_before, lengths, seed=seed)
    differences = np.asarray(errors, dtype=np.int64) - np.asarray(errors_before, dtype=np.int64)
    is_better = int(differences.sum()) < 0
    # Where a redrawn set has no words at all, neither is better: NaN is neither above nor below.
    num_not_better, num_not_worse = int((~(now < before)).sum()), int((~(now > before)).sum())
    smaller = min(num_not_better, num_not_worse)
    with np.errstate(invalid="ignore"):
        change = interval_of(now - before, len(lengths)) if len(lengths) > 1 else None
    return PairedDifference(
        num_errors_before=sum(errors_before),
        num_errors=sum(errors),
        num_reference=sum(lengths),
        gain=_gain(errors, errors_before, now, before),
        change=change,
        gain_over_speakers=_gain_over_speakers(errors, errors_before, lengths, speakers, seed=seed),
        num_against=num_not_better if is_better else num_not_worse,
        luck_by_redrawing=min(1.0, 2 * (smaller + 1) / (NUM_REPLICATES + 1)),
        luck_by_swapping=luck_by_swapping(differences, seed=seed),
        num_needed=utterances_needed(differences),
    )


def _gain(
    errors: Sequence[int],
    errors_before: Sequence[int],
    now: npt.NDArray[np.float64],
    before: npt.NDArray[np.float64],
) -> RelativeGain:
    """Return the gain of N utterances, given the rates of the same redrawn sets."""
    total = sum(errors_before)
    share = 1 - sum(errors) / total if total else 0.0
    if len(errors) < 2:
        return RelativeGain(share, None, 1.0 if share <= 0 else 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        shares = 1 - now / before
    # Where there was nothing to gain, nothing was: of 0 errors before, a share is not a number or minus infinity.
    chance = float((~(shares > 0)).mean())
    return RelativeGain(share, interval_of(shares, len(errors)), chance)


def _gain_over_speakers(
    errors: Sequence[int],
    errors_before: Sequence[int],
    lengths: Sequence[int],
    speakers: Sequence[str],
    *,
    seed: int,
) -> Interval | None:
    names, group = np.unique(np.asarray(speakers, dtype=object).astype(str), return_inverse=True)
    if len(names) < 2:
        return None
    sums = [np.bincount(group, weights=np.asarray(one)).astype(np.int64) for one in (errors, errors_before, lengths)]
    return relative_gain(*(one.tolist() for one in sums), seed=seed).interval


def _rate(num_errors: int, num_reference: int) -> float:
    if num_reference == 0:
        return float("inf") if num_errors else 0.0
    return num_errors / num_reference
