"""Which recordings to transcribe, where their transcripts go, and which of them are there already."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from lowres.annotation.transcript_writing import TRANSCRIPT_SUFFIXES, TranscriptFormat
from lowres.corpora.settings import AUDIO_SUFFIXES
from lowres.errors import CorpusError
from lowres.manifest.whole_files import replace_file

RECORD_FILE: Final = "transcribed.json"
_FORMAT_VERSION: Final = 1


@dataclass(frozen=True)
class Job:
    """A recording and what is to be written for it.

    Attributes:
        recording: its path. name: its path from the folder that was given, or its file name.
        outputs: a file for each format. elan: the existing ELAN file beside it that tiers are added to, if asked for.
    """

    recording: Path
    name: str
    outputs: dict[TranscriptFormat, Path]
    elan: Path | None = None


@dataclass(frozen=True)
class Done:
    """What is kept of a recording that was transcribed: what it was and with what it was done."""

    name: str
    size_bytes: int
    modified_ns: int
    settings: str
    duration_seconds: float
    speech_seconds: float
    num_words: int
    mean_confidence: float | None


def find_recordings(sources: Sequence[Path]) -> list[tuple[Path, str]]:
    """List the recordings among files and in folders, each once, in the order of their names within a folder.

    Returns:
        (path, name) pairs; the name is the path from the folder that was given.

    Raises:
        CorpusError: something that is not there, a folder without recordings, or two with one name.
    """
    found: dict[Path, str] = {}
    for source in sources:
        if source.is_dir():
            inside = sorted(path for path in source.rglob("*") if _is_recording(path))
            if not inside:
                raise CorpusError(
                    f"There is no recording in {source}: no file ends in {', '.join(sorted(AUDIO_SUFFIXES))}.",
                    "Give the folder that holds them, or the files themselves.",
                )
            found |= {path: path.relative_to(source).as_posix() for path in inside if path not in found}
        elif source.exists():
            found.setdefault(source, source.name)
        else:
            raise CorpusError(f"{source} is not there.", "Give a recording or a folder of recordings.")
    names: dict[str, Path] = {}
    for path, name in found.items():
        stem = str(Path(name).with_suffix(""))
        if stem in names:
            raise CorpusError(
                f"{names[stem]} and {path} would be transcribed into files of the same name.",
                "Transcribe them one after the other, with another --output each.",
            )
        names[stem] = path
    return list(found.items())


def _is_recording(path: Path) -> bool:
    return path.suffix.lower() in AUDIO_SUFFIXES and not path.name.startswith(".") and path.is_file()


def plan_jobs(
    recordings: Sequence[tuple[Path, str]],
    output: Path,
    formats: Sequence[TranscriptFormat],
    *,
    into_elan: bool,
) -> list[Job]:
    """Say what is to be written for each recording, under `output` with the folders of the recordings' names.

    With `into_elan`, a recording that has an ELAN file beside it gets a copy of that with tiers added, in place of a
    new one.
    """
    jobs = []
    for path, name in recordings:
        stem = output / Path(name).with_suffix("")
        outputs = {one: stem.with_name(stem.name + TRANSCRIPT_SUFFIXES[one]) for one in formats}
        beside = path.with_suffix(".eaf")
        jobs.append(Job(path, name, outputs, beside if into_elan and beside.is_file() else None))
    return jobs


def settings_hash(*parts: object) -> str:
    """Return the sha256 (hex) of everything that decides what is written, as text."""
    return hashlib.sha256(json.dumps([str(part) for part in parts]).encode()).hexdigest()


def read_done(output: Path) -> dict[str, Done]:
    """Read what an earlier call transcribed into this folder; nothing where there was none.

    Raises:
        CorpusError: the record is damaged.
    """
    path = output / RECORD_FILE
    if not path.is_file():
        return {}
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        if data["format_version"] != _FORMAT_VERSION:
            raise ValueError(f"format version {data['format_version']}")
        return {one["name"]: Done(**one) for one in data["recordings"]}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CorpusError(
            f"{path} cannot be read: {error!r}.", "Delete it, or choose another --output: all is then done anew."
        ) from error


def write_done(output: Path, done: dict[str, Done]) -> None:
    """Write what has been transcribed into this folder.

    Raises:
        OSError: the disk refused.
    """
    contents = {"format_version": _FORMAT_VERSION, "recordings": [asdict(done[name]) for name in sorted(done)]}
    replace_file(output / RECORD_FILE, [json.dumps(contents, ensure_ascii=False, indent=1).encode(), b"\n"])


def is_done(job: Job, done: dict[str, Done], settings: str) -> bool:
    """Whether a recording was transcribed before, in the same way, and neither it nor its transcripts are gone."""
    before = done.get(job.name)
    if before is None or before.settings != settings or not all(path.is_file() for path in job.outputs.values()):
        return False
    stat = job.recording.stat()
    return (stat.st_size, stat.st_mtime_ns) == (before.size_bytes, before.modified_ns)


def demand_free(jobs: Sequence[Job], done: dict[str, Done]) -> None:
    """Refuse to overwrite files that lowres did not write for these recordings.

    Raises:
        CorpusError: there is one.
    """
    for job in jobs:
        if job.name in done:
            continue
        for path in job.outputs.values():
            if path.exists():
                raise CorpusError(
                    f"{path} is there already, and was not written by this command.",
                    "Choose another --output, or give --overwrite.",
                )
