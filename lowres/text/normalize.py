"""Text rules: named steps, in the order a recipe gives them, that turn a transcript as written into training text.

No step can take a combining mark or a tone letter away from its letter: they carry meaning, and error rates look
better without them (FEATURES.md C8 and C20), so a rule that would is refused when the recipe is read.
"""

import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from lowres.text.marks import marks, punctuation

UnicodeForm = Literal["nfc", "nfd", "nfkc"]
LowercaseLanguage = Literal["", "tr", "az"]

APOSTROPHES = "'\u2019\u2018\uff07"
# Zero-width space and no-break space, soft hyphen, word joiner, byte order mark and the direction controls. The joiners
# U+200C and U+200D stay: Persian and the scripts of India spell with them.
_INVISIBLE = re.compile("[\u00ad\u061c\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]")


@dataclass(frozen=True)
class NormalForm:
    """`"nfc"`, `"nfd"` or `"nfkc"`: the Unicode normalization form of that name."""

    form: UnicodeForm


@dataclass(frozen=True)
class Lowercase:
    """`"lowercase"` or `{ lowercase = "tr" }`: Turkish and Azerbaijani pair I with dotless ı, and İ with i."""

    language: LowercaseLanguage = ""


@dataclass(frozen=True)
class StripPunctuation:
    """`{ strip_punctuation = { keep = "-", join = "'" } }`.

    Characters of `keep` stay, characters of `join` vanish without a gap (`n'uwo` gives `nuwo`), and any other
    punctuation or symbol becomes a space, so that no two words are glued together. Punctuation that carries a combining
    mark stays as it is, for the alphabet check to show.
    """

    keep: str = ""
    join: str = APOSTROPHES


@dataclass(frozen=True)
class ReplaceStrings:
    """`{ map = { X = "Y" } }`: every X becomes Y in one pass, the longest X first; a Y is not looked at again."""

    pairs: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class DeleteStrings:
    """`{ delete = ["X", ...] }`: every X goes, the longest first, without leaving a gap."""

    strings: tuple[str, ...]


@dataclass(frozen=True)
class RemoveBetween:
    """`{ remove_between = ["[", "]"] }`: comments between two strings go, a space stays; nested pairs go whole.

    A pair that is never closed is left as written, for the alphabet check to show.
    """

    opening: str
    closing: str


@dataclass(frozen=True)
class RemoveInvisible:
    """`"remove_invisible"`: zero-width spaces, soft hyphens, byte order marks and direction controls go."""


@dataclass(frozen=True)
class CollapseSpaces:
    """`"collapse_spaces"`: any run of white space becomes one space, none at either end."""


Step = (
    NormalForm
    | Lowercase
    | StripPunctuation
    | ReplaceStrings
    | DeleteStrings
    | RemoveBetween
    | RemoveInvisible
    | CollapseSpaces
)
TextRules = tuple[Step, ...]

DEFAULT_RULES: TextRules = (NormalForm("nfc"), RemoveInvisible(), CollapseSpaces())


def normalize(text: str, rules: TextRules) -> str:
    """Apply `rules` to one transcript, in order."""
    return compile_rules(rules)(text)


@lru_cache(maxsize=64)
def compile_rules(rules: TextRules) -> Callable[[str], str]:
    """Turn `rules` into one function from a transcript to its training text, for use on whole tables.

    A form that a step named holds for all later ones too: small letters, or marks that find their letter again once
    something hidden has gone, could otherwise be spelled in two ways.
    """
    steps: list[Callable[[str], str]] = []
    form: UnicodeForm | None = None
    for step in rules:
        steps.append(_compile(step))
        if isinstance(step, NormalForm):
            # What nfkc replaces may have been put in on purpose since; only how letters are composed is mended.
            form = "nfd" if step.form == "nfd" else "nfc"
        elif form is not None and not isinstance(step, CollapseSpaces):
            steps.append(_to_form(form))

    def apply(text: str) -> str:
        for step in steps:
            text = step(text)
        return text

    return apply


def describe_rules(rules: TextRules) -> list[str]:
    """Say in one plain sentence per step what the rules do, for reports."""
    return [_describe(step) for step in rules]


def unicode_form(rules: TextRules) -> UnicodeForm | None:
    """Give the last Unicode form that the rules put the text in, or None where they name none."""
    forms = [step.form for step in rules if isinstance(step, NormalForm)]
    return forms[-1] if forms else None


