"""Transcribe: from a trained recogniser and recordings of any length to ELAN, Praat, subtitles and tables."""

import multiprocessing
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from lowres.annotation.transcript_writing import TranscriptFormat
from lowres.audio.length import announced_seconds
from lowres.audio.parts import leave_interrupts_to_parent
from lowres.decoding.stored_models import DESCRIPTION_FILE, LANGUAGE_MODEL_FOLDER, hash_file
from lowres.errors import CorpusError, LowresError
from lowres.stages.cluster import ClusterWork, run_on_cluster
from lowres.stages.evaluate_run import best_checkpoint, find_run
from lowres.stages.machine import num_cores
from lowres.stages.transcribe_files import (
    Done,
    Job,
    demand_free,
    find_recordings,
    is_done,
    plan_jobs,
    read_done,
    settings_hash,
    write_done,
)
from lowres.stages.transcribe_work import ListenerSpec, Outcome, Work, do_work, open_listener

TRANSCRIPTS_FOLDER: Final = "transcripts"
_SECONDS_BETWEEN_RECORDS: Final = 5.0


@dataclass(frozen=True)
class TranscribeOptions:
    """What the command line says.

    Attributes:
        run: name of the run; None = the newest. output: where to; None = `transcripts/RUN` of the project.
        formats: what to write. into_elan: add tiers to copies of the ELAN files beside the recordings.
        overwrite: replace files that are there; else what was transcribed in the same way is left alone.
        num_workers: processes; None = one a core, with several recordings. cluster: address of a Dask scheduler.
    """

    run: str | None = None
    output: Path | None = None
    formats: tuple[TranscriptFormat, ...] = ("elan",)
    into_elan: bool = False
    overwrite: bool = False
    num_workers: int | None = None
    cluster: str = ""


@dataclass(frozen=True)
class TranscribeProgress:
    """How many recordings are done of how many, and how many seconds of them of how many (0 where unknown)."""

    num_done: int
    num_recordings: int
    done_seconds: float
    total_seconds: float


@dataclass(frozen=True)
class TranscribeResult:
    """What was transcribed, left alone because it was there, and what could not be.

    Attributes:
        folder: where the transcripts lie. run_name: of the recogniser.
        done: what was transcribed now. num_before: recordings that an earlier call had transcribed.
        problems: (name, sentence) of each recording that could not be transcribed.
        notes: sentences on how it was done. wall_seconds: all of it.
    """

    folder: Path
    run_name: str
    done: tuple[Done, ...]
    num_before: int
    problems: tuple[tuple[str, str], ...]
    notes: tuple[str, ...]
    wall_seconds: float


def transcribe(
    project: Path,
    sources: Sequence[Path],
    options: TranscribeOptions,
    listener: ListenerSpec,
    progress: Callable[[TranscribeProgress], None] = lambda _progress: None,
) -> TranscribeResult:
    """Transcribe recordings; what is finished stays, and is not done again the next time.

    Args:
        project: the project folder.
        sources: recordings and folders of recordings.
        options: what to write, where, and with how many processes.
        listener: how to listen; its project, checkpoint and name are filled in here.
        progress: told after each recording.

    Raises:
        CheckpointError: no such run, or its checkpoint is damaged.
        CorpusError: a source is not there, files of others would be overwritten, or the disk is full.
        LowresError: a language model or detector that was asked for cannot be had.
    """
    started = time.perf_counter()
    run = find_run(project, options.run)
    checkpoint = best_checkpoint(run)
    spec = replace(listener, project=project, checkpoint=checkpoint, name=run.name)
    folder = options.output or project / TRANSCRIPTS_FOLDER / run.name
    jobs = plan_jobs(find_recordings(sources), folder, options.formats, into_elan=options.into_elan)
    done = read_done(folder)
    settings = settings_hash(
        replace(spec, project=Path(), checkpoint=Path()),
        sorted(options.formats),
        options.into_elan,
        hash_file(checkpoint / "checkpoint.json"),
        hash_file(checkpoint / LANGUAGE_MODEL_FOLDER / DESCRIPTION_FILE),
    )
    if not options.overwrite:
        demand_free(jobs, done)
    missing = [job for job in jobs if options.overwrite or not is_done(job, done, settings)]
    num_workers = min(options.num_workers or num_cores(), len(missing))
    # Opened here first: what is wrong with it is said once, and before any process starts.
    notes = dict.fromkeys(open_listener(spec, num_cores() if num_workers == 1 else 1).notes if missing else ())
    recorder = _Recorder(folder, done, progress, missing)
    try:
        for outcome in _outcomes(spec, missing, settings, num_workers, options.cluster):
            notes |= dict.fromkeys(outcome.notes)
            recorder.add(outcome)
    except OSError as error:
        raise CorpusError(
            f"The disk that holds {folder} refuses ({error.strerror}); {len(recorder.finished)} of {len(missing)} "
            "recordings are transcribed and kept.",
            "Free some space and give the same command again, or choose another disk with --output.",
        ) from error
    finally:
        recorder.write()
    return TranscribeResult(
        folder,
        run.name,
        tuple(recorder.finished),
        len(jobs) - len(missing),
        tuple(recorder.problems),
        tuple(notes),
        time.perf_counter() - started,
    )


