"""A project whose tiny random recogniser hears something in noise, recordings of bursts of noise, and one call."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import soundfile
from recognizers import make_recognizer

from lowres.annotation.transcript import Transcript
from lowres.annotation.transcript_json import read_transcript_json
from lowres.audio.stretch_plan import StretchSettings, stretches_up_to
from lowres.backbones.checkpoint_folder import write_checkpoint
from lowres.corpora.files import MACHINE_MADE_MARK
from lowres.stages.evaluate_run import best_checkpoint
from lowres.stages.transcribe import TranscribeOptions, TranscribeResult, transcribe
from lowres.stages.transcribe_work import ListenerSpec

RATE = 16_000
RUN = "tiny"
SPEC = ListenerSpec(Path(), precision="fp32", detector="energy", stretches=stretches_up_to(20.0))
JSON = TranscribeOptions(formats=("json",), num_workers=1)


def write_run(project: Path, *, run: str = RUN, kind: str = "characters", head_gain: float = 20.0) -> Path:
    """Write a run whose recogniser has random weights; return the project."""
    recognizer = make_recognizer("xs", kind, head_gain=head_gain)
    write_checkpoint(best_checkpoint(project / "runs" / run), recognizer.model.state_dict(), recognizer.metadata)
    return project


def bursts(seconds: Sequence[tuple[float, float]], length: float, seed: int = 0) -> np.ndarray:
    """Return (S,) float32: noise that changes all the time within the given times, next to silence elsewhere."""
    generator = np.random.Generator(np.random.PCG64(seed))
    samples = generator.standard_normal(round(length * RATE)) * 1e-4
    for start, end in seconds:
        first, last = round(start * RATE), round(end * RATE)
        loudness = np.repeat(generator.uniform(0.05, 0.3, (last - first) // 800 + 1), 800)[: last - first]
        samples[first:last] = generator.standard_normal(last - first) * loudness
    return samples.astype(np.float32)


def write_speech(path: Path, seconds: Sequence[tuple[float, float]], length: float, seed: int = 0) -> Path:
    """Write a recording of bursts."""
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, bursts(seconds, length, seed), RATE)
    return path


def write_archive(folder: Path, num_recordings: int = 3) -> Path:
    """Write a folder of recordings of some 12 s, each with three bursts of speech."""
    for number in range(num_recordings):
        spoken = [(0.8, 2.5 + 0.1 * number), (4.0, 6.2), (8.5, 11.0)]
        write_speech(folder / f"rec{number}.wav", spoken, 12.0 + number, seed=number)
    return folder


def listen(
    project: Path, *sources: Path, options: TranscribeOptions = JSON, spec: ListenerSpec = SPEC, **changes: object
) -> TranscribeResult:
    """Transcribe, with other options by keyword."""
    return transcribe(project, sources, replace(options, **changes), spec)  # type: ignore[arg-type]


def heard(result: TranscribeResult, name: str) -> Transcript:
    """Read back what was heard in a recording, by its name without suffix."""
    return read_transcript_json(result.folder / f"{name}.json")


def words(transcript: Transcript) -> list[str]:
    return [word.text for utterance in transcript.utterances for word in utterance.words]


def with_longest(seconds: float, **changes: object) -> ListenerSpec:
    stretches: StretchSettings = stretches_up_to(seconds)
    return replace(SPEC, stretches=stretches, **changes)  # type: ignore[arg-type]


def files_in(folder: Path) -> dict[str, bytes]:
    """Return what is in a folder, apart from the mark that it was made by lowres."""
    found = (path for path in sorted(folder.rglob("*")) if path.is_file() and path.name != MACHINE_MADE_MARK)
    return {str(path.relative_to(folder)): path.read_bytes() for path in found}
