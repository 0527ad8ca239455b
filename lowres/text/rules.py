"""Text rules read from a recipe's data and written back: `parse_rules` and `rules_to_data`."""

import difflib
import unicodedata
from collections.abc import Sequence
from typing import Any, cast, get_args

from lowres.errors import RecipeError
from lowres.text.marks import count_marks, is_mark, is_punctuation, without_marks
from lowres.text.normalize import (
    APOSTROPHES,
    CollapseSpaces,
    DeleteStrings,
    Lowercase,
    LowercaseLanguage,
    NormalForm,
    RemoveBetween,
    RemoveInvisible,
    ReplaceStrings,
    Step,
    StripPunctuation,
    TextRules,
    UnicodeForm,
)

PLAIN_STEPS: dict[str, Step] = {
    "nfc": NormalForm("nfc"),
    "nfd": NormalForm("nfd"),
    "nfkc": NormalForm("nfkc"),
    "lowercase": Lowercase(),
    "strip_punctuation": StripPunctuation(),
    "remove_invisible": RemoveInvisible(),
    "collapse_spaces": CollapseSpaces(),
}
STEPS_WITH_VALUES = ("lowercase", "strip_punctuation", "map", "delete", "remove_between")


def parse_rules(data: Sequence[object]) -> TextRules:
    """Read the list that stands under `rules` in a recipe.

    Args:
        data: strings such as `"nfc"` and tables of one entry such as `{"map": {"’": "'"}}`.

    Returns:
        The validated steps. Strings to be replaced or deleted are put in the Unicode form that the steps before them
        have put the text in, so that `é` typed either way is found.

    Raises:
        RecipeError: an unknown step, a value of the wrong kind, or a step that would strip marks; says which step.
    """
    steps: list[Step] = []
    form: UnicodeForm | None = None
    for number, entry in enumerate(data, start=1):
        step = _parse_step(entry, f"Step {number} of the text rules", form)
        form = step.form if isinstance(step, NormalForm) else form
        steps.append(step)
    return tuple(steps)


def rules_to_data(rules: TextRules) -> list[object]:
    """Write `rules` as the data that `parse_rules` reads."""
    return [_step_to_data(step) for step in rules]


def _parse_step(entry: object, place: str, form: UnicodeForm | None) -> Step:
    if isinstance(entry, str):
        if entry in PLAIN_STEPS:
            return PLAIN_STEPS[entry]
        if entry in STEPS_WITH_VALUES:
            raise RecipeError(f"{place}: '{entry}' needs a value.", f"For example: {_EXAMPLES[entry]}")
        raise _unknown_step(entry, place)
    if not isinstance(entry, dict) or len(entry) != 1:
        raise RecipeError(
            f"{place} is neither a name nor a table of one entry: {entry!r}.",
            'Write each step by itself, as in rules = ["nfc", "lowercase", { delete = ["*"] }].',
        )
    name, value = next(iter(entry.items()))
    match name:
        case "lowercase":
            return _parse_lowercase(value, place)
        case "strip_punctuation":
            return _parse_strip_punctuation(value, place)
        case "map":
            return _parse_map(value, place, form)
        case "delete":
            return _parse_delete(value, place, form)
        case "remove_between":
            return _parse_remove_between(value, place, form)
        case _ if name in PLAIN_STEPS:
            raise RecipeError(f"{place}: '{name}' takes no value.", f'Write it as "{name}".')
        case _:
            raise _unknown_step(str(name), place)


_EXAMPLES = {
    "lowercase": '{ lowercase = "tr" }',
    "strip_punctuation": """{ strip_punctuation = { keep = "-", join = "'" } }""",
    "map": """{ map = { "’" = "'" } }""",
    "delete": '{ delete = ["*", "xxx"] }',
    "remove_between": '{ remove_between = ["[", "]"] }',
}


def _unknown_step(name: str, place: str) -> RecipeError:
    names = sorted({*PLAIN_STEPS, *STEPS_WITH_VALUES})
    nearest = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    hint = f"Did you mean '{nearest[0]}'? " if nearest else ""
    return RecipeError(f"{place}: there is no step called '{name}'.", f"{hint}The steps are: {', '.join(names)}.")


def _wrong_value(name: str, place: str) -> RecipeError:
    return RecipeError(f"{place}: '{name}' has a value it cannot use.", f"For example: {_EXAMPLES[name]}")


