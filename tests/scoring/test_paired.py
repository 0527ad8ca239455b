"""The paired bootstrap: worked by hand, and by simulation."""

import numpy as np
import pytest

from lowres.scoring.paired import compare_errors, relative_gain


def test_equal_transcriptions_gain_nothing() -> None:
    gain = relative_gain([1, 0, 2, 3], [1, 0, 2, 3], [4, 5, 6, 7])
    assert gain.share == 0
    assert gain.interval is not None
    assert (gain.interval.low, gain.interval.high) == (0, 0)
    assert gain.chance_of_none == 1


def test_the_share_is_that_of_the_errors_that_are_gone() -> None:
    assert relative_gain([1, 2, 0], [2, 2, 4], [5, 5, 5]).share == pytest.approx(1 - 3 / 8)
    assert relative_gain([3, 3], [2, 2], [5, 5]).share == pytest.approx(-0.5)
    assert relative_gain([0, 0], [2, 2], [5, 5]).share == 1


def test_what_is_always_halved_is_halved_in_every_draw() -> None:
    gain = relative_gain([1, 2, 3, 4], [2, 4, 6, 8], [5, 9, 8, 10])
    assert gain.interval is not None
    assert (gain.interval.low, gain.interval.high) == pytest.approx((0.5, 0.5))
    assert gain.chance_of_none == 0


def test_two_utterances_are_too_few_for_an_interval() -> None:
    gain = relative_gain([1, 3], [4, 4], [10, 10])
    assert (gain.share, gain.interval, gain.chance_of_none) == (0.5, None, 0)


def test_the_interval_holds_the_share() -> None:
    chance = np.random.default_rng(3)
    for _ in range(20):
        before = chance.poisson(3, 40)
        now = chance.binomial(before, 0.7)
        gain = relative_gain(now.tolist(), before.tolist(), [10] * 40)
        assert gain.interval is not None
        assert gain.interval.low <= gain.share <= gain.interval.high


def test_where_there_were_no_errors_nothing_is_gained() -> None:
    gain = relative_gain([0, 1, 0], [0, 0, 0], [5, 5, 5])
    assert (gain.share, gain.interval, gain.chance_of_none) == (0, None, 1)


def test_draws_without_an_error_before_count_as_nothing_gained() -> None:
    # Drawn twice (1 of 4), the first utterance had no errors to lose.
    gain = relative_gain([0, 0], [0, 4], [5, 5])
    assert gain.chance_of_none == pytest.approx(0.25, abs=0.04)


@pytest.mark.parametrize(("errors", "chance"), [(1, 0.0), (3, 1.0)])
def test_a_single_utterance_has_no_interval(errors: int, chance: float) -> None:
    gain = relative_gain([errors], [2], [5])
    assert (gain.interval, gain.chance_of_none) == (None, chance)


def test_the_same_seed_gives_the_same_interval() -> None:
    first, second, other = (relative_gain([1, 0, 2, 1], [2, 1, 2, 0], [5, 6, 7, 8], seed=seed) for seed in (1, 1, 2))
    assert first == second
    assert first.chance_of_none != other.chance_of_none


def test_no_utterances_and_lists_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="nothing to draw from"):
        relative_gain([], [], [])
    with pytest.raises(ValueError, match=r"same shape|shape"):
        relative_gain([1], [1, 2], [3])


@pytest.mark.slow
def test_intervals_cover_the_true_gain_as_often_as_they_say() -> None:
    """400 tests of 80 utterances; a wrong word becomes right with chance 0.3, a right one wrong with 0.05."""
    chance = np.random.default_rng(11)
    true = 1 - (0.4 * 0.7 + 0.6 * 0.05) / 0.4
    covered, num_tests = 0, 400
    for _ in range(num_tests):
        lengths = chance.integers(3, 15, 80)
        hardness = chance.beta(4, 6, 80)  # mean 0.4, so that utterances differ
        before = chance.binomial(lengths, hardness)
        now = chance.binomial(before, 0.7) + chance.binomial(lengths - before, 0.05)
        interval = relative_gain(now.tolist(), before.tolist(), lengths.tolist()).interval
        assert interval is not None
        covered += interval.low <= true <= interval.high
    assert 0.93 <= covered / num_tests <= 0.97


def test_a_difference_has_both_rates_and_all_ranges() -> None:
    one = compare_errors([1, 2, 3, 4], [2, 4, 6, 8], [10, 10, 10, 10], ["ana", "ana", "ben", "eve"])
    assert (one.rate_before, one.rate) == (0.5, 0.25)
    assert one.gain.share == 0.5
    assert one.gain.interval is not None
    assert (one.gain.interval.low, one.gain.interval.high) == pytest.approx((0.5, 0.5))
    assert one.gain_over_speakers is not None
    assert one.gain_over_speakers.num_units == 3
    assert one.change is not None
    assert one.change.low < -0.25 < one.change.high < 0
    assert one.num_against == 0
    assert one.luck_by_swapping == 2 / 2**4


def test_worse_is_better_the_other_way_round() -> None:
    errors, before, lengths = [3, 1, 4, 2, 5], [1, 1, 2, 2, 3], [9, 9, 9, 9, 9]
    worse, better = (compare_errors(*pair, lengths, ["a"] * 5) for pair in ((errors, before), (before, errors)))
    assert (worse.num_against, worse.luck_by_redrawing) == (better.num_against, better.luck_by_redrawing)
    assert worse.luck_by_swapping == better.luck_by_swapping
    assert worse.num_needed == better.num_needed
    assert worse.gain_over_speakers is None


def test_equal_transcriptions_are_surely_luck() -> None:
    one = compare_errors([1, 0, 2], [1, 0, 2], [4, 5, 6], ["a", "b", "c"])
    assert (one.luck_by_redrawing, one.luck_by_swapping, one.num_needed) == (1.0, 1.0, None)


def test_a_rate_of_nothing_said_is_infinite_only_where_something_was_heard() -> None:
    one = compare_errors([2, 0], [0, 0], [0, 0], ["a", "b"])
    assert (one.rate_before, one.rate) == (0.0, float("inf"))
    assert one.change is None
