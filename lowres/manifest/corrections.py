"""Corrections of transcripts, each kept with what stood before: `corrections.tsv`, which `prepare` reads.

The file lies in the project, not in the prepared corpus, and stays when the corpus is prepared again: it is what people
made by hand. Lines are only ever added to it. The recordings and transcripts of the corpus itself are never touched.
"""

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple, dataclass, replace
from pathlib import Path
from typing import Final, Literal, get_args

from lowres.errors import CorpusError
from lowres.manifest.schema import UtteranceRow
from lowres.manifest.table import quote_cell, read_table

CORRECTIONS_FILE: Final = "corrections.tsv"
CORRECTIONS_COLUMNS: Final = (
    "time",
    "utterance_id",
    "revision",
    "kind",
    "author",
    "source_text",
    "raw_before",
    "raw_after",
    "text_before",
    "text_after",
)

CorrectionKind = Literal["corrected", "restored", "set aside"]
"""A set-aside text was written at the same time as another one that was saved first: kept, and not in the corpus."""

_BYTE_ORDER_MARK: Final = "\ufeff".encode()


@dataclass(frozen=True, slots=True)
class Correction:
    """One line of the history.

    Attributes:
        time: UTC, "2026-11-28T09:30:00Z".
        utterance_id: whose transcript.
        revision: from 1 on, counted for each utterance, set-aside ones too.
        kind: see `CorrectionKind`.
        author: a name, as somebody gave it; "" where nobody did.
        source_text: the transcript of the corpus itself that was corrected.
        raw_before, raw_after: the transcript as written, before and after.
        text_before, text_after: the same after the recipe's rules.
    """

    time: str
    utterance_id: str
    revision: int
    kind: CorrectionKind
    author: str
    source_text: str
    raw_before: str
    raw_after: str
    text_before: str
    text_after: str


History = Mapping[str, Sequence[Correction]]
"""By utterance, the oldest correction first."""


def read_corrections(project: Path) -> dict[str, list[Correction]]:
    """Read the history of a project; nothing where there is none yet.

    A last line that is not whole, of a machine that stopped while it was written, was never said to be saved and does
    not count.

    Raises:
        CorpusError: the file is not what `append_correction` writes.
    """
    path = project / CORRECTIONS_FILE
    history: dict[str, list[Correction]] = {}
    if not path.is_file():
        return history
    try:
        content = path.read_bytes()
        cells = read_table(path, CORRECTIONS_COLUMNS, content=content[: _whole_lines(content)])
        for row in cells.itertuples(index=False, name=None):
            one = _read_row(row)
            history.setdefault(one.utterance_id, []).append(one)
    except (CorpusError, ValueError, OSError) as error:
        raise CorpusError(
            error.message if isinstance(error, CorpusError) else f"{path} cannot be read: {error}.",
            "Restore it from a copy; or move it away, and the corpus is prepared without the corrections in it.",
        ) from error
    return history


def _read_row(row: Sequence[str]) -> Correction:
    values = dict(zip(CORRECTIONS_COLUMNS, row, strict=True))
    kind, revision = values.pop("kind"), int(values.pop("revision"))
    for known in get_args(CorrectionKind):
        if kind == known:
            return Correction(revision=revision, kind=known, **values)
    raise ValueError(f"{kind!r} is no kind of correction")


def append_correction(project: Path, correction: Correction) -> None:
    """Add a correction at the end of the history, and return once it is on disk.

    Raises:
        CorpusError: the disk refused, or a text is not Unicode.
    """
    path = project / CORRECTIONS_FILE
    cells = (str(value) for value in astuple(correction))
    try:
        line = ("\t".join(map(quote_cell, cells)) + "\n").encode("utf-8", errors="surrogateescape")
        with path.open("ab+") as file:
            _cut_unfinished(file.fileno(), path)
            if file.seek(0, os.SEEK_END) == 0:
                file.write(_BYTE_ORDER_MARK + ("\t".join(CORRECTIONS_COLUMNS) + "\n").encode())
            file.write(line)
            file.flush()
            os.fsync(file.fileno())
    except UnicodeEncodeError as error:
        raise CorpusError("The transcript holds a character that is not Unicode.", "Type it anew.") from error
    except OSError as error:
        raise CorpusError(
            f"The correction could not be written to {path}: {error.strerror or error}.",
            "Free some space or check the folder's permissions, then save again.",
        ) from error


def _cut_unfinished(descriptor: int, path: Path) -> None:
    """Cut off a last line that a machine which stopped left half written."""
    content = path.read_bytes()
    whole = _whole_lines(content)
    if whole < len(content):
        os.ftruncate(descriptor, whole)


def _whole_lines(content: bytes) -> int:
    """Return the length of what ends in a line feed that is no part of a quoted cell."""
    end = content.rfind(b"\n")
    while end >= 0 and content.count(b'"', 0, end) % 2:
        end = content.rfind(b"\n", 0, end)
    return end + 1


def last_taken(corrections: Sequence[Correction]) -> Correction | None:
    """Return the correction that the corpus should have: the last one that was not set aside."""
    return next((one for one in reversed(corrections) if one.kind != "set aside"), None)


@dataclass(frozen=True)
class AppliedCorrections:
    """Rows of a corpus with the corrections of a project.

    Attributes:
        rows: in their order. num_applied: transcripts that are as they were corrected.
        outdated: corrections of transcripts that were changed in the corpus itself since: those are taken as they are.
        taken_over: corrected utterances whose correction was made in the corpus itself, too.
        missing: corrected utterances that the corpus does not have any more.
    """

    rows: list[UtteranceRow]
    num_applied: int = 0
    outdated: tuple[Correction, ...] = ()
    taken_over: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()


def apply_corrections(rows: Iterable[UtteranceRow], history: History) -> AppliedCorrections:
    """Put the corrected transcripts in the place of those that were corrected, and of no others.

    A correction may name as its source what an earlier one had made of the corpus's own transcript, where the one in
    between never came into the corpus since the machine stopped or its disk was full: that is corrected, too.

    Args:
        rows: as a reader found them. history: of the project.
    """
    wanted = {name: (one, _sources(listed)) for name, listed in history.items() if (one := last_taken(listed))}
    corrected: list[UtteranceRow] = []
    num_applied, outdated, taken_over = 0, [], []
    for row in rows:
        one, sources = wanted.pop(row.utterance_id, (None, set()))
        if one is not None and row.raw_text in sources:
            row = replace(row, raw_text=one.raw_after)
            num_applied += 1
        elif one is not None and row.raw_text == one.raw_after:
            taken_over.append(row.utterance_id)
        elif one is not None:
            outdated.append(one)
        corrected.append(row)
    return AppliedCorrections(corrected, num_applied, tuple(outdated), tuple(taken_over), tuple(wanted))


def _sources(corrections: Sequence[Correction]) -> set[str]:
    """Return the transcripts of the corpus itself that the last taken correction is one of."""
    sources: set[str] = set()
    for one in reversed(corrections):
        if one.kind != "set aside" and (not sources or one.raw_after in sources):
            sources.add(one.source_text)
    return sources
