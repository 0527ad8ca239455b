"""Which recordings to transcribe, where their transcripts go, and which of them are there already."""

import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path, PurePosixPath
from typing import Final

from lowres.annotation.transcript_writing import TRANSCRIPT_SUFFIXES, TranscriptFormat
from lowres.corpora.files import CorpusFiles, walk_files
from lowres.corpora.settings import AUDIO_SUFFIXES
from lowres.decoding.stored_models import hash_file
from lowres.errors import ON_NONSENSE, CorpusError
from lowres.manifest.whole_files import replace_file

RECORD_FILE: Final = "transcribed.json"
_FORMAT_VERSION: Final = 1
_NUM_NAMED: Final = 3


@dataclass(frozen=True)
class Job:
    """A recording and what is to be written for it.

    Attributes:
        recording: its path. name: its path from the folder that was given, or its file name.
        outputs: a file for each format. elan: the existing ELAN file beside it that tiers are added to, if asked for.
        ours: the sha256 (hex) of each file as an earlier call wrote it, by format: nothing else is written over. None =
            whatever is there is.
    """

    recording: Path
    name: str
    outputs: dict[TranscriptFormat, Path]
    elan: Path | None = None
    ours: dict[str, str] | None = field(default_factory=dict)


@dataclass(frozen=True)
class FileStamp:
    """By which a file that was changed is known; zeros where there is none."""

    size_bytes: int = 0
    modified_ns: int = 0


@dataclass(frozen=True)
class Done:
    """What is kept of a recording that was transcribed: what it was and with what it was done.

    Attributes:
        name: of the job. recording: its whole path. stamp: of it. elan: of the ELAN file that tiers were added to.
        settings: a hash of everything that decided what was written.
        outputs: the sha256 (hex) of each file as it was written, by format; people may have worked on it since.
        duration_seconds, speech_seconds, num_words, mean_confidence: what was heard.
    """

    name: str
    recording: str
    stamp: FileStamp
    elan: FileStamp
    settings: str
    outputs: dict[str, str]
    duration_seconds: float
    speech_seconds: float
    num_words: int
    mean_confidence: float | None


@dataclass
class Record:
    """What an output folder keeps: what was done into it, and in which formats what was begun and perhaps not finished.

    Both by the names of recordings. Of what is under way files may be there that lowres wrote and could not note down;
    whether one is such a file shows when the same is to be written there again.
    """

    done: dict[str, Done] = field(default_factory=dict)
    under_way: dict[str, set[str]] = field(default_factory=dict)


@dataclass(frozen=True)
class FoundRecordings:
    """What there is to transcribe.

    Attributes:
        recordings: (path, name) pairs; the name is the path from the folder that was given.
        problems: (name, sentence) of what looks like a recording and is not read.
        notes: sentences on what was left out.
    """

    recordings: tuple[tuple[Path, str], ...]
    problems: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()


def survey_recordings(sources: Sequence[Path]) -> FoundRecordings:
    """List the recordings among files and in folders, each once, in the order of their names within a folder.

    Hidden files and folders are passed over, and links that lead out of a folder are not followed. Of recordings beside
    each other that differ in their suffix alone (a.wav, a.mp3) the one whose suffix comes first in AUDIO_SUFFIXES is
    taken; the others would have transcripts of the same name.

    Raises:
        CorpusError: something that is not there or is no file, a folder without recordings, or two with one name.
    """
    found: dict[str, tuple[Path, str]] = {}
    problems: list[tuple[str, str]] = []
    notes: list[str] = []
    for source in sources:
        if source.is_dir():
            inside = _inside(source, problems, notes)
        elif source.is_file():
            inside = [(source, source.name)]
        else:
            what = "is no ordinary file" if os.path.lexists(source) else "is not there"
            raise CorpusError(f"{source} {what}.", "Give a recording or a folder of recordings.")
        for path, name in inside:
            found.setdefault(os.path.join(os.path.realpath(path.parent), path.name), (path, name))  # noqa: PTH118
    _demand_different_names([*found.values()])
    return FoundRecordings(tuple(found.values()), tuple(problems), tuple(notes))


