"""Reads and writes Audacity's label tracks: start, end and text in a line, with tabs between (its manual, "Labels")."""

import re
from pathlib import Path

from lowres.annotation.files import decode_text, read_bytes, split_lines, write_text
from lowres.annotation.tiers import Annotation, AnnotationFile, Tier
from lowres.annotation.times import LeftOut, check_times, in_order, possible
from lowres.errors import CorpusError

_NAME = "labels"
_NUMBER = re.compile(
    r" *+[+\-]?(?:(?:[0-9]++(?:[.,][0-9]*+)?+|[.,][0-9]++)(?:e[+\-]?[0-9]++)?+|inf(?:inity)?+|nan) *+", re.IGNORECASE
)


def read_audacity(path: Path) -> AnnotationFile:
    """Read a label track into one tier, called "labels": of points if no label lasts, else of intervals.

    A comma may stand for the decimal point. Spectral selections, lines that begin with a backslash, are passed over.

    Raises:
        CorpusError: a line that is no label, with its number.
    """
    text, notes = decode_text(read_bytes(path), path)
    left_out = LeftOut()
    annotations = []
    for number, line in enumerate(split_lines(text), start=1):
        if not line.strip() or line.startswith("\\"):
            continue
        label = _label(line, f"{path}: line {number}")
        if possible(label.start_seconds, label.end_seconds):
            annotations.append(label)
        else:
            left_out.add(label.start_seconds, label.end_seconds, f"line {number}")
    lasting = any(label.start_seconds != label.end_seconds for label in annotations)
    tier = Tier(_NAME, in_order(annotations), "intervals" if lasting or not annotations else "points")
    return AnnotationFile((tier,), notes=notes + left_out.notes())


def write_audacity(file: AnnotationFile, path: Path) -> None:
    """Write one tier as a label track, times rounded to the microsecond as Audacity does.

    A label is one line: line breaks inside a text become spaces.

    Raises:
        CorpusError: not exactly one tier, impossible times, or a file that cannot be written.
    """
    if len(file.tiers) != 1:
        raise CorpusError(
            f"{path} cannot be written: a label track holds one tier, and there are {len(file.tiers)}.",
            "Write a file for each tier.",
        )
    lines = []
    for annotation in check_times(file.tiers[0], path):
        text = " ".join(split_lines(annotation.text))
        lines.append(f"{annotation.start_seconds + 0.0:.6f}\t{annotation.end_seconds + 0.0:.6f}\t{text}\n")
    write_text(path, "".join(lines))


def _label(line: str, place: str) -> Annotation:
    cells = line.split("\t", 2)
    if not _NUMBER.fullmatch(cells[0]) or len(cells) < 2:
        raise CorpusError(f"{place} is not a label: {line[:60]!r}.", "Write start, tab, end, tab and text, in seconds.")
    start = _seconds(cells[0])
    if _NUMBER.fullmatch(cells[1]):
        return Annotation(start, _seconds(cells[1]), cells[2] if len(cells) > 2 else "")
    if len(cells) > 2:
        raise CorpusError(f"{place} has {cells[1][:40]!r} where its end should be.", "Write it in seconds: 12.5.")
    # Audacity before 1.3 wrote points as one time and the text.
    return Annotation(start, start, cells[1])


def _seconds(number: str) -> float:
    return float(number.replace(",", "."))
