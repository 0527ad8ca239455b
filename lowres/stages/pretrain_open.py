"""Opening a pretraining run: which folder it is, what it needs, and whether it is still the run that was started."""

import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch

from lowres.audio.constants import SAMPLE_RATE
from lowres.errors import CheckpointError
from lowres.model.config import quantizer_to_dict, to_dict
from lowres.model.pretraining import PretrainingNetwork
from lowres.recipe import Recipe
from lowres.report.pretraining_verdict import PAPER_HOURS_PER_UPDATE, is_small_update
from lowres.stages.pretrain_network import PretrainStart, choose_pretrain_start
from lowres.stages.pretrain_run import PretrainRecord, check_same_pretraining, read_pretrain_record
from lowres.stages.pretrain_speech import PretrainingSpeech, load_pretraining_speech
from lowres.stages.run_folder import RECIPE_FILE, RUN_FILE, RunFolder, describe_machine, name_is_no_path, put_over
from lowres.training.distributed import Processes
from lowres.training.memory import choose_micro_batch_seconds
from lowres.training.mixture import MixtureSettings, target_shares
from lowres.training.precision import Compute, choose_compute
from lowres.training.pretrain_settings import PretrainSettings
from lowres.training.settings import known


@dataclass(frozen=True)
class PretrainOptions:
    """What the command line adds to the recipe."""

    minutes: float | None = None
    """Time budget in minutes, over the recipe's."""

    seed: int | None = None
    """Seed, over the recipe's."""

    run: str | None = None
    """Name of the run; None makes one from the seed."""

    resume: bool = False
    """Go on with a run that was killed."""


@dataclass(frozen=True)
class PretrainContext:
    """Everything about a run that stays the same while it trains."""

    folder: RunFolder
    record: PretrainRecord
    start: PretrainStart
    speech: PretrainingSpeech
    mixture: MixtureSettings
    compute: Compute
    processes: Processes
    watch: Callable[[Any], None]
    is_stop_asked: Callable[[], bool]
    clock: Callable[[], float] = time.perf_counter

    @property
    def settings(self) -> PretrainSettings:
        """The settings without gaps."""
        return self.start.settings

    def report(self, event: Any) -> None:
        """Write an event to metrics.jsonl and hand it to whoever watches; the first process only."""
        if self.processes.is_first:
            self.folder.metrics.append(event)
            self.watch(event)


def open_pretraining(
    project: Path,
    recipe: Recipe,
    options: PretrainOptions,
    processes: Processes,
    watch: Callable[[Any], None],
    is_stop_asked: Callable[[], bool],
) -> tuple[PretrainContext, bool]:
    """Put together everything a run needs, and check it against the run folder when going on with one.

    Returns:
        The run, and whether it goes on with an earlier one. A new run's folder holds its recipe afterwards.

    Raises:
        CheckpointError, CorpusError, TrainingError: as `lowres.stages.pretrain.pretrain`.
    """
    folder = _choose_folder(project, recipe, options)
    recorded = _read_resumable(folder) if options.resume else None
    if recorded is None and (folder.path / RUN_FILE).exists():
        raise CheckpointError(
            f"The run {folder.path} exists already.", "Add --resume to go on with it, or --run NAME to start another."
        )
    processes.wait()  # until all have looked: the first one is about to write
    start = choose_pretrain_start(recipe, _put_over(recipe.pretrain, options, recorded), project)
    compute = choose_compute(start.settings.precision)
    start = _with_micro_batch(start, compute, recorded, processes)
    mixture = mixture_settings(start.settings, processes)
    speech = load_pretraining_speech(project, start.settings.corpora, start.settings)
    record = _describe_run(folder, recipe, (start, speech, mixture), compute, processes)
    if recorded is not None:
        check_same_pretraining(recorded, record, folder)
        record = replace(record, times_resumed=recorded.times_resumed + 1)
    elif processes.is_first:
        folder.path.mkdir(parents=True, exist_ok=True)
        (folder.path / RECIPE_FILE).write_text(recipe.to_toml(), encoding="utf-8", newline="\n")
    context = PretrainContext(folder, record, start, speech, mixture, compute, processes, watch, is_stop_asked)
    return context, recorded is not None


def mixture_settings(settings: PretrainSettings, processes: Processes) -> MixtureSettings:
    """Put the settings of drawing speech into samples."""

    def samples(name: str) -> int:
        seconds: float = known(getattr(settings, name), name)
        return round(seconds * SAMPLE_RATE)

    return MixtureSettings(
        samples_per_update=samples("seconds_per_update"),
        micro_batch_samples=samples("micro_batch_seconds") * processes.count,
        crop_samples=samples("crop_seconds"),
        shortest_samples=samples("shortest_seconds"),
        language_alpha=settings.language_alpha,
        corpus_alpha=settings.corpus_alpha,
        languages_per_micro_batch=settings.languages_per_micro_batch,
        seed=settings.seed,
    )