def _inside(folder: Path, problems: list[tuple[str, str]], notes: list[str]) -> list[tuple[Path, str]]:
    """Return the recordings in a folder."""
    by_stem: dict[str, list[str]] = {}
    num_found = 0
    files = CorpusFiles(folder)
    for name in walk_files(folder, "", AUDIO_SUFFIXES):
        num_found += 1
        if problem := _refusal(folder, name, files):
            problems.append((name, problem))
        else:
            by_stem.setdefault(str(PurePosixPath(name).with_suffix("")), []).append(name)
    if not num_found:
        raise CorpusError(
            f"There is no recording in {folder}: no file ends in {', '.join(sorted(AUDIO_SUFFIXES))}.",
            "Give the folder that holds them, or the files themselves.",
        )
    chosen = [min(names, key=_preference) for names in by_stem.values()]
    left_out = sorted({name for names in by_stem.values() for name in names}.difference(chosen))
    if left_out:
        more = f" and {len(left_out) - _NUM_NAMED:,} more" if len(left_out) > _NUM_NAMED else ""
        notes.append(
            f"Left out, because a recording of the same name with another suffix lies beside each: "
            f"{', '.join(left_out[:_NUM_NAMED])}{more}."
        )
    return [(folder / name, name) for name in sorted(chosen)]


def _preference(name: str) -> tuple[int, str]:
    return AUDIO_SUFFIXES.index(PurePosixPath(name).suffix.lower()), name


def _refusal(folder: Path, name: str, files: CorpusFiles) -> str:
    """Say why a file is not read; "" where it is."""
    path = folder / name
    try:
        files.check_inside(name, "transcribe")
    except CorpusError:
        return f"{path} is a link that leads out of {folder}. Give the recording that it leads to by its own name."
    if path.is_file():
        return ""
    return f"{path} is a link to nothing." if path.is_symlink() else f"{path} is no ordinary file."


