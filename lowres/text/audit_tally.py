"""The transcripts of an audit, cut into words and graphemes once, and the counting that all its parts share."""

import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain

from lowres.text.audit_findings import MOST_EXAMPLES, Example, Finding, FindingKind, FoundItem
from lowres.text.graphemes import split_graphemes
from lowres.text.hidden import number_hidden
from lowres.text.marks import is_mark
from lowres.text.normalize import Lowercase, compile_rules

MOST_ITEMS = 40
_LONGEST_EXAMPLE = 60
_AROUND = 24
# So far into a word an example is looked for: the time must not grow with its length times its letters.
_SEARCHED = 2000
# Dotless ı is a letter of the orthography, and not of a name or two, from this share of i on.
_TURKIC_SHARE = 0.05
_lower_turkic = compile_rules((Lowercase("tr"),))


@dataclass
class Use:
    """How often something occurs, in how many utterances, and where."""

    count: int = 0
    num_utterances: int = 0
    examples: list[Example] = field(default_factory=list)


@dataclass(frozen=True)
class Word:
    """One distinct word: how often it occurs, in which utterance first, its graphemes as written and in NFC."""

    count: int
    first: int
    pieces: tuple[str, ...]
    graphemes: tuple[str, ...]


@dataclass(frozen=True)
class Tally:
    """Transcripts in words.

    Attributes:
        texts: (utterance id, text as written), N.
        words: of each utterance, N times; every distinct word is one object.
        distinct: every distinct word in order of first use.
        letters: letter (lower case, NFC, with marks) to how often it occurs.
        turkic: whether I is the capital of ı, and İ that of i: both İ and ı are in use.
    """

    texts: Sequence[tuple[str, str]]
    words: Sequence[tuple[str, ...]]
    distinct: Mapping[str, Word]
    letters: Mapping[str, int]
    turkic: bool

    def lower(self, text: str) -> str:
        """Put `text` into the small letters of this orthography."""
        return _lower_turkic(text) if self.turkic else text.lower()


KeysOf = Callable[[str, Word], Iterable[str]]
"""What to count in a word: one key for each time that something occurs in it."""


def make_tally(texts: Sequence[tuple[str, str]], multigraphs: Sequence[str] = ()) -> Tally:
    """Cut transcripts into words at white space and words into graphemes.

    Args:
        texts: (utterance id, text) pairs.
        multigraphs: declared letters of several characters; their capitals are known too.
    """
    forms = dict.fromkeys(form for declared in multigraphs for form in _cases(declared))
    words, first = _cut_words(texts)
    counts = Counter(chain.from_iterable(words))
    distinct = {}
    as_written: Counter[str] = Counter()
    for word, count in counts.items():
        pieces = tuple(split_graphemes(word, tuple(forms)))
        graphemes = tuple(unicodedata.normalize("NFC", piece) for piece in pieces)
        distinct[word] = Word(count, first[word], pieces, graphemes)
        for grapheme in graphemes:
            if is_letter(grapheme):
                as_written[grapheme] += count
    turkic = as_written["\u0130"] > 0 and as_written["\u0131"] >= _TURKIC_SHARE * as_written["i"]
    letters: Counter[str] = Counter()
    tally = Tally(texts, words, distinct, letters, turkic)
    for grapheme, count in as_written.items():
        letters[tally.lower(grapheme)] += count
    return tally


def _cut_words(texts: Sequence[tuple[str, str]]) -> tuple[list[tuple[str, ...]], dict[str, int]]:
    """Cut texts at white space, each distinct word one object; the dict says in which text, from 0, it is first."""
    known: dict[str, str] = {}
    first: dict[str, int] = {}
    words = []
    for number, (_, text) in enumerate(texts):
        line = text.split()
        words.append(tuple(map(known.setdefault, line, line)))
        if len(known) > len(first):
            for word in words[-1]:
                first.setdefault(word, number)
    return words, first


