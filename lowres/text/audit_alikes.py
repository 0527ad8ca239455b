"""What an audit finds of letters that are not what they look like: other scripts, look-alikes, Unicode forms."""

import unicodedata
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from itertools import pairwise

from lowres.text.audit_findings import Finding
from lowres.text.audit_habits import sign_places
from lowres.text.audit_tally import (
    Tally,
    Use,
    Word,
    collect,
    counted,
    is_letter,
    listed,
    make_finding,
    make_items,
    utterances_with,
)
from lowres.text.look_alikes import SPELLED_ALIKE, look_alikes
from lowres.text.marks import is_punctuation
from lowres.text.scripts import COMMON, INHERITED, IPA_GREEK, character_name, is_ipa, script_of, writing_system

# Of two letters of one script, the rarer is taken for a slip where it is this much rarer than one seen this often.
_SLIP_SHARE = 0.01
_OFTEN = 100
# A letter of another script is taken for a slip where it is this much rarer than the one it looks like.
_CORRECTION_SHARE = 0.05
# So many of its uses must be in words of the main script: a word of another language is no slip letter by letter.
_AMONG_OWN_SHARE = 0.95
# Half rings to the left and to the right are two consonants wherever they are written.
_NEVER_ONE = frozenset("\u02be\u02bf")


def main_script(tally: Tally) -> str:
    """Name the script of most letters; Japanese and Korean are "East Asian", "" is a text without letters."""
    scripts: Counter[str] = Counter()
    for letter, count in tally.letters.items():
        scripts[writing_system(script_of(letter[0]))] += count
    del scripts[COMMON]
    return scripts.most_common(1)[0][0] if scripts else ""


def find_mixed_scripts(tally: Tally, main: str) -> Finding | None:
    """Find letters of another script than most; the letters that the IPA borrows from Greek are left out in IPA."""
    foreign = _foreign_letters(tally, main)
    if not foreign:
        return None

    def keys(_word: str, use: Word) -> Iterator[str]:
        return (grapheme for grapheme in use.graphemes if grapheme.lower() in foreign)

    def mixed(word: str, use: Word) -> list[str]:
        own = any(g.lower() not in foreign and script_of(g[0]) != COMMON for g in use.graphemes if is_letter(g))
        return [word] if own and any(True for _ in keys(word, use)) else []

    uses = collect(tally, keys)
    scripts = listed(sorted({script_of(letter[0]) for letter in uses}))
    num_utterances = utterances_with(tally, keys)
    num_mixed = sum(tally.distinct[word].count for word in tally.distinct if mixed(word, tally.distinct[word]))
    inside = (
        f" {counted(num_mixed, 'word')} of the text mix the two." if num_mixed else " They stand in words of their own."
    )
    as_written, corrected = _count_graphemes(tally), safe_corrections(tally, main)
    often = any(count >= _OFTEN and key not in corrected for key, count in as_written.items() if key.lower() in foreign)
    kept = " Used so often, they are taken for letters of the orthography: no rule here changes them." if often else ""
    sentence = (
        f"{scripts} letters among {main} ones: {listed(list(uses), 12)}, in "
        f"{counted(num_utterances, 'utterance')}.{inside}{kept}"
    )
    items = make_items(uses, lambda key, _use: _script_remark(key, tally, main))
    return make_finding("mixed-scripts", sentence, items, num_utterances, len(uses))


def find_look_alikes(tally: Tally) -> Finding | None:
    """Find letters that look like another letter of the text, and signs inside words that look like another sign."""
    pairs = slips(tally) | _signs_spelled_alike(tally)
    if not pairs:
        return None

    def keys(_word: str, use: Word) -> Iterator[str]:
        return (g if g in pairs else g[0] for g in use.graphemes if g in pairs or g[0] in pairs)

    uses = collect(tally, keys)
    num_utterances = utterances_with(tally, keys)
    named = [f"{key} for {pairs[key]}" for key in uses]
    sentence = (
        f"Can be mistaken for another letter or sign of the text: {listed(named)}, in "
        f"{counted(num_utterances, 'utterance')}."
    )
    items = make_items(
        uses, lambda key, _use: f"{character_name(key)}; looks like {pairs[key]}, {character_name(pairs[key])}"
    )
    return make_finding("look-alikes", sentence, items, num_utterances, len(uses))