def _demand_different_names(recordings: Sequence[tuple[Path, str]]) -> None:
    stems: dict[str, Path] = {}
    for path, name in recordings:
        other = stems.setdefault(str(PurePosixPath(name).with_suffix("")), path)
        if other is not path:
            raise CorpusError(
                f"{other} and {path} would be transcribed into files of the same name.",
                "Transcribe them one after the other, with another --output each.",
            )


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

    Raises:
        CorpusError: a transcript would take the place of the recording or of the ELAN file that it is made from, or of
            the record of what was transcribed.
    """
    jobs = []
    for path, name in recordings:
        stem = output / Path(name).with_suffix("")
        outputs = {one: stem.with_name(stem.name + TRANSCRIPT_SUFFIXES[one]) for one in formats}
        beside = next((one for one in (path.with_suffix(".eaf"), path.with_suffix(".EAF")) if one.is_file()), None)
        job = Job(path, name, outputs, beside if into_elan else None)
        for target in outputs.values():
            # Some disks take capitals and small letters for the same.
            if target.parent == output and target.name.casefold() == RECORD_FILE:
                raise CorpusError(
                    f"The transcript of {path} has the name of the file that keeps what was transcribed "
                    f"({RECORD_FILE}).",
                    "Give the recording another name, or leave --to json out.",
                )
            if target.exists() and any(target.samefile(one) for one in (path, job.elan) if one and one.exists()):
                raise CorpusError(
                    f"{target} would be replaced by its own transcript.", "Choose another folder with --output."
                )
        jobs.append(job)
    return jobs


def settings_hash(*parts: object) -> str:
    """Return the sha256 (hex) of everything that decides what is written, as text."""
    return hashlib.sha256(json.dumps([str(part) for part in parts]).encode()).hexdigest()


def stamp_of(path: Path | None) -> FileStamp:
    """Return what a file is known by; zeros where there is none or it cannot be seen."""
    try:
        stat = path.stat() if path else None
    except OSError:
        stat = None
    return FileStamp(stat.st_size, stat.st_mtime_ns) if stat else FileStamp()


def read_record(output: Path) -> Record:
    """Read what an earlier call transcribed into this folder; nothing where there was none.

    Raises:
        CorpusError: the record is damaged.
    """
    path = output / RECORD_FILE
    if not path.is_file():
        return Record()
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        if data["format_version"] != _FORMAT_VERSION:
            raise ValueError(f"format version {data['format_version']}")
        stamped = (
            {**one, "stamp": FileStamp(**one["stamp"]), "elan": FileStamp(**one["elan"])} for one in data["recordings"]
        )
        under_way = data["under_way"]
        if isinstance(under_way, list):  # as it was before formats were kept
            under_way = dict.fromkeys(under_way, tuple(TRANSCRIPT_SUFFIXES))
        begun = {str(name): set(map(str, formats)) for name, formats in under_way.items()}
        return Record({one["name"]: Done(**one) for one in stamped}, begun)
    except (OSError, *ON_NONSENSE) as error:
        raise CorpusError(
            f"{path} cannot be read: {error!r}.", "Move it away, or choose another --output: all is then done anew."
        ) from error


def write_record(output: Path, record: Record) -> None:
    """Write what has been transcribed into this folder.

    Raises:
        OSError: the disk refused.
    """
    contents = {
        "format_version": _FORMAT_VERSION,
        "under_way": {name: sorted(formats) for name, formats in sorted(record.under_way.items())},
        "recordings": [asdict(record.done[name]) for name in sorted(record.done)],
    }
    # Letters beyond ASCII escaped: a file's name may hold bytes that are no UTF-8.
    replace_file(output / RECORD_FILE, [json.dumps(contents, indent=1).encode(), b"\n"])


def is_done(job: Job, record: Record, settings: str) -> bool:
    """Whether a recording was transcribed before, in the same way, and neither it nor its transcripts are gone."""
    before = record.done.get(job.name)
    if before is None or before.settings != settings or not all(path.is_file() for path in job.outputs.values()):
        return False
    return (before.stamp, before.elan) == (stamp_of(job.recording), stamp_of(job.elan))


def written_before(name: str, record: Record) -> dict[str, str]:
    """Return the sha256 (hex) of the files that earlier calls wrote for a recording, by format."""
    before = record.done.get(name)
    return before.outputs if before else {}


def demand_free(jobs: Sequence[Job], record: Record) -> None:
    """Refuse to replace what was not made for these recordings, or was worked on since.

    Args:
        jobs: those that are to be done now.
        record: of the folder that they go to.

    Raises:
        CorpusError: there is such a file.
    """
    for job in jobs:
        before = record.done.get(job.name)
        if before and before.recording != str(job.recording) and before.stamp != stamp_of(job.recording):
            raise CorpusError(
                f"The transcript of {before.recording} has the name that {job.recording} would have.",
                "Choose another --output, or give --overwrite.",
            )
        for form, path in job.outputs.items():
            refusal = refusal_to_replace(path, written_before(job.name, record).get(form))
            # What may be left of a call that was killed is looked at again when it is known what is to be written.
            if refusal and form not in record.under_way.get(job.name, ()):
                raise CorpusError(
                    refusal,
                    "Move it away or choose another --output; --overwrite replaces it, and all that was transcribed "
                    "there before, corrected or not.",
                )


def refusal_to_replace(path: Path, written: str | None) -> str:
    """Say why a file is not written over; "" where none is there, or it is as lowres left it.

    Args:
        path: of the file. written: its sha256 (hex) as lowres wrote it; None = it did not.
    """
    if not os.path.lexists(path):
        return ""
    if written is None:
        return f"{path} is there already, and was not written by this command."
    if path.is_file() and hash_file(path) != written:
        return f"{path} was changed since it was written, and there is a reason to write it anew."
    return ""