def _choose_folder(project: Path, recipe: Recipe, options: PretrainOptions) -> RunFolder:
    runs = project / "runs"
    if options.run is not None:
        return RunFolder(runs / name_is_no_path(options.run))
    seed = recipe.pretrain.seed if options.seed is None else options.seed
    return RunFolder(runs / f"pretrain-seed{seed}")


def _read_resumable(folder: RunFolder) -> PretrainRecord:
    """Read the record of a run that was started and not finished."""
    if not folder.path.exists():
        raise CheckpointError(
            f"There is nothing to resume: {folder.path} does not exist.",
            "Start it without --resume, or name the run with --run NAME.",
        )
    record = read_pretrain_record(folder)
    if record.status != "training":
        raise CheckpointError(
            f"There is nothing to resume: the run {folder.path} is {record.status}.",
            "Go on from its backbone in a new run: "
            f"lowres pretrain --run NAME --set pretrain.backbone=runs/{folder.path.name}/checkpoints/best",
        )
    return record


def _put_over(
    settings: PretrainSettings, options: PretrainOptions, recorded: PretrainRecord | None
) -> PretrainSettings:
    """Put what the command line says over what the recipe says, and what a resumed run was told where it is silent."""
    before: dict[str, Any] = recorded.settings if recorded else {"seed": settings.seed, "minutes": settings.minutes}
    return put_over(
        settings,
        seed=before["seed"] if options.seed is None else options.seed,
        minutes=before["minutes"] if options.minutes is None else options.minutes,
    )


def _with_micro_batch(
    start: PretrainStart, compute: Compute, recorded: PretrainRecord | None, processes: Processes
) -> PretrainStart:
    if start.settings.micro_batch_seconds is not None:
        return start
    if recorded is not None:
        # What fits depends on what else the machine does: a resumed run keeps what it began with.
        seconds = recorded.settings["micro_batch_seconds"]
    else:
        fits_here = choose_micro_batch_seconds(start.config, device=compute.device, trains_feature_encoder=True)
        seconds = processes.minimum(fits_here)  # all must deal an update into the same micro batches
    return replace(start, settings=replace(start.settings, micro_batch_seconds=seconds))


def _describe_run(
    folder: RunFolder,
    recipe: Recipe,
    parts: tuple[PretrainStart, PretrainingSpeech, MixtureSettings],
    compute: Compute,
    processes: Processes,
) -> PretrainRecord:
    start, speech, mixture = parts
    hours_per_update = mixture.samples_per_update / SAMPLE_RATE / 3600
    notes = start.backbone.notes if start.backbone else ()
    warnings = [*notes, *start.warnings, *speech.warnings]
    if is_small_update(hours_per_update):
        warnings.append(
            f"An update learns from {hours_per_update * 3600:.0f} s of audio ({hours_per_update:.3f} h); the paper "
            f"used {PAPER_HOURS_PER_UPDATE} h. Fewer distinct sounds in an update make the codes collapse more easily: "
            "watch the share of codes used."
        )
    shares = target_shares(speech.sources, mixture)
    # On the meta device nothing is allocated: only the shapes are wanted.
    with torch.device("meta"):
        network = PretrainingNetwork(start.config, start.quantizer_config)
    return PretrainRecord(
        name=folder.path.name,
        settings=json.loads(json.dumps(asdict(start.settings))),  # as it will be read again: lists for tuples
        model_config=to_dict(start.config),
        quantizer_config=quantizer_to_dict(start.quantizer_config),
        recipe_name=recipe.name,
        recipe_sha256=recipe.recipe_hash,
        languages=[asdict(info) | {"share": share} for info, share in zip(speech.infos, shares.sources, strict=True)],
        hours=round(speech.hours, 4),
        held_out_seconds=speech.held_out_seconds,
        is_synthetic=any(info.is_synthetic for info in speech.infos),
        num_parameters=sum(parameter.numel() for parameter in network.parameters()),
        hours_per_update=hours_per_update,
        num_distractors=start.settings.num_distractors,
        num_processes=processes.count,
        backbone=start.settings.backbone,
        backbone_sha256=start.backbone_sha256,
        backbone_licence=start.backbone_licence,
        machine=describe_machine(compute),
        warnings=tuple(warnings),
    )
