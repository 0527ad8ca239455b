"""Training that may have been done already: a run is trained, gone on with, or taken where it has ended."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from lowres.errors import CheckpointError, TrainingError
from lowres.manifest.corpus import CORPUS_FOLDER, read_corpus_json
from lowres.recipe import Recipe
from lowres.stages.default_backbone import settle_backbone
from lowres.stages.finetune import FinetuneEvent, FinetuneOptions, finetune
from lowres.stages.finetune_run import RunRecord, read_record
from lowres.stages.run_folder import RUN_FILE, RunFolder

ENDED: Final = ("finished", "stopped early")


@dataclass(frozen=True)
class SeriesNotice:
    """Something about one of several runs, as a sentence."""

    sentence: str


@dataclass(frozen=True)
class MeasureProgress:
    """How far the measuring of a run is: seconds of audio listened to, of how many."""

    run: str
    split: str
    done_seconds: float
    total_seconds: float


SeriesEvent = FinetuneEvent | SeriesNotice | MeasureProgress
"""What somebody who watches several runs, trained and measured one after the other, is told."""


def train_or_take(
    project: Path,
    recipe: Recipe,
    options: FinetuneOptions,
    watch: Callable[[FinetuneEvent], None],
    *,
    is_stop_asked: Callable[[], bool],
) -> RunRecord | None:
    """Train the run that `options` names, unless it is there: then go on with it, or take it where it has ended.

    Args:
        project, recipe, watch, is_stop_asked: as `finetune`.
        options: as `finetune`, with a name; whether it goes on is found out here.

    Returns:
        The record of a run that has ended; None when somebody stopped it.

    Raises:
        CheckpointError: a run of that name is there and is another one, or as `finetune`.
        TrainingError: it collapsed, now or before, or as `finetune`.
    """
    folder = RunFolder(project / "runs" / str(options.run))
    is_begun = (folder.path / RUN_FILE).exists()
    if is_begun:
        record = read_record(folder)
        check_still_same(project, recipe, options, record)
        if record.status in ENDED:
            return record
        if record.status == "collapsed":
            raise TrainingError(f"The run {folder.path} collapsed.", f"Delete {folder.path} to train it again.")
    options = replace(options, resume=is_begun)
    result = finetune(project, recipe, options, watch, is_stop_asked=is_stop_asked)
    return None if result.ending == "interrupted" else result.record


def check_still_same(
    project: Path, recipe: Recipe, options: FinetuneOptions, record: RunRecord, *, corpus_sha256: str | None = None
) -> None:
    """Refuse a run that would come out otherwise today, before hours of training; the arguments of `find_difference`.

    Raises:
        CheckpointError: naming what differs.
    """
    difference = find_difference(project, recipe, options, record, corpus_sha256=corpus_sha256)
    if difference:
        folder = project / "runs" / record.name
        raise CheckpointError(
            f"The run {folder} was trained {difference}.",
            f"Choose another --name to train anew, or delete {folder}.",
        )


def find_difference(
    project: Path, recipe: Recipe, options: FinetuneOptions, record: RunRecord, *, corpus_sha256: str | None = None
) -> str:
    """Say in what a run differs from the one that recipe and options would train; "" where it does not.

    `corpus_sha256` is of the manifest that it would be trained on; None takes that of the project's corpus.
    """
    seed = recipe.finetune.seed if options.seed is None else options.seed
    minutes = recipe.finetune.minutes if options.minutes is None else options.minutes
    if record.corpus_sha256 != (corpus_sha256 or read_corpus_json(project / CORPUS_FOLDER).manifest_sha256):
        return "on another corpus, or before it was prepared again"
    if record.hours_asked != options.hours or record.pseudo_labels_sha256:
        return "on other speech"
    if record.settings["seed"] != seed:
        return f"with seed {record.settings['seed']}, not {seed}"
    if record.settings["minutes"] != minutes:
        return f"with a time budget of {_minutes(record.settings['minutes'])}, not {_minutes(minutes)}"
    if settle_backbone(recipe, record.backbone)[0].recipe_hash != record.recipe_sha256:
        return "with other settings of the recipe"
    return ""


def _minutes(minutes: float | None) -> str:
    return "none" if minutes is None else f"{minutes:g} minutes"
