r"""Reads Toolbox and Shoebox texts where their records have times: \ELANBegin and \ELANEnd, or \sound file start end.

The format (SIL's Standard Format): a backslash and a marker begin a field, which reaches to the next one; a marker
begins each record, most often \ref. Interlinear lines are wrapped by repeating their markers inside a record.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from lowres.annotation.elan_media import path_from_url
from lowres.annotation.files import decode_text, read_bytes, split_lines
from lowres.annotation.tiers import Annotation, AnnotationFile, MediaLink, Tier
from lowres.annotation.times import LeftOut, in_order, note_without_recording, possible
from lowres.errors import CorpusError

_FIELD = re.compile(r"\\([^\s\\]++)[ \t]*+(.*)", re.DOTALL)
_TIME = r"(?:(?:[0-9]{1,4}:)?[0-9]{1,4}:)?[0-9]{1,9}(?:\.[0-9]{0,9})?"
_ONE_TIME = re.compile(_TIME)
_BEGINNING: Final = b"\\_sh "

_BEGIN: Final = ("ELANBegin", "EUDICOt0")
_END: Final = ("ELANEnd", "EUDICOt1")
_SPEAKER: Final = ("ELANParticipant", "EUDICOp", "sp")
_SOUND: Final = ("sound", "aud", "snd", "audio")
_MEDIA: Final = "ELANMediaURL"
_RECORD: Final = ("ref", "block")
_NO_TIER: Final = {*_BEGIN, *_END, *_SPEAKER, *_SOUND, _MEDIA, "id", "dt", "ELANExport", "ELANMediaMIME"}
_NO_TIER_EITHER: Final = {"ELANMediaOrigin", "ELANMediaExtracted"}

_Field = tuple[str, str, int]
"""A marker without its backslash, what follows it, and the line it stands on (from 1)."""


@dataclass
class _Times:
    """Where a record lies; `recording` is "" where the record does not say."""

    start_seconds: float
    end_seconds: float
    recording: str


@dataclass
class _Records:
    """What was read so far; annotations by marker, speaker and recording."""

    annotations: dict[tuple[str, str, str], list[Annotation]] = field(default_factory=dict)
    left_out: LeftOut = field(default_factory=LeftOut)
    num_timed: int = 0


def begins_as_toolbox(path: Path) -> bool:
    r"""Return whether a file begins with Toolbox's \_sh, as those that it saved do; False where it cannot be read."""
    if not path.is_file():
        return False
    try:
        with path.open("rb") as file:
            return file.read(64).lstrip(b"\xef\xbb\xbf \r\n").startswith(_BEGINNING)
    except OSError:
        return False


def read_toolbox(path: Path) -> AnnotationFile:
    r"""Read the records of a text that have times.

    The tiers are named by the markers, without backslash, and by speaker where a record says who speaks: `tx@Ana`.
    White space inside a field, which aligns words with their glosses, becomes single spaces.

    Raises:
        CorpusError: no Toolbox file, or no record with times.
    """
    text, notes = decode_text(read_bytes(path), path)
    fields = _read_fields(text)
    if not fields:
        raise CorpusError(
            f"{path} is not a Toolbox file: no line of it begins with a backslash and a marker.",
            r"Give a text that Toolbox saved; its first line is \_sh.",
        )
    records = _split_records(fields)
    read = _Records()
    for record in records:
        _read_record(record, read)
    if not read.num_timed:
        raise CorpusError(
            f"{path} has no times: none of its {len(records):,} records has \\ELANBegin and \\ELANEnd, or a \\sound "
            "(\\aud) with a file, a start and an end.",
            "Align the text in ELAN (File, Import, Toolbox File) and give the .eaf, or export it from there again.",
        )
    media = {path: MediaLink(path) for path in _list_recordings(fields, read)}
    tiers = tuple(
        Tier(
            name=marker + (f"@{speaker}" if speaker else ""),
            annotations=in_order(annotations),
            participant=speaker,
            linguistic_type=marker,
            recording=recording if len(media) > 1 else "",
        )
        for (marker, speaker, recording), annotations in read.annotations.items()
        if recording or len(media) < 2
    )
    lost = sum(len(found) for (*_, recording), found in read.annotations.items() if len(media) > 1 and not recording)
    untimed = len(records) - read.num_timed
    missing = (f"{untimed} of {len(records)} records have no times and were left out.",) if untimed else ()
    return AnnotationFile(
        tiers, tuple(media.values()), notes=notes + read.left_out.notes() + note_without_recording(lost) + missing
    )


