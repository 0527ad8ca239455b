"""The learning curve's fit: values by hand, and how often its intervals hold what they should."""

import math

import numpy as np
import pytest

from lowres.scoring.power_law import RUN_SCATTER, PowerLaw, deviation_of_log, fit_power_law

HOURS = [1 / 6, 0.5, 1.0, 2.0, 4.0]


def fitted(hours: list[float], rates: list[float], deviation: float = 0.0) -> PowerLaw:
    law = fit_power_law(hours, rates, [deviation] * len(hours))
    assert law is not None
    return law


def test_points_on_a_power_law_give_it_back() -> None:
    # 0.4 h^-0.5: 0.8 at a quarter of an hour, 0.4 at one, 0.2 at four.
    law = fitted([0.25, 1.0, 4.0], [0.8, 0.4, 0.2])
    assert (law.scale, law.exponent, law.floor) == (pytest.approx(0.4), pytest.approx(0.5), 0.0)
    assert law.error_rate(16.0) == pytest.approx(0.1)
    assert law.hours_until(0.1).hours == pytest.approx(16.0)


def test_a_precise_point_weighs_more_than_a_rough_one() -> None:
    hours, rates = [0.25, 1.0, 4.0], [0.8, 0.4, 0.3]
    precise = fit_power_law(hours, rates, [0.0, 0.0, 0.5])
    assert precise is not None
    # Without the rough point at 4 h the law of the others is 0.4 h^-0.5.
    assert precise.error_rate(4.0) == pytest.approx(0.2, abs=0.01)


def test_a_floor_is_seen_only_with_many_points_and_where_they_speak_for_it() -> None:
    hours = [0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0]
    rates = [0.1 * hour**-0.7 + 0.1 for hour in hours]
    law = fitted(hours, rates)
    assert law.floor == pytest.approx(0.1, abs=0.02)
    assert law.error_rate(100.0) == pytest.approx(0.1 * 100**-0.7 + 0.1, rel=0.05)
    assert law.hours_until(0.05).hours == math.inf
    assert fitted(hours[:4], rates[:4]).floor == 0.0
    assert fitted(hours, [0.2 * hour**-0.3 for hour in hours]).floor == 0.0


def test_fewer_than_three_amounts_give_no_curve() -> None:
    assert fit_power_law([], [], []) is None
    assert fit_power_law([1.0, 2.0, 2.0], [0.3, 0.2, 0.2], [0.0] * 3) is None
    with pytest.raises(ValueError, match="above 0"):
        fit_power_law([0.0, 1.0, 2.0], [0.3, 0.2, 0.2], [0.0] * 3)


def test_errors_that_do_not_fall_promise_nothing() -> None:
    law = fitted([1.0, 2.0, 4.0], [0.3, 0.32, 0.31])
    assert law.exponent == 0.0
    needed = law.hours_until(0.1)
    assert (needed.hours, needed.high) == (math.inf, math.inf)


def test_an_error_rate_of_nothing_can_be_fitted() -> None:
    assert fitted([1.0, 2.0, 4.0], [0.01, 0.001, 0.0]).error_rate(4.0) < 0.01


def test_intervals_are_wider_further_out_and_with_fewer_points() -> None:
    rates = [0.3 * hour**-0.3 for hour in HOURS]
    few, all_points = fitted(HOURS[:3], rates[:3], 0.02), fitted(HOURS, rates, 0.02)

    def width(law: PowerLaw, hours: float) -> float:
        predicted = law.predict(hours)
        assert predicted.low < predicted.error_rate < predicted.high
        return predicted.high / predicted.low

    assert width(few, 2.0) < width(few, 4.0) < width(few, 16.0)
    assert width(all_points, 4.0) < width(few, 4.0)
    assert few.is_guess(4.1)
    assert not few.is_guess(4.0)


def test_what_was_drawn_is_the_same_every_time() -> None:
    first, second = (fitted(HOURS, [0.5, 0.4, 0.33, 0.27, 0.2], 0.02) for _ in range(2))
    assert first.predict(8.0) == second.predict(8.0)


def test_the_deviation_of_a_logarithm_by_hand() -> None:
    assert deviation_of_log(np.array([1.0, math.e**2, np.nan])) == pytest.approx(1.0)
    assert deviation_of_log(np.array([0.3])) == 0.0


@pytest.mark.slow
@pytest.mark.parametrize(("num_points", "farther"), [(3, 2), (4, 4)])
def test_ranges_hold_the_run_that_is_measured_later_95_times_in_100(num_points: int, farther: int) -> None:
    """With the scatter that is reckoned with; 100 curves, so 95 of 100 comes out between 89 and 100."""
    generator = np.random.Generator(np.random.PCG64(5))
    hours, inside, hours_inside = HOURS[:num_points], 0, 0
    later, noise = hours[-1] * farther, math.hypot(RUN_SCATTER, 0.02)

    def measured(amount: float) -> float:
        return float(0.3 * amount**-0.3 * math.exp(generator.normal(0, noise)))

    for _ in range(100):
        law = fitted(hours, [measured(amount) for amount in hours], 0.02)
        predicted, needed = law.predict(later), law.hours_until(0.3 * later**-0.3)
        inside += predicted.low <= measured(later) <= predicted.high
        hours_inside += needed.low <= later <= needed.high
    assert inside >= 89
    assert hours_inside >= 87