class _Recorder:
    """Keeps what has been done, on disk every few seconds."""

    def __init__(
        self, folder: Path, done: dict[str, Done], progress: Callable[[TranscribeProgress], None], jobs: Sequence[Job]
    ) -> None:
        self._folder, self._done, self._progress = folder, done, progress
        self._seconds = {job.name: announced_seconds(job.recording) or 0.0 for job in jobs}
        self._written = time.monotonic()
        self._done_seconds = 0.0
        self.finished: list[Done] = []
        self.problems: list[tuple[str, str]] = []
        self._tell()

    def add(self, outcome: Outcome) -> None:
        if outcome.done is None:
            self.problems.append((outcome.name, outcome.problem))
        else:
            self.finished.append(outcome.done)
            self._done[outcome.name] = outcome.done
        self._done_seconds += self._seconds.get(outcome.name, 0.0)
        self._tell()
        if time.monotonic() - self._written > _SECONDS_BETWEEN_RECORDS:
            self.write()

    def write(self) -> None:
        if self.finished:
            write_done(self._folder, self._done)
        self._written = time.monotonic()

    def _tell(self) -> None:
        num_done = len(self.finished) + len(self.problems)
        total = sum(self._seconds.values())
        self._progress(TranscribeProgress(num_done, len(self._seconds), self._done_seconds, total))


def _outcomes(
    spec: ListenerSpec, jobs: Sequence[Job], settings: str, num_workers: int, cluster: str
) -> Iterator[Outcome]:
    if cluster and jobs:
        works = [Work(spec, job, settings) for job in jobs]
        whole: ClusterWork[Work, Outcome] = ClusterWork(
            do_work,
            key=lambda work: work.job.recording.stem,
            blame=lambda work: str(work.job.recording),
            folder=lambda work: work.job.recording.parent,
        )
        yield from (outcome for _, outcome in run_on_cluster(cluster, works, whole))
    elif num_workers <= 1:
        yield from (do_work(Work(spec, job, settings, num_workers=num_cores())) for job in jobs)
    else:
        yield from _outcomes_of_processes(spec, jobs, settings, num_workers)


def _outcomes_of_processes(
    spec: ListenerSpec, jobs: Sequence[Job], settings: str, num_workers: int
) -> Iterator[Outcome]:
    """Each process transcribes whole recordings on one core, the largest first."""
    num_threads = max(1, num_cores() // num_workers)
    largest_first = sorted(jobs, key=lambda job: -job.recording.stat().st_size)
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(num_workers, mp_context=context, initializer=leave_interrupts_to_parent) as executor:
        tasks = [executor.submit(do_work, Work(spec, job, settings, num_threads=num_threads)) for job in largest_first]
        try:
            yield from (task.result() for task in as_completed(tasks))
        except BrokenProcessPool as error:
            raise LowresError(
                "A process died while it transcribed: the machine ran out of memory, or a damaged recording crashes "
                "its decoder.",
                "Give the command again (what is finished is kept), with --workers 1 to see which recording it is.",
            ) from error
        finally:
            executor.shutdown(cancel_futures=True)
