"""Reads and writes manifest.tsv: tab-separated UTF-8 that opens in a spreadsheet and gives every text back exactly.

A cell that holds a tab, a quotation mark or a line break is quoted, with quotation marks doubled (RFC 4180 with tabs).
The file starts with a byte order mark, without which Excel shows ɛ́ as É›Ì; every usual reader skips it.
"""

import csv
import io
import re
import warnings
from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from lowres.errors import CorpusError
from lowres.manifest.schema import (
    ALWAYS_READ,
    BOOLEAN_COLUMNS,
    COLUMN_TYPES,
    MANIFEST_COLUMNS,
    TEXT_COLUMNS,
    conform_table,
)
from lowres.manifest.whole_files import replace_file

MANIFEST_FILE: Final = "manifest.tsv"
BYTE_ORDER_MARK: Final = "\ufeff"
_NEEDS_QUOTES: Final = re.compile('[\t\n\r"]')
_ROWS_AT_A_TIME: Final = 50_000
_TRUE, _FALSE = "true", "false"


def write_manifest(table: pd.DataFrame, corpus_folder: Path) -> Path:
    """Write `manifest.tsv` into a prepared corpus: to a temporary name, then renamed, so never half a table.

    Args:
        table: (N, 14) with MANIFEST_COLUMNS; checked by `conform_table` first.
        corpus_folder: made if it is not there.

    Returns:
        The path of the file.

    Raises:
        CorpusError: the table breaks a rule of `conform_table`, a text cannot be written as UTF-8, or the disk
            refused (full, read-only); whatever was there before is still there.
    """
    conformed = conform_table(table)
    path = corpus_folder / MANIFEST_FILE
    write_atomically(path, _manifest_lines(conformed))
    return path


def read_manifest(corpus_folder: Path, columns: Collection[str] = MANIFEST_COLUMNS) -> pd.DataFrame:
    """Read `manifest.tsv` of a prepared corpus.

    Args:
        corpus_folder: the prepared corpus.
        columns: those of MANIFEST_COLUMNS that are wanted; id and split always come with them. The others are not
            looked at: of ten million rows, texts and file names are gigabytes.

    Returns:
        (N, C) table of these columns, in the order of MANIFEST_COLUMNS, with their fixed types; rows are in the order
        of the file. Text is text: "NA" and "" come back as they were written.

    Raises:
        CorpusError: the file is missing, or is not a manifest that `write_manifest` could have written.
    """
    path = corpus_folder / MANIFEST_FILE
    if not path.is_file():
        raise CorpusError(f"There is no {MANIFEST_FILE} in {corpus_folder}.", "Run `lowres prepare` first.")
    wanted = [name for name in MANIFEST_COLUMNS if name in {*columns, *ALWAYS_READ}]
    # Numbers are made of each block's texts at once: those of a whole file would leave holes all over the memory.
    blocks = [_parse_cells(cells, path) for cells in _read_blocks(path, MANIFEST_COLUMNS, wanted)]
    return conform_table(pd.concat(blocks, ignore_index=True), wanted)


def _parse_cells(cells: pd.DataFrame, path: Path) -> pd.DataFrame:
    parsed: dict[str, npt.NDArray[np.generic]] = {}
    try:
        for name in cells.columns.difference(list(TEXT_COLUMNS)):
            written = cells[name].to_numpy(dtype=object)
            parsed[name] = _parse_booleans(written) if name in BOOLEAN_COLUMNS else written.astype(COLUMN_TYPES[name])
    except (ValueError, OverflowError) as error:
        raise _damaged(path, str(error)) from error
    return cells.assign(**parsed)


def _parse_booleans(written: npt.NDArray[np.object_]) -> npt.NDArray[np.bool_]:
    is_true: npt.NDArray[np.bool_] = (written == _TRUE).astype(np.bool_)
    if not (is_true | (written == _FALSE)).all():
        raise ValueError("a row does not end in true or false")
    return is_true


def read_table(path: Path, columns: Sequence[str], *, content: bytes | None = None) -> pd.DataFrame:
    """Read a table that `write_table` or `write_manifest` wrote.

    Args:
        path: the file. columns: what its first line must name. content: of the file, where it was read already.

    Returns:
        Its cells, all of them text.

    Raises:
        CorpusError: it is not such a table.
    """
    return pd.concat(_read_blocks(path, columns, columns, content), ignore_index=True)


