"""Opening a run: which folder it is, what it needs, and whether it is still the run that was started."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from lowres.errors import CheckpointError
from lowres.manifest.corpus import CORPUS_FOLDER
from lowres.model.config import Wav2Vec2Config, to_dict
from lowres.model.ctc import CTCRecognizer
from lowres.recipe import Recipe
from lowres.stages.default_backbone import settle_backbone, to_read_again
from lowres.stages.finetune_attempt import RunContext
from lowres.stages.finetune_network import Start, choose_start, settle
from lowres.stages.finetune_pseudo_labels import read_pseudo_labels
from lowres.stages.finetune_run import (
    RunRecord,
    check_same_run,
    find_resumable,
    read_record,
    record_of_speech,
    settings_to_record,
)
from lowres.stages.finetune_speech import FinetuneSpeech, hours_label, load_speech, with_pseudo_labels
from lowres.stages.run_folder import RECIPE_FILE, RUN_FILE, RunFolder, describe_machine, name_is_no_path, put_over
from lowres.training.adaptation import AdaptationChoice, choose_adaptation
from lowres.training.machine_memory import machine_memory_gb
from lowres.training.memory import choose_micro_batch_seconds
from lowres.training.monitors import TrainingEvent
from lowres.training.precision import Compute, choose_compute
from lowres.training.settings import FinetuneSettings, dev_seconds_for


@dataclass(frozen=True)
class FinetuneOptions:
    """What the command line adds to the recipe."""

    hours: float | None = None
    """Hours of training speech to use; None uses all."""

    minutes: float | None = None
    """Time budget in minutes, over the recipe's."""

    seed: int | None = None
    """Seed, over the recipe's."""

    run: str | None = None
    """Name of the run; None makes one from hours and seed."""

    resume: bool = False
    """Go on with a run that was killed."""


def open_run(
    project: Path,
    recipe: Recipe,
    options: FinetuneOptions,
    watch: Callable[[TrainingEvent], None],
    is_stop_asked: Callable[[], bool],
) -> tuple[RunContext, bool]:
    """Put together everything a run needs, and check it against the run folder when going on with one.

    Returns:
        The run, and whether it goes on with an earlier one. A new run's folder holds its recipe afterwards.

    Raises:
        CheckpointError, CorpusError, TrainingError: as `lowres.stages.finetune.finetune`.
    """
    folder = _choose_folder(project, recipe, options)
    recorded = _read_resumable(folder) if options.resume else None
    if recorded is not None:
        options = as_recorded(options, recorded)
    elif (folder.path / RUN_FILE).exists():
        raise CheckpointError(
            f"The run {folder.path} exists already.",
            f"{_what_to_do_with(folder)}, or start another with --run NAME or --seed N.",
        )
    recipe, chosen = settle_backbone(recipe, recorded.backbone if recorded else None)
    start = choose_start(recipe, project)
    asked = _put_over(recipe.finetune, options)
    if recorded is not None and asked.adaptation == "auto":
        asked = replace(asked, adaptation=recorded.settings["adaptation"])  # another machine might choose another
    speech = load_speech(
        project / CORPUS_FOLDER,
        hours=options.hours,
        vocabulary_settings=recipe.vocabulary,
        config=start.config,
        dev_seconds=dev_seconds_for(asked),
    )
    speech = with_pseudo_labels(speech, read_pseudo_labels(project, folder.path), start.config)
    compute = choose_compute(asked.precision)
    choice = _choose_adaptation(asked, start, speech, compute)
    settings, config = settle(asked, start, speech, recipe.model.overrides, choice.adaptation)
    settings = _with_micro_batch(settings, config, compute, recorded)
    record = _describe_run(folder, recipe, options, start, speech, (settings, config, compute))
    if start.backbone is not None:
        sentences = [sentence for sentence in (chosen, choice.sentence) if sentence]
        record = replace(record, warnings=(*sentences, *start.backbone.notes, *record.warnings))
    if recorded is not None:
        check_same_run(recorded, record, folder)
        record = replace(record, times_resumed=recorded.times_resumed + 1, warnings=recorded.warnings)
    else:
        folder.path.mkdir(parents=True, exist_ok=True)
        (folder.path / RECIPE_FILE).write_text(to_read_again(recipe).to_toml(), encoding="utf-8", newline="\n")
    return RunContext(folder, record, settings, config, start, speech, compute, watch, is_stop_asked), bool(recorded)


def _choose_folder(project: Path, recipe: Recipe, options: FinetuneOptions) -> RunFolder:
    """Name the run's folder: as asked, else after hours and seed, else the latest that can be gone on with."""
    runs = project / "runs"
    if options.run is not None:
        return RunFolder(runs / name_is_no_path(options.run))
    seed = recipe.finetune.seed if options.seed is None else options.seed
    folder = RunFolder(runs / f"finetune-{hours_label(options.hours)}-seed{seed}")
    is_unspecific = options.hours is None and options.seed is None and options.minutes is None
    if options.resume and is_unspecific and not folder.path.exists():
        latest = find_resumable(runs)
        return RunFolder(runs / latest[0]) if latest else folder
    return folder


def _what_to_do_with(folder: RunFolder) -> str:
    try:
        is_over = read_record(folder).status != "training"
    except CheckpointError:
        is_over = True
    return (
        f"Measure it with `lowres evaluate --run {folder.path.name}`" if is_over else "Go on with it by adding --resume"
    )


