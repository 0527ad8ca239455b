"""What an audit says of the orthography as it is: its graphemes, its marks, its punctuation, candidate multigraphs."""

import math
import unicodedata
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from lowres.text.audit_findings import Finding, FoundItem, GraphemeUse, MarkUse
from lowres.text.audit_tally import (
    Tally,
    Word,
    collect,
    counted,
    is_letter,
    listed,
    make_finding,
    make_items,
    utterances_with,
)
from lowres.text.mark_names import describe_mark, is_sign, writes_tone
from lowres.text.marks import is_punctuation
from lowres.text.scripts import character_name, script_of

_FEWEST_PAIRS = 10
_LEAST_BITS = 2.0
_HARDLY_WITHOUT = 0.85
# A sign belongs to the spelling where it stands inside words, or before them without closing them, this often.
_SPELLING_SHARE = 0.6
_SPELLING_UTTERANCES = 0.01
# Brackets, quotation marks and dashes part words or hold them; they spell nothing.
_NEVER_SPELL = ("Ps", "Pe", "Pi", "Pf")
_PARTING_NAMES = frozenset(
    ["COMMA", "DANDA", "ELLIPSIS", "INVERTED", "PERIOD", "SEMICOLON", "SEPARATOR", "STOP", "TSHEG", "WORDSPACE"]
)
_NEVER_SPELLING = '"\u201e\u2013\u2014\u2015'
# A pair of a vowel and a consonant is a syllable; the letters of a multigraph are of one kind.
_VOWELS = frozenset("aeiouyɑɒɐæəɘɛɜɞɤɨɪɔœøɵʉʊʌɯʏɩıɷωεαιουеиоуыэяюё")


@dataclass(frozen=True)
class SignPlaces:
    """Where in words one punctuation sign stands, counted.

    Attributes:
        before: before the first letter or digit of a word, and `behind`: behind the last one.
        joining: between two letters, and `inside`: elsewhere inside a word, such as between digits.
        apart: in words without letters and digits.
    """

    before: int = 0
    joining: int = 0
    inside: int = 0
    behind: int = 0
    apart: int = 0

    @property
    def total(self) -> int:
        """How often the sign occurs."""
        return self.before + self.joining + self.inside + self.behind + self.apart

    def spells(self) -> bool:
        """Tell whether the sign may be part of the spelling: mostly between letters, or before them and not behind."""
        return self.joining + max(0, self.before - self.behind) >= _SPELLING_SHARE * self.total


def grapheme_uses(tally: Tally) -> tuple[GraphemeUse, ...]:
    """List every grapheme in NFC, most frequent first."""
    uses = collect(tally, lambda _word, use: use.graphemes)
    return tuple(
        GraphemeUse(key, use.count, use.num_utterances, character_name(key), script_of(key[0]), tuple(use.examples))
        for key, use in uses.items()
    )


def mark_uses(tally: Tally) -> tuple[MarkUse, ...]:
    """List every combining mark, tone letter and modifier letter, most frequent first."""
    uses = collect(tally, lambda word, _use: filter(is_sign, unicodedata.normalize("NFD", word)))
    return tuple(
        MarkUse(key, use.count, use.num_utterances, describe_mark(key), writes_tone(key), tuple(use.examples))
        for key, use in uses.items()
    )


def sign_places(tally: Tally) -> dict[str, SignPlaces]:
    """Count where in words each punctuation sign stands."""
    places: dict[str, Counter[str]] = {}
    for use in tally.distinct.values():
        for sign, place in _places(use):
            places.setdefault(sign, Counter())[place] += use.count
    return {sign: SignPlaces(**counts) for sign, counts in places.items()}


def spelling_signs(tally: Tally) -> list[str]:
    """List the punctuation signs that may be part of the spelling, and that people would miss if they went."""
    places = sign_places(tally)
    candidates = {sign for sign, where in places.items() if where.spells() and not _never_spells(sign)}
    uses = collect(tally, lambda _word, use: (g[0] for g in use.graphemes if g[0] in candidates))
    enough = max(2, _SPELLING_UTTERANCES * len(tally.texts))
    return [sign for sign, use in uses.items() if use.num_utterances >= enough]


