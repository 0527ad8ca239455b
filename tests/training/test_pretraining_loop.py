import math
from dataclasses import asdict, replace

import pytest
import torch
from tiny_pretraining import SETTINGS, first_state, tiny_run

from lowres.errors import TrainingError
from lowres.training.monitors import without_timings
from lowres.training.pretraining_collapse import PretrainingCollapseRule
from lowres.training.pretraining_monitors import HeldOutReport, PretrainStepReport
from lowres.training.pretraining_parts import rebuild_pretraining_state
from lowres.training.schedule import GumbelSchedule


@pytest.mark.slow
def test_a_resumed_run_equals_the_uninterrupted_one_bit_for_bit() -> None:
    whole = tiny_run(first_state(8))
    assert whole.loop.run() == "finished"
    asked = iter([False, False, True])
    killed = tiny_run(first_state(8), is_stop_asked=lambda: next(asked))
    assert killed.loop.run() == "interrupted"
    training, weights = killed.saved[-1]
    state = rebuild_pretraining_state(asdict(training.state))
    resumed = tiny_run(state, saved=(training, weights))
    assert resumed.loop.run() == "finished"
    for name, tensor in whole.saved[-1][1].items():
        assert torch.equal(tensor, resumed.saved[-1][1][name]), name
    events = [without_timings(asdict(event)) for event in killed.events + resumed.events]
    assert events == [without_timings(asdict(event)) for event in whole.events]


def test_reports_and_held_out_evaluations_come_when_they_are_due() -> None:
    run = tiny_run(first_state(8))
    run.loop.run()
    assert [event.step for event in run.events if isinstance(event, PretrainStepReport)] == [2, 4, 6, 8]
    evaluations = [event for event in run.events if isinstance(event, HeldOutReport)]
    assert [event.step for event in evaluations] == [3, 6, 8]
    assert set(evaluations[0].held_out) == {"aaa", "bbb"}
    last = next(event for event in reversed(run.events) if isinstance(event, PretrainStepReport))
    assert sum(last.hours_per_language.values()) == pytest.approx(last.hours_processed)
    assert last.learning_rate == 0.0
    assert 0.0 <= last.contrastive_accuracy <= 1.0


def test_held_out_speech_is_measured_alike_every_time() -> None:
    run = tiny_run(first_state(1))
    parts = run.loop._parts
    assert parts.evaluate is not None
    run.network.module.eval()
    first, second = (parts.evaluate() for _ in range(2))
    for language, sums in first.items():
        assert torch.equal(sums.values, second[language].values)


@pytest.mark.slow
def test_it_learns_to_tell_what_is_masked_from_what_is_around_it() -> None:
    gumbel = GumbelSchedule(start=1.0, end=0.3)
    settings = replace(SETTINGS, learning_rate=3e-3, evaluate_every_updates=200, gumbel=gumbel)
    run = tiny_run(first_state(200), settings=settings)
    run.loop.run()
    learnt = run.events[-1]
    assert isinstance(learnt, HeldOutReport)
    assert learnt.contrastive_accuracy > 2.5 / 11
    assert learnt.contrastive_loss < math.log(11) - 0.2
    assert learnt.used_codes_share > 0.5


def test_codes_that_are_not_used_stop_the_run_with_what_to_try() -> None:
    rule = PretrainingCollapseRule(0.0, 0, 1.1, 1.0)
    run = tiny_run(first_state(8), settings=replace(SETTINGS, collapse_rule=rule))
    assert run.loop.run() == "collapsed"
    assert run.loop.collapse is not None
    assert "of the 16 codes are used" in run.loop.collapse.sentence
    assert any("learning_rate" in cause for cause in run.loop.collapse.causes)


def test_latents_that_are_all_alike_stop_the_run() -> None:
    rule = PretrainingCollapseRule(0.0, 0, 0.0, -1.0)
    run = tiny_run(first_state(8), settings=replace(SETTINGS, collapse_rule=rule))
    assert run.loop.run() == "collapsed"
    assert run.loop.collapse is not None
    assert "looks alike" in run.loop.collapse.sentence


def test_early_updates_are_never_a_collapse() -> None:
    rule = PretrainingCollapseRule(0.0, 9, 0.0, -1.0)
    assert tiny_run(first_state(8), settings=replace(SETTINGS, collapse_rule=rule)).loop.run() == "finished"


def test_a_loss_that_is_not_a_number_names_the_utterances() -> None:
    run = tiny_run(first_state(8))
    with torch.no_grad():
        run.network.module.get_parameter("context_projection.weight").fill_(float("nan"))
    with pytest.raises(TrainingError, match=r"not a number in update 1, in utterance \d/\d"):
        run.loop.run()


def test_a_time_budget_is_planned_from_the_measured_speed() -> None:
    run = tiny_run(first_state(5_000), settings=replace(SETTINGS, budget_seconds=20.0))
    times = iter(range(10_000))
    object.__setattr__(run.loop._parts, "clock", lambda: float(next(times)))
    assert run.loop.run() == "finished"
    assert 3 <= run.loop.state.step <= 25


@pytest.mark.slow
def test_the_schedule_of_a_timed_run_begins_after_its_acoustic_start() -> None:
    progresses = []
    for started in (0.0, 1_000.0):
        state = replace(first_state(5_000), elapsed_seconds=started, started_seconds=started)
        run = tiny_run(state, settings=replace(SETTINGS, budget_seconds=started + 20.0))
        times = iter(range(10_000))
        object.__setattr__(run.loop._parts, "clock", lambda times=times: float(next(times)))
        assert run.loop.run() == "finished"
        progresses.append([point.progress for point in run.loop.state.plan])
    assert progresses[0] == pytest.approx(progresses[1])
    assert 0 < progresses[0][1] < 0.5
