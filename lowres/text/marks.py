"""Which characters carry tone, nasality, length and the like, and must therefore survive every text rule."""

import re
import unicodedata
from collections.abc import Collection, Iterator
from functools import cache
from itertools import chain, groupby

# Tone letters that Unicode calls "modifier symbols" although they write tone, not punctuation.
_TONE_LETTERS = frozenset(chr(c) for c in (*range(0x02E5, 0x02EC), *range(0xA700, 0xA722)))
# Arrows of the IPA: downstep, upstep, global rise, global fall.
_TONE_ARROWS = frozenset("\u2191\u2193\u2197\u2198")
# A double mark (tie bar, double tilde ...) joins the letters on its two sides; Unicode gives it class 233 or 234.
_DOUBLE_MARK_CLASSES = (233, 234)
JOINERS = frozenset("\u200c\u200d")
"""They cannot be seen and are orthography all the same: Persian and the scripts of India spell with them."""


def is_mark(character: str) -> bool:
    """Tell whether one code point is a combining mark (category M) or a tone letter such as U+02E5."""
    return unicodedata.category(character).startswith("M") or character in _TONE_LETTERS


def is_punctuation(character: str) -> bool:
    """Tell whether one code point is punctuation or a symbol that writes neither tone nor an accent.

    Categories P, Sm, Sc and So. Modifier symbols (Sk) are left out because spacing accents and tone letters are among
    them, and so are the arrows that the IPA uses for tone.
    """
    category = unicodedata.category(character)
    return (category.startswith("P") or category in ("Sm", "Sc", "So")) and character not in _TONE_ARROWS


def count_marks(text: str) -> int:
    """Count the marks of `text` once its letters are taken apart (NFD), so that an accented letter has its accent."""
    return sum(is_mark(character) for character in unicodedata.normalize("NFD", text))


def without_marks(text: str) -> str:
    """Give the bare letters of `text`: only for comparing, never for changing a transcript."""
    return "".join(c for c in unicodedata.normalize("NFD", text) if not is_mark(c))


@cache
def marks() -> frozenset[str]:
    """Give every character that stays with the letter before it: category M and the joiners U+200C and U+200D."""
    return frozenset(c for c in _characters() if unicodedata.category(c).startswith("M") or c in JOINERS)


@cache
def punctuation() -> frozenset[str]:
    """Give every character for which `is_punctuation` holds."""
    return frozenset(filter(is_punctuation, _characters()))


@cache
def mark_class() -> str:
    """Give the inside of a regular expression class that matches `marks`."""
    return _ranges(marks())


@cache
def double_mark_class() -> str:
    """Give the inside of a regular expression class that matches tie bars and the other double marks."""
    return _ranges({c for c in marks() if unicodedata.combining(c) in _DOUBLE_MARK_CLASSES})


def _characters() -> Iterator[str]:
    """Give the characters of all planes that hold marks or symbols (planes 2 and 3 are Chinese characters only)."""
    return (chr(code_point) for code_point in chain(range(0x20000), range(0xE0000, 0xE0200)))


def _ranges(characters: Collection[str]) -> str:
    code_points = sorted(map(ord, characters))
    pieces: list[str] = []
    for _, run in groupby(enumerate(code_points), key=lambda pair: pair[1] - pair[0]):
        neighbours = [chr(code_point) for _, code_point in run]
        pieces.append(f"{re.escape(neighbours[0])}-{re.escape(neighbours[-1])}")
    return "".join(pieces)
