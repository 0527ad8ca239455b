"""What one process does: open the recogniser once, then transcribe recordings and write their files."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from threading import Lock, current_thread, main_thread
from typing import Final

import torch

from lowres.annotation.elan import read_elan
from lowres.annotation.transcript import transcript_tiers
from lowres.audio.decode import open_recording
from lowres.audio.stretch_plan import StretchSettings
from lowres.audio.voice_activity import DetectorName, find_detector
from lowres.corpora.written_names import whole_text
from lowres.decoding.stored_models import hash_file
from lowres.stages.language_model import LanguageModelChoice, open_search
from lowres.stages.listening import load_to_listen
from lowres.stages.problems import OF_ONE_RECORDING, full_disk, sentence_of
from lowres.stages.transcribe_files import Done, Job, stamp_of
from lowres.stages.transcribe_listener import Listener, transcribe_recording
from lowres.stages.transcribe_writing import write_transcripts
from lowres.training.precision import choose_compute
from lowres.training.settings import ListeningPrecision

_CPU_ALONE: Final = 0.0

NOT_CALIBRATED: Final = "How sure to be of each word is not calibrated: `lowres lm` learns it from dev."


@dataclass(frozen=True)
class ListenerSpec:
    """Everything that decides what is heard and written, small enough to send to another process.

    Attributes:
        project: where a backbone of an adapter may lie. checkpoint: the recogniser's folder. name: its run.
        language_model, precision: as for `evaluate`.
        detector: what finds speech; None = everything is speech.
        stretches: how speech is divided.
        each_channel: whether each channel is a voice of its own. channel: the one to hear, from 0; None = the mean.
        batch_seconds: seconds of audio heard together; 0 = each stretch by itself.
        doubtful_below: words less sure than this are on a tier of their own.
        with_letters: whether letters have a tier.
        num_alternatives: other transcriptions of each utterance, which the JSON holds.
    """

    project: Path
    checkpoint: Path = Path()
    name: str = ""
    language_model: LanguageModelChoice = "auto"
    precision: ListeningPrecision = "auto"
    detector: DetectorName | None = "auto"
    stretches: StretchSettings = field(default_factory=StretchSettings)
    each_channel: bool = False
    channel: int | None = None
    batch_seconds: float = _CPU_ALONE
    doubtful_below: float = 0.5
    with_letters: bool = False
    num_alternatives: int = 0


@dataclass(frozen=True)
class Outcome:
    """What became of a recording: what is kept of it, or the sentence that says why not, and notes on what was done."""

    name: str
    done: Done | None = None
    problem: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Work:
    """A recording to be transcribed, by whom, with how many processes and threads, and a name for all its settings."""

    spec: ListenerSpec
    job: Job
    settings: str
    num_workers: int = 1
    num_threads: int | None = None


def do_work(work: Work, listening: Callable[[float], None] | None = None) -> Outcome:
    """Transcribe one recording and write its files, all of them or none.

    A recording that cannot be decoded, or not in the memory there is, an ELAN file that cannot be added to, or
    somebody's own file where one would be written is an outcome with a problem.

    Args:
        work: what to do. listening: told how many seconds of the recording have been read.

    Raises:
        CheckpointError: the recogniser cannot be opened.
        OSError: the disk is full.
    """
    if work.num_threads is not None:
        torch.set_num_threads(work.num_threads)
    opened = open_listener(work.spec, work.num_workers, work.settings)
    job = work.job
    try:
        return _transcribe(work, replace(opened.listener, listening=listening))
    except OF_ONE_RECORDING as error:
        if refused := full_disk(error):
            raise refused from None
        less = "--batch-seconds" if work.spec.batch_seconds else "--longest, or fewer --workers"
        return Outcome(job.name, problem=sentence_of(error, job.recording, f"Give a smaller {less}."))


def _transcribe(work: Work, listener: Listener) -> Outcome:
    job, spec = work.job, work.spec
    job.recording.stat()  # said as the system says it where the recording went away
    stamp, elan = stamp_of(job.recording), stamp_of(job.elan)
    if job.elan is not None:
        read_elan(job.elan)  # refused before an hour is listened to
    if listener.detector is not None and spec.detector and current_thread() is not main_thread():
        # Detectors remember what they have heard; Dask's workers have several threads.
        listener = replace(listener, detector=find_detector(spec.detector).detector)
    transcript = transcribe_recording(listener, job.recording, channels=_channels(spec, job.recording))
    if stamp_of(job.recording) != stamp:
        return Outcome(job.name, problem=f"{job.recording} changed while it was read: is it still being recorded?")
    notes = write_transcripts(
        # A name that is no UTF-8 cannot be written down.
        replace(transcript, recording=whole_text(str(job.recording))),
        replace(transcript, recording=whole_text(job.name)),
        transcript_tiers(transcript, doubtful_below=spec.doubtful_below, with_letters=spec.with_letters),
        job,
    )
    words = [word for utterance in transcript.utterances for word in utterance.words]
    known = [word.confidence for word in words if word.confidence is not None]
    done = Done(
        name=job.name,
        recording=str(job.recording),
        stamp=stamp,
        elan=elan,
        settings=work.settings,
        outputs={form: hash_file(path) for form, path in job.outputs.items()},
        duration_seconds=transcript.duration_seconds,
        speech_seconds=sum(one.end_seconds - one.start_seconds for one in transcript.utterances),
        num_words=len(words),
        mean_confidence=sum(known) / len(known) if known else None,
    )
    return Outcome(job.name, done, notes=notes)


@dataclass(frozen=True)
class OpenedListener:
    """A listener, what keeps its search open, and notes on what could not be had."""

    listener: Listener
    stack: ExitStack
    notes: tuple[str, ...]


def open_listener(spec: ListenerSpec, num_workers: int, made_from: str = "") -> OpenedListener:
    """Open the recogniser; once in each process.

    Args:
        spec: what to open.
        num_workers: processes of the beam search.
        made_from: stands for the recogniser's files: another text opens them again.

    Raises:
        CheckpointError: it cannot be loaded.
        LowresError: the language model or the detector that was asked for is not there.
    """
    with _OPENING:
        return _open(spec, num_workers, made_from)


def close_listener() -> None:
    """Forget the recogniser that this process has open, and free its memory."""
    with _OPENING:
        _open.cache_clear()


_OPENING = Lock()


@lru_cache(maxsize=1)
def _open(spec: ListenerSpec, num_workers: int, _made_from: str) -> OpenedListener:
    compute = choose_compute(spec.precision)
    recognizer = load_to_listen(spec.project, spec.checkpoint, compute)
    stack = ExitStack()
    search = stack.enter_context(
        open_search(spec.checkpoint, recognizer.vocabulary, spec.language_model, num_workers=num_workers)
    )
    notes = list(search.notes)
    detector = None
    if spec.detector is not None:
        found = find_detector(spec.detector)
        detector = found.detector
        notes += [found.note] if found.note else []
    if search.calibration is None:
        notes.append(NOT_CALIBRATED)
    listener = Listener(
        recognizer,
        compute,
        search.search,
        search.calibration,
        detector,
        # Cuts between frames, so that the frames of two pieces join as if there were none.
        replace(spec.stretches, align_samples=recognizer.model.backbone.config.samples_per_frame),
        spec.batch_seconds,
        spec.name,
        spec.num_alternatives,
    )
    return OpenedListener(listener, stack, tuple(notes))


def _channels(spec: ListenerSpec, recording: Path) -> Sequence[int | None]:
    if not spec.each_channel:
        return (spec.channel,)
    return tuple(range(open_recording(recording).num_channels))
