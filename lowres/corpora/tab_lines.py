"""Tables of published corpora that have no header: lines cut at their tabs, where a quotation mark is only text."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from lowres.corpora.delimited import read_text
from lowres.corpora.files import CorpusFiles
from lowres.corpora.reading import RowCollector
from lowres.corpora.settings import ReaderSettings


def read_tab_lines(
    folder: Path, table: str, settings: ReaderSettings, collector: RowCollector
) -> Iterator[tuple[str, list[str]]]:
    """Yield every line that is not blank as the place where it stands and its cells, without space around them.

    Args:
        folder: the corpus folder.
        table: the file, relative to it.
        settings: encoding is used.
        collector: told where the encoding had to be guessed.

    Raises:
        CorpusError: the file lies outside the folder, cannot be read, or is of no encoding that can be told.
    """
    CorpusFiles(folder).check_inside(table, table)
    text, encoding = read_text(folder / table, settings.encoding)
    if encoding == "cp1252":
        collector.note(f"{table} is not UTF-8: it was read as Windows-1252. Look at its letters below.")
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            yield f"{table} line {number}", [cell.strip() for cell in line.split("\t")]


def find_languages(folder: Path, top: str, tables: Sequence[str]) -> list[str]:
    """Return the folder `top` if it holds one of `tables`, else those folders directly in it that do, sorted.

    Args:
        folder: the corpus folder.
        top: where the layout begins, relative to it.
        tables: paths from a language's folder, such as "train.tsv".
    """
    if _has_table(folder / top, tables):
        return [top]
    inside = sorted(path for path in (folder / top).glob("*/") if not path.name.startswith("."))
    return [path.relative_to(folder).as_posix() for path in inside if _has_table(path, tables)]


def _has_table(folder: Path, tables: Sequence[str]) -> bool:
    return any((folder / table).is_file() for table in tables)
