"""The script that a letter belongs to, as its Unicode name tells it; the standard library has no script property."""

import unicodedata
from functools import lru_cache

COMMON = "Common"
"""The script of whatever every script shares: digits, punctuation, modifier letters such as ʰ, symbols."""

INHERITED = "Inherited"
"""The script of combining marks, which take that of their letter."""

# Where a letter's name stops naming its script: LATIN | SMALL LETTER A, THAI | CHARACTER KO KAI, VAI | SYLLABLE EE.
_STOP_WORDS = """
ANJI CAPITAL CHARACTER CLAN CLUSTER-INITIAL CONSONANT DIGIT EPIGRAPHIC FINAL GLOTTAL HIEROGLYPH INDEPENDENT LETTER
LIGATURE LOGOGRAM LOW-FALLING MID-LEVEL MODIFIER MTAVRULI NUMERAL OM PREFIXED REPHA RISING SANDHI SEMIVOWEL SIGN SMALL
SUBJOINED SUBSCRIPT SUPERFIXED SUPERSCRIPT SYLLABICS SYLLABLE VOWEL VOWEL-CARRIER
"""
_STOPS = frozenset(_STOP_WORDS.split())
_WIDTHS = frozenset({"FULLWIDTH", "HALFWIDTH"})
# Letters by their category, symbols by their use: the micro sign, MATHEMATICAL BOLD CAPITAL A, ALEF SYMBOL.
_SYMBOL_WORDS = """
ALEF ANGSTROM BET BLACK-LETTER DALET DOUBLE DOUBLE-STRUCK EULER FEMININE GIMEL INFORMATION KELVIN MASCULINE MATHEMATICAL
MICRO MODIFIER OHM PALATALIZED PLANCK ROMAN ROTATED SCRIPT SPACING TURNED VERTICAL
"""
_NO_SCRIPTS = frozenset(_SYMBOL_WORDS.split())
# Scripts that one text mixes as a matter of course: Japanese is written in three of them.
_EAST_ASIAN = frozenset({"Han", "Hiragana", "Katakana", "Bopomofo", "Hangul"})
_IDEOGRAPHS = ("CJK", "IDEOGRAPHIC")
# Official letters of the International Phonetic Alphabet for which Unicode has no commonly used Latin twin.
IPA_GREEK = frozenset("βθχ")


@lru_cache(maxsize=65536)
def script_of(character: str) -> str:
    """Name the script of one code point.

    Returns:
        "Latin", "Greek", "Han" ...; `COMMON` for what is no letter or belongs to no script, `INHERITED` for marks.
    """
    category = unicodedata.category(character)
    if category.startswith("M"):
        return INHERITED
    if not category.startswith("L") or category == "Lm":
        return COMMON
    words = [word for word in unicodedata.name(character, "").split() if word not in _WIDTHS]
    if not words or words[0] in _NO_SCRIPTS:
        return COMMON
    if words[0].partition("-")[0] in _IDEOGRAPHS:
        return "Han"
    stop = next((place for place, word in enumerate(words) if word in _STOPS), 1)
    return " ".join(words[: max(1, stop)]).title()


def writing_system(script: str) -> str:
    """Give the scripts that one orthography mixes as a matter of course one name: Han, Hiragana, Hangul and so on."""
    return "East Asian" if script in _EAST_ASIAN else script


def is_ipa(letters: set[str]) -> bool:
    """Tell whether these letters look like phonetic transcription: at least four of Unicode's block IPA Extensions."""
    return sum("\u0250" <= letter <= "\u02af" for letter in letters) >= 4


def character_name(text: str) -> str:
    """Name every code point of a grapheme as Unicode does, joined by " + "; of more than six the first six."""
    names = [unicodedata.name(character, f"U+{ord(character):04X}") for character in text[:6]]
    return " + ".join(names) + (f" and {len(text) - 6:,} more" if len(text) > 6 else "")
