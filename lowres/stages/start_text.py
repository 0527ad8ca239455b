"""The walk's questions about writing: which suggested text rules to take, and which letters there are."""

import json
from collections import Counter
from collections.abc import Sequence
from functools import partial
from typing import Any, Final

from pydantic import ValidationError

from lowres.errors import RecipeError
from lowres.manifest.overlap import count
from lowres.recipe import TextSection
from lowres.recipe.toml_writer import write_value
from lowres.stages.start_answers import TextAnswer
from lowres.stages.start_asking import Ask, Choice, Question, ask_in_turn
from lowres.stages.start_walk import Walk
from lowres.text.audit_findings import Suggestion
from lowres.text.audit_tally import shown
from lowres.text.graphemes import split_graphemes
from lowres.text.normalize import compile_rules
from lowres.text.rules import parse_rules

_FEWEST_USES: Final = 3
"""A letter that occurs less often is a slip more often than not; the audit calls it rare, too."""

_MOST_LETTERS: Final = 150
"""Scripts with more (Chinese, Ethiopic with tone) are not declared by hand."""

_MOST_FINDINGS, _MOST_SHOWN = 8, 48
_YES, _NO = "yes", "no"
_NAMES: Final = {
    "nfc": "One spelling for each accented letter (nfc)",
    "remove_invisible": "Take out invisible characters",
    "lowercase": "Small letters only (lowercase)",
    "strip_punctuation": "Take out punctuation",
    "collapse_spaces": "One space between words",
    "delete": "Take out",
    "map": "Replace",
}


def ask_text(walk: Walk, ask: Ask) -> dict[str, Any]:
    """Say what looks odd in the transcripts, and ask about each suggested rule by itself."""
    with ask.working("looking at the letters"):
        audit = walk.audit()
    ask.say(
        f"The transcripts: {count(audit.num_words, 'word')}, {audit.num_distinct_words:,} different ones, "
        f"{count(len(audit.graphemes), 'letter')} and signs{f', mostly {audit.script}' if audit.script else ''}."
    )
    for finding in audit.findings[:_MOST_FINDINGS]:
        ask.say(f"- {finding.sentence}")
    declined = set(map(_key, walk.answers.text.declined)) if walk.answers.text else set()
    # The first step is no matter of taste: without one Unicode form a letter could be spelled in two ways.
    suggestions = [one for one in audit.suggestions if one.step not in ("nfc", "collapse_spaces")]
    ask.say(
        f"{count(len(suggestions), 'rule')} would even them out; your files stay as they are." if suggestions else ""
    )
    given = ask_in_turn([partial(_ask_rule, one, declined, walk, ask) for one in suggestions])
    taken = [one.step for one, answer in zip(suggestions, given, strict=True) if answer == _YES]
    left = [one.step for one, answer in zip(suggestions, given, strict=True) if answer == _NO]
    return {"text": TextAnswer(rules=("nfc", *taken, "collapse_spaces"), declined=tuple(left))}


def _ask_rule(suggestion: Suggestion, declined: set[str], walk: Walk, ask: Ask) -> str:
    step = suggestion.step
    name = step if isinstance(step, str) else next(iter(step)) if isinstance(step, dict) else str(step)
    title = _NAMES.get(name, name) if isinstance(step, str) else f"{_NAMES.get(name, name.capitalize())}: {_show(step)}"
    changes = f"changes {count(suggestion.num_utterances, 'utterance')}"
    example = _example_of(step, walk.texts())
    return ask.ask(
        Question(
            f"{title}?",
            f"{suggestion.reason[:1].upper()}{suggestion.reason[1:]} ({changes}){example}.",
            default=_NO if _key(step) in declined else _YES,
            choices=(Choice(_YES, "yes, take this rule"), Choice(_NO, "no, leave the text as it is")),
        )
    )


def _show(step: object) -> str:
    """Write the details of a step for people."""
    (_, value), *_rest = step.items() if isinstance(step, dict) else (("", step),)
    if isinstance(value, dict) and "keep" in value:
        return f"all but {' '.join(str(value['keep']))}"
    if isinstance(value, dict):
        return ", ".join(f"{old} becomes {shown(new) if new.strip() else 'a space'}" for old, new in value.items())
    if isinstance(value, list | tuple):
        return " ".join(map(str, value))
    return str(value)


def _example_of(step: object, texts: Sequence[str]) -> str:
    """Show a piece of the first transcript that a step changes; "" where none does."""
    apply = compile_rules(parse_rules(["nfc", step]))
    plain = compile_rules(parse_rules(["nfc"]))
    for text in texts:
        before, after = plain(text).split(), apply(text).split()
        if before != after:
            pairs = zip(before, after, strict=False)
            place = next((place for place, (old, new) in enumerate(pairs) if old != new), 0)
            old, new = (" ".join(words[place : place + 2]) for words in (before, after))
            return f", such as “{old}” to “{new}”"
    return ""


def _key(step: object) -> str:
    return write_value(step)


def ask_alphabet(walk: Walk, ask: Ask) -> dict[str, Any]:
    """Show the letters that are left after the rules, and ask which of them belong to the orthography."""
    rules = list(walk.answers.text.rules) if walk.answers.text else ["nfc", "collapse_spaces"]
    uses = count_letters(walk.texts(), rules)
    if not uses or len(uses) > _MOST_LETTERS:
        ask.say(f"{len(uses):,} different letters are too many to declare: none are.")
        return {"alphabet": ()}
    frequent = tuple(sorted(letter for letter, number in uses.items() if is_letter(letter, number)))
    rare = {letter: number for letter, number in uses.items() if letter not in frequent}
    ask.say(f"Letters after the rules: {' '.join(frequent)}")
    if rare:
        shown = ", ".join(f"{letter} ({number:,})" for letter, number in list(rare.items())[:_MOST_SHOWN])
        ask.say(f"Digits, and what occurs once or twice: {shown}")
    earlier = walk.answers.alphabet

    def read(typed: str) -> str:
        letters = tuple(dict.fromkeys(typed.split()))
        _check_letters(letters, rules)
        return " ".join(letters)

    given = ask.ask(
        Question(
            "Which letters does the orthography have?",
            "`lowres prepare` then names every transcript that holds another sign. To change them, type them with "
            "spaces between; none declares none.",
            default=" ".join(frequent if earlier is None else earlier) or "none",
            check=lambda typed: "" if typed.strip() == "none" else read(typed),
        )
    )
    return {"alphabet": tuple(given.split())}


def count_letters(texts: Sequence[str], rules: Sequence[object]) -> dict[str, int]:
    """Count what is written after the rules, in letters with their marks, the most frequent first."""
    apply = compile_rules(parse_rules(list(rules)))
    uses = Counter(letter for text in texts for letter in split_graphemes(apply(text)) if not letter.isspace())
    return dict(sorted(uses.items(), key=lambda item: (-item[1], item[0])))


def is_letter(letter: str, num_uses: int) -> bool:
    """Say whether a sign is to be declared unless somebody says otherwise: it is no digit, and no rare one."""
    return num_uses >= _FEWEST_USES and not letter[0].isdigit()


def _check_letters(letters: Sequence[str], rules: Sequence[object]) -> None:
    """Refuse letters that no recipe could have.

    Raises:
        RecipeError: saying which, and why.
    """
    try:
        TextSection.model_validate_json(json.dumps({"rules": list(rules), "alphabet": list(letters)}))
    except ValidationError as error:
        reason = error.errors()[0]["msg"].removeprefix("Value error, ")
        raise RecipeError(f"These letters cannot be declared: {reason}.", "Type them again.") from error
