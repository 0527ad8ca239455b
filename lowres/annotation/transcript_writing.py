"""Writes a transcript for the programs that people go on working with: ELAN, Praat, players, spreadsheets, scripts."""

import csv
import io
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Literal

from lowres.annotation.elan_writing import write_elan
from lowres.annotation.files import write_text
from lowres.annotation.subtitles import write_srt, write_vtt
from lowres.annotation.textgrid import write_textgrid
from lowres.annotation.tiers import Annotation, AnnotationFile, MediaLink, Tier
from lowres.annotation.times import in_order
from lowres.annotation.transcript import SpokenUtterance, Transcript, transcript_tiers
from lowres.annotation.transcript_cues import subtitle_tiers
from lowres.annotation.transcript_json import transcript_to_json

TranscriptFormat = Literal["elan", "textgrid", "srt", "vtt", "csv", "json", "text"]

TRANSCRIPT_SUFFIXES: Final[dict[TranscriptFormat, str]] = {
    "elan": ".eaf",
    "textgrid": ".TextGrid",
    "srt": ".srt",
    "vtt": ".vtt",
    "csv": ".csv",
    "json": ".json",
    "text": ".txt",
}
"""How files of each format end."""

CSV_COLUMNS: Final = ("recording", "start_seconds", "end_seconds", "voice", "text", "confidence")

_BYTE_ORDER_MARK = "\ufeff"
# What Excel, LibreOffice or Google take for the beginning of a formula, with the wide forms of = + - @.
_BEGINS_FORMULA = re.compile("\\s*[=+@\uff1d\uff0b\uff0d\uff20-]")
_LINE_BREAKS = re.compile("[\r\n\v\f\x1c-\x1e\x85\u2028\u2029]+")


def write_transcript(
    transcript: Transcript, path: Path, *, format: TranscriptFormat, tiers: Sequence[Tier] | None = None
) -> None:
    """Write a transcript: UTF-8, lines that end in a line feed, the whole file or nothing.

    elan, textgrid: the tiers. An ELAN file links to the recording and names the recogniser as its author.
    srt, vtt: subtitles of at most about 7 s and 84 characters, divided between words. WebVTT tells voices apart;
        SubRip has `VOICE: ` before the text instead.
    csv: a row an utterance, columns CSV_COLUMNS, times to the millisecond. It begins with a byte order mark, as the
        manifest does, without which Excel garbles letters; a text that a spreadsheet would take for a formula (one
        that begins with = + - @) gets an apostrophe before it. Scripts should read the JSON, where all is exact.
    json: everything; `read_transcript_json` reads it back.
    text: a line an utterance, `VOICE: ` before it where there are voices.

    Utterances in which nothing was heard are in csv and json alone.

    Args:
        path: where to; one that is there is replaced once the new one is whole.
        format: see above; TRANSCRIPT_SUFFIXES has the endings.
        tiers: for elan and textgrid; None = those that `transcript_tiers` makes of the transcript.

    Raises:
        CorpusError: a text that the format cannot hold, annotations that have no room, or a file that cannot be
            written; one that is there is untouched.
    """
    match format:
        case "elan":
            write_elan(_annotated(transcript, tiers), path, author=_author(transcript))
        case "textgrid":
            write_textgrid(_annotated(transcript, tiers), path)
        case "srt":
            write_srt(AnnotationFile((_one_tier(subtitle_tiers(transcript)),)), path)
        case "vtt":
            write_vtt(AnnotationFile(subtitle_tiers(transcript)), path)
        case "csv":
            write_text(path, _BYTE_ORDER_MARK + _rows(transcript))
        case "json":
            write_text(path, transcript_to_json(transcript))
        case "text":
            write_text(path, "".join(_lines(transcript)))


def _annotated(transcript: Transcript, tiers: Sequence[Tier] | None) -> AnnotationFile:
    recording = Path(transcript.recording)
    # Only a path that leads somewhere from here can be turned into one that does from everywhere.
    link = str(recording.absolute()) if recording.is_file() else transcript.recording
    media = (MediaLink(link),) if transcript.recording else ()
    chosen = transcript_tiers(transcript) if tiers is None else tuple(tiers)
    return AnnotationFile(chosen, media, transcript.duration_seconds)


def _author(transcript: Transcript) -> str:
    return f"lowres ({transcript.made_by})" if transcript.made_by else "lowres"


def _one_tier(tiers: Sequence[Tier]) -> Tier:
    cues = [
        Annotation(cue.start_seconds, cue.end_seconds, _say(tier.participant, cue.text))
        for tier in tiers
        for cue in tier.annotations
    ]
    return Tier("subtitles", in_order(cues))


def _say(voice: str, text: str) -> str:
    return f"{voice}: {text}" if voice else text


def _in_time(transcript: Transcript) -> list[SpokenUtterance]:
    return sorted(transcript.utterances, key=lambda one: (one.start_seconds, one.end_seconds))


def _rows(transcript: Transcript) -> str:
    written = io.StringIO()
    table = csv.writer(written, lineterminator="\n")
    table.writerow(CSV_COLUMNS)
    for utterance in _in_time(transcript):
        confidence = utterance.confidence
        table.writerow(
            (
                _harmless(transcript.recording),
                f"{utterance.start_seconds:.3f}",
                f"{utterance.end_seconds:.3f}",
                _harmless(utterance.voice),
                _harmless(utterance.text),
                "" if confidence is None else f"{confidence:.4f}",
            )
        )
    return written.getvalue()


def _harmless(cell: str) -> str:
    """Keep a spreadsheet from calculating what was said, and a row on one line."""
    cell = _LINE_BREAKS.sub(" ", cell)
    return f"'{cell}" if _BEGINS_FORMULA.match(cell) else cell


def _lines(transcript: Transcript) -> list[str]:
    spoken = [utterance for utterance in _in_time(transcript) if utterance.text.strip()]
    return [_LINE_BREAKS.sub(" ", _say(utterance.voice, utterance.text)) + "\n" for utterance in spoken]
