"""Chooses the weights of a beam search on dev: one at a time, in ever smaller steps, from a usual start."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from lowres.decoding.beam_search import BeamSettings, ModelKind

_FIRST_STEPS: Final = {"language_weight": 1.0, "word_bonus": 2.0, "blank_penalty": 1.0}
_NUM_HALVINGS: Final = 2
"""Steps of a quarter of the first: finer ones change dev by less than dev says about other speech."""

_BEAM_SIZE: Final = 25
"""Narrow, because there are dozens of searches: on Mboshi a beam of 100 changed 0.2 points of WER, at ten times the
time."""

_HIGHEST: Final = {"language_weight": 8.0, "word_bonus": 12.0, "blank_penalty": 6.0}
_LOWEST: Final = {"language_weight": 0.0, "word_bonus": -6.0, "blank_penalty": -2.0}


@dataclass(frozen=True)
class Tuned:
    """The settings that were best, their cost, and how many were tried."""

    settings: BeamSettings
    cost: float
    num_tried: int


def tune(
    kind: ModelKind,
    cost_of: Callable[[BeamSettings], float],
    *,
    progress: Callable[[int, float], None] = lambda _tried, _best: None,
) -> Tuned:
    """Walk downhill in the weights that matter for this kind of model.

    Args:
        kind: of the language model; a character model has no words to give a bonus for.
        cost_of: what dev costs with some settings; the lower the better.
        progress: told how many settings were tried and the best cost so far.

    Returns:
        The best settings found. The walk is the same each time: there is no chance in it.
    """
    names = ["language_weight", "blank_penalty"] + (["word_bonus"] if kind == "word" else [])
    best = BeamSettings(language_weight=1.0, beam_size=_BEAM_SIZE)
    costs: dict[BeamSettings, float] = {}

    def cost(settings: BeamSettings) -> float:
        if settings not in costs:
            costs[settings] = cost_of(settings)
            progress(len(costs), min(costs.values()))
        return costs[settings]

    for halvings in range(_NUM_HALVINGS + 1):
        moved = True
        while moved:
            moved = False
            for name in names:
                step = _FIRST_STEPS[name] / 2**halvings
                for direction in (step, -step):
                    there = _move(best, name, direction)
                    if there is not None and cost(there) < cost(best):
                        best, moved = there, True
                        break
    return Tuned(best, cost(best), len(costs))


def _move(settings: BeamSettings, name: str, step: float) -> BeamSettings | None:
    value = getattr(settings, name) + step
    if not _LOWEST[name] <= value <= _HIGHEST[name]:
        return None
    return replace(settings, **{name: value})
