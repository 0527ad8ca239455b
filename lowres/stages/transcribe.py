"""Transcribe: from a trained recogniser and recordings of any length to ELAN, Praat, subtitles and tables."""

import multiprocessing
import time
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from lowres.annotation.transcript_writing import TranscriptFormat
from lowres.audio.length import announced_seconds
from lowres.audio.parts import leave_interrupts_to_parent
from lowres.corpora.files import mark_machine_made
from lowres.corpora.written_names import whole_text
from lowres.decoding.stored_models import DESCRIPTION_FILE, LANGUAGE_MODEL_FOLDER, hash_file
from lowres.errors import CorpusError, LowresError
from lowres.stages.cluster import ClusterWork, run_on_cluster
from lowres.stages.evaluate_run import best_checkpoint, find_run
from lowres.stages.machine import num_cores
from lowres.stages.problems import FULL_DISK
from lowres.stages.transcribe_files import (
    Done,
    Job,
    Record,
    demand_free,
    is_done,
    plan_jobs,
    read_record,
    settings_hash,
    stamp_of,
    survey_recordings,
    write_record,
    written_before,
)
from lowres.stages.transcribe_work import (
    ListenerSpec,
    Outcome,
    Work,
    close_listener,
    do_work,
    open_listener,
)
from lowres.training.precision import choose_compute

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
    *,
    listening: Callable[[float], None] | None = None,
) -> TranscribeResult:
    """Transcribe recordings; what is finished stays, and is not done again the next time.

    Args:
        project: the project folder.
        sources: recordings and folders of recordings.
        options: what to write, where, and with how many processes.
        listener: how to listen; its project, checkpoint and name are filled in here.
        progress: told after each recording.
        listening: told, by a single process alone, how many seconds of the recording under way have been read.

    Raises:
        CheckpointError: no such run, or its checkpoint is damaged.
        CorpusError: a source is not there, files of others would be overwritten, or the disk is full.
        LowresError: a language model or detector that was asked for cannot be had.
    """
    started = time.perf_counter()
    run = find_run(project, options.run)
    checkpoint = best_checkpoint(run)
    # Whole paths: the workers of a cluster have another working directory.
    spec = replace(listener, project=project.absolute(), checkpoint=checkpoint.absolute(), name=run.name)
    folder = options.output or project / TRANSCRIPTS_FOLDER / run.name
    found = survey_recordings([source.absolute() for source in sources])
    jobs = plan_jobs(found.recordings, folder.absolute(), options.formats, into_elan=options.into_elan)
    record = read_record(folder)
    settings = settings_hash(
        replace(spec, project=Path(), checkpoint=Path()),
        sorted(options.formats),
        options.into_elan,
        hash_file(checkpoint / "checkpoint.json"),
        hash_file(checkpoint / LANGUAGE_MODEL_FOLDER / DESCRIPTION_FILE),
    )
    missing = [job for job in jobs if options.overwrite or not is_done(job, record, settings)]
    if options.overwrite:
        missing = [replace(job, ours=None) for job in missing]
    else:
        demand_free(missing, record)
        missing = [replace(job, ours=written_before(job.name, record)) for job in missing]
    notes = dict.fromkeys(found.notes)
    if missing:
        mark_machine_made(folder)
    recorder = _Recorder(folder, record, progress, missing, listening)
    if missing:
        notes |= _transcribe_missing(spec, missing, settings, options, recorder)
    return TranscribeResult(
        folder,
        run.name,
        tuple(recorder.finished),
        len(jobs) - len(missing),
        (*found.problems, *recorder.problems),
        tuple(notes),
        time.perf_counter() - started,
    )


def _transcribe_missing(
    spec: ListenerSpec, missing: Sequence[Job], settings: str, options: TranscribeOptions, recorder: "_Recorder"
) -> dict[str, None]:
    """Transcribe; return the notes."""
    num_workers = min(options.num_workers or _usual_workers(spec), len(missing))
    # Opened here first: what is wrong with it is said once, and before any process starts.
    notes = dict.fromkeys(open_listener(spec, num_cores() if num_workers == 1 else 1, settings).notes)
    if num_workers > 1 or options.cluster:
        close_listener()
    recorder.begin()
    try:
        with closing(_outcomes(spec, missing, settings, num_workers, options.cluster, recorder.listening)) as outcomes:
            for outcome in outcomes:
                notes |= dict.fromkeys(outcome.notes)
                recorder.add(outcome)
        recorder.write()
    except BaseException as error:
        with suppress(OSError):
            recorder.write()
        if isinstance(error, OSError) and error.errno in FULL_DISK:
            raise CorpusError(
                f"The disk that holds {recorder.folder} is full ({error.strerror}); {len(recorder.finished)} of "
                f"{len(missing)} recordings are transcribed and kept.",
                "Free some space and give the same command again, or choose another disk with --output.",
            ) from error
        raise
    return notes


