"""What an audit finds letter by letter: leftovers of programs, hidden and stray signs, rare and undeclared letters."""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import chain

from lowres.text.alphabet import audit_alphabet, undeclared_symbols
from lowres.text.audit_findings import MOST_EXAMPLES, Example, Finding
from lowres.text.audit_tally import (
    Tally,
    Use,
    Word,
    clip_around,
    collect,
    counted,
    is_capital,
    listed,
    make_finding,
    make_items,
    make_tally,
    utterances_with,
)
from lowres.text.marks import JOINERS, is_punctuation
from lowres.text.scripts import character_name

# Below this many letters everything is rare, and nothing follows from it.
_FEWEST_LETTERS = 300
_RARE = 2
# A sign is out of place where so few utterances hold it.
_STRAY_SHARE = 0.025
_FEWEST_UTTERANCES = 40
# Control characters and entities that a program wrote out, and UTF-8 that was read as Latin-1.
LEFTOVERS = re.compile(
    r"\\x[0-9A-Fa-f]{2}|\\u[0-9A-Fa-f]{4}|\\[nrt](?![^\W\d_])|&(?:#\d{1,7}|#x[0-9A-Fa-f]{1,6}|amp|lt|gt|quot|apos|nbsp);"
    "|</?[A-Za-z]{1,10}/?>|\ufffd|Ã[\u0080-\u009f\u00a1-\u00aa\u00ac-\u00ba\u00bc-\u00bf]|â\u0080[\u0080-\u00bf]|â€."
)
_ORDINARY_SPACES = " \n\r"


def find_leftovers(tally: Tally) -> Finding | None:
    """Find control characters and entities written out, replacement characters, and wrongly decoded letters."""
    uses = collect(tally, lambda word, _use: LEFTOVERS.findall(word))
    if not uses:
        return None
    num_utterances = utterances_with(tally, lambda word, _use: LEFTOVERS.findall(word))
    sentence = f"Left behind by a program, not said: {listed(list(uses))}, in {counted(num_utterances, 'utterance')}."
    return make_finding("leftovers", sentence, make_items(uses, _leftover_remark), num_utterances, len(uses))


def find_invisible(tally: Tally) -> Finding | None:
    """Find control characters, direction marks, unassigned code points and unusual spaces."""
    uses: dict[str, Use] = {}
    num_utterances = 0
    hidden = set(filter(_is_hidden, set(chain.from_iterable(text for _, text in tally.texts))))
    for utterance_id, text in tally.texts:
        if hidden.isdisjoint(text):
            continue
        num_utterances += 1
        for character, times in Counter(filter(hidden.__contains__, text)).items():
            use = uses.setdefault(character, Use())
            use.count += times
            use.num_utterances += 1
            if len(use.examples) < MOST_EXAMPLES:
                use.examples.append(Example(clip_around(text, character), utterance_id))
    if not uses:
        return None
    sentence = f"Characters that cannot be seen: {listed(list(uses))}, in {counted(num_utterances, 'utterance')}."
    items = make_items(uses, lambda key, _use: unicodedata.name(key, "control character").lower())
    return make_finding("invisible", sentence, items, num_utterances, len(uses))


def find_stray_symbols(tally: Tally) -> Finding | None:
    """Find signs, capitals and digits that hardly any utterance has, so that they are slips rather than a habit."""
    if len(tally.texts) < _FEWEST_UTTERANCES:
        return None
    limit = _STRAY_SHARE * len(tally.texts)
    groups = collect(tally, lambda _word, use: filter(None, (_stray_group(g[0]) for g in use.graphemes)))
    few = {group for group, use in groups.items() if use.num_utterances <= limit}
    stray = {g[0] for use in tally.distinct.values() for g in use.graphemes if _stray_group(g[0]) in few}
    if not stray:
        return None
    uses = collect(tally, lambda _word, use: _firsts(use, stray))
    num_utterances = utterances_with(tally, lambda _word, use: _firsts(use, stray))
    sentence = (
        f"Signs that hardly any utterance has: {listed(list(uses), 12)}, in {counted(num_utterances, 'utterance')}."
    )
    items = make_items(uses, lambda key, _use: character_name(key))
    return make_finding("stray-symbols", sentence, items, num_utterances, len(uses))


