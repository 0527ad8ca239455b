"""Bootstrap intervals: checked by hand, by simulation and for being the same on every machine."""

import numpy as np
import pytest

from lowres.scoring.bootstrap import interval_over_speakers, interval_over_utterances, redraw_rates


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
    speakers = ["good"] * 50 + ["bad"] * 50
    errors, lengths = [1] * 50 + [9] * 50, [10] * 100
    over_utterances = interval_over_utterances(errors, lengths)
    over_speakers = interval_over_speakers(errors, lengths, speakers)
    assert over_utterances is not None
    assert over_speakers is not None
    assert (over_speakers.low, over_speakers.high) == (0.1, 0.9)
    assert over_speakers.low < over_utterances.low < 0.5 < over_utterances.high < over_speakers.high


def test_one_utterance_or_one_speaker_has_no_interval() -> None:
    assert interval_over_utterances([1], [2]) is None
    assert interval_over_speakers([1, 2], [2, 2], ["a", "a"]) is None


def test_draws_without_any_reference_are_left_out() -> None:
    assert interval_over_utterances([1, 1], [0, 0]) is None
    interval = interval_over_utterances([0, 1], [0, 2])
    assert interval is not None
    assert (interval.low, interval.high) == (0.5, 0.5)


def test_intervals_hold_the_true_rate_about_95_times_in_100() -> None:
    generator = np.random.default_rng(0)
    num_trials, held = 300, 0
    for trial in range(num_trials):
        lengths = generator.integers(3, 15, size=120)
        rates = generator.beta(2, 4, size=120)  # mean 1/3, utterances differ
        interval = interval_over_utterances(
            generator.binomial(lengths, rates).tolist(), lengths.tolist(), seed=trial, num_replicates=400
        )
        assert interval is not None
        held += interval.low <= 1 / 3 <= interval.high
    assert 0.91 <= held / num_trials <= 0.98
