"""Letters and signs that look alike and are not the same: what a keyboard of another script leaves in a text.

The table is our own, made for what linguists type: Latin with its phonetic letters, Greek and Cyrillic. Accents are
taken apart first, so that Greek ί is found to look like Latin í without standing in the table.
"""

import unicodedata
from functools import cache

# Each group looks alike; a letter may stand in several.
_GROUPS = (
    # small letters
    *("aаαɑ", "bЬ", "cсϲ", "dԁ", "eе", "gɡ", "hһ", "iіι", "jјϳ", "kкκ", "nп", "oоοօ", "pрρ", "qԛ", "sѕ", "uυս"),
    *("vνѵ", "wԝѡ", "xх", "yуγ", "mм", "tт"),
    # letters of the phonetic alphabet and of African alphabets
    *(
        "ɛε",
        "ɔͻᴐ",
        "ŋηƞ",
        "əǝә",
        "ɣγ",
        "ɩι",
        "ɷωꞷ",
        "ʋυ",
        "ɸφф",
        "βßꞵ",
        "χꭓ",
        "θɵө",
        "ʒӡȝ",
        "ʔɂɁ",
        "ʃſ",
        "ʌᴧ",
        "ʊᴜ",
        "łƚ",
    ),
    # capitals
    *("AАΑ", "BВΒ", "CСϹ", "EЕΕ", "HНΗ", "IІΙӀ", "JЈ", "KКΚ", "MМΜ", "NΝ", "OОΟՕ", "PРΡ", "QԚ", "SЅ", "TТΤ", "UՍ"),
    *("VѴ", "WԜ", "XХΧ", "YΥҮ", "ZΖ", "ĐƉÐ", "ƆϽ", "ƏӘ", "ΩꞶ", "ΛɅ"),
    # letters that are typed as punctuation
    *("ʔ?", "ǃ!", "ǀ|", "ː:꞉", "ˈ'", "ʼ'’"),
)

APOSTROPHE_LIKE = "'\u2019\u2018\u02bc\u02bb\u02be\u02bf\u02b9\u2032`\u00b4\uff07\ua78c"
HYPHEN_LIKE = "-\u2010\u2011\u2212\u2013\uff0d"
SPELLED_ALIKE = {"apostrophes": APOSTROPHE_LIKE, "hyphens": HYPHEN_LIKE}
"""Signs that people take for one and the same inside words."""


def look_alikes(grapheme: str) -> tuple[str, ...]:
    """List the graphemes (in NFC) that look like this one: its letter changed, its marks kept; () where none does."""
    pieces = unicodedata.normalize("NFD", grapheme)
    return tuple(unicodedata.normalize("NFC", other + pieces[1:]) for other in _alike().get(pieces[:1], ()))


@cache
def _alike() -> dict[str, tuple[str, ...]]:
    found: dict[str, dict[str, None]] = {}
    for group in _GROUPS:
        for letter in group:
            found.setdefault(letter, {}).update(dict.fromkeys(other for other in group if other != letter))
    return {letter: tuple(others) for letter, others in found.items()}
