"""CSV and TSV files and transcripts as text, whatever program wrote them; what had to be guessed is said."""

import codecs
import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from lowres.corpora.files import demand_file
from lowres.errors import CorpusError

_MOST_LINES_PER_CELL = 40


@dataclass(frozen=True)
class DelimitedTable:
    """A table: its header and its rows, each with the line that it starts on (1 is the header's).

    Attributes:
        path: the file.
        columns: the header's cells, or "1", "2" ... where there is none.
        rows: (line, cells), cells as many as there are columns.
        malformed: (line, reason) of rows that do not fit the header.
        encoding: as `decode_text` found it.
    """

    path: Path
    columns: tuple[str, ...]
    rows: list[tuple[int, list[str]]]
    malformed: list[tuple[int, str]]
    encoding: str


def decode_text(contents: bytes, path: Path, encoding: str = "") -> tuple[str, str]:
    """Decode a file's bytes and return the text and the encoding.

    A byte order mark decides; then UTF-16 shows by its zero bytes; then UTF-8 if every byte fits; else Windows-1252,
    unless the file is evidently UTF-8 with a few damaged bytes.

    Args:
        encoding: the one that the recipe states; "" = find out.

    Raises:
        CorpusError: the stated encoding does not fit, or none can be told, with the line.
    """
    if encoding:
        try:
            return contents.decode(encoding).removeprefix("\ufeff"), encoding
        except (UnicodeDecodeError, LookupError) as error:
            raise CorpusError(
                f"{path} is not {encoding}: {error}.",
                "Correct corpus.reader.encoding in the recipe, or leave it out to have the encoding found.",
            ) from error
    for mark, name in (
        (codecs.BOM_UTF8, "utf-8-sig"),
        (codecs.BOM_UTF16_LE, "utf-16"),
        (codecs.BOM_UTF16_BE, "utf-16"),
    ):
        if contents.startswith(mark):
            return _decode_marked(contents, path, name)
    if b"\x00" in contents[:4000]:
        return _decode_marked(contents, path, "utf-16-be" if contents[:1] == b"\x00" else "utf-16-le")
    try:
        return contents.decode("utf-8"), "utf-8"
    except UnicodeDecodeError as error:
        return _decode_western(contents, path, error)


def read_text(path: Path, encoding: str = "") -> tuple[str, str]:
    """Read a text file and return its text and its encoding; errors as `decode_text`'s.

    Raises:
        CorpusError: also when the file cannot be read, or is none (a folder, a pipe or a device).
    """
    demand_file(path)
    try:
        contents = path.read_bytes()
    except OSError as error:
        raise CorpusError(f"{path} cannot be read: {error.strerror or error}.") from error
    return decode_text(contents, path, encoding)


def read_delimited(path: Path, *, encoding: str = "", header: bool = True) -> DelimitedTable:
    """Read a CSV or TSV file; the delimiter (tab, comma, semicolon, bar) shows in its first line.

    Args:
        encoding: see `decode_text`.
        header: whether the first line names the columns.

    Raises:
        CorpusError: missing, a workbook instead of a table, empty, or quotation marks that never close.
    """
    if not path.is_file():
        raise CorpusError(
            f"There is no table at {path}.", "Correct corpus.reader.table in the recipe, or put the table there."
        )
    with path.open("rb") as file:
        start = file.read(4)
    if start in (b"PK\x03\x04", b"\xd0\xcf\x11\xe0"):
        raise CorpusError(
            f"{path} is a workbook, not a table.", "Open it in the spreadsheet program and save it as CSV, UTF-8."
        )
    text, found = read_text(path, encoding)
    delimiter = _find_delimiter(text, path) if text.strip() else ""
    records = _split_tabs(text) if delimiter == "\t" else _split_quoted(text, delimiter or ",", path)
    # An empty spreadsheet is saved as lines of commas.
    first_line, first = next(records, (1, []))
    if not first:
        raise CorpusError(f"{path} is empty.", "It needs a line naming its columns and one line per utterance.")
    columns = tuple(cell.strip() for cell in first) if header else tuple(str(n + 1) for n in range(len(first)))
    rows, malformed = ([] if header else [(first_line, first)]), []
    for line, cells in records:
        if len(cells) > len(columns) and any(cells[len(columns) :]):
            malformed.append((line, f"has {len(cells)} cells where the first line has {len(columns)}"))
        else:
            rows.append((line, (cells + [""] * len(columns))[: len(columns)]))
    return DelimitedTable(path, columns, rows, malformed, found)


def _decode_marked(contents: bytes, path: Path, encoding: str) -> tuple[str, str]:
    try:
        return contents.decode(encoding), encoding
    except UnicodeDecodeError as error:
        raise CorpusError(
            f"{path} looks like {encoding} but is damaged: {error}.", "Save the file again, as UTF-8."
        ) from error


def _decode_western(contents: bytes, path: Path, error: UnicodeDecodeError) -> tuple[str, str]:
    lenient = contents.decode("utf-8", errors="replace")
    damaged = lenient.count("\ufffd")
    line = contents.count(b"\n", 0, error.start) + 1
    fitting = sum(map(len, re.findall(r"[^\x00-\x7f\ufffd]+", lenient)))
    # Windows-1252 text hardly ever holds two letters in a row that happen to be valid UTF-8.
    if fitting >= damaged:
        raise CorpusError(
            f"{path}: line {line} holds bytes that are not UTF-8, although the rest of the file is.",
            "Correct that line, or state the encoding in the recipe: corpus.reader.encoding.",
        )
    try:
        return contents.decode("cp1252"), "cp1252"
    except UnicodeDecodeError as unknown:
        raise CorpusError(
            f"{path}: line {line} is neither UTF-8 nor Windows-1252.",
            "State the encoding in the recipe (corpus.reader.encoding), or save the file as UTF-8.",
        ) from unknown


def _find_delimiter(text: str, path: Path) -> str:
    first = text.lstrip("\r\n").split("\n", 1)[0]
    counts = {delimiter: first.count(delimiter) for delimiter in "\t,;|"}
    best = max(counts, key=lambda delimiter: counts[delimiter])
    if counts["\t"]:
        return "\t"
    if not counts[best]:
        raise CorpusError(
            f"{path}: the first line has only one column: {first.strip()[:80]!r}.",
            "A table needs a column for the recording and one for its transcript, with tabs or commas between them.",
        )
    return best


def _split_tabs(text: str) -> Iterator[tuple[int, list[str]]]:
    """Split tab-separated lines; a quotation mark means something only around a whole cell (elsewhere it is text)."""
    for number, line in enumerate(text.split("\n"), start=1):
        line = line.removesuffix("\r")
        if line.strip():
            yield number, [_unquote(cell) for cell in line.split("\t")]


def _unquote(cell: str) -> str:
    if len(cell) >= 2 and cell[0] == cell[-1] == '"' and '"' not in cell[1:-1].replace('""', ""):
        return cell[1:-1].replace('""', '"')
    return cell


def _split_quoted(text: str, delimiter: str, path: Path) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    start = 1
    try:
        for cells in reader:
            if reader.line_num - start > _MOST_LINES_PER_CELL:
                raise _unclosed(path, start)
            if any(cell.strip() for cell in cells):
                yield start, cells
            start = reader.line_num + 1
    except csv.Error as error:
        raise _unclosed(path, start) from error


def _unclosed(path: Path, line: int) -> CorpusError:
    return CorpusError(
        f"{path}: a quotation mark opens on line {line} and does not close.",
        'Write a quotation mark inside a cell twice (""), and the whole cell between quotation marks.',
    )
