"""The text rules that an audit suggests: steps for a recipe with their reasons, applied to nothing by themselves."""

import html
import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from typing import cast

from lowres.text.audit_alikes import safe_corrections
from lowres.text.audit_findings import Suggestion
from lowres.text.audit_habits import spelling_signs
from lowres.text.audit_letters import LEFTOVERS
from lowres.text.audit_tally import Tally, listed
from lowres.text.audit_words import capitals_spell
from lowres.text.marks import JOINERS
from lowres.text.normalize import Lowercase, NormalForm, StripPunctuation, TextRules, compile_rules, unicode_form
from lowres.text.rules import parse_rules, rules_to_data

_ORDER = ("nfc", "remove_invisible", "delete", "map", "lowercase", "strip_punctuation", "collapse_spaces")
# Leftovers that stand for nothing that was said; a lost or wrongly read letter is for people to put right.
_HARMLESS = ("\\", "&", "<")
# One letter of several bytes, each written out: its bytes stand for nothing by themselves.
_BYTES = re.compile(r"\\x[C-Fc-f][0-9A-Fa-f]\\x[89ABab]")


def suggest_rules(tally: Tally, main: str, rules: TextRules) -> tuple[Suggestion, ...]:
    """List the steps that would change anything, in the order in which they should be applied.

    Args:
        tally: the transcripts as written.
        main: their script, as `lowres.text.audit_alikes.main_script`.
        rules: the recipe's, to say what it does already; () for none.

    Returns:
        Every step with the number of utterances that it changes after the steps before it. No step strips a mark.
    """
    form = unicode_form(rules) or "nfc"
    candidates = list(_candidates(tally, main))
    steps = [parse_rules([form, step])[1:] for step, _ in candidates]
    num_changed, nothing_left = _try_steps(tally, list(map(compile_rules, steps)), compile_rules(rules))
    return tuple(
        Suggestion(step, reason, num_changed[place], bool(rules) and (nothing_left[place] or _has_kind(parsed, rules)))
        for place, ((step, reason), parsed) in enumerate(zip(candidates, steps, strict=True))
        if num_changed[place]
    )


def _try_steps(
    tally: Tally, steps: Sequence[Callable[[str], str]], recipe: Callable[[str], str]
) -> tuple[list[int], list[bool]]:
    """Count the texts that each step changes after those before it; say whether it changes none after the recipe."""
    num_changed, nothing_left = [0] * len(steps), [True] * len(steps)
    for _, written in tally.texts:
        text, prepared = written, recipe(written)
        for place, apply in enumerate(steps):
            changed = apply(text)
            num_changed[place] += changed != text
            nothing_left[place] = nothing_left[place] and apply(prepared) == prepared
            text = changed
    return num_changed, nothing_left


def merge_rules(rules: TextRules, suggestions: Sequence[Suggestion]) -> tuple[object, ...]:
    """Put the suggestions that the recipe lacks among its rules, each where it belongs.

    Args:
        rules: the recipe's; () for none.
        suggestions: as `suggest_rules` gives them.

    Returns:
        Data that `parse_rules` reads.
    """
    merged = rules_to_data(rules)
    if unicode_form(rules) is None and not any(suggestion.step == "nfc" for suggestion in suggestions):
        merged.insert(0, "nfc")
    for suggestion in suggestions:
        if not suggestion.in_recipe:
            merged.insert(_place(merged, suggestion.step), suggestion.step)
    return tuple(merged)


def _candidates(tally: Tally, main: str) -> Iterator[tuple[object, str]]:
    yield "nfc", "one spelling for every accented letter"
    yield "remove_invisible", "zero-width spaces and direction marks cannot be heard"
    written_out = _leftovers(tally)
    deleted = [leftover for leftover, meant in written_out.items() if not meant]
    if deleted:
        yield {"delete": deleted}, "left behind by a program, not said"
    meanings = {leftover: meant for leftover, meant in written_out.items() if meant}
    if meanings:
        yield {"map": meanings}, "letters, signs and spaces that a program wrote out"
    pairs = safe_corrections(tally, main)
    if pairs:
        named = [f"{old} for {new}" for old, new in pairs.items()]
        yield {"map": pairs}, f"rare look-alikes of a frequent letter or sign: {listed(named, 6)}"
    if main != "Cherokee" and not capitals_spell(tally):
        turkic = {"lowercase": "tr"}, "capitals are not heard; I is that of ı, and İ that of i"
        yield turkic if tally.turkic else ("lowercase", "capitals are not heard")
    signs = "".join(sorted(sign for sign in spelling_signs(tally) if sign not in pairs))
    if signs:
        kept = "stands" if len(signs) == 1 else "stand"
        yield (
            {"strip_punctuation": {"keep": signs}},
            f"punctuation is not heard; {' '.join(signs)} {kept} inside or before words and may spell: look at it",
        )
    else:
        yield "strip_punctuation", "punctuation is not heard; apostrophes go without a gap"
    yield "collapse_spaces", "one space between words"


def _leftovers(tally: Tally) -> dict[str, str]:
    """Pair what programs wrote out with what it stands for: a letter, a mark, a sign, a space, or nothing at all."""
    found = {match for word in tally.distinct for match in LEFTOVERS.findall(word) if match.startswith(_HARMLESS)}
    if any(map(_BYTES.search, tally.distinct)):
        found = {match for match in found if not re.match(r"\\x[89A-Fa-f]", match)}
    meanings = {match: _meaning(match) for match in sorted(found)}
    return {match: meant for match, meant in meanings.items() if meant is not None}


def _meaning(leftover: str) -> str | None:
    """Give what a leftover stands for, "" for nothing that is heard or seen; None where people must look."""
    if leftover.startswith("<") or leftover in ("\\n", "\\r", "\\t"):
        return " "
    character = html.unescape(re.sub(r"\\[xu](\w+)", r"&#x\1;", leftover))
    if character.isspace():
        return " "
    category = unicodedata.category(character) if character else "Cc"
    if character in JOINERS or category[0] != "C":
        return character if character != "\ufffd" else None
    return "" if category in ("Cc", "Cf") else None


def _has_kind(step: TextRules, rules: TextRules) -> bool:
    """Tell whether a recipe has a step of that kind, of those that one would not have twice."""
    kinds = (NormalForm, Lowercase, StripPunctuation)
    return any(isinstance(step[0], kind) and any(isinstance(own, kind) for own in rules) for kind in kinds)


def _place(merged: Sequence[object], step: object) -> int:
    """Find where a step belongs: before the first one that must come after it."""
    rank = _rank(step)
    return next((place for place, other in enumerate(merged) if _rank(other) > rank), len(merged))


def _rank(step: object) -> int:
    name = step if isinstance(step, str) else next(iter(cast(dict[str, object], step)))
    if name in ("nfd", "nfkc"):
        name = "nfc"
    return _ORDER.index(name) if name in _ORDER else _ORDER.index("delete")
