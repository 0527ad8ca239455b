"""Letters without their diacritics and tone marks: to say what kind of error one is, never to change a score."""

import unicodedata

_VIRAMA_CLASS = 9
# Tone written as letters of its own: Chao tone letters, the bars of both sides, up- and downstep, raised digits.
_TONE_LETTERS = frozenset(
    [chr(code) for code in (*range(0x02E5, 0x02EA), *range(0xA700, 0xA722))] + list("\u00b9\u00b2\u00b3⁰⁴⁵⁶⁷⁸⁹")
)


def is_mark(character: str) -> bool:
    """Whether one code point is a diacritic or a tone mark.

    Combining marks are those with a combining class, so that vowel signs of Indic scripts, which have none, count as
    letters; the virama, which takes a vowel away, counts as one too.
    """
    return unicodedata.combining(character) not in (0, _VIRAMA_CLASS) or character in _TONE_LETTERS


def remove_marks(text: str) -> str:
    """Return `text` decomposed (NFD) without combining marks and tone letters, recomposed (NFC)."""
    decomposed = unicodedata.normalize("NFD", text)
    return unicodedata.normalize("NFC", "".join(c for c in decomposed if not is_mark(c)))


def differ_only_in_marks(first: str, second: str) -> bool:
    """Whether two different words or letters are the same once diacritics and tone marks are set aside."""
    return first != second and remove_marks(first) == remove_marks(second)
