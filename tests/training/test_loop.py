"""The loop with a network of two numbers and a clock of its own, so that every step can be worked out."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
import pytest
import torch
from torch import nn

from lowres.errors import TrainingError
from lowres.training.batches import BatchSizes
from lowres.training.checkpoint import SavedTraining, TrainingState
from lowres.training.collapse import CollapseRule
from lowres.training.feed import Batch, TrainingSpeech
from lowres.training.loop import TrainingLoop
from lowres.training.loop_parts import LoopParts, LoopSettings
from lowres.training.monitors import DevScores, EvaluationReport, NoticeReport, PlanReport, StepReport, TrainingEvent
from lowres.training.optimizer import AdamSettings, build_optimizer
from lowres.training.recognition import BatchLoss, LossFunction
from lowres.training.schedule import TriStage, plan_for_updates

SPEECH = TrainingSpeech(
    num_samples=np.full(4, 100), token_ids=[[1]] * 4, read_samples=lambda index: np.zeros(100, dtype=np.int16)
)
SETTINGS = LoopSettings(
    schedule=TriStage(),
    sizes=BatchSizes(samples_per_update=200, micro_batch_samples=100),
    gradient_clip=0.0,
    head_only_share=0.0,
    evaluate_every_updates=2,
    log_every_updates=2,
    checkpoint_every_seconds=1e9,
    budget_seconds=None,
    patience=0,
    collapse_rule=CollapseRule(check_share=1.0, check_updates=0),
    vocabulary_size=11,
)


class Clock:
    """Gives every look at it one more second."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        self.seconds += 1.0
        return self.seconds


@dataclass
class Watched:
    """Everything a loop told its callbacks."""

    events: list[TrainingEvent] = field(default_factory=list)
    saved: list[SavedTraining[TrainingState]] = field(default_factory=list)
    best: list[TrainingState] = field(default_factory=list)
    head_only: list[bool] = field(default_factory=list)
    batches: list[Batch] = field(default_factory=list)

    def of(self, kind: type) -> list[TrainingEvent]:
        return [event for event in self.events if isinstance(event, kind)]


def loss_of(module: nn.Linear, watched: Watched, spoilt: int = -1) -> LossFunction:
    def compute(batch: Batch, masking: torch.Generator) -> BatchLoss:
        watched.batches.append(batch)
        each = torch.stack(
            [module.weight.sum() * (float("nan") if index == spoilt else 1.0) for index in batch.indices]
        )
        return BatchLoss(
            total=each.sum(),
            per_utterance=each.detach(),
            num_infinite=torch.tensor(0),
            scores=torch.zeros(1, 3, 11),
            num_frames=torch.tensor([3]),
        )

    return compute


def scores(rate: float = 0.5, blank: float = 0.5, distinct: int = 9) -> DevScores:
    return DevScores(rate, 1.0, blank, distinct)


def make_loop(
    settings: LoopSettings = SETTINGS,
    *,
    evaluate: Callable[[], DevScores] | None = scores,
    updates: int = 6,
    spoilt: int = -1,
    **more: object,
) -> tuple[TrainingLoop, Watched]:
    watched = Watched()
    module = nn.Linear(2, 1, bias=False)
    parts = LoopParts(
        model=module,
        optimizer=build_optimizer(module, AdamSettings()),
        masking=torch.Generator(),
        compute_loss=loss_of(module, watched, spoilt),
        set_head_only=watched.head_only.append,
        speech=SPEECH,
        utterance_ids=["ann", "bob", "cid", "dot"],
        evaluate=evaluate,
        save_best=lambda state, _scores: watched.best.append(state),
        save_last=watched.saved.append,
        report=watched.events.append,
        run_sha256="",
        clock=Clock(),
    )
    state = TrainingState(plan=plan_for_updates(updates), seed=1, learning_rate=0.1)
    return TrainingLoop(replace(parts, **more), settings, state), watched  # type: ignore[arg-type]


def test_a_run_reports_evaluates_and_checkpoints_when_its_settings_say() -> None:
    loop, watched = make_loop(updates=5)
    assert loop.run() == "finished"
    assert [event.step for event in watched.of(StepReport)] == [2, 4, 5]
    assert [event.step for event in watched.of(EvaluationReport)] == [2, 4, 5]
    assert [saved.state.step for saved in watched.saved] == [2, 4, 5]


def test_an_update_learns_from_several_micro_batches_as_from_one() -> None:
    loop, watched = make_loop(updates=1)
    before = [parameter.clone() for parameter in loop._parts.model.parameters()]
    loop.run()
    assert len(watched.batches) == 2
    moved = before[0] - next(loop._parts.model.parameters())
    assert torch.allclose(moved, torch.full((1, 2), 0.1 * 0.01), rtol=1e-3), "Adam's first step is the learning rate"


def test_the_best_checkpoint_is_saved_before_the_last_and_only_when_better() -> None:
    rates = iter([0.9, 0.5, 0.7])
    loop, watched = make_loop(evaluate=lambda: scores(next(rates)))
    loop.run()
    assert [state.step for state in watched.best] == [2, 4]
    assert loop.state.best.error_rate == 0.5
    assert loop.state.best.evaluations_since == 1