def _usual_workers(spec: ListenerSpec) -> int:
    """Return a process for each core; one alone for a GPU, whose memory holds no dozen recognisers."""
    return num_cores() if choose_compute(spec.precision).device == "cpu" else 1


class _Recorder:
    """Keeps what has been done, on disk every few seconds."""

    def __init__(
        self,
        folder: Path,
        record: Record,
        progress: Callable[[TranscribeProgress], None],
        jobs: Sequence[Job],
        listening: Callable[[float], None] | None,
    ) -> None:
        self.folder, self.listening = folder, listening
        self._record, self._progress = record, progress
        self._seconds = {job.name: announced_seconds(job.recording) or 0.0 for job in jobs}
        self._formats: dict[str, set[str]] = {job.name: set(job.outputs) for job in jobs}
        self._written = time.monotonic()
        self._done_seconds = 0.0
        self.finished: list[Done] = []
        self.problems: list[tuple[str, str]] = []
        self._tell()

    def begin(self) -> None:
        """Write down what is under way: should the machine stop, the files of the last moments may be ours.

        Raises:
            OSError: the folder cannot be written to.
        """
        for name, formats in self._formats.items():
            self._record.under_way[name] = self._record.under_way.get(name, set()) | formats
        self.write()

    def add(self, outcome: Outcome) -> None:
        """Take what became of a recording."""
        if outcome.done is None:
            self.problems.append((outcome.name, outcome.problem))
        else:
            self.finished.append(outcome.done)
            # Files of other formats that were written before are still ours.
            outputs = {**written_before(outcome.name, self._record), **outcome.done.outputs}
            self._record.done[outcome.name] = replace(outcome.done, outputs=outputs)
        if left := self._record.under_way.pop(outcome.name, set()) - self._formats[outcome.name]:
            self._record.under_way[outcome.name] = left
        self._done_seconds += self._seconds.get(outcome.name, 0.0)
        self._tell()
        if time.monotonic() - self._written > _SECONDS_BETWEEN_RECORDS:
            self.write()

    def write(self) -> None:
        """Write the record."""
        write_record(self.folder, self._record)
        self._written = time.monotonic()

    def _tell(self) -> None:
        num_done = len(self.finished) + len(self.problems)
        total = sum(self._seconds.values())
        self._progress(TranscribeProgress(num_done, len(self._seconds), self._done_seconds, total))


def _outcomes(
    spec: ListenerSpec,
    jobs: Sequence[Job],
    settings: str,
    num_workers: int,
    cluster: str,
    listening: Callable[[float], None] | None,
) -> Generator[Outcome, None, None]:
    if cluster:
        works = [Work(spec, job, settings) for job in _largest_first(jobs)]
        whole: ClusterWork[Work, Outcome] = ClusterWork(
            do_work,
            key=lambda work: whole_text(work.job.recording.stem),
            blame=lambda work: str(work.job.recording),
            folder=lambda work: work.job.recording.parent,
        )
        yield from (outcome for _, outcome in run_on_cluster(cluster, works, whole))
    elif num_workers <= 1:
        yield from (do_work(Work(spec, job, settings, num_workers=num_cores()), listening) for job in jobs)
    else:
        yield from _outcomes_of_processes(spec, jobs, settings, num_workers)


def _outcomes_of_processes(
    spec: ListenerSpec, jobs: Sequence[Job], settings: str, num_workers: int
) -> Generator[Outcome, None, None]:
    """Each process transcribes whole recordings on one core, the largest first."""
    num_threads = max(1, num_cores() // num_workers)
    works = [Work(spec, job, settings, num_threads=num_threads) for job in _largest_first(jobs)]
    others = set(multiprocessing.active_children())
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(num_workers, mp_context=context, initializer=leave_interrupts_to_parent) as executor:
        tasks = [executor.submit(do_work, work) for work in works]
        try:
            yield from (task.result() for task in as_completed(tasks))
        except BaseException as error:
            # An hour's recording may be under way: whoever presses Ctrl-C does not wait for its end.
            executor.shutdown(wait=False, cancel_futures=True)
            for process in set(multiprocessing.active_children()) - others:
                process.terminate()
            if isinstance(error, BrokenProcessPool):
                raise LowresError(
                    "A process died while it transcribed: the machine ran out of memory, or a damaged recording "
                    "crashes its decoder.",
                    "Give the command again (what is finished is kept), with --workers 1 to see which recording it is.",
                ) from error
            raise


def _largest_first(jobs: Sequence[Job]) -> list[Job]:
    return sorted(jobs, key=lambda job: -stamp_of(job.recording).size_bytes)
