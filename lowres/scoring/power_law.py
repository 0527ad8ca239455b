"""How an error rate falls with the hours of training speech: a power law, and how sure its predictions are.

error = scale x hours^-exponent + floor, the form of Hestness et al. 2017 ("Deep learning scaling is predictable,
empirically"), fitted to logarithms: log e = log(a h^-b + c) + noise. A point's noise has the variance
s^2 (sigma^2 + RUN_SCATTER^2): sigma is its own bootstrap's (other utterances to score), RUN_SCATTER what another seed
would do, and s, 1 before anything is seen, is learnt from how far the points lie off the curve.

Uncertainty is Bayesian, and exact but for log a: a grid over b and c, log a around its best for each of them, s^2 an
inverse chi-square with as many degrees of freedom as points and PRIOR_POINTS together. With three points that gives
wide intervals, as it should. A floor cannot be told from a slow power law before there are many points, so half of
the prior lies on no floor and half on any up to `_MOST_FLOOR` of the lowest error; both stay in the interval. In
simulations of 200 curves each, ranges held 95 to 100 of 100 later runs with this scatter and 88 to 98 with twice as
much, at two and four times the largest amount.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from lowres.scoring.bootstrap import CONFIDENCE

FEWEST_POINTS: Final = 3
"""Different amounts of speech without which nothing is fitted."""

FEWEST_FOR_FLOOR: Final = 5
"""Points without which the curve that is drawn has no floor; its interval knows of floors from the beginning."""

RUN_SCATTER: Final = 0.03
"""Standard deviation of log error that is reckoned with between runs that differ in their seed, and in which utterances
happen to be in an amount. Seeds alone were closer (an hour of Mboshi: 39.40, 39.37 and 39.29 % CER, docs/RESULTS.md);
the rest is caution, and more scatter among the points widens the intervals."""

PRIOR_POINTS: Final = 2.0
"""What RUN_SCATTER is worth beside the scatter that is seen, in points."""

GUESS_FACTOR: Final = 4.0
"""Beyond this many times the largest amount that was measured, a prediction is a guess."""

_NUM_DRAWS: Final = 8_000
_MOST_FLOOR: Final = 0.8
_EXPONENTS: Final = np.arange(0.005, 1.5, 0.01)
_FLOORS: Final = np.concatenate([[0.0], np.arange(0.05, _MOST_FLOOR + 0.01, 0.05)])
_LEAST_RATE: Final = 1e-4
"""A rate of 0 has no logarithm; one error in 10,000 stands for it."""

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Predicted:
    """An error rate and the middle `CONFIDENCE` of what a run of that size would measure, 0-1 and above."""

    error_rate: float
    low: float
    high: float


@dataclass(frozen=True)
class HoursNeeded:
    """Hours of training speech in all until the curve falls to an error rate.

    `hours` is the curve's, `low` and `high` bound the middle `CONFIDENCE`; infinite where it never falls so far.
    """

    hours: float
    low: float
    high: float


@dataclass(frozen=True)
class PowerLaw:
    """A fitted curve; `draws` (K, 4) are its posterior's log scale, exponent, floor and noise of a single run."""

    scale: float
    exponent: float
    floor: float
    most_hours: float
    draws: Floats

    def error_rate(self, hours: float) -> float:
        """Return the curve's error rate after training on `hours` (above 0)."""
        return float(self.scale * hours**-self.exponent + self.floor)

    def predict(self, hours: float) -> Predicted:
        """Return what a run on `hours` (above 0) would measure, with its interval."""
        log_scale, exponent, floor, noise = self.draws.T
        normal = np.random.Generator(np.random.PCG64(2)).standard_normal(len(self.draws))
        rates = (np.exp(log_scale) * hours**-exponent + floor) * np.exp(noise * normal)
        low, high = _middle(rates)
        return Predicted(self.error_rate(hours), low, high)

    def hours_until(self, error_rate: float) -> HoursNeeded:
        """Return how many hours in all the curve needs to fall to `error_rate` (above 0)."""
        log_scale, exponent, floor, _ = self.draws.T
        low, high = _middle(_solve(log_scale, exponent, floor, error_rate))
        own = _solve(np.log([self.scale]), np.array([self.exponent]), np.array([self.floor]), error_rate)
        return HoursNeeded(float(own[0]), low, high)

    def is_guess(self, hours: float) -> bool:
        """Whether so many hours lie too far beyond what was measured to be more than a guess."""
        return hours > GUESS_FACTOR * self.most_hours


def fit_power_law(
    hours: Sequence[float], error_rates: Sequence[float], deviations: Sequence[float], *, seed: int = 1
) -> PowerLaw | None:
    """Fit a power law to N measured error rates.

    Args:
        hours: (N,) hours of training speech, above 0; several runs may share one.
        error_rates: (N,) 0-1 and above.
        deviations: (N,) standard deviation of log error by the bootstrap of each; 0 where it is not known.
        seed: of the draws.

    Returns:
        None with fewer than `FEWEST_POINTS` different amounts.

    Raises:
        ValueError: lists of different lengths, or an amount that is not above 0.
    """
    if not len(hours) == len(error_rates) == len(deviations) or min(hours, default=1.0) <= 0:
        raise ValueError("hours, error rates and deviations go together, and hours are above 0")
    if len(set(hours)) < FEWEST_POINTS:
        return None
    log_hours = np.log(np.asarray(hours, dtype=np.float64))
    log_errors = np.log(np.maximum(np.asarray(error_rates, dtype=np.float64), _LEAST_RATE))
    variances = np.asarray(deviations, dtype=np.float64) ** 2 + RUN_SCATTER**2
    grid = _Grid.over(log_hours, log_errors, 1 / variances)
    scale, exponent, floor = _best(grid, log_hours, log_errors, 1 / variances)
    draws = grid.draw(len(hours), float(np.sqrt(variances.mean())), seed)
    return PowerLaw(scale, exponent, floor, max(hours), draws)