def find_punctuation(tally: Tally) -> Finding | None:
    """Describe the habit of punctuation: which signs there are, and where in words they stand."""

    def keys(_word: str, use: Word) -> Iterator[str]:
        return (g[0] for g in use.graphemes if is_punctuation(g[0]))

    uses = collect(tally, keys)
    if not uses:
        return None
    places = sign_places(tally)
    spelling = spelling_signs(tally)
    num_utterances = utterances_with(tally, keys)
    closing = sum(bool(words) and is_punctuation(words[-1][-1]) for words in tally.words)
    ends = f"{closing:,} end with one" if closing else "none ends with one"
    part = f" {' '.join(spelling)} may be part of the spelling." if spelling else ""
    sentence = (
        f"{counted(len(uses), 'sign')} of punctuation in {num_utterances:,} of {len(tally.texts):,} utterances: "
        f"{listed(list(uses), 12)}; {ends}.{part}"
    )
    items = make_items(uses, lambda key, _use: _describe_places(key, places[key]))
    return make_finding("punctuation", sentence, items, num_utterances, len(uses))


def find_multigraphs(tally: Tally) -> Finding | None:
    """Find pairs of letters that may be one: together far more often than chance, one hardly without the other.

    Counted over distinct words, so that one frequent word proves nothing. Pairs inside a declared or tied letter are
    one grapheme already and are not looked at.
    """
    letters: Counter[str] = Counter()
    pairs: Counter[tuple[str, str]] = Counter()
    for use in tally.distinct.values():
        small = [grapheme.lower() for grapheme in use.graphemes]
        letters.update(filter(_may_join, small))
        pairs.update(pair for pair in pairwise(small) if all(map(_may_join, pair)))
    total = sum(letters.values())
    found = {first + second: remark for first, second, remark in _joined(letters, pairs, total)}
    if not found:
        return None

    def keys(_word: str, use: Word) -> Iterator[str]:
        small = [grapheme.lower() for grapheme in use.graphemes]
        return (a + b for a, b in pairwise(small) if a + b in found)

    uses = collect(tally, keys)
    items: tuple[FoundItem, ...] = make_items(uses, lambda key, _use: found[key])
    sentence = (
        f"Candidates for letters of several characters, by their numbers alone: {listed(list(uses), 12)}. Declare in "
        "`graphemes` those that are one letter."
    )
    return make_finding("multigraphs", sentence, items, utterances_with(tally, keys), len(uses))


def _joined(letters: Counter[str], pairs: Counter[tuple[str, str]], total: int) -> Iterator[tuple[str, str, str]]:
    for (first, second), count in pairs.items():
        if count < _FEWEST_PAIRS or first == second:
            continue
        if not is_sign(second[0]) and not _same_kind(first, second):
            continue
        bits = math.log2(count * total / (letters[first] * letters[second]))
        if is_sign(second[0]):
            yield first, second, f"a letter and a modifier letter, in {count:,} different words"
        elif bits >= _LEAST_BITS and count >= _HARDLY_WITHOUT * letters[first]:
            yield first, second, f"{count / letters[first]:.0%} of {first} stand before {second} ({bits:.1f} bits)"
        elif bits >= _LEAST_BITS and count >= _HARDLY_WITHOUT * letters[second]:
            yield first, second, f"{count / letters[second]:.0%} of {second} stand behind {first} ({bits:.1f} bits)"


def _same_kind(first: str, second: str) -> bool:
    def vowel(letter: str) -> bool:
        return unicodedata.normalize("NFD", letter)[0] in _VOWELS

    return vowel(first) == vowel(second)


def _never_spells(sign: str) -> bool:
    # ’ closes quotations by its category, and is an apostrophe as often.
    parts = sign in _NEVER_SPELLING or not _PARTING_NAMES.isdisjoint(unicodedata.name(sign, "").split())
    return sign != "\u2019" and (parts or unicodedata.category(sign) in _NEVER_SPELL)


def _may_join(grapheme: str) -> bool:
    return is_letter(grapheme) or unicodedata.category(grapheme[0]) == "Lm"


def _places(use: Word) -> Iterator[tuple[str, str]]:
    graphemes = use.graphemes
    solid = [place for place, grapheme in enumerate(graphemes) if not is_punctuation(grapheme[0])]
    for place, grapheme in enumerate(graphemes):
        if not is_punctuation(grapheme[0]):
            continue
        if not solid:
            yield grapheme[0], "apart"
        elif place < solid[0]:
            yield grapheme[0], "before"
        elif place > solid[-1]:
            yield grapheme[0], "behind"
        else:
            letters = is_letter(graphemes[place - 1]) and is_letter(graphemes[place + 1])
            yield grapheme[0], "joining" if letters else "inside"


def _describe_places(sign: str, where: SignPlaces) -> str:
    told = [
        f"{count:,} {place}"
        for count, place in (
            (where.before, "before a word"),
            (where.joining, "between letters"),
            (where.inside, "elsewhere inside"),
            (where.behind, "behind"),
            (where.apart, "by itself"),
        )
        if count
    ]
    return f"{character_name(sign)}: {', '.join(told)}"