def slips(tally: Tally) -> dict[str, str]:
    """Pair letters with the far more frequent letter of the text that they look like, so that one may be a slip.

    Letters of one script are paired only where the rarer one is a slip by its number; of two scripts always.
    """
    as_written = _count_graphemes(tally)
    pairs = {}
    for grapheme, count in as_written.items():
        if not is_letter(grapheme):
            continue
        others = [(as_written[other], other) for other in look_alikes(grapheme) if is_letter(other)]
        most, other = max(others, default=(0, ""))
        two_scripts = script_of(grapheme[0]) != script_of(other[0]) if other else False
        if most > count and (two_scripts or (count < _SLIP_SHARE * most and most >= _OFTEN)):
            pairs[grapheme] = other
    return pairs


def safe_corrections(tally: Tally, main: str) -> dict[str, str]:
    """Pair what may be mapped without loss: rare letters of another script, and rarer apostrophes and hyphens in words.

    A letter of another script that is not rare (Mboshi's ε) may be a letter of the orthography and is left alone, and
    so is one in words of another language (Internet), of which a map would leave a mixture.
    """
    as_written = _count_graphemes(tally)
    foreign = _foreign_letters(tally, main)
    pairs = {
        grapheme: other
        for grapheme, other in sorted(slips(tally).items())
        if grapheme.lower() in foreign and as_written[grapheme] < _CORRECTION_SHARE * as_written[other]
    }
    among_own = _count_among_own(tally, main, foreign, pairs)
    pairs = {old: new for old, new in pairs.items() if among_own[old] >= _AMONG_OWN_SHARE * as_written[old]}
    signs = _without_contrasts(_variants(tally), as_written, _signs_inside(tally))
    return pairs | {sign: other for sign, other in signs.items() if _joins(tally, sign)}


def find_unicode_forms(tally: Tally) -> Finding | None:
    """Find letters that are spelled with other code points than NFC has, and those spelled both ways."""
    both: dict[str, set[str]] = {}
    for use in tally.distinct.values():
        for piece, grapheme in zip(use.pieces, use.graphemes, strict=True):
            both.setdefault(grapheme, set()).add(piece)

    def keys(_word: str, use: Word) -> list[str]:
        return [g for piece, g in zip(use.pieces, use.graphemes, strict=True) if piece != g]

    uses = collect(tally, keys)
    if not uses:
        return None
    num_utterances = utterances_with(tally, keys)
    mixed = [letter for letter in uses if len(both[letter]) > 1]
    told = (
        f"Spelled in two ways that look the same (NFC and NFD): {listed(mixed, 12)}"
        if mixed
        else f"Accents are typed apart from their letters (not NFC): {listed(list(uses), 12)}"
    )

    def remark(key: str, use: Use) -> str:
        spelled = " and ".join(" ".join(f"U+{ord(c):04X}" for c in piece[:6]) for piece in sorted(both[key])[:3])
        return f"{use.count:,} times not in NFC; spelled {spelled}"

    return make_finding(
        "unicode-forms",
        f"{told}, in {counted(num_utterances, 'utterance')}.",
        make_items(uses, remark),
        num_utterances,
        len(uses),
    )


def _count_graphemes(tally: Tally) -> Counter[str]:
    counts = Counter[str]()
    for use in tally.distinct.values():
        for grapheme in use.graphemes:
            counts[grapheme] += use.count
    return counts


def _foreign_letters(tally: Tally, main: str) -> set[str]:
    letters = {letter[0] for letter in tally.letters}
    borrowed = IPA_GREEK if main == "Latin" and is_ipa(letters) else frozenset()
    own = {main, COMMON, INHERITED}
    return {
        letter
        for letter in tally.letters
        if writing_system(script_of(letter[0])) not in own and letter[0] not in borrowed
    }