def _read_blocks(
    path: Path, columns: Sequence[str], wanted: Sequence[str], content: bytes | None = None
) -> Iterator[pd.DataFrame]:
    """Read the wanted columns of a table as text, some rows at a time: at least one block, which may have none."""
    try:
        if _first_line(path, content) != "\t".join(columns):
            raise _damaged(path, "its first line does not name the columns lowres writes")
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)
            yield from pd.read_csv(
                path if content is None else io.BytesIO(content),
                sep="\t",
                usecols=None if len(wanted) == len(columns) else list(wanted),
                dtype="str",
                na_filter=False,
                quoting=csv.QUOTE_MINIMAL,
                encoding="utf-8",
                encoding_errors="surrogateescape",
                index_col=False,
                lineterminator="\n",
                skip_blank_lines=False,
                engine="c",
                chunksize=_ROWS_AT_A_TIME,
            )
    except (ValueError, pd.errors.ParserWarning) as error:
        raise _damaged(path, str(error)) from error


def _first_line(path: Path, content: bytes | None) -> str:
    with path.open("rb") if content is None else io.BytesIO(content) as file:
        return file.readline().decode("utf-8-sig", errors="surrogateescape").removesuffix("\n")


def write_table(path: Path, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Write any small table of texts the way manifests are written (checks.tsv); atomic.

    Args:
        columns: the first line. rows: as many cells each as there are columns.

    Raises:
        CorpusError: a text cannot be written as UTF-8, or the disk refused.
    """
    lines = ("\t".join(quote_cell(cell) for cell in row) + "\n" for row in rows)
    write_atomically(path, [BYTE_ORDER_MARK + "\t".join(columns) + "\n", *lines])


def write_atomically(path: Path, pieces: Iterable[str]) -> None:
    """Write text as UTF-8 to a file that is replaced only by a whole one; see `replace_file`.

    Raises:
        CorpusError: the disk refused, or a piece cannot be written as UTF-8; `path` is untouched.
    """
    try:
        replace_file(path, (piece.encode("utf-8", errors="surrogateescape") for piece in pieces))
    except UnicodeEncodeError as error:
        raise CorpusError(f"{path.name}: {error.object[:40]!r} holds a character that is not Unicode.") from error
    except OSError as error:
        raise CorpusError(
            f"Could not write {path}: {error.strerror or error}.", "Free some space or choose another folder."
        ) from error


def _manifest_lines(table: pd.DataFrame) -> Iterable[str]:
    yield BYTE_ORDER_MARK + "\t".join(MANIFEST_COLUMNS) + "\n"
    for start in range(0, len(table), _ROWS_AT_A_TIME):
        block = table.iloc[start : start + _ROWS_AT_A_TIME]
        columns = [_cells(block[name], name) for name in MANIFEST_COLUMNS]
        yield "\n".join(map("\t".join, zip(*columns, strict=True))) + "\n"


def _cells(column: "pd.Series[str]", name: str) -> list[str]:
    if name in TEXT_COLUMNS:
        values = column.tolist()
        # One look at the whole block is far faster than one at each cell, and nearly always enough.
        return [quote_cell(value) for value in values] if _NEEDS_QUOTES.search("".join(values)) else values
    if name in BOOLEAN_COLUMNS:
        return [_TRUE if value else _FALSE for value in column.tolist()]
    return list(map(repr, column.tolist()))


def quote_cell(cell: str) -> str:
    """Return a text as a cell of a table: quoted where it holds a tab, a line break or a quotation mark."""
    if _NEEDS_QUOTES.search(cell):
        return '"' + cell.replace('"', '""') + '"'
    return cell


def _damaged(path: Path, reason: str) -> CorpusError:
    what = "a manifest" if path.name == MANIFEST_FILE else "a table"
    return CorpusError(
        f"{path} is not {what} written by lowres: {reason}.",
        "Run `lowres prepare` again; correct transcripts in the corpus itself, not in the manifest.",
    )
