"""How sure to be: learnt from words whose chance to be right is known."""

import numpy as np
import pytest

from lowres.decoding.calibration import calibrate, calibration_error


def simulated(num_words: int, temperature: float, shift: float, seed: int = 0) -> tuple[list[float], list[bool]]:
    """Certainties, and whether each word is right, which it is as often as temperature and shift say."""
    generator = np.random.default_rng(seed)
    certainties = generator.uniform(0.02, 0.998, num_words)
    odds = np.log(certainties / (1 - certainties)) / temperature + shift
    return certainties.tolist(), (generator.uniform(size=num_words) < 1 / (1 + np.exp(-odds))).tolist()


@pytest.mark.parametrize(("temperature", "shift"), [(1.0, 0.0), (2.5, -0.5), (0.7, 0.8)])
def test_a_known_temperature_and_shift_are_found(temperature: float, shift: float) -> None:
    found = calibrate(*simulated(20_000, temperature, shift))
    assert found is not None
    assert found.temperature == pytest.approx(temperature, rel=0.06)
    assert found.shift == pytest.approx(shift, abs=0.06)
    assert found.num_words == 20_000


def test_reading_certainties_anew_brings_the_error_down() -> None:
    found = calibrate(*simulated(4000, 3.0, -1.0))
    assert found is not None
    assert found.error < 0.04 < 0.2 < found.error_before
    certainties, are_right = simulated(4000, 3.0, -1.0, seed=1)
    assert calibration_error([found.confidence(one) for one in certainties], are_right) < 0.05


def test_what_is_surer_stays_surer_and_within_bounds() -> None:
    found = calibrate(*simulated(500, 2.0, 0.3))
    assert found is not None
    read = [found.confidence(certainty) for certainty in np.linspace(0, 1, 101)]
    assert read == sorted(read)
    assert 0 < read[0] < read[-1] < 1


def test_the_error_is_the_mean_gap_of_the_bins_by_hand() -> None:
    # 0.75: one of two is right; 0.25: none of one; 1.0 stands in the last bin with 0.95.
    assert calibration_error([0.75, 0.75, 0.25], [True, False, False]) == pytest.approx((2 * 0.25 + 0.25) / 3)
    assert calibration_error([1.0, 0.95], [True, False]) == pytest.approx(2 * abs(0.975 - 0.5) / 2)
    assert calibration_error([], []) == 0.0


def test_the_error_is_that_of_words_that_it_was_not_chosen_on() -> None:
    """Certainties that say nothing: a fit on the very words would look better than chance, halves do not."""
    generator = np.random.default_rng(3)
    errors = []
    for _ in range(20):
        certainties, right = generator.uniform(size=40), generator.uniform(size=40) < 0.5
        found = calibrate(certainties.tolist(), right.tolist())
        assert found is not None
        own = calibration_error([found.confidence(one) for one in certainties], right.tolist())
        errors.append(found.error - own)
    assert np.mean(errors) > 0


def test_few_words_say_nothing() -> None:
    certainties, are_right = simulated(20, 1.0, 0.0)
    assert calibrate(certainties[:19], are_right[:19]) is None
    assert calibrate(certainties, are_right) is not None
    assert calibrate([], []) is None
    with pytest.raises(ValueError, match="19 certainties of 20 words"):
        calibrate(certainties[:19], are_right)


@pytest.mark.parametrize("are_right", [True, False])
def test_words_that_are_all_right_or_all_wrong_leave_it_finite(are_right: bool) -> None:
    found = calibrate([0.5] * 10 + [0.0, 1.0] * 10, [are_right] * 30)
    assert found is not None
    assert np.isfinite([found.temperature, found.shift, found.error]).all()
    assert (found.confidence(0.5) > 0.8) == are_right


def test_a_certainty_that_says_the_contrary_is_taken_for_nothing_and_the_share_of_right_words_is_left() -> None:
    certainties, are_wrong = simulated(2000, 0.5, 0.0)
    found = calibrate(certainties, [not one for one in are_wrong])
    assert found is not None
    share = 1 - np.mean(are_wrong)
    assert found.confidence(0.05) == pytest.approx(share, abs=0.02)
    assert found.confidence(0.95) == pytest.approx(share, abs=0.02)
    skewed = [0.9 + 0.09 * one for one in certainties]
    found = calibrate(skewed, [one < 0.97 for one in skewed])
    assert found is not None
    assert found.confidence(0.95) == pytest.approx(np.mean([one < 0.97 for one in skewed]), abs=0.02)
