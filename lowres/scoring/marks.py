"""Letters without their tone marks, their length or their diacritics: to say what an error is, never to change a score.

What a mark writes depends on the language, and nothing here knows the language. The usual use decides: accents are tone
(they may be stress, as in Spanish), and so is the macron, which is mid tone in most orthographies that write tone and
in the IPA, though Maori and Latin write length with it. Tilde, dots, hooks and rings make other letters. Length is a
sign of its own (U+02D0), a doubled letter, or a long vowel sign.
"""

import re
import unicodedata
from functools import lru_cache

_VIRAMA_CLASS = 9
# Tone written as letters of its own: Chao tone letters, the bars of both sides, up- and downstep, raised digits.
_TONE_LETTERS = frozenset(
    [chr(code) for code in (*range(0x02E5, 0x02EA), *range(0xA700, 0xA722))] + list("\u00b9\u00b2\u00b3⁰⁴⁵⁶⁷⁸⁹")
)
# Grave, acute, circumflex, macron, caron, double acute, double grave, vertical line and the contours built of them; the
# Vedic accents; the tone signs of Thai and Lao. Others have the word TONE in their name, such as those of N'Ko.
_TONE_MARKS = frozenset(
    chr(code)
    for code in (
        *(0x0300, 0x0301, 0x0302, 0x0304, 0x030C, 0x030B, 0x030F, 0x030D, 0x0951, 0x0952),
        *(0x0340, 0x0341),
        *range(0x1DC4, 0x1DCA),
        *range(0x0E48, 0x0E4C),
        *range(0x0EC8, 0x0ECC),
    )
)
# Arrows of the IPA: downstep, upstep, global rise, global fall.
_TONE_ARROWS = frozenset("\u2193\u2191\u2197\u2198")
# Nasality in the scripts of India; they have no combining class, unlike other diacritics.
_CANDRABINDU = frozenset("\u0900\u0901\u0981\u0a01\u0a81\u0b01\u0c00\u0c81\u0d01")
# Long, half long, both colons; the Arabic shadda, which doubles a consonant; the long vowel sign of Japanese.
_LENGTH_SIGNS = frozenset("\u02d0\u02d1\ua789:\u0651\u30fc")
# Nine scripts of India have their letters at the same places of their blocks, long vowels beside short ones; four of
# them tell short e and o from long ones as well.
_INDIC_BLOCKS = range(0x0900, 0x0D80, 0x80)
_DRAVIDIAN_BLOCKS = (0x0B80, 0x0C00, 0x0C80, 0x0D00)
_LONG_SIGN_OF_A = 0x3E
_SHORT = (
    {
        chr(block + long): chr(block + long - 1)
        for block in _INDIC_BLOCKS
        for long in (0x06, 0x08, 0x0A, 0x40, 0x42, 0x44)
    }
    | {chr(block + long): chr(block + long - 1) for block in _DRAVIDIAN_BLOCKS for long in (0x0F, 0x13, 0x47, 0x4B)}
    | {chr(block + _LONG_SIGN_OF_A): "" for block in _INDIC_BLOCKS}
)


def is_mark(character: str) -> bool:
    """Whether one code point is a diacritic or a tone mark.

    Combining marks are those with a combining class, so that vowel signs of Indic scripts, which have none, count as
    letters; the virama, which takes a vowel away, counts as one too. The candrabindu, which makes it nasal, is a mark.
    """
    return (
        unicodedata.combining(character) not in (0, _VIRAMA_CLASS)
        or character in _TONE_LETTERS
        or character in _CANDRABINDU
    )


@lru_cache(maxsize=4096)
def is_tone(character: str) -> bool:
    """Whether one code point usually writes tone: an accent, a tone letter, a raised digit, an arrow of the IPA."""
    if character in _TONE_MARKS or character in _TONE_LETTERS or character in _TONE_ARROWS:
        return True
    return is_mark(character) and "TONE" in re.split(r"[ -]", unicodedata.name(character, ""))


def remove_marks(text: str) -> str:
    """Return `text` decomposed (NFD) without combining marks and tone letters, recomposed (NFC)."""
    decomposed = unicodedata.normalize("NFD", text)
    return unicodedata.normalize("NFC", "".join(c for c in decomposed if not is_mark(c)))


def remove_tone(text: str) -> str:
    """Return `text` decomposed (NFD) without whatever writes tone."""
    return "".join(c for c in unicodedata.normalize("NFD", text) if not is_tone(c))


def remove_length(text: str) -> str:
    """Return `text` decomposed (NFD) with all sounds short.

    Length signs go, a long vowel sign becomes the short one, and a letter repeated at once is one letter. Of the two
    one may lack marks, as in "áa" or "aá", where the tone stands on one half of the long vowel: both become "á", but
    "áà" has two tones and stays.
    """
    # The vowel sign o of some scripts decomposes into e and a long a: composed, it is a sign of its own.
    short = "".join(_SHORT.get(c, c) for c in unicodedata.normalize("NFC", text) if c not in _LENGTH_SIGNS)
    letters: list[tuple[str, str]] = []
    for character in unicodedata.normalize("NFD", short):
        if letters and (is_mark(character) or unicodedata.combining(character) == _VIRAMA_CLASS):
            letters[-1] = (letters[-1][0], letters[-1][1] + character)
        else:
            _merge_last(letters)
            letters.append((character, ""))
    _merge_last(letters)
    return "".join(letter + marks for letter, marks in letters)


def differ_only_in_marks(first: str, second: str) -> bool:
    """Whether two different words or letters are the same once diacritics and tone marks are set aside."""
    return first != second and remove_marks(first) == remove_marks(second)


def differ_only_in_tone(first: str, second: str) -> bool:
    """Whether two words are told apart by tone marks and by nothing else; not where they look the same (NFD)."""
    return not _look_the_same(first, second) and remove_tone(first) == remove_tone(second)


def differ_only_in_length(first: str, second: str) -> bool:
    """Whether two words are told apart by the length of sounds and by nothing else."""
    return not _look_the_same(first, second) and remove_length(first) == remove_length(second)


def _look_the_same(first: str, second: str) -> bool:
    return unicodedata.normalize("NFD", first) == unicodedata.normalize("NFD", second)


def _merge_last(letters: list[tuple[str, str]]) -> None:
    """Make one letter of the last two where they are one sound written twice, with a virama between them in India."""
    if len(letters) < 2 or letters[-1][0] != letters[-2][0]:
        return
    marks = "".join(c for c in letters[-2][1] if unicodedata.combining(c) != _VIRAMA_CLASS)
    if not marks or not letters[-1][1] or marks == letters[-1][1]:
        letters[-2:] = [(letters[-1][0], marks or letters[-1][1])]
