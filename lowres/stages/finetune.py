"""Fine-tune: from a prepared corpus to a recogniser, watched on dev and resumable at any moment."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from lowres.errors import TrainingError
from lowres.recipe import Recipe
from lowres.stages.finetune_attempt import RunContext, begin_attempt, keep_last_as_best, updated_record
from lowres.stages.finetune_latents import LatentsProgress, kept_latents
from lowres.stages.finetune_open import FinetuneOptions, open_run
from lowres.stages.finetune_pages import RunPages, write_run_pages
from lowres.stages.finetune_run import RunRecord, RunStatus, settings_to_record
from lowres.stages.run_folder import load_saved, write_record
from lowres.training.checkpoint import TrainingState, rebuild_training_state
from lowres.training.collapse import Collapse, Retry, choose_retry
from lowres.training.loop import Ending, TrainingLoop
from lowres.training.monitors import NoticeReport, RetryReport, TrainingEvent
from lowres.training.schedule import Plan, plan_for_updates
from lowres.training.settings import FinetuneSettings, known

__all__ = ["FinetuneEvent", "FinetuneOptions", "FinetuneResult", "LatentsProgress", "RunStarted", "finetune"]


@dataclass(frozen=True)
class RunStarted:
    """Training is about to begin; the first thing a watcher is told."""

    record: RunRecord
    settings: FinetuneSettings
    folder: Path
    resumed_at: int | None
    """Updates done before, when this goes on with a run."""


@dataclass(frozen=True)
class FinetuneResult:
    """How a run ended."""

    ending: Ending
    folder: Path
    record: RunRecord
    pages: RunPages | None = None
    """What to read of it; None where it had ended before and was taken as it is."""


FinetuneEvent = RunStarted | LatentsProgress | TrainingEvent

_GUESSED_UPDATES = 5_000
"""Updates that a timed run reckons with until it has measured its speed: many, so that the rate begins low."""

_SMALLEST_MICRO_BATCH_SECONDS = 10.0

_SHORTEST_RETRY_SHARE = 0.25
"""Share of the time budget that must be left for another attempt after a collapse."""


def finetune(
    project: Path,
    recipe: Recipe,
    options: FinetuneOptions,
    watch: Callable[[FinetuneEvent], None] = lambda _event: None,
    *,
    is_stop_asked: Callable[[], bool] = lambda: False,
) -> FinetuneResult:
    """Train a recogniser on the project's prepared corpus.

    Args:
        project: the project folder; its `corpus/` is read and `runs/<name>/` is written, at the end with its page and
            its model card.
        recipe: model, vocabulary and training settings.
        options: amount of speech, time, seed, and whether to go on with a run.
        watch: told of the start, reports, evaluations, retries and notices, as they happen.
        is_stop_asked: asked after every update; when it says yes, a checkpoint is saved and training ends.

    Returns:
        How the run ended; `checkpoints/best` in its folder is the recogniser.

    Raises:
        CorpusError: there is no prepared corpus, or it is damaged.
        CheckpointError: the run exists already, there is nothing to resume, or a checkpoint is damaged, belongs to
            another vocabulary or cannot be written.
        TrainingError: too little speech, a loss that is not a number, too little memory, or a collapse that all
            retries ended in.
    """
    context, is_resumed = open_run(project, recipe, options, watch, is_stop_asked)
    saved = load_saved(context.folder, context.record.sha256, rebuild_training_state) if is_resumed else None
    state = saved[0].state if saved else _first_state(context.settings)
    context.folder.metrics.forget_after(state.attempt, state.step if saved else -1)
    write_record(context.folder, updated_record(context.record, state))
    watch(RunStarted(context.record, context.settings, context.folder.path, state.step if is_resumed else None))
    if saved is None:
        for warning in context.record.warnings:
            context.report(NoticeReport(step=0, attempt=1, sentence=warning))
    with kept_latents(context, state, watch) as (context, state):
        try:
            context, loop, ending = _train(context, begin_attempt(context, state, saved))
        except TrainingError:
            write_run_pages(project, context.folder.path)  # where people see what led to it
            raise
        if context.speech.dev is None and ending == "finished":
            keep_last_as_best(context, loop.state)
        status: RunStatus = "training" if ending == "interrupted" else ending
        record = replace(updated_record(context.record, loop.state), status=status)
        write_record(context.folder, record)
    return FinetuneResult(ending, context.folder.path, record, write_run_pages(project, context.folder.path))


def _train(context: RunContext, loop: TrainingLoop) -> tuple[RunContext, TrainingLoop, Ending]:
    """Run attempts until one ends well, is interrupted, or no retry is left."""
    while True:
        try:
            ending = loop.run()
        except torch.OutOfMemoryError as error:
            ending = None
            context = _with_smaller_micro_batches(context, loop.state, error)
            state = _first_state_again(context, loop.state)
        if ending is not None:
            if ending != "collapsed" or loop.collapse is None:
                return context, loop, ending
            state = _state_after_collapse(context, loop.state, loop.collapse)
        del loop  # its network, gradients and moments: the next attempt's would not fit beside them
        torch.cuda.empty_cache()
        loop = begin_attempt(context, state)
        if ending is not None:
            loop.checkpoint()


def _first_state(settings: FinetuneSettings) -> TrainingState:
    learning_rate = known(settings.learning_rate, "learning_rate")
    return TrainingState(plan=_first_plan(settings), seed=settings.seed, learning_rate=learning_rate)


def _first_state_again(context: RunContext, state: TrainingState) -> TrainingState:
    """Begin the first attempt anew; the time it has taken so far stays spent."""
    return replace(
        _first_state(context.settings),
        seed=state.seed,
        elapsed_seconds=state.elapsed_seconds,
        attempt_started_seconds=state.attempt_started_seconds,
    )


def _first_plan(settings: FinetuneSettings) -> Plan:
    updates = known(settings.updates, "updates")
    return plan_for_updates(updates if settings.minutes is None else max(updates, _GUESSED_UPDATES))


def _state_after_collapse(context: RunContext, state: TrainingState, collapse: Collapse) -> TrainingState:
    """Choose what the next attempt changes, and report it.

    Raises:
        TrainingError: the retries or the time are used up.
    """
    settings = context.settings
    spent_share = 0.0 if settings.minutes is None else state.elapsed_seconds / 60 / settings.minutes
    is_time_over = spent_share > 1.0 - _SHORTEST_RETRY_SHARE
    if state.attempt > settings.collapse_retries or is_time_over:
        write_record(context.folder, replace(updated_record(context.record, state), status="collapsed"))
        tried = f" in the last of {state.attempt} attempts" if state.attempt > 1 else ""
        raise TrainingError(
            f"Training has collapsed: {collapse.sentence}{tried}.",
            " ".join(f"({number}) {cause}." for number, cause in enumerate(collapse.causes, start=1)),
        )
    retry = choose_retry(collapse, attempt=state.attempt, seed=settings.seed, learning_rate=state.learning_rate)
    context.report(_retry_report(state, collapse, retry))
    return TrainingState(
        plan=_first_plan(settings),
        seed=retry.seed,
        learning_rate=retry.learning_rate,
        attempt=state.attempt + 1,
        best=replace(state.best, evaluations_since=0),
        elapsed_seconds=state.elapsed_seconds,
        attempt_started_seconds=state.elapsed_seconds,
    )


def _retry_report(state: TrainingState, collapse: Collapse, retry: Retry) -> RetryReport:
    return RetryReport(
        step=state.step,
        attempt=state.attempt,
        sentence=collapse.sentence,
        causes=collapse.causes,
        remedy=retry.sentence,
        elapsed_seconds=state.elapsed_seconds,
    )


def _with_smaller_micro_batches(context: RunContext, state: TrainingState, error: Exception) -> RunContext:
    """Halve the micro batches when the very first update, the one with the longest utterances, did not fit.

    Raises:
        TrainingError: memory ran out later than that, or the micro batches are as small as they can usefully be.
    """
    seconds = known(context.settings.micro_batch_seconds, "micro_batch_seconds")
    if state.step > 0 or state.attempt > 1 or seconds < _SMALLEST_MICRO_BATCH_SECONDS:
        raise TrainingError(
            f"The device ran out of memory in update {state.step + 1} with micro batches of {seconds:.0f} s.",
            "Free its memory and go on with --resume, or start another run with "
            f"--set finetune.micro_batch_seconds={seconds / 2:.0f}.",
        ) from error
    settings = replace(context.settings, micro_batch_seconds=seconds / 2)
    smaller = replace(context, settings=settings, record=replace(context.record, settings=settings_to_record(settings)))
    write_record(smaller.folder, smaller.record)
    sentence = f"Micro batches of {seconds:.0f} s do not fit into memory; going on with {seconds / 2:.0f} s."
    smaller.report(NoticeReport(step=0, attempt=1, sentence=sentence))
    return smaller