def _read_resumable(folder: RunFolder) -> RunRecord:
    """Read the record of a run that was started and not finished."""
    if not folder.path.exists():
        others = find_resumable(folder.path.parent)
        hint = (
            f"These can be resumed with --run NAME: {', '.join(others)}." if others else "Start one without --resume."
        )
        raise CheckpointError(f"There is nothing to resume: {folder.path} does not exist.", hint)
    record = read_record(folder)
    if record.status in ("finished", "stopped early"):
        raise CheckpointError(
            f"There is nothing to resume: the run {folder.path} is {record.status}.",
            "Measure it with `lowres evaluate`, or train another with --run NAME or --seed N.",
        )
    if record.status == "collapsed":
        raise CheckpointError(
            f"There is nothing to resume: the run {folder.path} collapsed.",
            "Start another with --run NAME, and another --seed or learning rate.",
        )
    return record


def as_recorded(options: FinetuneOptions, recorded: RunRecord) -> FinetuneOptions:
    """Take what the command line does not repeat from the run that is gone on with."""
    return replace(
        options,
        hours=recorded.hours_asked if options.hours is None else options.hours,
        seed=recorded.settings["seed"] if options.seed is None else options.seed,
        minutes=recorded.settings["minutes"] if options.minutes is None else options.minutes,
    )


def _put_over(settings: FinetuneSettings, options: FinetuneOptions) -> FinetuneSettings:
    """Put what the command line says over what the recipe says."""
    seed = settings.seed if options.seed is None else options.seed
    minutes = settings.minutes if options.minutes is None else options.minutes
    return put_over(settings, seed=seed, minutes=minutes)


def _choose_adaptation(
    asked: FinetuneSettings, start: Start, speech: FinetuneSpeech, compute: Compute
) -> AdaptationChoice:
    """Take what the recipe says of the backbone is to learn, or choose it.

    Raises:
        CheckpointError: something of a backbone is to learn, and there is none.
    """
    if start.backbone is None:
        if asked.adaptation not in ("auto", "full"):
            raise CheckpointError(
                f"finetune.adaptation is {asked.adaptation}, which trains a part of a backbone, and there is none.",
                "Name one with finetune.backbone, or leave finetune.adaptation out.",
            )
        return AdaptationChoice("full", "")
    if asked.repeat_blocks > 1:
        return AdaptationChoice("full", f"Each block of the backbone is there {asked.repeat_blocks} times; all learns.")
    if asked.adaptation != "auto":
        return AdaptationChoice(asked.adaptation, f"Adaptation: {asked.adaptation}, as the recipe says.")
    if compute.device == "cuda":
        memory_gb: float | None = torch.cuda.get_device_properties(0).total_memory / 1e9
    else:
        memory_gb, _ = machine_memory_gb()
    return choose_adaptation(start.num_parameters, hours=speech.hours, device=compute.device, memory_gb=memory_gb)


def _with_micro_batch(
    settings: FinetuneSettings, config: Wav2Vec2Config, compute: Compute, recorded: RunRecord | None
) -> FinetuneSettings:
    """Size micro batches by this machine's memory; a run that is gone on with keeps its size, or it would differ."""
    asked = settings.micro_batch_seconds
    if recorded is not None:
        kept = recorded.settings["micro_batch_seconds"]
        is_halved = asked is not None and kept < asked and math.log2(asked / kept).is_integer()  # memory ran out
        return replace(settings, micro_batch_seconds=kept) if asked is None or is_halved else settings
    if asked is not None:
        return settings
    trains_feature_encoder = bool(settings.train_feature_encoder)
    seconds = choose_micro_batch_seconds(config, device=compute.device, trains_feature_encoder=trains_feature_encoder)
    return replace(settings, micro_batch_seconds=seconds)


def _describe_run(
    folder: RunFolder,
    recipe: Recipe,
    options: FinetuneOptions,
    start: Start,
    speech: FinetuneSpeech,
    chosen: tuple[FinetuneSettings, Wav2Vec2Config, Compute],
) -> RunRecord:
    settings, config, compute = chosen
    with torch.device("meta"):
        num_parameters = sum(weight.numel() for weight in CTCRecognizer(config, len(speech.vocabulary)).parameters())
    return RunRecord(
        name=folder.path.name,
        hours_asked=options.hours,
        settings=settings_to_record(settings),
        model_config=to_dict(config),
        recipe_name=recipe.name,
        recipe_sha256=recipe.recipe_hash,
        **record_of_speech(speech),
        num_parameters=num_parameters,
        backbone=recipe.finetune.backbone,
        backbone_sha256=start.backbone_sha256,
        backbone_licence=start.backbone_licence,
        machine=describe_machine(compute),
        warnings=tuple(_warnings(speech, options.hours)),
    )


def _warnings(speech: FinetuneSpeech, hours: float | None) -> list[str]:
    """Say what about the speech a user should know before training on it."""
    found = []
    if hours is not None and speech.transcribed_hours < 0.9 * hours:
        there_are = f"there are {speech.transcribed_hours:.2f} hours"
        found.append(f"{hours_label(hours)} of training speech was asked for; {there_are}.")
    if speech.left_out:
        found.append(
            f"{len(speech.left_out)} training utterances are too short for their transcripts and are left out: "
            f"{', '.join(speech.left_out[:5])}{' ...' if len(speech.left_out) > 5 else ''}."
        )
    if speech.dev is None:
        found.append("There is no dev speech: the last weights are kept, and no collapse can be noticed.")
    if speech.unknown_dev_symbols:
        found.append(
            f"Dev uses {len(speech.unknown_dev_symbols)} symbols that this training text never shows and that the "
            f"recogniser therefore cannot write: {' '.join(speech.unknown_dev_symbols)}"
        )
    return found