def find_undeclared(
    texts: Sequence[tuple[str, str]], multigraphs: Sequence[str], alphabet: Sequence[str]
) -> tuple[Finding | None, Finding | None]:
    """Compare transcripts, after the recipe's rules, with its alphabet: what is undeclared, and what is never used.

    Args:
        texts: (utterance id, text after the rules).
        multigraphs: as `make_tally`.
        alphabet: as `lowres.text.alphabet`; () finds nothing.
    """
    if not alphabet:
        return None, None
    tally = make_tally(texts, multigraphs)
    uses = collect(tally, lambda word, _use: undeclared_symbols(word, alphabet))
    undeclared = None
    if uses:
        num_utterances = utterances_with(tally, lambda word, _use: undeclared_symbols(word, alphabet))
        sentence = (
            f"Outside the recipe's alphabet, after its rules: {listed(list(uses), 12)}, in "
            f"{counted(num_utterances, 'utterance')}."
        )
        items = make_items(uses, lambda key, _use: character_name(key))
        undeclared = make_finding("undeclared", sentence, items, num_utterances, len(uses))
    unused = audit_alphabet(tally.distinct, alphabet).unused
    items = make_items({symbol: Use() for symbol in unused}, lambda key, _use: character_name(key))
    sentence = f"In the recipe's alphabet and never in the text: {listed(unused, 12)}."
    return undeclared, make_finding("unused", sentence, items, 0, len(unused)) if unused else None


def find_rare_letters(tally: Tally) -> Finding | None:
    """Find letters, and combinations of a letter with marks, that occur once or twice, capitals counted with them."""
    rare = {letter for letter, count in tally.letters.items() if count <= _RARE}
    if not rare or sum(tally.letters.values()) < _FEWEST_LETTERS:
        return None
    bare: Counter[str] = Counter()
    for letter, count in tally.letters.items():
        bare[unicodedata.normalize("NFD", letter)[0]] += count

    def remark(key: str, _use: Use) -> str:
        pieces = unicodedata.normalize("NFD", key)
        combined = len(pieces) > 1 and bare[pieces[0]] > _RARE
        return "a known letter, with marks it seldom has" if combined else character_name(key)

    def keys(_word: str, use: Word) -> list[str]:
        return [letter for letter in map(tally.lower, use.graphemes) if letter in rare]

    uses = collect(tally, keys)
    first = sorted(uses, key=lambda key: len(unicodedata.normalize("NFD", key)))
    num_utterances = utterances_with(tally, keys)
    sentence = f"Seen once or twice: {counted(len(uses), 'letter')}: {listed(first, 12)}."
    return make_finding(
        "rare-letters", sentence, make_items({k: uses[k] for k in first}, remark), num_utterances, len(uses)
    )


def _leftover_remark(key: str, _use: Use) -> str:
    if key == "\ufffd":
        return "a letter that was lost when the file was written"
    if key[0] in "Ãâ":
        return "a letter that was read in a wrong encoding"
    return "a control character or entity, written out"


def _is_hidden(character: str) -> bool:
    if " " <= character <= "~" or character in _ORDINARY_SPACES or character in JOINERS:
        return False
    category = unicodedata.category(character)
    return category[0] == "C" or category in ("Zs", "Zl", "Zp")


def _stray_group(sign: str) -> str:
    """Name the signs that are rare together or not at all: all capitals, all digits, any other sign by itself."""
    if is_capital(sign):
        return "capital"
    if unicodedata.category(sign)[0] == "N":
        return "digit"
    return sign if is_punctuation(sign) else ""


def _firsts(use: Word, wanted: Iterable[str]) -> list[str]:
    return [grapheme[0] for grapheme in use.graphemes if grapheme[0] in wanted]
