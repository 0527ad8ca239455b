"""Whether one transcription of the same speech is better than another: the paired bootstrap (Bisani and Ney 2004).

Both are scored on the same redrawn utterances, so that what is hard about an utterance weighs on both alike and the
interval is that of the difference.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lowres.scoring.bootstrap import Interval, interval_of, redraw_rates


@dataclass(frozen=True)
class RelativeGain:
    """How much lower an error rate is than the one it is compared with.

    Attributes:
        share: 1 - rate / rate before; above 0 is better, 0.25 = a quarter of the errors are gone.
        interval: of the share over redrawn utterances; None with fewer than two of them.
        chance_of_none: the share of redrawn sets in which nothing was gained, 0-1.
    """

    share: float
    interval: Interval | None
    chance_of_none: float


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
    total = sum(errors_before)
    share = 1 - sum(errors) / total if total else 0.0
    if len(lengths) < 2:
        return RelativeGain(share, None, 1.0 if share <= 0 else 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        shares = 1 - now / before
    # Where there was nothing to gain, nothing was: of 0 errors before, a share is not a number or minus infinity.
    chance = float((~(shares > 0)).mean())
    return RelativeGain(share, interval_of(shares, len(lengths)), chance)
