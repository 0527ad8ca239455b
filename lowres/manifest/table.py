"""Reads and writes manifest.tsv: tab-separated UTF-8 that opens in a spreadsheet and gives every text back exactly.

A cell that holds a tab, a quotation mark or a line break is quoted, with quotation marks doubled (RFC 4180 with tabs).
The file starts with a byte order mark, without which Excel shows ɛ́ as É›Ì; every usual reader skips it.
"""

import csv
import io
import re
import warnings
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from lowres.errors import CorpusError
from lowres.manifest.schema import (
    BOOLEAN_COLUMNS,
    FLOAT_COLUMNS,
    INTEGER_COLUMNS,
    MANIFEST_COLUMNS,
    TEXT_COLUMNS,
    conform_table,
)
from lowres.manifest.whole_files import replace_file

MANIFEST_FILE: Final = "manifest.tsv"
_BYTE_ORDER_MARK: Final = "\ufeff"
_NEEDS_QUOTES: Final = re.compile('[\t\n\r"]')
_ROWS_PER_WRITE: Final = 50_000
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


def read_manifest(corpus_folder: Path) -> pd.DataFrame:
    """Read `manifest.tsv` of a prepared corpus.

    Returns:
        (N, 14) table with MANIFEST_COLUMNS and fixed types, in the order of the file. Text is text: "NA" and ""
        come back as they were written.

    Raises:
        CorpusError: the file is missing, or is not a manifest that `write_manifest` could have written.
    """
    path = corpus_folder / MANIFEST_FILE
    if not path.is_file():
        raise CorpusError(f"There is no {MANIFEST_FILE} in {corpus_folder}.", "Run `lowres prepare` first.")
    cells = read_table(path, MANIFEST_COLUMNS)
    return conform_table(_parse_cells(cells, path))


def _parse_cells(cells: pd.DataFrame, path: Path) -> pd.DataFrame:
    included = cells["included"].to_numpy(dtype=object)
    is_true = included == _TRUE
    if not (is_true | (included == _FALSE)).all():
        raise _damaged(path, "a row does not end in true or false")
    parsed: dict[str, object] = {name: cells[name] for name in TEXT_COLUMNS}
    try:
        for name in INTEGER_COLUMNS:
            parsed[name] = cells[name].to_numpy(dtype=object).astype(np.int64)
        for name in FLOAT_COLUMNS:
            parsed[name] = cells[name].to_numpy(dtype=object).astype(np.float64)
    except (ValueError, OverflowError) as error:
        raise _damaged(path, str(error)) from error
    return pd.DataFrame(parsed | {"included": is_true.astype(bool)})


def read_table(path: Path, columns: Sequence[str], *, content: bytes | None = None) -> pd.DataFrame:
    """Read a table that `write_table` or `write_manifest` wrote.

    Args:
        path: the file. columns: what its first line must name. content: of the file, where it was read already.

    Returns:
        Its cells, all of them text.

    Raises:
        CorpusError: it is not such a table.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)
            cells = pd.read_csv(
                path if content is None else io.BytesIO(content),
                sep="\t",
                dtype="str",
                na_filter=False,
                quoting=csv.QUOTE_MINIMAL,
                encoding="utf-8",
                encoding_errors="surrogateescape",
                index_col=False,
                lineterminator="\n",
                skip_blank_lines=False,
                engine="c",
            )
    except (ValueError, pd.errors.ParserWarning) as error:
        raise _damaged(path, str(error)) from error
    if tuple(cells.columns) != tuple(columns):
        raise _damaged(path, "its first line does not name the columns lowres writes")
    return cells


def write_table(path: Path, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Write any small table of texts the way manifests are written (checks.tsv); atomic.

    Args:
        columns: the first line. rows: as many cells each as there are columns.

    Raises:
        CorpusError: a text cannot be written as UTF-8, or the disk refused.
    """
    lines = ("\t".join(quote_cell(cell) for cell in row) + "\n" for row in rows)
    write_atomically(path, [_BYTE_ORDER_MARK + "\t".join(columns) + "\n", *lines])


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
    yield _BYTE_ORDER_MARK + "\t".join(MANIFEST_COLUMNS) + "\n"
    for start in range(0, len(table), _ROWS_PER_WRITE):
        block = table.iloc[start : start + _ROWS_PER_WRITE]
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
