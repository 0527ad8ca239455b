"""The learning rate schedules, over a number of updates or fitted into a time budget (paper, sections 4.2 and 4.3).

The learning rate is a pure function of progress, 0 at the first update and 1 after the last. Progress is a pure
function of the step and of the plan: a list of points, each saying "at this step we were this far, and the run ends
at that step". A run counted in updates has one point. Under a time budget a point is added whenever the speed has been
measured anew; the points are stored in the checkpoint, so that a resumed run follows the same rates.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class TriStage:
    """Shape of the schedule, every field a share of the whole run or of the peak rate, 0-1."""

    warmup_share: float = 0.1
    """Share of the run in which the rate rises linearly."""

    constant_share: float = 0.4
    """Share of the run at the peak."""

    initial_scale: float = 0.01
    """Rate at progress 0, as a share of the peak."""

    final_scale: float = 0.05
    """Rate at progress 1, as a share of the peak."""


def tri_stage_scale(progress: float, shape: TriStage) -> float:
    """Return the share of the peak learning rate at `progress`.

    Args:
        progress: how far the run is; values outside 0-1 are brought back into it.
        shape: the three stages. The last one decays exponentially from 1 to `final_scale`.

    Returns:
        A share of the peak rate, 0-1. Source: paper section 4.3 ("the first 10% of updates, ... the next 40%").
    """
    progress = min(max(progress, 0.0), 1.0)
    if progress < shape.warmup_share:
        return shape.initial_scale + (1.0 - shape.initial_scale) * progress / shape.warmup_share
    decay_start = shape.warmup_share + shape.constant_share
    if progress <= decay_start or decay_start >= 1.0:
        return 1.0
    decayed = (progress - decay_start) / (1.0 - decay_start)
    if shape.final_scale <= 0.0:
        return 1.0 - decayed
    return math.exp(math.log(shape.final_scale) * decayed)


def warmup_decay_scale(progress: float, warmup_share: float) -> float:
    """Return the share of the peak learning rate at `progress` while pretraining.

    Args:
        progress: how far the run is; values outside 0-1 are brought back into it.
        warmup_share: share of the run in which the rate rises linearly from 0; then it falls linearly to 0. 1 leaves
            nothing for the fall.

    Returns:
        A share of the peak rate, 0-1. Source: paper section 4.2 ("we warm up the learning rate for the first 8% of
        updates ..., and then linearly decay it").
    """
    progress = min(max(progress, 0.0), 1.0)
    if progress < warmup_share:
        return progress / warmup_share
    return (1.0 - progress) / (1.0 - warmup_share) if warmup_share < 1.0 else 1.0


@dataclass(frozen=True)
class GumbelSchedule:
    """The temperature of the Gumbel softmax, annealed geometrically (paper section 4.2)."""

    start: float = 2.0
    end: float = 0.5
    """Never below this."""

    factor: float | None = None
    """Of the temperature, per update (0.999995 in the paper's BASE); None reaches `end` at `annealed_share`."""

    annealed_share: float = 0.5
    """Share of the run after which `end` is reached where no factor says how fast."""

    def temperature(self, step: int, progress: float) -> float:
        """Return the temperature of the update after `step` others, at `progress` (0-1)."""
        if self.factor is not None:
            return float(max(self.start * self.factor**step, self.end))
        annealed = min(progress / self.annealed_share, 1.0)
        return float(self.start * (self.end / self.start) ** annealed)


@dataclass(frozen=True)
class PlanPoint:
    """From `step` on, the run is at `progress` and goes linearly to 1 at `total_updates`."""

    step: int
    progress: float
    total_updates: int


Plan = tuple[PlanPoint, ...]


def plan_for_updates(total_updates: int) -> Plan:
    """Plan a run of `total_updates` updates, at least 1."""
    return (PlanPoint(step=0, progress=0.0, total_updates=max(total_updates, 1)),)


def progress_at(step: int, plan: Sequence[PlanPoint]) -> float:
    """Return how far a run is after `step` updates, 0-1.

    Args:
        step: updates done, 0 or more.
        plan: at least one point, the first of them at step 0, in order of steps.
    """
    point = next(point for point in reversed(plan) if point.step <= step)
    remaining = point.total_updates - point.step
    if remaining <= 0:
        return 1.0
    return min(point.progress + (1.0 - point.progress) * (step - point.step) / remaining, 1.0)


def total_updates(plan: Sequence[PlanPoint]) -> int:
    """Return the step after which the run ends, as far as is known now."""
    return plan[-1].total_updates


CALIBRATION_UPDATES = 10
"""Updates after which the first guess of a timed run is replaced by a measurement."""

REPLAN_SHARE = 0.1
"""Share of the time budget between two measurements."""


NUM_EVALUATIONS = 40
"""Evaluations in a run whose settings do not say how often, fewer when they would take more than a tenth of it."""

EVALUATION_TIME_SHARE = 0.1


def spacing_of_evaluations(last_seconds: float, run_seconds: float) -> float:
    """Return the share of a run, 0-1, from one evaluation to the next.

    Args:
        last_seconds: how long the latest evaluation took, 0 before the first.
        run_seconds: how long the run takes in all, above 0.
    """
    return max(1.0 / NUM_EVALUATIONS, last_seconds / run_seconds / EVALUATION_TIME_SHARE)


@dataclass(frozen=True)
class Clock:
    """What was measured of a timed run: seconds of work and the updates done in them."""

    elapsed_seconds: float
    """Seconds of work since the run began, evaluations and checkpoints included, time while killed excluded."""

    reserved_seconds: float
    """Seconds to leave for what comes after the last update: one evaluation and one checkpoint."""


def replan_for_budget(step: int, clock: Clock, budget_seconds: float) -> PlanPoint:
    """Decide anew at which step a timed run ends.

    Args:
        step: updates done, at least 1.
        clock: the time they took.
        budget_seconds: seconds of work allowed in the whole run.

    Returns:
        The point to add to the plan. Progress is the share of the budget that has gone, so that the schedule ends with
        the budget even when the machine slows down; the run ends now when nothing is left.
    """
    remaining = budget_seconds - clock.elapsed_seconds - clock.reserved_seconds
    updates_left = math.floor(remaining * step / max(clock.elapsed_seconds, 1e-9))
    progress = min(clock.elapsed_seconds / budget_seconds, 1.0)
    return PlanPoint(step=step, progress=progress, total_updates=step + max(updates_left, 0))


def is_time_to_replan(plan: Sequence[PlanPoint], step: int, elapsed_seconds: float, budget_seconds: float) -> bool:
    """Tell whether the speed must be measured now: after the first updates, then at every tenth of the budget."""
    if len(plan) == 1:
        return step >= CALIBRATION_UPDATES or elapsed_seconds >= REPLAN_SHARE * budget_seconds
    if step >= total_updates(plan):
        # Faster than measured: use what is left, unless it is too little to matter.
        return elapsed_seconds < (1.0 - REPLAN_SHARE / 2) * budget_seconds and step > plan[-1].step
    return elapsed_seconds / budget_seconds - plan[-1].progress >= REPLAN_SHARE
