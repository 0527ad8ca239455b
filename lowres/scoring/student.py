"""Quantiles of Student's t distribution, for the few units that an interval sometimes rests on."""

import math
from functools import lru_cache
from statistics import NormalDist

_MANY_DEGREES = 400
_STEPS = 80


@lru_cache(maxsize=1024)
def student_quantile(probability: float, degrees: int) -> float:
    """Return the value that a t-distributed number with `degrees` degrees of freedom stays below.

    Args:
        probability: of staying below, 0.5 up to and without 1.
        degrees: 1 or more; from 400 on the normal distribution stands in, which differs by less than 0.005.

    Raises:
        ValueError: outside of these ranges.
    """
    if not 0.5 <= probability < 1 or degrees < 1:
        raise ValueError(f"no quantile of probability {probability} with {degrees} degrees of freedom")
    if degrees >= _MANY_DEGREES:
        return NormalDist().inv_cdf(probability)
    low, high = 0.0, 1.0
    while _share_within(high, degrees) < 2 * probability - 1:
        high *= 2
    for _ in range(_STEPS):
        middle = (low + high) / 2
        if _share_within(middle, degrees) < 2 * probability - 1:
            low = middle
        else:
            high = middle
    return high


def _share_within(limit: float, degrees: int) -> float:
    """Return the probability between -limit and limit (Abramowitz and Stegun 1964, 26.7.3 and 26.7.4)."""
    angle = math.atan(limit / math.sqrt(degrees))
    squared = math.cos(angle) ** 2
    is_odd = degrees % 2
    term = math.cos(angle) if is_odd else 1.0
    total = term if degrees > 1 else 0.0
    for step in range(3 if is_odd else 2, degrees - 1 if is_odd else degrees, 2):
        term *= squared * (step - 1) / step
        total += term
    return 2 / math.pi * (angle + math.sin(angle) * total) if is_odd else math.sin(angle) * total