def test_a_loss_that_is_not_a_number_stops_with_the_utterance_and_changes_nothing() -> None:
    loop, _ = make_loop(spoilt=2)
    with pytest.raises(TrainingError, match=r"loss became not a number in update \d, in utterance cid\.$"):
        loop.run()
    assert all(parameter.isfinite().all() for parameter in loop._parts.model.parameters())


def test_a_run_that_does_not_improve_stops_early_and_says_so() -> None:
    settings = replace(SETTINGS, patience=2, collapse_rule=CollapseRule(check_share=0.3))
    loop, watched = make_loop(settings, updates=40)
    assert loop.run() == "stopped early"
    assert loop.state.step == 14  # not better at 12 and 14; patience begins at 0.3 of the run
    assert "Dev has not improved" in watched.of(NoticeReport)[0].sentence


def test_babble_that_scored_well_at_first_uses_up_no_patience() -> None:
    settings = replace(SETTINGS, patience=2, collapse_rule=CollapseRule(check_share=0.3))
    rates = iter([0.80, 1.0, 1.0, 0.97, 0.93, 0.85, 0.79, *[0.7 - 0.01 * step for step in range(13)]])
    loop, _ = make_loop(settings, updates=40, evaluate=lambda: scores(next(rates)))
    assert loop.run() == "finished"
    assert loop.state.best.step == 40


def test_patience_waits_until_more_than_the_head_learns() -> None:
    settings = replace(SETTINGS, patience=2, head_only_share=0.5, collapse_rule=CollapseRule(0.1, check_updates=99))
    loop, watched = make_loop(settings, updates=20)
    assert loop.run() == "stopped early"
    assert watched.head_only[-1] is False
    assert loop.state.step == 14  # 2 and 3 evaluations after 0.5 + 0.1 of the run


def test_the_head_alone_learns_for_its_share_of_the_run() -> None:
    loop, watched = make_loop(replace(SETTINGS, head_only_share=0.5), updates=4)
    loop.run()
    assert watched.head_only == [True, True, False, False]


def test_silence_after_the_set_point_ends_the_attempt_without_a_checkpoint_of_it() -> None:
    settings = replace(SETTINGS, collapse_rule=CollapseRule(check_share=0.5, check_updates=0))
    loop, watched = make_loop(settings, evaluate=lambda: scores(1.0, blank=1.0, distinct=0))
    assert loop.run() == "collapsed"
    assert loop.collapse is not None
    assert [saved.state.step for saved in watched.saved] == [2]


def test_a_short_run_that_ends_in_silence_says_what_to_try_and_is_not_repeated() -> None:
    settings = replace(SETTINGS, collapse_rule=CollapseRule())
    loop, watched = make_loop(settings, evaluate=lambda: scores(1.0, blank=1.0, distinct=0))
    assert loop.run() == "finished"
    assert "6 updates are few" in watched.of(NoticeReport)[0].sentence


def test_collapse_is_not_looked_for_before_the_head_only_phase_is_over() -> None:
    settings = replace(SETTINGS, head_only_share=0.8, collapse_rule=CollapseRule(check_share=0.1, check_updates=9))
    loop, _ = make_loop(settings, updates=10, evaluate=lambda: scores(1.0, blank=1.0, distinct=0))
    loop.run()
    assert loop.state.step == 10


def test_a_timed_run_decides_its_updates_from_its_speed_and_keeps_to_the_time() -> None:
    settings = replace(SETTINGS, evaluate_every_updates=None, budget_seconds=100.0, log_every_updates=10)
    loop, watched = make_loop(settings, updates=5000, evaluate=None)
    assert loop.run() == "finished"
    assert 85 <= loop.state.elapsed_seconds <= 105
    plans = watched.of(PlanReport)
    assert len(plans) >= 5
    assert [saved.state.plan[-1].step for saved in watched.saved][: len(plans)] == [event.step for event in plans]


def test_a_timed_attempt_that_begins_after_the_budget_ends_at_once_and_is_never_before_its_beginning() -> None:
    settings = replace(SETTINGS, evaluate_every_updates=None, budget_seconds=100.0)
    loop, _ = make_loop(settings, updates=5000, evaluate=None)
    loop.state = replace(loop.state, elapsed_seconds=150.0, attempt_started_seconds=150.0)
    assert loop.run() == "finished"
    assert loop.state.step == 1
    assert all(0 <= point.progress <= 1 for point in loop.state.plan)


def test_asking_to_stop_saves_first() -> None:
    loop, watched = make_loop(is_stop_asked=lambda: True, updates=9)
    assert loop.run() == "interrupted"
    assert loop.state.step == 1
    assert watched.saved[-1].state.step == 1


def test_a_run_without_dev_is_trained_to_its_end() -> None:
    loop, watched = make_loop(evaluate=None, updates=3)
    assert loop.run() == "finished"
    assert not watched.of(EvaluationReport)
    assert watched.saved[-1].state.step == 3


def test_the_rate_of_a_report_is_that_of_the_schedule() -> None:
    loop, watched = make_loop(updates=10)
    loop.run()
    rates = {event.step: event.learning_rate for event in watched.of(StepReport)}
    assert rates[2] == pytest.approx(0.1)
    assert rates[10] == pytest.approx(0.1 * 0.05)
