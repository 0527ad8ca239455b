import pytest

from lowres.training.schedule import (
    Clock,
    PlanPoint,
    TriStage,
    is_time_to_replan,
    plan_for_updates,
    progress_at,
    replan_for_budget,
    total_updates,
    tri_stage_scale,
    warmup_decay_scale,
)

SHAPE = TriStage(warmup_share=0.1, constant_share=0.4, initial_scale=0.01, final_scale=0.05)


@pytest.mark.parametrize(
    ("progress", "scale"),
    [(0.0, 0.01), (0.05, 0.505), (0.1, 1.0), (0.3, 1.0), (0.5, 1.0), (0.75, 0.05**0.5), (1.0, 0.05), (2.0, 0.05)],
)
def test_the_rate_rises_stays_and_decays_as_in_the_paper(progress: float, scale: float) -> None:
    assert tri_stage_scale(progress, SHAPE) == pytest.approx(scale)


def test_a_schedule_may_skip_its_warm_up_or_end_at_zero() -> None:
    assert tri_stage_scale(0.0, TriStage(0.0, 0.5, 0.0, 0.1)) == 1.0
    assert tri_stage_scale(1.0, TriStage(0.1, 0.4, 0.0, 0.0)) == 0.0


def test_a_run_counted_in_updates_goes_linearly_to_its_end() -> None:
    plan = plan_for_updates(200)
    assert [progress_at(step, plan) for step in (0, 50, 200, 300)] == [0.0, 0.25, 1.0, 1.0]


def test_a_new_point_changes_only_what_comes_after_it() -> None:
    plan = (*plan_for_updates(100), PlanPoint(step=10, progress=0.5, total_updates=20))
    assert progress_at(5, plan) == 0.05
    assert progress_at(10, plan) == 0.5
    assert progress_at(15, plan) == 0.75
    assert total_updates(plan) == 20


def test_a_timed_run_ends_with_its_budget_at_the_measured_speed() -> None:
    point = replan_for_budget(50, Clock(elapsed_seconds=10.0, reserved_seconds=0.0), 100.0)
    assert point == PlanPoint(step=50, progress=0.1, total_updates=500)


def test_a_timed_run_leaves_time_for_its_last_evaluation() -> None:
    point = replan_for_budget(50, Clock(elapsed_seconds=10.0, reserved_seconds=20.0), 100.0)
    assert point.total_updates == 50 + 350


def test_a_timed_run_ends_at_once_when_its_budget_is_gone() -> None:
    point = replan_for_budget(50, Clock(elapsed_seconds=120.0, reserved_seconds=5.0), 100.0)
    assert point.total_updates == 50
    assert progress_at(50, (*plan_for_updates(5000), point)) == 1.0


@pytest.mark.parametrize("warmup_share", [0.0, 0.08, 1.0])
def test_the_rate_of_pretraining_peaks_where_its_warmup_ends(warmup_share: float) -> None:
    assert warmup_decay_scale(warmup_share, warmup_share) == 1.0
    assert warmup_decay_scale(0.5, 1.0) == 0.5
    assert warmup_decay_scale(1.0, 0.5) == 0.0


def test_speed_is_measured_after_the_first_updates_and_then_every_tenth_of_the_budget() -> None:
    guess = plan_for_updates(5000)
    assert not is_time_to_replan(guess, 9, 1.0, 100.0)
    assert is_time_to_replan(guess, 10, 1.0, 100.0)
    assert is_time_to_replan(guess, 1, 11.0, 100.0)
    measured = (*guess, PlanPoint(10, 0.01, 1000))
    assert not is_time_to_replan(measured, 50, 5.0, 100.0)
    assert is_time_to_replan(measured, 110, 11.5, 100.0)


def test_a_machine_that_became_faster_uses_the_time_that_is_left() -> None:
    plan = (*plan_for_updates(5000), PlanPoint(10, 0.1, 100))
    assert is_time_to_replan(plan, 100, 50.0, 100.0)
    assert not is_time_to_replan(plan, 100, 99.0, 100.0)
