"""What one process does: open the recogniser once, then transcribe recordings and write their files."""

import errno
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path

import torch

from lowres.annotation.elan import read_elan
from lowres.annotation.elan_adding import add_tiers
from lowres.annotation.transcript import Transcript, transcript_tiers
from lowres.annotation.transcript_writing import write_transcript
from lowres.audio.decode import open_recording
from lowres.audio.stretch_plan import StretchSettings
from lowres.audio.voice_activity import DetectorName, find_detector
from lowres.decoding.stored_models import has_models, read_description
from lowres.errors import LowresError
from lowres.stages.language_model import LanguageModelChoice, open_search
from lowres.stages.listening import load_to_listen
from lowres.stages.transcribe_files import Done, Job
from lowres.stages.transcribe_listener import Listener, transcribe_recording
from lowres.training.precision import choose_compute
from lowres.training.settings import Precision

_FULL_DISK = (errno.ENOSPC, errno.EDQUOT)
_CPU_ALONE = 0.0


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
    """

    project: Path
    checkpoint: Path = Path()
    name: str = ""
    language_model: LanguageModelChoice = "auto"
    precision: Precision = "auto"
    detector: DetectorName | None = "auto"
    stretches: StretchSettings = field(default_factory=StretchSettings)
    each_channel: bool = False
    channel: int | None = None
    batch_seconds: float = _CPU_ALONE
    doubtful_below: float = 0.5
    with_letters: bool = False


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


def do_work(work: Work) -> Outcome:
    """Transcribe one recording and write its files.

    A recording that cannot be decoded, or an ELAN file that cannot be added to, is an outcome with a problem.

    Raises:
        CheckpointError: the recogniser cannot be opened.
        OSError: the disk is full or failing.
    """
    if work.num_threads is not None:
        torch.set_num_threads(work.num_threads)
    opened = open_listener(work.spec, work.num_workers)
    job, spec = work.job, work.spec
    try:
        stat = job.recording.stat()
        transcript = transcribe_recording(opened.listener, job.recording, channels=_channels(spec, job.recording))
        after = job.recording.stat()
        if after.st_size != stat.st_size:
            return Outcome(job.name, problem=f"{job.recording} changed while it was read: is it still being recorded?")
        notes = _write(transcript, job, spec)
    except LowresError as error:
        return Outcome(job.name, problem=f"{error.message} {error.hint}".strip())
    except OSError as error:
        if error.errno in _FULL_DISK:
            raise
        return Outcome(job.name, problem=f"{job.recording}: {error.strerror or error}.")
    words = [word for utterance in transcript.utterances for word in utterance.words]
    known = [word.confidence for word in words if word.confidence is not None]
    done = Done(
        name=job.name,
        size_bytes=stat.st_size,
        modified_ns=stat.st_mtime_ns,
        settings=work.settings,
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


@lru_cache(maxsize=1)
def open_listener(spec: ListenerSpec, num_workers: int) -> OpenedListener:
    """Open the recogniser; once in each process.

    Raises:
        CheckpointError: it cannot be loaded.
        LowresError: the language model or the detector that was asked for is not there.
    """
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
    calibration = search.stored.calibration if search.stored else None
    if search.stored is None and has_models(spec.checkpoint):
        calibration = read_description(spec.checkpoint, recognizer.vocabulary).greedy_calibration
    if calibration is None:
        notes.append("How sure to be of each word is not calibrated: `lowres lm` learns it from dev.")
    listener = Listener(
        recognizer,
        compute,
        search.search,
        calibration,
        detector,
        # Cuts between frames, so that the frames of two pieces join as if there were none.
        replace(spec.stretches, align_samples=recognizer.model.backbone.config.samples_per_frame),
        spec.batch_seconds,
        spec.name,
    )
    return OpenedListener(listener, stack, tuple(notes))


def _channels(spec: ListenerSpec, recording: Path) -> Sequence[int | None]:
    if not spec.each_channel:
        return (spec.channel,)
    return tuple(range(open_recording(recording).num_channels))


def _write(transcript: Transcript, job: Job, spec: ListenerSpec) -> tuple[str, ...]:
    tiers = transcript_tiers(transcript, doubtful_below=spec.doubtful_below, with_letters=spec.with_letters)
    notes: list[str] = []
    for form, path in job.outputs.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        if form == "elan" and job.elan is not None:
            notes += _add(transcript, job.elan, path, spec)
        else:
            write_transcript(transcript, path, format=form, tiers=tiers if form in ("elan", "textgrid") else None)
    return tuple(notes)


def _add(transcript: Transcript, elan: Path, path: Path, spec: ListenerSpec) -> Sequence[str]:
    """Add the tiers to a copy of an existing ELAN file; tiers that lowres added before are replaced."""
    before = read_elan(elan)
    tiers = transcript_tiers(transcript, doubtful_below=spec.doubtful_below, with_letters=spec.with_letters)
    old = [tier.name for tier in before.tiers if tier.name.partition("@")[0] in _OURS]
    added = add_tiers(elan, tiers, output=path, replace=old, replace_file=True)
    return [f"{path.name}: {note}" for note in added.notes]


_OURS = frozenset({"lowres", "lowres words", "lowres letters", "lowres doubtful"})
