"""ARPA files: the text form of n-gram models that KenLM, SRILM and everything else reads and writes."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from lowres.decoding.ngram import BEGIN, END, RESERVED, UNKNOWN, NgramModel, NgramTable
from lowres.errors import CorpusError
from lowres.manifest.whole_files import replace_file

_AGAIN: Final = "Make the language model again with `lowres lm`."


@dataclass(frozen=True)
class _Entry:
    """One line: log10 of the probability, the words, log10 of the back-off weight, and where it stands."""

    log10_probability: float
    words: tuple[str, ...]
    log10_backoff: float
    place: str


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
        lines = path.read_bytes().decode().split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise CorpusError(f"{path} cannot be read: {error}.", _AGAIN) from error
    words: tuple[str, ...] = ()
    ids: dict[str, int] = {}
    tables: list[NgramTable] = []
    known: dict[tuple[int, ...], int] = {}
    for n, (first, last) in enumerate(_find_sections(lines, path), start=1):
        entries = [_entry(lines[at], n, f"{path}, line {at + 1}") for at in range(first, last)]
        if n == 1:
            found = [entry.words[0] for entry in entries]
            words = (*RESERVED, *(word for word in found if word not in RESERVED))
            ids = {word: word_id for word_id, word in enumerate(words)}
            if missing := [word for word in (BEGIN, END, UNKNOWN) if word not in found]:
                raise CorpusError(f"{path}, line {first}: there is no {missing[0]} among the words.", _AGAIN)
        table, known = _table(entries, ids, known)
        tables.append(table)
    return NgramModel(words, tuple(tables))


def _find_sections(lines: list[str], path: Path) -> list[tuple[int, int]]:
    """Return the first line of each order's n-grams and the first that no longer is one, as many as the head counts."""
    stated = [(at, line) for at, line in enumerate(lines) if line.startswith("ngram ")]
    heads = [at for at, line in enumerate(lines) if line.startswith("\\") and line.rstrip().endswith("-grams:")]
    if not heads or "\\end\\" not in (line.strip() for line in lines[heads[-1] :]):
        raise CorpusError(f"{path} is no whole ARPA file: it stops at line {len(lines)}.", _AGAIN)
    if [lines[at].rstrip() for at in heads] != [f"\\{n}-grams:" for n in range(1, len(stated) + 1)]:
        raise CorpusError(f"{path}, line {heads[0] + 1}: not the orders that the head of the file counts.", _AGAIN)
    sections = []
    for head, (at, line) in zip(heads, stated, strict=True):
        last = head + 1
        while lines[last].strip() and not lines[last].startswith("\\"):
            last += 1
        if line.partition("=")[2].strip() != str(last - head - 1):
            raise CorpusError(f"{path}, line {at + 1}: {line.strip()!r}, but {last - head - 1} are there.", _AGAIN)
        sections.append((head + 1, last))
    return sections


def _entry(line: str, n: int, place: str) -> _Entry:
    fields = line.rstrip("\r").replace("\t", " ").split(" ")
    try:
        if len(fields) not in (n + 1, n + 2):
            raise ValueError
        log, backoff = float(fields[0]), float(fields[n + 1]) if len(fields) > n + 1 else 0.0
        if not (math.isfinite(backoff) and -math.inf < log <= 0):
            raise ValueError
    except ValueError:
        raise CorpusError(f"{place}: {line[:80]!r} is no {n}-gram.", _AGAIN) from None
    return _Entry(log, tuple(fields[1 : n + 1]), backoff, place)


def _table(
    entries: list[_Entry], ids: dict[str, int], shorter: dict[tuple[int, ...], int]
) -> tuple[NgramTable, dict[tuple[int, ...], int]]:
    """Return the n-grams as arrays, and the index of each by its words' ids; `shorter` is that of the order below."""
    rows: dict[tuple[int, ...], tuple[int, int, int, _Entry]] = {}
    for entry in entries:
        try:
            key = tuple(ids[word] for word in entry.words)
            row = (shorter[key[:-1]], key[-1], shorter[key[1:]], entry) if shorter else (0, key[-1], 0, entry)
        except KeyError:
            raise CorpusError(
                f"{entry.place}: an n-gram whose words or shorter n-grams are not there.", _AGAIN
            ) from None
        if key in rows:
            raise CorpusError(f"{entry.place}: {' '.join(entry.words)!r} stands there twice.", _AGAIN)
        rows[key] = row
    ordered = sorted(rows.items(), key=lambda item: item[1][:2])
    columns = np.array([row[:3] for _, row in ordered], dtype=np.int64).reshape(-1, 3)
    table = NgramTable(
        columns[:, 0],
        columns[:, 1],
        columns[:, 2],
        np.array([row[3].log10_probability for _, row in ordered], dtype=np.float64),
        np.array([row[3].log10_backoff for _, row in ordered], dtype=np.float64),
    )
    return table, {key: index for index, (key, _) in enumerate(ordered)}