def _read_fields(text: str) -> list[_Field]:
    r"""Read all fields but those of the header (\_...); lines without a marker go on with the field before them."""
    fields: list[_Field] = []
    pieces: list[str] = []
    for number, line in enumerate(split_lines(text), start=1):
        found = _FIELD.match(line)
        if found is None:
            pieces.append(line)
            continue
        if fields:
            fields[-1] = (fields[-1][0], " ".join(pieces), fields[-1][2])
        fields.append((found[1], "", number))
        pieces = [found[2]]
    if fields:
        fields[-1] = (fields[-1][0], " ".join(pieces), fields[-1][2])
    return [(marker, " ".join(value.split()), line) for marker, value, line in fields if not marker.startswith("_")]


def _split_records(fields: Sequence[_Field]) -> list[list[_Field]]:
    beginning = _find_record_marker(fields)
    records: list[list[_Field]] = []
    inside = False
    for one in fields:
        if one[0] == beginning:
            records.append([])
            inside = True
        elif one[0] in ("id", _MEDIA):
            # It begins the next text, or stands at the end of the file: what follows is of no record.
            inside = False
        if inside:
            records[-1].append(one)
    return records


def _find_record_marker(fields: Sequence[_Field]) -> str:
    """Return \\ref or ELAN's \\block; else the first marker that is there as often as times are."""
    counts = Counter(marker for marker, _, _ in fields)
    for marker in _RECORD:
        if counts[marker]:
            return marker
    num_timed = max(counts[marker] for marker in (*_BEGIN, *_SOUND))
    candidates = [marker for marker in counts if marker not in ("id", _MEDIA, "ELANExport")]
    return next((marker for marker in candidates if counts[marker] >= max(num_timed, 1)), "")


def _read_record(record: Sequence[_Field], read: _Records) -> None:
    times = _find_times(record)
    if times is None:
        return
    read.num_timed += 1
    if not possible(times.start_seconds, times.end_seconds):
        read.left_out.add(times.start_seconds, times.end_seconds, f"line {record[0][2]}")
        return
    speaker = next((value for wanted in _SPEAKER for marker, value, _ in record if marker == wanted and value), "")
    texts: dict[str, list[str]] = {}
    for marker, value, _ in record[1:] if record[0][0] in _RECORD else record:
        if value and marker not in _NO_TIER and marker not in _NO_TIER_EITHER:
            texts.setdefault(marker, []).append(value)
    for marker, values in texts.items():
        annotation = Annotation(times.start_seconds, times.end_seconds, " ".join(values))
        read.annotations.setdefault((marker, speaker, times.recording), []).append(annotation)


def _find_times(record: Sequence[_Field]) -> _Times | None:
    for marker, value, _ in record:
        words = value.rsplit(" ", 2)
        if marker in _SOUND and len(words) == 3 and _ONE_TIME.fullmatch(words[1]) and _ONE_TIME.fullmatch(words[2]):
            return _Times(_seconds(words[1]), _seconds(words[2]), path_from_url(words[0].strip('"')))
    begin = next((value for marker, value, _ in record if marker in _BEGIN), "")
    end = next((value for marker, value, _ in record if marker in _END), "")
    if _ONE_TIME.fullmatch(begin) and _ONE_TIME.fullmatch(end):
        return _Times(_seconds(begin), _seconds(end), "")
    return None


def _list_recordings(fields: Sequence[_Field], read: _Records) -> list[str]:
    """Return the recordings that records name; those of the whole file where none does."""
    named = dict.fromkeys(recording for _, _, recording in read.annotations if recording)
    linked = dict.fromkeys(path_from_url(value) for marker, value, _ in fields if marker == _MEDIA and value)
    return list(named or linked)


def _seconds(written: str) -> float:
    """Turn 9.371, 50:11.150 or 00:50:11.150 into seconds."""
    *rest, seconds = written.split(":")
    whole = 0
    for part in rest:
        whole = whole * 60 + int(part)
    return whole * 60 + float(seconds)