def collect(tally: Tally, keys_of: KeysOf) -> dict[str, Use]:
    """Count what `keys_of` finds in every word, most frequent first; in time linear in the text."""
    in_word: dict[str, frozenset[str]] = {}
    uses: dict[str, Use] = {}
    for word, found in tally.distinct.items():
        keys = Counter(keys_of(word, found))
        in_word[word] = frozenset(keys)
        for key, times in keys.items():
            use = uses.setdefault(key, Use())
            use.count += times * found.count
            if len(use.examples) < MOST_EXAMPLES:
                use.examples.append(Example(clip_around(word, key), tally.texts[found.first][0]))
    if uses:
        for words in tally.words:
            for key in frozenset().union(*map(in_word.__getitem__, words)):
                uses[key].num_utterances += 1
    return dict(sorted(uses.items(), key=lambda entry: -entry[1].count))


def utterances_with(tally: Tally, keys_of: KeysOf) -> int:
    """Count the utterances in which `keys_of` finds anything."""
    holding = {word for word, use in tally.distinct.items() if any(True for _ in keys_of(word, use))}
    return sum(not holding.isdisjoint(words) for words in tally.words) if holding else 0


def make_items(
    uses: Mapping[str, Use], remark: Callable[[str, Use], str] = lambda _key, _use: ""
) -> tuple[FoundItem, ...]:
    """Make the items of a finding of the first `MOST_ITEMS` of `uses`."""
    return tuple(
        FoundItem(key, use.count, use.num_utterances, remark(key, use), tuple(use.examples))
        for key, use in list(uses.items())[:MOST_ITEMS]
    )


def make_finding(
    kind: FindingKind, sentence: str, items: tuple[FoundItem, ...], num_utterances: int, num_items: int | None = None
) -> Finding:
    """Make a finding; `num_items` is the number of `items` where nobody knows better."""
    return Finding(kind, sentence, num_utterances, len(items) if num_items is None else num_items, items)


def clip_around(word: str, piece: str) -> str:
    """Give a word as an example: of one longer than 60 characters, what stands around `piece`."""
    if len(word) <= _LONGEST_EXAMPLE:
        return word
    place = max(0, word.find(piece[:_LONGEST_EXAMPLE], 0, _SEARCHED))
    start, end = max(0, place - _AROUND), place + _AROUND + min(len(piece), 8)
    return ("…" if start else "") + word[start:end] + ("…" if end < len(word) else "")


def is_letter(grapheme: str) -> bool:
    """Tell whether a grapheme is a letter (not a lone modifier letter), with or without marks."""
    category = unicodedata.category(grapheme[0])
    return category.startswith("L") and category != "Lm"


def is_capital(grapheme: str) -> bool:
    """Tell whether a grapheme begins with a capital that has a small letter.

    Cherokee is written in what Unicode calls capitals throughout: they are none.
    """
    if "\u13a0" <= grapheme[0] <= "\u13f5":
        return False
    return unicodedata.category(grapheme[0]) in ("Lu", "Lt") and grapheme[0].lower() != grapheme[0]


def core(word: str) -> str:
    """Give a word without what stands before its first and after its last letter or digit, marks kept."""
    start, end = 0, len(word)
    while start < end and unicodedata.category(word[start])[0] not in "LN":
        start += 1
    while end > start and unicodedata.category(word[end - 1])[0] not in "LN" and not is_mark(word[end - 1]):
        end -= 1
    return word[start:end]


def listed(names: Sequence[str], most: int = 8) -> str:
    """Join names for a sentence: the first few, and how many more there are."""
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return ", ".join(map(shown, names[:most])) + more


def shown(text: str) -> str:
    """Give a letter or word as it can stand in a sentence: a lone mark on a circle, hidden ones numbered."""
    if text and is_mark(text[0]):
        text = f"\u25cc{text}"
    return number_hidden(text[:_LONGEST_EXAMPLE])


def counted(number: int, noun: str) -> str:
    """Say "1 word" or "2,000 words"."""
    return f"{number:,} {noun}" + ("" if number == 1 else "s")


def _cases(declared: str) -> tuple[str, ...]:
    return declared, declared.capitalize(), declared.upper()
