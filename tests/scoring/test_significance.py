"""Swapping, Holm's correction and the size of a test: worked by hand, and by simulation."""

import itertools

import numpy as np
import pytest

from lowres.scoring.paired import compare_errors
from lowres.scoring.significance import LEVEL, holm, luck_by_swapping, utterances_needed


def test_all_swaps_of_two_utterances_are_those_worked_by_hand() -> None:
    # 3 + 1 = 4; swapped: 3 - 1 = 2, -3 + 1 = -2, -3 - 1 = -4. Two of four are as large as 4 on either side.
    assert luck_by_swapping([3, 1]) == 0.5
    assert luck_by_swapping([3, 0, 1, 0]) == 0.5


def test_a_difference_in_one_direction_alone_is_as_rare_as_its_signs() -> None:
    assert luck_by_swapping([-1] * 10) == 2 / 2**10


def test_where_no_utterance_differs_all_is_luck() -> None:
    assert luck_by_swapping([0, 0, 0]) == 1.0
    assert luck_by_swapping([2, -2]) == 1.0


def test_random_swaps_agree_with_all_of_them() -> None:
    differences = [3, 1, -1, 2, 1, -2, 1, 1, 2, -1, 1, 3, 1, 1, 2]
    sums = [sum(map(int.__mul__, signs, differences)) for signs in itertools.product((1, -1), repeat=len(differences))]
    every = np.mean([abs(one) >= sum(differences) for one in sums])
    assert luck_by_swapping(differences, num_swaps=20_000) == pytest.approx(every, abs=0.005)


def test_the_same_seed_swaps_the_same() -> None:
    differences = [1, -1, 2, 1, 3, -2, 1, 1, -1, 1, 2, 1, -1, 1, 1]
    first, second, other = (luck_by_swapping(differences, seed=seed) for seed in (1, 1, 2))
    assert first == second != other


def test_holm_multiplies_the_smallest_by_all_and_never_turns_the_order_round() -> None:
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.6, 0.9]) == [1.0, 1.0]
    assert holm([0.2]) == [0.2]
    assert holm([]) == []


def test_the_utterances_needed_follow_variance_and_mean() -> None:
    # Mean 0.5, sample variance 1 / 3: (1.95996 + 0.84162) ** 2 * (1 / 3) / 0.25 = 10.47.
    assert utterances_needed([0, 1, 0, 1]) == 11
    assert utterances_needed([0, -1, 0, -1]) == 11
    assert utterances_needed([1, -1]) is None
    assert utterances_needed([1]) is None
    assert utterances_needed([1, 1, 1]) == 2


def test_as_many_utterances_as_are_needed_show_the_difference_in_four_of_five_tests() -> None:
    chance = np.random.default_rng(5)
    population = chance.choice([-1, 0, 0, 0, 1, 1], 20_000)
    needed = utterances_needed(population)
    assert needed is not None
    shown = [luck_by_swapping(chance.choice(population, needed), num_swaps=400) < LEVEL for _ in range(300)]
    assert np.mean(shown) == pytest.approx(0.8, abs=0.07)


def _tests(better: float, num_tests: int, num_utterances: int = 107) -> np.ndarray:
    """Return (num_tests, 2) whether redrawing and swapping call two systems different.

    Each word is wrong with the utterance's own chance, independently in both; of the second one's errors the share
    `better` is mended.
    """
    chance = np.random.default_rng(17)
    found = []
    for number in range(num_tests):
        lengths = chance.integers(3, 15, num_utterances)
        hardness = chance.beta(4, 6, num_utterances)
        before = chance.binomial(lengths, hardness)
        now = chance.binomial(chance.binomial(lengths, hardness), 1 - better)
        one = compare_errors(now.tolist(), before.tolist(), lengths.tolist(), ["a"] * num_utterances, seed=number)
        found.append((one.luck_by_redrawing < LEVEL, one.luck_by_swapping < LEVEL))
    return np.array(found)


@pytest.mark.slow
def test_equal_systems_are_called_different_in_one_test_of_twenty() -> None:
    redrawing, swapping = _tests(0.0, 400).mean(axis=0)
    assert 0.03 <= redrawing <= 0.075
    assert 0.03 <= swapping <= 0.07


@pytest.mark.slow
def test_a_real_difference_is_found() -> None:
    assert (_tests(0.25, 40).mean(axis=0) > 0.95).all()
