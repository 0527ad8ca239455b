"""The declared alphabet of an orthography, and what a text holds beside it."""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import takewhile

from lowres.text.graphemes import split_graphemes
from lowres.text.marks import marks


@dataclass(frozen=True)
class AlphabetAudit:
    """How a declared alphabet and a text fit."""

    found: dict[str, int]
    """Declared symbols and how often each occurs, most frequent first."""
    undeclared: dict[str, int]
    """Symbols of the text that are not declared and how often each occurs, most frequent first."""
    unused: tuple[str, ...]
    """Declared symbols that never occur, in the order of the alphabet."""


def undeclared_symbols(text: str, alphabet: Sequence[str]) -> list[str]:
    """List, in order and with repetitions, the symbols of `text` outside `alphabet`.

    The space is always declared. A letter with marks is declared as a whole, or by its parts: an alphabet that holds
    `a` and the bare combining acute allows `a` with that acute. An empty alphabet declares nothing and allows all.

    Args:
        text: a transcript after the recipe's rules.
        alphabet: letters, multigraphs, letters with marks, or bare combining marks.
    """
    if not alphabet or _characters(tuple(alphabet)).issuperset(text):
        return []
    return [symbol for symbol, parts in _symbols(text, tuple(alphabet)) if parts is None]


def audit_alphabet(texts: Iterable[str], alphabet: Sequence[str]) -> AlphabetAudit:
    """Compare many transcripts with the declared alphabet, for the report of `prepare`."""
    found: Counter[str] = Counter()
    undeclared: Counter[str] = Counter()
    declared = tuple(alphabet)
    for text in texts:
        for symbol, parts in _symbols(text, declared):
            if parts is None:
                undeclared[symbol] += 1
            else:
                found.update(parts)
    return AlphabetAudit(
        dict(found.most_common()), dict(undeclared.most_common()), tuple(s for s in declared if s not in found)
    )


def _symbols(text: str, alphabet: tuple[str, ...]) -> list[tuple[str, list[str] | None]]:
    """Cut `text` into symbols, each with the declared symbols it is made of, or None where it is undeclared."""
    declared = set(alphabet)
    symbols: list[tuple[str, list[str] | None]] = []
    for symbol in split_graphemes(text, _letters(alphabet)):
        if symbol in declared:
            symbols.append((symbol, [symbol]))
        elif symbol != " ":
            symbols.append((symbol, _parts(symbol, alphabet)))
    return symbols


@lru_cache(maxsize=4096)
def _parts(symbol: str, alphabet: tuple[str, ...]) -> list[str] | None:
    """Give the declared letter and marks that `symbol` is made of, also where Unicode has one character for them."""
    in_pieces = {unicodedata.normalize("NFD", declared): declared for declared in alphabet if declared}
    longest_first = sorted(in_pieces, key=lambda piece: (-len(piece), piece))
    decomposed = unicodedata.normalize("NFD", symbol)
    found = re.findall("|".join(map(re.escape, longest_first)), decomposed) if in_pieces else []
    if "".join(found) != decomposed:
        found = _parts_in_any_order(decomposed, longest_first)
    return [in_pieces[piece] for piece in found] if found else None


def _parts_in_any_order(decomposed: str, longest_first: Sequence[str]) -> list[str]:
    """Find the pieces of a symbol whose marks Unicode has put between a letter and its own: ệ is ê and a dot below.

    Each letter is the longest declared piece beside which only marks are left that are declared bare; [] where none is.
    """
    found: list[str] = []
    while decomposed:
        for piece in longest_first:
            rest = _take(piece, decomposed)
            behind = list(takewhile(marks().__contains__, rest)) if rest is not None else []
            if rest is not None and set(behind).issubset(longest_first):
                found += [piece, *behind]
                decomposed = rest[len(behind) :]
                break
        else:
            return []
    return found


def _take(piece: str, text: str) -> str | None:
    """Take a piece from the beginning of a text, over marks that Unicode lets change places; None if it isn't there."""
    passed: list[str] = []
    place = 0
    for character in piece:
        order = unicodedata.combining(character)
        while order and text[place : place + 1] not in ("", character):
            if unicodedata.combining(text[place]) in (0, order):
                return None
            passed.append(text[place])
            place += 1
        if text[place : place + 1] != character or (passed and not order):
            return None
        place += 1
    return "".join(passed) + text[place:]


@lru_cache(maxsize=64)
def _characters(alphabet: tuple[str, ...]) -> frozenset[str]:
    """Give the declared symbols of one character, and the space: a text of nothing else needs no closer look."""
    return frozenset({" ", *(symbol for symbol in alphabet if len(symbol) == 1)})


@lru_cache(maxsize=64)
def _letters(alphabet: tuple[str, ...]) -> tuple[str, ...]:
    """Give the declared symbols that text is cut into: all but the bare marks."""
    return tuple(dict.fromkeys(symbol for symbol in alphabet if symbol and symbol[0] not in marks()))
