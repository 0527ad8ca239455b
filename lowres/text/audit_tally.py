"""The transcripts of an audit, cut into words and graphemes once, and the counting that all its parts share."""

import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from lowres.text.audit_findings import MOST_EXAMPLES, Example, Finding, FindingKind, FoundItem
from lowres.text.graphemes import split_graphemes
from lowres.text.hidden import number_hidden
from lowres.text.marks import is_mark

MOST_ITEMS = 40
_LONGEST_EXAMPLE = 60
_AROUND = 24
# So far into a word an example is looked for: the time must not grow with its length times its letters.
_SEARCHED = 2000


@dataclass
class Use:
    """How often something occurs, in how many utterances, and where."""

    count: int = 0
    num_utterances: int = 0
    examples: list[Example] = field(default_factory=list)
    words: set[str] = field(default_factory=set)


@dataclass(frozen=True)
class Word:
    """One distinct word: how often it occurs, its graphemes as written, and the same in NFC."""

    count: int
    pieces: tuple[str, ...]
    graphemes: tuple[str, ...]


@dataclass(frozen=True)
class Tally:
    """Transcripts in words.

    Attributes:
        texts: (utterance id, text as written), N.
        words: of each utterance, N lists.
        distinct: every distinct word in order of first use.
        letters: letter (lower case, NFC, with marks) to how often it occurs.
    """

    texts: Sequence[tuple[str, str]]
    words: Sequence[list[str]]
    distinct: Mapping[str, Word]
    letters: Mapping[str, int]


KeysOf = Callable[[str, Word], Iterable[str]]
"""What to count in a word: one key for each time that something occurs in it."""


def make_tally(texts: Sequence[tuple[str, str]], multigraphs: Sequence[str] = ()) -> Tally:
    """Cut transcripts into words at white space and words into graphemes.

    Args:
        texts: (utterance id, text) pairs.
        multigraphs: declared letters of several characters; their capitals are known too.
    """
    forms = dict.fromkeys(form for declared in multigraphs for form in _cases(declared))
    words = [text.split() for _, text in texts]
    counted = Counter(word for line in words for word in line)
    distinct = {}
    letters: Counter[str] = Counter()
    for word, count in counted.items():
        pieces = tuple(split_graphemes(word, tuple(forms)))
        graphemes = tuple(unicodedata.normalize("NFC", piece) for piece in pieces)
        distinct[word] = Word(count, pieces, graphemes)
        for grapheme in graphemes:
            if is_letter(grapheme):
                letters[grapheme.lower()] += count
    return Tally(texts, words, distinct, letters)


def collect(tally: Tally, keys_of: KeysOf) -> dict[str, Use]:
    """Count what `keys_of` finds in every word, most frequent first; in time linear in the text."""
    in_word = {word: keys for word, use in tally.distinct.items() if (keys := Counter(keys_of(word, use)))}
    uses: dict[str, Use] = {}
    for (utterance_id, _), words in zip(tally.texts, tally.words, strict=True):
        seen: set[str] = set()
        for word in words:
            for key, times in in_word.get(word, {}).items():
                use = uses.setdefault(key, Use())
                use.count += times
                if key not in seen:
                    seen.add(key)
                    use.num_utterances += 1
                if len(use.examples) < MOST_EXAMPLES and word not in use.words:
                    use.words.add(word)
                    use.examples.append(Example(clip_around(word, key), utterance_id))
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
    """Tell whether a grapheme begins with a capital that has a small letter."""
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
