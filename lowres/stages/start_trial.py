"""Ten seconds of real training on some of the recordings: how fast this machine is with a backbone, measured.

It is `lowres finetune` itself that is timed, on a small corpus that is made for it and thrown away: the same network,
the same updates, the same reading. The first update, in which libraries warm up, does not count.
"""

import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import pandas as pd

from lowres.errors import CorpusError
from lowres.manifest.corpus import CORPUS_FOLDER, CorpusInfo, write_corpus
from lowres.manifest.schema import UtteranceRow
from lowres.recipe import Recipe
from lowres.stages.finetune import FinetuneEvent, FinetuneOptions, RunStarted, finetune
from lowres.stages.finetune_network import chosen_adaptation
from lowres.stages.prepare_decode import decode_parts, plan_parts
from lowres.stages.prepare_table import build_table
from lowres.stages.start_answers import SpeedAnswer
from lowres.stages.start_asking import Progress
from lowres.training.finetune_defaults import defaults_for_hours
from lowres.training.monitors import StepReport
from lowres.training.precision import choose_compute

TRIAL_SECONDS: Final = 10.0
_LONGEST_SECONDS: Final = 60.0
"""A first update that takes longer than this is all that is waited for."""

_MOST_RECORDINGS, _MOST_UTTERANCES_EACH = 48, 4
_MICRO_BATCH_SECONDS: Final = {"cpu": 12.0, "cuda": 60.0}
"""Small enough for several updates in ten seconds, large enough for what the device does at once."""

_LONGEST_UTTERANCE_SECONDS: Final = 20.0
_NEVER: Final = 10**7


class _TrialOver(Exception):  # noqa: N818
    """Enough was seen."""