def _parse_lowercase(value: object, place: str) -> Step:
    if value not in get_args(LowercaseLanguage):
        raise RecipeError(
            f"{place}: lower case is tailored for Turkish ('tr') and Azerbaijani ('az') only, not {value!r}.",
            'Write "lowercase" for every other language.',
        )
    return Lowercase(cast(LowercaseLanguage, value))


def _parse_strip_punctuation(value: object, place: str) -> Step:
    if not isinstance(value, dict) or not set(value) <= {"keep", "join"}:
        raise _wrong_value("strip_punctuation", place)
    keep, join = value.get("keep", ""), value.get("join", APOSTROPHES)
    if not isinstance(keep, str) or not isinstance(join, str):
        raise _wrong_value("strip_punctuation", place)
    if "join" not in value:
        join = "".join(c for c in join if c not in keep)
    for character in join:
        if not is_punctuation(character) or character in keep:
            what = "a mark" if is_mark(character) else "both kept and joined" if character in keep else "a letter"
            raise RecipeError(
                f"{place}: 'join' lists {_name(character)}, which is {what}.",
                "List only punctuation in 'join', and each character in one of the two lists.",
            )
    return StripPunctuation(keep, join)


def _parse_map(value: object, place: str, form: UnicodeForm | None) -> Step:
    if not isinstance(value, dict) or not value:
        raise _wrong_value("map", place)
    pairs: dict[str, str] = {}
    for old, new in value.items():
        if not isinstance(old, str) or not isinstance(new, str) or not old:
            raise _wrong_value("map", place)
        old_in_form = _in_form(old, form)
        if pairs.get(old_in_form, new) != new:
            raise RecipeError(f"{place}: {old!r} is mapped to two things.", "Keep one of them.")
        _refuse_stripping(old, new, place)
        pairs[old_in_form] = _in_form(new, form)
    return ReplaceStrings(tuple(pairs.items()))


def _parse_delete(value: object, place: str, form: UnicodeForm | None) -> Step:
    if not _are_strings(value):
        raise _wrong_value("delete", place)
    strings = cast(list[str], value)
    for string in strings:
        _refuse_stripping(string, "", place)
    return DeleteStrings(tuple(dict.fromkeys(_in_form(string, form) for string in strings)))


def _parse_remove_between(value: object, place: str, form: UnicodeForm | None) -> Step:
    if not _are_strings(value) or len(cast(list[str], value)) != 2:
        raise _wrong_value("remove_between", place)
    opening, closing = cast(list[str], value)
    for string in (opening, closing):
        _refuse_stripping(string, "", place)
    return RemoveBetween(_in_form(opening, form), _in_form(closing, form))


def _are_strings(value: object) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(s, str) and s for s in value)


def _refuse_stripping(old: str, new: str, place: str) -> None:
    """Refuse a replacement that leaves the same letters with fewer marks, or takes a marked letter away."""
    letters = without_marks(old)
    same_letters = letters == without_marks(new) or (not new and len(letters) <= 1)
    if same_letters and count_marks(old) > count_marks(new):
        done = f"turn {_name(old)} into {_name(new)}" if new else f"delete {_name(old)}"
        raise RecipeError(
            f"{place} would {done}, which strips a mark that may write tone, nasality or another letter.",
            "lowres never strips marks. To unify two spellings of a mark, map the one to the other.",
        )


def _name(string: str) -> str:
    """Show a string with its code points, so that a lone combining mark can be told from another."""
    return f"'{string}' ({' '.join(f'U+{ord(c):04X}' for c in string)})"


def _in_form(string: str, form: UnicodeForm | None) -> str:
    return unicodedata.normalize(cast(Any, form).upper(), string) if form else string


def _step_to_data(step: Step) -> object:
    match step:
        case NormalForm(form):
            return form
        case Lowercase(language):
            return {"lowercase": language} if language else "lowercase"
        case StripPunctuation(keep, join):
            default = "".join(c for c in APOSTROPHES if c not in keep)
            if join == default:
                return {"strip_punctuation": {"keep": keep}} if keep else "strip_punctuation"
            return {"strip_punctuation": {"keep": keep, "join": join}}
        case ReplaceStrings(pairs):
            return {"map": dict(pairs)}
        case DeleteStrings(strings):
            return {"delete": list(strings)}
        case RemoveBetween(opening, closing):
            return {"remove_between": [opening, closing]}
        case RemoveInvisible():
            return "remove_invisible"
        case CollapseSpaces():
            return "collapse_spaces"
