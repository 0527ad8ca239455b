"""Tuning: downhill to the best weights, the same way each time, within bounds."""

from collections.abc import Callable

import pytest

from lowres.decoding.beam_search import BeamSettings
from lowres.decoding.tuning import tune


def bowl(language_weight: float, blank_penalty: float, word_bonus: float = 0.0) -> Callable[[BeamSettings], float]:
    """A convex cost with its lowest point at these weights."""

    def cost(settings: BeamSettings) -> float:
        return (
            (settings.language_weight - language_weight) ** 2
            + 2 * (settings.blank_penalty - blank_penalty) ** 2
            + 0.5 * (settings.word_bonus - word_bonus) ** 2
        )

    return cost


@pytest.mark.parametrize("lowest", [(1.0, 0.0), (2.75, 1.25), (0.0, -1.5), (4.25, 3.0)])
def test_the_lowest_point_of_a_bowl_is_found(lowest: tuple[float, float]) -> None:
    tuned = tune("character", bowl(*lowest))
    assert (tuned.settings.language_weight, tuned.settings.blank_penalty) == lowest
    assert tuned.cost == 0


def test_a_word_model_is_given_a_bonus_for_words_too() -> None:
    tuned = tune("word", bowl(2.0, 0.5, -2.5))
    assert (tuned.settings.language_weight, tuned.settings.blank_penalty) == (2.0, 0.5)
    assert tuned.settings.word_bonus == -2.5


def test_a_character_model_has_no_bonus_for_words() -> None:
    assert tune("character", bowl(2.0, 0.5, 3.0)).settings.word_bonus == 0


def test_a_lowest_point_between_steps_is_met_to_half_the_smallest_one() -> None:
    settings = tune("word", bowl(1.62, 0.37, 1.1)).settings
    assert abs(settings.language_weight - 1.62) <= 0.125
    assert abs(settings.blank_penalty - 0.37) <= 0.125
    assert abs(settings.word_bonus - 1.1) <= 0.25


def test_the_walk_is_the_same_each_time() -> None:
    walks: list[list[BeamSettings]] = []
    for _ in range(2):
        walks.append([])
        cost = bowl(3.1, 0.8, 1.7)
        tune("word", lambda settings, walk=walks[-1], cost=cost: (walk.append(settings), cost(settings))[1])  # type: ignore[misc]
    assert walks[0] == walks[1]


@pytest.mark.parametrize("direction", [1.0, -1.0])
def test_the_bounds_are_never_left(direction: float) -> None:
    seen: list[BeamSettings] = []

    def cost(settings: BeamSettings) -> float:
        seen.append(settings)
        return direction * (settings.language_weight + settings.word_bonus + settings.blank_penalty)

    best = tune("word", cost).settings
    for settings in seen:
        assert 0 <= settings.language_weight <= 8
        assert -6 <= settings.word_bonus <= 12
        assert -2 <= settings.blank_penalty <= 6
    ends = (0.0, -6.0, -2.0) if direction > 0 else (8.0, 12.0, 6.0)
    assert (best.language_weight, best.word_bonus, best.blank_penalty) == ends


def test_each_setting_is_tried_once_and_counted() -> None:
    seen: list[BeamSettings] = []
    told: list[tuple[int, float]] = []

    def cost(settings: BeamSettings) -> float:
        seen.append(settings)
        return bowl(2.3, 0.6, -1.0)(settings)

    tuned = tune("word", cost, progress=lambda tried, best: told.append((tried, best)))
    assert tuned.num_tried == len(seen) == len(set(seen))
    assert [tried for tried, _ in told] == list(range(1, len(seen) + 1))
    assert [best for _, best in told] == sorted((best for _, best in told), reverse=True)
    assert told[-1][1] == tuned.cost == min(map(bowl(2.3, 0.6, -1.0), seen))


def test_where_no_weight_matters_the_start_is_kept() -> None:
    tuned = tune("word", lambda _: 0.5)
    assert (tuned.settings.language_weight, tuned.settings.blank_penalty, tuned.settings.word_bonus) == (1.0, 0.0, 0.0)