def sample_rows(table: pd.DataFrame, rows: Sequence[UtteranceRow]) -> list[UtteranceRow]:
    """Choose a few utterances of recordings from all over the corpus, the first ones of each.

    Args:
        table: the utterances with their lengths, in the order of `rows`.
        rows: as the corpus's reader gave them.
    """
    lengths = table["duration_seconds"].to_numpy()
    usable = table["included"].to_numpy() & (lengths > 0.5) & (lengths < _LONGEST_UTTERANCE_SECONDS)
    by_recording: dict[str, list[UtteranceRow]] = {}
    for row, is_usable in zip(rows, usable, strict=True):
        if is_usable:
            by_recording.setdefault(row.audio_path, []).append(row)
    recordings = list(by_recording.values())
    chosen = recordings[:: max(len(recordings) // _MOST_RECORDINGS, 1)][:_MOST_RECORDINGS]
    return [row for of_one in chosen for row in of_one[:_MOST_UTTERANCES_EACH]]


def write_trial_corpus(project: Path, folder: Path, rows: Sequence[UtteranceRow], recipe: Recipe) -> None:
    """Decode some utterances into a prepared corpus that is all training speech.

    Args:
        project: where the corpus goes.
        folder: the folder of the recordings.
        rows: the utterances.
        recipe: whose text rules are applied.

    Raises:
        CorpusError: there is none, or none of them can be read.
    """
    if not rows:
        raise CorpusError("No utterance is of a length to be tried, 0.5 to 20 seconds.", "`lowres prepare` says more.")
    parts = plan_parts(folder, rows)
    target = project / CORPUS_FOLDER
    decoded = decode_parts(parts, target, target, 1, lambda _done, _total: None)
    table, _ = build_table(rows, parts, decoded.results, recipe)
    usable = (table["num_samples"] > 0) & (table["text"].str.strip() != "")
    if not usable.any():
        raise CorpusError("None of the recordings that were tried can be read.", "`lowres prepare` says why.")
    write_corpus(target, table.loc[usable].assign(split="train"), CorpusInfo(name="trial"))


@dataclass(frozen=True)
class Measured:
    """What a trial saw.

    Attributes:
        run: the run that was timed, as it began.
        hours_per_hour: hours of audio learnt from in an hour.
        seconds, updates: that were counted.
    """

    run: RunStarted
    hours_per_hour: float
    seconds: float
    updates: int


def measure_speed(
    project: Path, recipe: Recipe, backbone: str, progress: Progress, *, seconds: float = TRIAL_SECONDS
) -> Measured:
    """Fine-tune for some seconds.

    Args:
        project: holds the corpus that `write_trial_corpus` wrote; a run is written beside it.
        recipe: of the walk.
        backbone: what to start from, as a recipe names it.
        progress: told the seconds gone.
        seconds: how long to train, after the first update.

    Raises:
        LowresError: what fine-tuning raises.
    """
    watcher = _Watcher(seconds, progress)
    size = _MICRO_BATCH_SECONDS[choose_compute(recipe.finetune.precision).device]
    settings = replace(
        recipe.finetune,
        backbone=backbone,
        minutes=None,
        updates=_NEVER,
        seconds_per_update=size,
        micro_batch_seconds=size,
        evaluate_every_updates=_NEVER,
        log_every_updates=1,
        checkpoint_every_minutes=float(_NEVER),
        cache_latents="off",
    )
    timed = recipe.model_copy(update={"finetune": settings})
    with suppress(_TrialOver):
        finetune(project, timed, FinetuneOptions(run="trial"), watcher.watch)
    return watcher.result()


class _Watcher:
    """Counts updates and audio, and ends the trial when there were enough."""

    def __init__(self, seconds: float, progress: Progress) -> None:
        self._seconds, self._progress = seconds, progress
        self._began = time.perf_counter()
        self._started: RunStarted | None = None
        self._reports: list[tuple[float, float]] = []

    def watch(self, event: FinetuneEvent) -> None:
        if isinstance(event, RunStarted):
            self._started, self._began = event, time.perf_counter()
        if isinstance(event, StepReport):
            self._reports.append((time.perf_counter(), event.hours_processed))
            gone = self._reports[-1][0] - self._reports[0][0]
            self._progress(round(gone), round(self._seconds))
            if gone >= self._seconds or self._reports[-1][0] - self._began > _LONGEST_SECONDS:
                raise _TrialOver

    def result(self) -> Measured:
        assert self._started is not None
        # Where one update took all the time there was, it has to do, warming up and all.
        began, heard = self._reports[0] if len(self._reports) > 1 else (self._began, 0.0)
        ended, heard_in_all = self._reports[-1]
        seconds = max(ended - began, 1e-9)
        rate = (heard_in_all - heard) / seconds * 3600
        return Measured(self._started, rate, seconds, max(len(self._reports) - 1, 1))


def try_backbone(
    folder: Path,
    rows: Sequence[UtteranceRow],
    recipe: Recipe,
    backbone: str,
    progress: Progress,
    *,
    hours: float,
    mean_seconds: float,
    seconds: float = TRIAL_SECONDS,
) -> SpeedAnswer:
    """Measure how fast this machine trains from a backbone, and work out how long the usual training would take.

    Args:
        folder: of the recordings.
        rows: some utterances of it.
        recipe: of the walk; its rules and vocabulary count.
        backbone: what to start from.
        progress: told the seconds gone.
        hours, mean_seconds: of the training speech there will be, for the length of the usual training.
        seconds: how long to train.

    Raises:
        LowresError: the recordings cannot be read, or what fine-tuning raises.
    """
    with tempfile.TemporaryDirectory(prefix="lowres-trial-") as place:
        project = Path(place)
        write_trial_corpus(project, folder, rows, recipe)
        measured = measure_speed(project, recipe, backbone, progress, seconds=seconds)
    record = measured.run.record
    defaults = defaults_for_hours(
        max(hours, 1e-6),
        mean_seconds=mean_seconds,
        backbone_width=record.model_config["width"] if record.backbone else None,
        adaptation=chosen_adaptation(measured.run.settings),
    )
    return SpeedAnswer(
        backbone=backbone,
        hours_per_hour=round(measured.hours_per_hour, 2),
        seconds=round(measured.seconds, 1),
        updates=measured.updates,
        million_parameters=round(record.num_parameters / 1e6, 1),
        usual_hours=round(defaults.updates * defaults.seconds_per_update / 3600, 2),
    )