def _compile(step: Step) -> Callable[[str], str]:
    match step:
        case NormalForm(form):
            return _to_form(form)
        case Lowercase(language):
            return _lowercase_turkic if language else str.lower
        case StripPunctuation(keep, join):
            return _strip_punctuation(keep, join)
        case ReplaceStrings(pairs):
            return _replace(dict(pairs))
        case DeleteStrings(strings):
            return _replace(dict.fromkeys(strings, ""))
        case RemoveBetween(opening, closing):
            return lambda text: _remove_between(text, opening, closing)
        case RemoveInvisible():
            return lambda text: _INVISIBLE.sub("", text)
        case CollapseSpaces():
            return lambda text: " ".join(text.split())


def _lowercase_turkic(text: str) -> str:
    return text.replace("I\u0307", "i").replace("İ", "i").replace("I", "ı").lower()


def _to_form(form: UnicodeForm) -> Callable[[str], str]:
    match form:
        case "nfc":
            return lambda text: unicodedata.normalize("NFC", text)
        case "nfd":
            return lambda text: unicodedata.normalize("NFD", text)
        case "nfkc":
            return lambda text: unicodedata.normalize("NFKC", text)


def _strip_punctuation(keep: str, join: str) -> Callable[[str], str]:
    replacements = {character: "" if character in join else " " for character in punctuation() - set(keep)}
    table = {ord(character): new for character, new in replacements.items()}
    stripped, stay_behind = frozenset(replacements), marks()

    def strip(text: str) -> str:
        if stripped.isdisjoint(text):
            return text
        if stay_behind.isdisjoint(text):
            return text.translate(table)
        followers = (*text[1:], " ")
        return "".join(
            character if follower in stay_behind else replacements.get(character, character)
            for character, follower in zip(text, followers, strict=True)
        )

    return strip


def _replace(pairs: dict[str, str]) -> Callable[[str], str]:
    pattern = re.compile("|".join(map(re.escape, sorted(pairs, key=lambda string: (-len(string), string)))))
    return lambda text: pattern.sub(lambda found: pairs[found.group()], text)


def _remove_between(text: str, opening: str, closing: str) -> str:
    kept: list[str] = []
    position = 0
    while (start := text.find(opening, position)) >= 0:
        end = _matching_end(text, start, opening, closing)
        if end < 0:
            break
        kept.append(text[position:start])
        position = end
    return " ".join([*kept, text[position:]])


def _matching_end(text: str, start: int, opening: str, closing: str) -> int:
    """Give the index after the closing string that pairs with the opening one at `start`, or -1."""
    depth, position = 1, start + len(opening)
    while depth:
        end = text.find(closing, position)
        if end < 0:
            return -1
        nested = text.find(opening, position, end) if opening != closing else -1
        depth, position = (depth + 1, nested + len(opening)) if nested >= 0 else (depth - 1, end + len(closing))
    return position


def _describe(step: Step) -> str:
    match step:
        case NormalForm(form):
            return f"Unicode normalization form {form.upper()}."
        case Lowercase(language):
            return "Lower case" + (f", with the letters I and İ as in '{language}'." if language else ".")
        case StripPunctuation(keep, join):
            kept = f", except {_spaced(keep)}, which stay" if keep else ""
            gone = f"; {_spaced(join)} go without a gap" if join else ""
            return f"Punctuation and symbols become spaces{kept}{gone}. Combining marks and tone letters stay."
        case ReplaceStrings(pairs):
            return "Replaced: " + ", ".join(f"{_visible(old)} by {_visible(new)}" for old, new in pairs) + "."
        case DeleteStrings(strings):
            return f"Deleted: {_spaced(strings)}."
        case RemoveBetween(opening, closing):
            return f"Whatever stands between {_visible(opening)} and {_visible(closing)} is removed."
        case RemoveInvisible():
            return "Zero-width spaces, soft hyphens, byte order marks and direction controls are removed."
        case CollapseSpaces():
            return "Runs of white space become one space."


def _spaced(strings: Sequence[str]) -> str:
    return " ".join(_visible(string) for string in strings)


def _visible(string: str) -> str:
    """Show what cannot be seen by its code points, so that a report never prints an empty pair of quotes."""
    shown = string.replace(" ", "\u2423")
    if not shown:
        return "nothing"
    seen_alone = shown.isprintable() and shown[0] not in marks()
    return shown if seen_alone else " ".join(f"U+{ord(c):04X}" for c in string)
