"""What an audit finds word by word: marks now written and now not, digits, abbreviations, capitals, odd words."""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator
from functools import lru_cache

from lowres.text.audit_findings import Finding
from lowres.text.audit_tally import (
    Tally,
    Use,
    Word,
    collect,
    core,
    counted,
    is_capital,
    is_letter,
    listed,
    make_finding,
    make_items,
    utterances_with,
)
from lowres.text.look_alikes import look_alikes
from lowres.text.mark_names import is_sign
from lowres.text.marks import count_marks, without_marks

# A bare and a marked spelling matter where the rarer of the two occurs this often and has this share of their uses.
_FEWEST_SPELLED = 2
_LEAST_SHARE = 0.05
# Words of a letter are few below this share of all distinct words.
_RARE_LETTER_SHARE = 0.012
_FEWEST_WORDS = 200
_CAPITALS_ARE_HABIT = 0.5
_INNER_CAPITALS_SPELL = 0.1
_DOTTED = re.compile(r"(?:[^\W\d_]\.){2,}|(?:[^\W\d_]\.)+[^\W\d_]+\.?")


def find_bare_and_marked(tally: Tally) -> Finding | None:
    """Find words written both without any mark and with some; both spellings must be frequent enough to matter.

    Numbers cannot tell one word with marks left out (Yoruba ni for ní) from two words (Mboshi ya and yá): the finding
    says so.
    """
    spellings = _spellings(tally)
    groups = {bare: counts for bare, counts in spellings.items() if _both_matter(bare, counts)}
    if not groups:
        return None

    def keys(word: str, _use: Word) -> list[str]:
        bare = _bare(tally.lower(core(word)))
        return [bare] if bare in groups else []

    def remark(bare: str, _use: Use) -> str:
        by_count = sorted(groups[bare].items(), key=lambda entry: (-entry[1], entry[0]))
        return ", ".join(f"{spelling} {count:,}" for spelling, count in by_count[:5])

    uses = collect(tally, keys)
    first = sorted(uses, key=lambda bare: (-_rarer(bare, groups[bare]), -uses[bare].count, bare))
    items = make_items({bare: uses[bare] for bare in first}, remark)
    num_utterances = utterances_with(tally, keys)
    words = sum(use.count for use in uses.values())
    of_all = sum(sum(counts.values()) for counts in spellings.values())
    sentence = (
        f"Written both with marks (tones, dots) and without any: {counted(len(uses), 'word')}, {words:,} of "
        f"the {of_all:,} in the text ({words / of_all:.0%}), in {counted(num_utterances, 'utterance')}. Either marks "
        "are left out at will, or these are different words: whoever speaks the language can tell."
    )
    return make_finding("bare-and-marked", sentence, items, num_utterances, len(uses))


def find_digits(tally: Tally) -> Finding | None:
    """Find words with digits: how they were read aloud is written nowhere."""
    uses = collect(tally, lambda word, _use: [core(word)] if any(map(_is_digit, word)) else [])
    if not uses:
        return None
    num_utterances = utterances_with(tally, lambda word, _use: filter(_is_digit, word))
    behind = {key for key in uses if re.search(r"[^\W\d_]\d", key)}
    tones = sum(uses[key].count for key in behind) > 0.2 * sum(use.count for use in tally.distinct.values())
    told = (
        "They stand behind letters throughout and may write tone: then keep them."
        if tones
        else "How they were read aloud is not written: write them as words, or leave these utterances out."
    )
    total = sum(use.count for use in uses.values())
    sentence = (
        f"Digits in {counted(total, 'word')} ({len(uses):,} different), in {num_utterances:,} of {len(tally.texts):,} "
        f"utterances. {told}"
    )
    items = make_items(uses, lambda key, _use: "a number" if key.isdecimal() else "digits with letters or signs")
    return make_finding("digits", sentence, items, num_utterances, len(uses))


def find_abbreviations(tally: Tally) -> Finding | None:
    """Find words that may be abbreviations: in capitals throughout, or with full stops inside."""

    cased: Counter[str] = Counter()
    for word, use in tally.distinct.items():
        inner = core(word)
        cased[inner if inner.isupper() else inner.lower()] += use.count

    def keys(word: str, _use: Word) -> list[str]:
        inner = core(word)
        in_capitals = 2 <= len(inner) <= 6 and inner.isupper() and inner.isalpha() and any(map(is_capital, inner))
        is_emphasis = cased[inner.lower()] >= cased[inner]  # a usual word, for once in capitals
        return [inner] if (in_capitals and not is_emphasis) or (len(inner) <= 12 and _DOTTED.fullmatch(inner)) else []

    uses = collect(tally, keys)
    total = sum(use.count for use in uses.values())
    if not uses or total > _CAPITALS_ARE_HABIT * sum(use.count for use in tally.distinct.values()):
        return None
    num_utterances = utterances_with(tally, keys)
    sentence = (
        f"May be abbreviations, read letter by letter or in full: {counted(len(uses), 'word')} ({listed(list(uses))}), "
        f"in {counted(num_utterances, 'utterance')}."
    )
    return make_finding("abbreviations", sentence, make_items(uses), num_utterances, len(uses))