def _script_remark(letter: str, tally: Tally, main: str) -> str:
    similar = [other for other in look_alikes(letter) if script_of(other[0]) == main]
    if not similar:
        return character_name(letter)
    nearest = max(similar, key=lambda other: tally.letters.get(other.lower(), 0))
    times = tally.letters.get(nearest.lower(), 0)
    which = f"occurs {times:,} times" if times else "does not occur"
    return f"{character_name(letter)}; looks like {main} {nearest} (U+{ord(nearest[0]):04X}), which {which}"


def _signs_spelled_alike(tally: Tally) -> dict[str, str]:
    """Pair signs in words with a sign that is spelled like them, or with a letter of the text that looks like them."""
    as_written = _count_graphemes(tally)
    pairs = _variants(tally)
    graphemes = (use.graphemes for use in tally.distinct.values())
    before_letters = {sign[0] for word in graphemes for sign, after in pairwise(word) if is_letter(after)}
    for sign in filter(is_punctuation, before_letters.difference(*SPELLED_ALIKE.values())):
        letters = [other for other in look_alikes(sign) if unicodedata.category(other)[0] == "L" and as_written[other]]
        if letters:
            pairs[sign] = max(letters, key=lambda letter: as_written[letter])
    return pairs


def _variants(tally: Tally) -> dict[str, str]:
    """Pair apostrophes and hyphens between two letters with the most frequent one of their kind."""
    inside = _signs_inside(tally)
    pairs: dict[str, str] = {}
    for signs in SPELLED_ALIKE.values():
        found = sorted((sign for sign in signs if inside[sign]), key=lambda sign: -inside[sign])
        pairs.update(dict.fromkeys(found[1:], found[0] if found else ""))
    return pairs


def _count_among_own(tally: Tally, main: str, foreign: Collection[str], pairs: Collection[str]) -> Counter[str]:
    """Count graphemes in words of the main script of which only those in `pairs` are of another."""
    counts: Counter[str] = Counter()
    for use in tally.distinct.values():
        own = any(is_letter(g) and writing_system(script_of(g[0])) == main for g in use.graphemes)
        if own and all(g in pairs or g.lower() not in foreign for g in use.graphemes):
            for grapheme in use.graphemes:
                counts[grapheme] += use.count
    return counts


def _without_contrasts(
    variants: Mapping[str, str], as_written: Mapping[str, int], inside: Mapping[str, int]
) -> dict[str, str]:
    """Leave out the signs that Unicode has as letters (ʻ ʼ ʾ ʿ) unless they are rare: two of them are two letters.

    Where two are letters, a typed apostrophe may be either, and is left out too.
    """

    def contrasts(sign: str, other: str) -> bool:
        rare = as_written[sign] < _CORRECTION_SHARE * inside[other]
        return _is_modifier(sign) and (not rare or {sign, other} == _NEVER_ONE)

    several = {other for sign, other in variants.items() if _is_modifier(other) and contrasts(sign, other)}
    return {
        sign: other
        for sign, other in variants.items()
        if not contrasts(sign, other) and (_is_modifier(sign) or other not in several)
    }


def _is_modifier(sign: str) -> bool:
    return unicodedata.category(sign)[0] == "L"


def _joins(tally: Tally, sign: str) -> bool:
    """Tell whether a sign stands inside words so mostly that it can be mapped wherever it stands."""
    places = sign_places(tally).get(sign)
    return places is None or places.spells()


def _signs_inside(tally: Tally) -> Counter[str]:
    inside: Counter[str] = Counter()
    for use in tally.distinct.values():
        for before, sign, after in zip(use.graphemes, use.graphemes[1:], use.graphemes[2:], strict=False):
            if is_letter(before) and is_letter(after) and not is_letter(sign):
                inside[sign[0]] += use.count
    return inside
