"""Writes what was heard in a recording: all of its files or none, and never over what somebody made or changed."""

import re
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from lowres.annotation.tiers import Tier
from lowres.annotation.transcript import Transcript
from lowres.annotation.transcript_writing import TranscriptFormat, write_transcript
from lowres.errors import CorpusError
from lowres.stages.transcribe_elan import add_to_elan
from lowres.stages.transcribe_files import Job, refusal_to_replace

_ELAN_MOMENT: Final = re.compile(rb' DATE="[^"]*"')


def write_transcripts(linked: Transcript, named: Transcript, tiers: Sequence[Tier], job: Job) -> tuple[str, ...]:
    """Write the files of a recording.

    Args:
        linked: what was heard, with the recording's path: only ELAN and Praat are told where it lies.
        named: the same, with its name. tiers: for ELAN and Praat.
        job: where to, and which files may be replaced.

    Returns:
        Sentences on what could not be as it should.

    Raises:
        CorpusError: a file that cannot be written, or one in its place that is not lowres's; nothing is written then.
        OSError: the disk refused.
    """
    notes: list[str] = []
    new: dict[Path, Path] = {}
    placed: list[Path] = []
    try:
        for form, path in job.outputs.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            # Beside its place, because ELAN files name their recordings from where they lie, too.
            new[path] = path.with_name(f".new-{path.name}")
            if form == "elan" and job.elan is not None:
                notes += (f"{path.name}: {note}" for note in add_to_elan(tiers, job.elan, job.recording, new[path]))
            elif form in ("elan", "textgrid"):
                write_transcript(linked, new[path], format=form, tiers=tiers)
            else:
                write_transcript(named, new[path], format=form)
        for form, path in job.outputs.items():
            _demand_ours(job, form, new[path])
        for path, written in new.items():
            written.replace(path)
            placed.append(path)
    except BaseException:
        for path in placed:
            with suppress(OSError):
                path.unlink()
        raise
    finally:
        for written in new.values():
            with suppress(OSError):
                written.unlink(missing_ok=True)
    return tuple(notes)


def _demand_ours(job: Job, form: TranscriptFormat, new: Path) -> None:
    """Look again before a file is put in its place: hours may have passed since the command looked first.

    What a call wrote that was killed before it could say so is known by being the same.
    """
    if job.ours is None:
        return
    path = job.outputs[form]
    refusal = refusal_to_replace(path, job.ours.get(form))
    if refusal and not (path.is_file() and _contents(path, form) == _contents(new, form)):
        raise CorpusError(refusal, "Move it away and give the command again, or choose another --output.")


def _contents(path: Path, form: TranscriptFormat) -> bytes:
    """Return what is in a file, but for the moment at which it was written, which ELAN's have."""
    contents = path.read_bytes()
    return _ELAN_MOMENT.sub(b"", contents, count=1) if form == "elan" else contents
