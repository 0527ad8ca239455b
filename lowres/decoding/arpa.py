"""ARPA files: the text form of n-gram models that KenLM, SRILM and everything else reads and writes."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np

from lowres.decoding.ngram import BEGIN, END, RESERVED, UNKNOWN, NgramModel, NgramTable
from lowres.errors import CorpusError
from lowres.manifest.whole_files import replace_file

_AGAIN: Final = "Make the language model again with `lowres lm`."


def write_arpa(model: NgramModel, path: Path) -> None:
    """Write a model, whole or not at all.

    Raises:
        CorpusError: the file cannot be written.
    """
    try:
        replace_file(path, (piece.encode() for piece in _pieces(model)))
    except OSError as error:
        raise CorpusError(
            f"{path} cannot be written: {error.strerror}.", "Is the disk full, or the folder not yours?"
        ) from error


def _pieces(model: NgramModel) -> Iterator[str]:
    yield "\\data\\\n"
    yield "".join(f"ngram {n}={len(table.word)}\n" for n, table in enumerate(model.tables, start=1))
    spelled: list[str] = []
    for n, table in enumerate(model.tables, start=1):
        words = [model.words[word] for word in table.word.tolist()]
        if n > 1:
            words = [f"{spelled[at]} {word}" for at, word in zip(table.context.tolist(), words, strict=True)]
        spelled = words
        backoffs = table.log10_backoff.tolist() if n < model.order else [0.0] * len(words)
        yield f"\n\\{n}-grams:\n"
        for log, word, backoff in zip(table.log10_probability.tolist(), words, backoffs, strict=True):
            yield f"{log:.7g}\t{word}\t{backoff:.7g}\n" if backoff else f"{log:.7g}\t{word}\n"
    yield "\n\\end\\\n"


def read_arpa(path: Path) -> NgramModel:
    """Read a model.

    Raises:
        CorpusError: the file is missing or is no whole ARPA file; the line is named.
    """
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise CorpusError(f"{path} cannot be read: {error}.", _AGAIN) from error
    sections = _find_sections(lines, path)
    words: tuple[str, ...] = ()
    ids: dict[str, int] = {}
    tables: list[NgramTable] = []
    known: dict[tuple[int, ...], int] = {}
    for n, (first, last) in enumerate(sections, start=1):
        entries = [_entry(lines[at], n, f"{path}, line {at + 1}") for at in range(first, last)]
        if n == 1:
            found = [spelled[0] for _, spelled, _ in entries]
            words = (*RESERVED, *(word for word in found if word not in RESERVED))
            ids = {word: word_id for word_id, word in enumerate(words)}
            if missing := [word for word in (BEGIN, END, UNKNOWN) if word not in found]:
                raise CorpusError(f"{path} has no {missing[0]} among its words.", _AGAIN)
        tables_of_n, known = _table(entries, ids, known, path)
        tables.append(tables_of_n)
    return NgramModel(words, tuple(tables))


def _find_sections(lines: list[str], path: Path) -> list[tuple[int, int]]:
    """Return the first line of each order's n-grams and the first that no longer is one."""
    heads = [at for at, line in enumerate(lines) if line.startswith("\\") and line.rstrip().endswith("-grams:")]
    if not heads or "\\end\\" not in (line.strip() for line in lines[heads[-1] :]):
        raise CorpusError(f"{path} is no whole ARPA file.", _AGAIN)
    sections = []
    for head in heads:
        last = head + 1
        while lines[last].strip() and not lines[last].startswith("\\end"):
            last += 1
        sections.append((head + 1, last))
    return sections


def _entry(line: str, n: int, place: str) -> tuple[float, list[str], float]:
    fields = line.rstrip("\r").replace("\t", " ").split(" ")
    try:
        if len(fields) not in (n + 1, n + 2):
            raise ValueError
        return float(fields[0]), fields[1 : n + 1], float(fields[n + 1]) if len(fields) > n + 1 else 0.0
    except ValueError:
        raise CorpusError(f"{place}: {line[:80]!r} is no {n}-gram.", _AGAIN) from None


def _table(
    entries: list[tuple[float, list[str], float]],
    ids: dict[str, int],
    shorter: dict[tuple[int, ...], int],
    path: Path,
) -> tuple[NgramTable, dict[tuple[int, ...], int]]:
    try:
        rows = [(tuple(ids[word] for word in spelled), log, backoff) for log, spelled, backoff in entries]
        keyed = [
            (shorter[row[0][:-1]] if shorter else 0, row[0][-1], shorter[row[0][1:]] if shorter else 0, row)
            for row in rows
        ]
    except KeyError:
        raise CorpusError(f"{path} has an n-gram of words or contexts that it does not have.", _AGAIN) from None
    keyed.sort(key=lambda one: one[:2])
    columns = np.array([one[:3] for one in keyed], dtype=np.int64).reshape(-1, 3)
    table = NgramTable(
        columns[:, 0],
        columns[:, 1],
        columns[:, 2],
        np.array([row[1] for *_, row in keyed], dtype=np.float64),
        np.array([row[2] for *_, row in keyed], dtype=np.float64),
    )
    return table, {row[0]: index for index, (*_, row) in enumerate(keyed)}