def deviation_of_log(rates: Floats) -> float:
    """Return the standard deviation of the logarithm of redrawn rates (R,); 0 where there are none to tell by."""
    usable = rates[np.isfinite(rates)]
    return float(np.log(np.maximum(usable, _LEAST_RATE)).std()) if usable.size > 1 else 0.0


@dataclass(frozen=True)
class _Grid:
    """For each of C pairs of exponent and floor: the best log scale, how sharp it is, and the weighted squares left."""

    exponents: Floats
    floors: Floats
    log_scales: Floats
    sharpness: Floats
    squares: Floats
    priors: Floats

    @classmethod
    def over(cls, log_hours: Floats, log_errors: Floats, weights: Floats) -> "_Grid":
        exponents, shares = (axis.ravel() for axis in np.meshgrid(_EXPONENTS, _FLOORS, indexing="ij"))
        floors = shares * np.exp(log_errors.min())
        powers = -exponents[:, None] * log_hours
        log_scales = np.average(np.log(np.maximum(np.exp(log_errors) - floors[:, None], 1e-9)) - powers, axis=1)
        slopes = np.ones_like(powers)
        for _ in range(12):  # Newton's steps to the scale that leaves the smallest squares, for all pairs at once
            falling = np.exp(log_scales[:, None] + powers)
            residuals = log_errors - np.log(falling + floors[:, None])
            slopes = falling / (falling + floors[:, None])
            steps = (weights * slopes * residuals).sum(axis=1) / (weights * slopes**2).sum(axis=1)
            log_scales = log_scales + np.clip(steps, -1.0, 1.0)
        residuals = log_errors - np.log(np.exp(log_scales[:, None] + powers) + floors[:, None])
        priors = np.where(shares == 0, 0.5, 0.5 / (len(_FLOORS) - 1))
        sharpness = (weights * slopes**2).sum(axis=1)
        return cls(exponents, floors, log_scales, sharpness, (weights * residuals**2).sum(axis=1), priors)

    def draw(self, num_points: int, run_deviation: float, seed: int) -> Floats:
        """Return (K, 4) draws of log scale, exponent, floor and the standard deviation of a single run."""
        generator = np.random.Generator(np.random.PCG64(seed))
        freedom = PRIOR_POINTS + num_points - 1  # one was spent on the scale
        log_weights = np.log(self.priors) - 0.5 * np.log(self.sharpness)
        log_weights = log_weights - 0.5 * freedom * np.log(PRIOR_POINTS + self.squares)
        weights = np.exp(log_weights - log_weights.max())
        cells = generator.choice(len(weights), size=_NUM_DRAWS, p=weights / weights.sum())
        noise = np.sqrt((PRIOR_POINTS + self.squares[cells]) / generator.chisquare(freedom, _NUM_DRAWS))
        spread = noise / np.sqrt(self.sharpness[cells])
        log_scales = self.log_scales[cells] + spread * generator.standard_normal(_NUM_DRAWS)
        return np.stack([log_scales, self.exponents[cells], self.floors[cells], noise * run_deviation], axis=1)


def _best(grid: _Grid, log_hours: Floats, log_errors: Floats, weights: Floats) -> tuple[float, float, float]:
    """Return scale, exponent and floor of the least squares: a straight line unless the points speak for a floor."""
    mean_hours, mean_errors = np.average(log_hours, weights=weights), np.average(log_errors, weights=weights)
    across = log_hours - mean_hours
    slope = float((weights * across * (log_errors - mean_errors)).sum() / (weights * across**2).sum())
    exponent = max(-slope, 0.0)
    straight = (float(np.exp(mean_errors + exponent * mean_hours)), exponent, 0.0)
    if len(log_hours) < FEWEST_FOR_FLOOR:
        return straight
    freedom = PRIOR_POINTS + len(log_hours) - 1
    likelihood = grid.priors * (PRIOR_POINTS + grid.squares) ** (-0.5 * freedom) / np.sqrt(grid.sharpness)
    if likelihood[grid.floors > 0].sum() < 0.9 * likelihood.sum():
        return straight
    found = int(np.argmin(grid.squares))
    return float(np.exp(grid.log_scales[found])), float(grid.exponents[found]), float(grid.floors[found])


def _solve(log_scales: Floats, exponents: Floats, floors: Floats, error_rate: float) -> Floats:
    """Return (K,) hours at which curves reach `error_rate`, infinite where they never do."""
    falling = error_rate - floors
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        hours = np.exp((log_scales - np.log(falling)) / exponents)
    return np.where((falling > 0) & (exponents > 0), hours, np.inf)


def _middle(values: Floats) -> tuple[float, float]:
    """Return the bounds of the middle `CONFIDENCE`; infinite values are ordered and never averaged."""
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(values, [tail, 1 - tail], method="inverted_cdf")
    return float(low), float(high)