def find_capitals(tally: Tally) -> Finding | None:
    """Describe the habit of capitals: where in the sentence and in the word they stand."""
    num_utterances = utterances_with(tally, _capitals)
    if not num_utterances:
        return None
    opening = sum(bool(words) and any(map(is_capital, core(words[0])[:1])) for words in tally.words)
    inner = inner_capitals(tally)
    uses = collect(tally, _capitals)
    total = sum(use.count for use in uses.values())
    spelled = (
        " So many stand inside words that they may be letters of their own."
        if inner > _INNER_CAPITALS_SPELL * total
        else ""
    )
    sentence = (
        f"Capitals in {num_utterances:,} of {len(tally.texts):,} utterances: {opening:,} begin with one, "
        f"{inner:,} of {total:,} stand inside a word behind a small letter.{spelled}"
    )
    return make_finding("capitals", sentence, make_items(uses), num_utterances, len(uses))


def capitals_spell(tally: Tally) -> bool:
    """Tell whether capitals stand inside words so often that they may be letters of their own."""
    total = sum(use.count for word, use in tally.distinct.items() for _ in _capitals(word, use))
    return inner_capitals(tally) > _INNER_CAPITALS_SPELL * total


def inner_capitals(tally: Tally) -> int:
    """Count the capitals that stand behind a small letter."""
    return sum(
        use.count
        for use in tally.distinct.values()
        for before, letter in zip(use.graphemes, use.graphemes[1:], strict=False)
        if is_capital(letter) and unicodedata.category(before[0]) == "Ll"
    )


def find_rare_letter_words(tally: Tally) -> Finding | None:
    """Find words with letters that few words of the text have: names, words of another language, slips."""
    rare = _letters_of_few_words(tally)
    if not rare:
        return None

    def keys(word: str, use: Word) -> list[str]:
        return [core(word).lower()] if any(_base(g) in rare for g in use.graphemes) else []

    uses = collect(tally, keys)
    num_utterances = utterances_with(tally, keys)
    sentence = (
        f"Letters that few words have ({listed(sorted(rare), 12)}), in {counted(len(uses), 'different word')} of "
        f"{counted(num_utterances, 'utterance')}: names, words of another language, or slips."
    )
    items = make_items(uses, lambda key, _use: " ".join(sorted(set(unicodedata.normalize("NFD", key)) & rare)))
    return make_finding("rare-letter-words", sentence, items, num_utterances, len(uses))


def _spellings(tally: Tally) -> dict[str, Counter[str]]:
    """Group the words of the text, in small letters, by their spelling without marks."""
    spellings: dict[str, Counter[str]] = {}
    for word, use in tally.distinct.items():
        spelling = unicodedata.normalize("NFC", tally.lower(core(word)))
        if any(map(is_letter, spelling)):
            spellings.setdefault(_bare(spelling), Counter())[spelling] += use.count
    return spellings


@lru_cache(maxsize=65536)
def _bare(spelling: str) -> str:
    """Give a spelling without marks, but with the vowel signs of India and Thailand, which are letters."""
    if not count_marks(spelling):
        return spelling
    pieces = unicodedata.normalize("NFD", spelling)
    kept = (c for c in pieces if without_marks(c) or not _is_accent(c))
    return unicodedata.normalize("NFC", "".join(kept))


def _is_accent(mark: str) -> bool:
    combining = unicodedata.combining(mark)
    return 10 <= combining <= 36 or combining >= 200 or not unicodedata.category(mark).startswith("M")


def _rarer(bare: str, counts: Counter[str]) -> int:
    return min(counts[bare], sum(counts.values()) - counts[bare])


def _both_matter(bare: str, counts: Counter[str]) -> bool:
    rarer = _rarer(bare, counts)
    return rarer >= _FEWEST_SPELLED and rarer >= _LEAST_SHARE * sum(counts.values())


def _is_digit(character: str) -> bool:
    return unicodedata.category(character) == "Nd"


def _capitals(_word: str, use: Word) -> Iterator[str]:
    return (grapheme for grapheme in use.graphemes if is_capital(grapheme))


def _base(grapheme: str) -> str:
    return unicodedata.normalize("NFD", grapheme.lower())[0]


def _letters_of_few_words(tally: Tally) -> set[str]:
    """List the bare letters that few distinct words have; not those that a look-alike of the text explains."""
    having: Counter[str] = Counter()
    words = {core(word).lower(): use for word, use in tally.distinct.items()}
    for use in words.values():
        having.update({_base(g) for g in use.graphemes if is_letter(g) and not is_sign(g[0])})
    if len(words) < _FEWEST_WORDS:
        return set()
    few = {letter for letter, count in having.items() if count <= _RARE_LETTER_SHARE * len(words)}
    if len(few) > len(having) / 2:  # a script of syllables or ideographs, in which every sign is rare
        return set()
    return {letter for letter in few if not any(having[other] > having[letter] for other in look_alikes(letter))}
