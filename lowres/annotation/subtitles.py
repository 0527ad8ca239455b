"""Reads and writes subtitles: SubRip (.srt) and WebVTT (.vtt; W3C, "WebVTT: The Web Video Text Tracks Format")."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from lowres.annotation.files import decode_text, read_bytes, split_lines, write_text
from lowres.annotation.tiers import Annotation, AnnotationFile, Tier
from lowres.annotation.times import LeftOut, check_times, in_order, possible
from lowres.annotation.voices import escape_cue, formatting, plain_srt, split_voices
from lowres.errors import CorpusError

_NAME = "subtitles"
_TIME = r"(-?)(?:([0-9]{1,9}):)?([0-9]{1,2}):([0-9]{1,2})(?:[.,]([0-9]{1,9}))?"
_TIMES = re.compile(rf"\s*+{_TIME}\s*+-->\s*+{_TIME}(?:\s|\Z)")
_NUMBER = re.compile(r"\s*+[0-9]{1,18}\s*+")
_PASSED_OVER = re.compile(r"NOTE(?:[ \t]|\Z)|(?:STYLE|REGION)[ \t]*+\Z")


@dataclass(frozen=True)
class _Cue:
    """A subtitle: the line that its times stand on (from 1), the times in seconds, and its lines of text."""

    line: int
    start_seconds: float
    end_seconds: float
    text: str


def read_srt(path: Path) -> AnnotationFile:
    """Read SubRip subtitles into one tier, called "subtitles".

    Hours may be missing, the decimal mark be a comma or a point, and blank lines between subtitles be missing. Tags
    of formatting (<i>, <b>, <u>, <s>, <em>, <strong>, <font>, {\\an8}) are taken out, all else stays as it is.

    Raises:
        CorpusError: no subtitle in a file that is not empty, or a line of times that cannot be read, with the line.
    """
    lines, notes = _read_lines(path)
    times = _find_times(lines, path)
    if not times and any(line.strip() for line in lines):
        raise CorpusError(f"{path} has no line of times.", "A subtitle begins with 00:00:01,000 --> 00:00:02,500.")
    cues = list(_srt_cues(lines, times))
    first = _cue_begins(lines, times[0], 0) if times else 0
    stray = [number for number, line in enumerate(lines[:first], start=1) if line.strip()]
    return _one_tier_a_voice([(cue, {"": plain_srt(cue.text)}) for cue in cues], notes + _stray_note(stray))


def read_vtt(path: Path) -> AnnotationFile:
    """Read WebVTT, one tier a voice (`<v Name>`), whose name is the participant too; cues without go to "subtitles".

    Settings of cues, NOTE, STYLE and REGION are passed over, tags of formatting taken out, entities decoded.

    Raises:
        CorpusError: a file that does not begin with WEBVTT, or a line of times that cannot be read, with the line.
    """
    lines, notes = _read_lines(path)
    if not re.match(r"WEBVTT(?:[ \t]|\Z)", lines[0]):
        raise CorpusError(
            f"{path}: line 1 is not WEBVTT.", "Give it that first line, or the name .srt if it is SubRip."
        )
    times = _find_times(lines, path)
    stray: list[int] = []
    cues = [(cue, split_voices(cue.text)) for cue in _vtt_cues(lines, set(times), stray)]
    return _one_tier_a_voice(cues, notes + _stray_note(stray))


def write_srt(file: AnnotationFile, path: Path) -> None:
    """Write one tier as SubRip, times rounded to the millisecond.

    Blank lines inside a text, and line breaks around it, are left out, because they would end the subtitle.

    Raises:
        CorpusError: not exactly one tier, a text that SubRip cannot hold (a line of times, a tag of formatting),
            impossible times, or a file that cannot be written.
    """
    if len(file.tiers) != 1:
        raise CorpusError(
            f"{path} cannot be written: SubRip has room for one tier, and there are {len(file.tiers)}.",
            "Choose one tier, or write WebVTT (.vtt), which tells speakers apart.",
        )
    blocks = []
    for number, annotation in enumerate(check_times(file.tiers[0], path), start=1):
        text = "\n".join(line for line in split_lines(annotation.text) if line.strip())
        if formatting(text) or any(map(_would_be_times, text.split("\n"))):
            raise CorpusError(
                f"{path} cannot be written: the text at {annotation.start_seconds:g} s would be read as times or tags.",
                "SubRip cannot hold such a text: write WebVTT (.vtt).",
            )
        blocks.append(f"{number}\n{_times_line(annotation, ',')}\n{text}\n")
    write_text(path, "\n".join(blocks))


def write_vtt(file: AnnotationFile, path: Path) -> None:
    """Write tiers as WebVTT in the order of their times, rounded to the millisecond.

    The participant of a tier is the voice of its cues; where there are several tiers, the name of one that has none.

    Raises:
        CorpusError: impossible times, or a file that cannot be written.
    """
    cues: list[tuple[Annotation, str]] = []
    for tier in file.tiers:
        voice = tier.participant or (tier.name if len(file.tiers) > 1 else "")
        cues += [(annotation, voice) for annotation in check_times(tier, path)]
    cues.sort(key=lambda cue: (cue[0].start_seconds, cue[0].end_seconds))
    blocks = [f"\n{_times_line(annotation, '.')}\n{escape_cue(annotation.text, voice)}\n" for annotation, voice in cues]
    write_text(path, "WEBVTT\n" + "".join(blocks))


def _read_lines(path: Path) -> tuple[list[str], tuple[str, ...]]:
    text, notes = decode_text(read_bytes(path), path)
    return split_lines(text), notes


def _find_times(lines: list[str], path: Path) -> list[int]:
    """Return the places of all lines of times; one that begins with a digit, has an arrow and no times is an error."""
    found = []
    for place, line in enumerate(lines):
        if "-->" not in line:
            continue
        if _TIMES.match(line):
            found.append(place)
        elif _would_be_times(line):
            raise CorpusError(
                f"{path}: line {place + 1} is not a pair of times: {line.strip()[:60]!r}.",
                "Write it as 00:00:01,000 --> 00:00:02,500.",
            )
    return found


def _would_be_times(line: str) -> bool:
    return "-->" in line and (line.lstrip()[:1].isdigit() or _TIMES.match(line) is not None)


def _srt_cues(lines: list[str], times: list[int]) -> Iterator[_Cue]:
    """Yield each subtitle; its text reaches to the next one, whose number is the line above the times."""
    for place, following in pairwise([*times, len(lines)]):
        end = _cue_begins(lines, following, place + 1) if following < len(lines) else following
        text = lines[place + 1 : end]
        said = [number for number, line in enumerate(text) if line.strip()]
        yield _cue(lines, place, text[said[0] : said[-1] + 1] if said else [])


def _cue_begins(lines: list[str], times: int, first: int) -> int:
    return times - 1 if times > first and _NUMBER.fullmatch(lines[times - 1]) else times


def _vtt_cues(lines: list[str], times: set[int], stray: list[int]) -> Iterator[_Cue]:
    """Yield each cue; `stray` takes the lines of blocks that have no times."""
    place = _block_end(lines, 1, times)
    while place < len(lines):
        end = _block_end(lines, place + 1, times) if lines[place] else place + 1
        if place in times:
            # The next cue may follow without a blank line; the number above its times is no text.
            end = _cue_begins(lines, end, place + 1) if end in times else end
            yield _cue(lines, place, lines[place + 1 : end])
        elif lines[place] and not _PASSED_OVER.match(lines[place]) and (end not in times or end > place + 1):
            # One line above the times names the cue.
            stray.append(place + 1)
        place = end


def _block_end(lines: list[str], place: int, times: set[int]) -> int:
    while place < len(lines) and lines[place] and place not in times:
        place += 1
    return place


def _cue(lines: list[str], place: int, text: list[str]) -> _Cue:
    match = _TIMES.match(lines[place])
    assert match is not None
    values = match.groups()
    return _Cue(place + 1, _seconds(*values[:5]), _seconds(*values[5:]), "\n".join(text))


def _seconds(sign: str, hours: str | None, minutes: str, seconds: str, fraction: str | None) -> float:
    whole = (int(hours or 0) * 60 + int(minutes)) * 60 + int(seconds)
    # From digits, not by division: 1.1 s is the number that 1.1 is written as everywhere else.
    return float(f"{sign}{whole}.{fraction or 0}")


def _one_tier_a_voice(cues: list[tuple[_Cue, dict[str, str]]], notes: tuple[str, ...]) -> AnnotationFile:
    left_out = LeftOut()
    voices: dict[str, list[Annotation]] = {}
    blank: list[int] = []
    for cue, texts in cues:
        start, end = cue.start_seconds, cue.end_seconds
        if not possible(start, end):
            left_out.add(start, end, f"line {cue.line}")
            continue
        if not texts or not any(text.strip() for text in texts.values()):
            blank.append(cue.line)
            continue
        for voice, text in texts.items():
            voices.setdefault(voice, []).append(Annotation(start, end, text))
    tiers = tuple(Tier(voice or _NAME, in_order(found), participant=voice) for voice, found in voices.items())
    return AnnotationFile(
        tiers or (Tier(_NAME, ()),), notes=notes + left_out.notes() + _note(blank, "subtitle", "without text")
    )


def _stray_note(lines: list[int]) -> tuple[str, ...]:
    return _note(lines, "piece of text", "without times", "pieces of text")


def _note(lines: list[int], thing: str, how: str, things: str = "") -> tuple[str, ...]:
    if not lines:
        return ()
    counted = f"1 {thing} {how} was" if len(lines) == 1 else f"{len(lines)} {things or thing + 's'} {how} were"
    return (f"{counted} passed over; the first: line {lines[0]}.",)


def _times_line(annotation: Annotation, mark: str) -> str:
    return f"{_clock(annotation.start_seconds, mark)} --> {_clock(annotation.end_seconds, mark)}"


def _clock(seconds: float, mark: str) -> str:
    total = round(seconds * 1000)
    return f"{total // 3600000:02d}:{total // 60000 % 60:02d}:{total // 1000 % 60:02d}{mark}{total % 1000:03d}"
