"""Bootstrap intervals: checked by hand, by simulation and for being the same on every machine."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest

from lowres.scoring.bootstrap import interval_of, interval_over_speakers, interval_over_utterances, redraw_rates


def test_equal_utterances_have_an_interval_of_no_width() -> None:
    interval = interval_over_utterances([1] * 30, [4] * 30)
    assert interval is not None
    assert (interval.low, interval.high, interval.num_units) == (0.25, 0.25, 30)


def test_two_utterances_give_the_three_rates_that_can_be_drawn() -> None:
    # draws: twice the first 0/1, both 2/4, twice the second 4/6
    rates = redraw_rates([0, 2], [1, 3], num_replicates=500)
    assert set(np.round(rates, 6)) == {0.0, 0.5, round(4 / 6, 6)}
    assert np.mean(rates == 0.5) == pytest.approx(0.5, abs=0.08)


def test_the_same_seed_draws_the_same_utterances_for_words_and_characters() -> None:
    errors = np.arange(40)
    assert np.array_equal(redraw_rates(errors, errors + 1), redraw_rates(errors, errors + 1))
    assert np.allclose(redraw_rates(errors * 3, errors + 1), 3 * redraw_rates(errors, errors + 1))
    assert not np.array_equal(redraw_rates(errors, errors + 1, seed=2), redraw_rates(errors, errors + 1))


def test_the_draws_do_not_depend_on_the_size_of_the_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = redraw_rates(range(10), range(1, 11), num_replicates=100)
    monkeypatch.setattr("lowres.scoring.bootstrap._DRAWS_PER_BLOCK", 70)
    assert np.array_equal(whole, redraw_rates(range(10), range(1, 11), num_replicates=100))


def test_the_first_rates_are_frozen() -> None:
    rates = redraw_rates([0, 1, 2, 3], [4, 4, 4, 4], seed=1, num_replicates=3)
    drawn = np.random.Generator(np.random.PCG64(1)).integers(4, size=(3, 4))
    assert np.array_equal(rates, drawn.sum(axis=1) / 16)


def test_speakers_that_differ_widen_the_interval() -> None:
    speakers = ["good"] * 50 + ["bad"] * 50 + ["fair"] * 50
    errors, lengths = [1] * 50 + [9] * 50 + [5] * 50, [10] * 150
    over_utterances = interval_over_utterances(errors, lengths)
    over_speakers = interval_over_speakers(errors, lengths, speakers)
    assert over_utterances is not None
    assert over_speakers is not None
    assert over_speakers.num_units == 3
    assert over_speakers.low < over_utterances.low < 0.5 < over_utterances.high < over_speakers.high


def test_two_utterances_or_two_speakers_have_no_interval() -> None:
    assert interval_over_utterances([1, 2], [2, 2]) is None
    assert interval_over_speakers([1, 2, 1, 2], [2, 2, 2, 2], ["a", "a", "b", "b"]) is None


def test_few_speakers_may_be_left_behind_by_the_next_ones() -> None:
    # Rates 0.2, 0.3 and 0.4 stray by 0.1 / sqrt(3) around 0.3; t with 2 degrees of freedom is 4.303.
    interval = interval_over_speakers([20, 30, 40], [100, 100, 100], ["a", "b", "c"], num_replicates=20_000)
    assert interval is not None
    assert interval.low == pytest.approx(0.3 - 4.303 * 0.1 / 3**0.5, abs=0.005)
    assert interval.high == pytest.approx(0.3 + 4.303 * 0.1 / 3**0.5, abs=0.005)


def test_many_utterances_have_the_percentile_interval() -> None:
    generator = np.random.default_rng(3)
    errors, lengths = generator.integers(0, 5, size=2_000), np.full(2_000, 8)
    interval = interval_over_utterances(errors.tolist(), lengths.tolist())
    low, high = np.quantile(redraw_rates(errors, lengths), [0.025, 0.975])
    assert interval is not None
    assert (interval.low, interval.high) == pytest.approx((low, high), abs=0.001)


def test_very_many_utterances_are_drawn_by_sort_with_the_same_interval(monkeypatch: pytest.MonkeyPatch) -> None:
    generator = np.random.default_rng(4)
    lengths = generator.integers(0, 9, size=3_000)
    errors = generator.binomial(lengths, 0.4)
    one_by_one = interval_over_utterances(errors.tolist(), lengths.tolist(), num_replicates=4_000)
    monkeypatch.setattr("lowres.scoring.bootstrap._MANY_UNITS", 3_000)
    by_sort = interval_over_utterances(errors.tolist(), lengths.tolist(), num_replicates=4_000)
    assert one_by_one is not None
    assert by_sort is not None
    assert by_sort != one_by_one
    assert (by_sort.low, by_sort.high) == pytest.approx((one_by_one.low, one_by_one.high), abs=0.001)


def test_a_rate_is_never_below_zero_and_a_difference_may_be() -> None:
    rates = interval_over_speakers([0, 0, 9], [10, 10, 10], ["a", "b", "c"])
    difference = interval_of(np.array([-0.2, -0.1, 0.0, 0.1]), 3)
    assert rates is not None
    assert rates.low == 0.0
    assert difference is not None
    assert difference.low < -0.2


def test_draws_without_any_reference_are_left_out() -> None:
    assert interval_over_utterances([1, 1, 1], [0, 0, 0]) is None
    interval = interval_over_utterances([0, 0, 1], [0, 0, 2])
    assert interval is not None
    assert (interval.low, interval.high) == (0.5, 0.5)


TRUE_RATE = 0.3
Counts = npt.NDArray[np.int64]
Draw = Callable[[np.random.Generator, int], tuple[Counts, Counts, list[str]]]


def alike(generator: np.random.Generator, num_utterances: int) -> tuple[Counts, Counts, list[str]]:
    """Utterances of 3 to 14 words, some harder than others, all of one speaker."""
    lengths = generator.integers(3, 15, size=num_utterances)
    errors = generator.binomial(lengths, generator.beta(1.8, 4.2, size=num_utterances))
    return errors, lengths, [""] * num_utterances


def lopsided(generator: np.random.Generator, num_utterances: int) -> tuple[Counts, Counts, list[str]]:
    """As before, of lengths that spread as much as their mean: many of two words, a few of fifty."""
    lengths = np.maximum(1, np.round(generator.lognormal(1.8, 0.8, num_utterances))).astype(np.int64)
    errors = generator.binomial(lengths, generator.beta(1.8, 4.2, size=num_utterances))
    return errors, lengths, [""] * num_utterances


def of_speakers(generator: np.random.Generator, num_speakers: int) -> tuple[Counts, Counts, list[str]]:
    """Speakers of 30 utterances on average; some are heard better than others, some said three times as much."""
    sizes = np.maximum(1, generator.lognormal(np.log(30), 0.7, num_speakers)).astype(np.int64)
    speaker = np.repeat(np.arange(num_speakers), sizes)
    hardness = generator.beta(3, 7, size=num_speakers)[speaker]
    lengths = generator.integers(3, 15, size=len(speaker))
    errors = generator.binomial(lengths, generator.beta(hardness * 6, (1 - hardness) * 6))
    return errors, lengths, [f"speaker {number}" for number in speaker]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("draw", "num_units"),
    [(alike, 100), (lopsided, 100), (of_speakers, 3), (of_speakers, 5), (of_speakers, 10)],
)
def test_intervals_hold_the_true_rate_about_95_times_in_100(draw: Draw, num_units: int) -> None:
    # benchmarks/intervals.py runs longer; 250 trials stray by 1.4 points.
    generator = np.random.default_rng(5)
    num_trials, held = 250, 0
    for trial in range(num_trials):
        errors, lengths, speakers = draw(generator, num_units)
        one, other = errors.tolist(), lengths.tolist()
        interval = (
            interval_over_speakers(one, other, speakers, seed=trial, num_replicates=500)
            if draw is of_speakers
            else interval_over_utterances(one, other, seed=trial, num_replicates=500)
        )
        assert interval is not None
        held += interval.low <= TRUE_RATE <= interval.high
    assert 0.91 <= held / num_trials <= 0.985, f"{held} of {num_trials}"
