"""Pretrain: from untranscribed recordings of many languages to a backbone, watched on held-out speech and resumable."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from lowres.errors import TrainingError
from lowres.recipe import Recipe
from lowres.report.pretraining import write_pretraining_report
from lowres.stages.pretrain_begin import begin_pretraining, updated_record
from lowres.stages.pretrain_open import PretrainContext, PretrainOptions, open_pretraining
from lowres.stages.pretrain_run import PretrainRecord, PretrainStatus
from lowres.stages.run_folder import load_saved, write_record
from lowres.training.distributed import joined_processes
from lowres.training.monitors import NoticeReport
from lowres.training.pretrain_settings import PretrainSettings
from lowres.training.pretraining_collapse import PretrainingCollapse
from lowres.training.pretraining_loop import PretrainingEnding
from lowres.training.pretraining_monitors import PretrainingSums
from lowres.training.pretraining_parts import PretrainingState, rebuild_pretraining_state
from lowres.training.schedule import plan_for_updates
from lowres.training.settings import known

__all__ = ["PretrainOptions", "PretrainResult", "PretrainStarted", "pretrain"]


@dataclass(frozen=True)
class PretrainStarted:
    """Pretraining is about to begin; the first thing a watcher is told."""

    record: PretrainRecord
    settings: PretrainSettings
    folder: Path
    resumed_at: int | None
    """Updates done before, when this goes on with a run."""


@dataclass(frozen=True)
class PretrainResult:
    """How a run ended."""

    ending: PretrainingEnding
    folder: Path
    record: PretrainRecord
    report: Path | None
    """The run's report.html; None where another process writes it."""

    @property
    def checkpoint_name(self) -> str:
        """The checkpoint to use: the best on held-out speech, else the last."""
        return "best" if self.record.best_step > 0 else "last"


_GUESSED_UPDATES = 5_000
"""Updates that a timed run reckons with until it has measured its speed: many, so that the rate begins low."""


def pretrain(
    project: Path,
    recipe: Recipe,
    options: PretrainOptions,
    watch: Callable[[Any], None] = lambda _event: None,
    *,
    is_stop_asked: Callable[[], bool] = lambda: False,
) -> PretrainResult:
    """Pretrain a backbone on the prepared corpora that the recipe names, or on the project's own.

    Started by torchrun, every process calls this and they train together.

    Args:
        project: the project folder; prepared corpora are read and `runs/<name>/` is written.
        recipe: model and pretraining settings.
        options: time, seed, name, and whether to go on with a run.
        watch: told of the start, reports, held-out evaluations and notices, in the first process only.
        is_stop_asked: asked after every update; when it says yes, a checkpoint is saved and training ends. Before the
            first update, in an acoustic start, nothing is saved: going on begins anew.

    Returns:
        How the run ended; `checkpoints/best` in its folder is the backbone, or `checkpoints/last` where there is no
        held-out speech to choose by.

    Raises:
        CorpusError: a corpus is not prepared, or damaged.
        CheckpointError: the run exists already, there is nothing to resume, or a checkpoint is damaged, does not fit
            or cannot be written.
        TrainingError: too little speech, a loss that is not a number, too little memory, or a collapse.
    """
    with joined_processes() as processes:
        context, is_resumed = open_pretraining(project, recipe, options, processes, watch, is_stop_asked)
        saved = load_saved(context.folder, context.record.sha256, rebuild_pretraining_state) if is_resumed else None
        state = saved[0].state if saved else _first_state(context)
        if processes.is_first:
            context.folder.metrics.forget_after(1, state.step if saved else -1)
            write_record(context.folder, updated_record(context.record, state))
            watch(PretrainStarted(context.record, context.settings, context.folder.path, state.step if saved else None))
        if saved is None:
            for warning in context.record.warnings:
                context.report(NoticeReport(step=0, attempt=1, sentence=warning))
        processes.wait()
        loop = begin_pretraining(context, state, saved)
        if loop is None:
            return _finish(context, state, "interrupted", None)
        try:
            ending = loop.run()
        except torch.OutOfMemoryError as error:
            raise _too_little_memory(context, loop.state.step) from error
        return _finish(context, loop.state, ending, loop.collapse)


def _finish(
    context: PretrainContext, state: PretrainingState, ending: PretrainingEnding, collapse: PretrainingCollapse | None
) -> PretrainResult:
    """Write the record and the report; only the first process does.

    Raises:
        TrainingError: the run has collapsed.
    """
    status: PretrainStatus = "training" if ending == "interrupted" else ending
    record = replace(updated_record(context.record, state), status=status)
    report = None
    if context.processes.is_first:
        if collapse is not None:
            context.report(NoticeReport(state.step, 1, _collapse_sentence(collapse)))
        write_record(context.folder, record)
        report = write_pretraining_report(context.folder.path)
    if collapse is not None:
        causes = " ".join(f"({number}) {cause}." for number, cause in enumerate(collapse.causes, start=1))
        raise TrainingError(_collapse_sentence(collapse), causes)
    return PretrainResult(ending, context.folder.path, record, report)


def _collapse_sentence(collapse: PretrainingCollapse) -> str:
    return f"Pretraining has collapsed: {collapse.sentence}."


def _first_state(context: PretrainContext) -> PretrainingState:
    settings, quantizer = context.settings, context.start.quantizer_config
    updates = known(settings.updates, "updates")
    return PretrainingState(
        plan=plan_for_updates(updates if settings.minutes is None else max(updates, _GUESSED_UPDATES)),
        seed=settings.seed,
        sums=PretrainingSums.zeros(quantizer.num_codebooks, quantizer.num_entries),
    )


def _too_little_memory(context: PretrainContext, step: int) -> TrainingError:
    seconds = known(context.settings.micro_batch_seconds, "micro_batch_seconds")
    return TrainingError(
        f"The device ran out of memory in update {step + 1} with micro batches of {seconds:.0f} s.",
        "Start another run with smaller ones, whose diversity loss sees fewer codes at once: "
        f"--set pretrain.micro_batch_seconds={seconds / 2:.0f}; or with --set pretrain.activation_checkpointing=true.",
    )
