"""The recipe that the walk's answers make: readable, with comments, and with nothing in it that is a default."""

from pathlib import Path
from typing import Any

from lowres.manifest.whole_files import replace_file
from lowres.recipe import Recipe, parse_recipe
from lowres.recipe.load import PROJECT_RECIPE
from lowres.recipe.toml_writer import write_value
from lowres.stages.default_backbone import default_backbone
from lowres.stages.start_answers import Answers, find_speed
from lowres.stages.start_walk import Walk

_HEAD = """\
# The recipe of this project, as answered to `lowres start`. What is not said
# here has a sensible default: `lowres recipe` prints them all. Change what you
# like, then go on with `lowres prepare`, or `lowres start`.
"""


def recipe_text(walk: Walk) -> str:
    """Write the recipe that follows from the answers so far; what was not answered yet is left out."""
    answers = walk.answers
    sections = (
        _HEAD,
        _language(answers),
        _corpus(answers),
        _table(
            "corpus.reader",
            walk.reader_data() if answers.layout else {},
            {"reader": "How they are laid out, where transcripts stand, and who speaks."},
        ),
        _text(answers),
        _splits(answers),
        _finetune(walk),
    )
    return "\n".join(section for section in sections if section)


def resolve_recipe(walk: Walk) -> Recipe:
    """Return the recipe that follows from the answers so far, with all defaults.

    Raises:
        RecipeError: the file of answers was changed by hand, to something that makes no recipe.
    """
    return parse_recipe(recipe_text(walk), place="the answers", default_name=walk.project.resolve().name)


def write_recipe(walk: Walk) -> Path:
    """Write lowres.toml, whole or not at all, and return its path.

    Raises:
        RecipeError: as `resolve_recipe`. OSError: the disk is full or refuses.
    """
    resolve_recipe(walk)
    path = walk.project / PROJECT_RECIPE
    replace_file(path, [recipe_text(walk).encode()])
    return path


def _table(name: str, values: dict[str, Any], comments: dict[str, str]) -> str:
    """Write a section: comments before their keys, long lists over several lines."""
    if not values:
        return ""
    lines = [f"[{name}]"]
    for key, value in values.items():
        if key in comments:
            lines.append(f"# {comments[key]}")
        lines += _entry(key, value)
    return "\n".join(lines) + "\n"


def _entry(key: str, value: Any) -> list[str]:
    if isinstance(value, list | tuple) and len(value) > 2:
        return [f"{key} = [", *(f"    {write_value(one)}," for one in value), "]"]
    return [f"{key} = {write_value(value)}"]


def _language(answers: Answers) -> str:
    if answers.language is None:
        return ""
    values = {key: value for key, value in answers.language.model_dump().items() if value}
    return _table("language", values, {})


def _corpus(answers: Answers) -> str:
    if answers.recordings is None:
        return ""
    values: dict[str, Any] = {"folder": answers.recordings}
    if answers.licence is not None:
        values["licence"] = answers.licence
    if answers.consent is not None:
        values["consent"] = answers.consent
    comments = {
        "folder": "Where the recordings are, seen from this file.",
        "licence": "What may be done with them, and what the speakers agreed to.",
    }
    return _table("corpus", values, comments)


def _text(answers: Answers) -> str:
    values: dict[str, Any] = {}
    if answers.text is not None:
        values["rules"] = list(answers.text.rules)
    if answers.alphabet:
        values["alphabet"] = " ".join(answers.alphabet)
    comments = {
        "rules": "What turns the transcripts into the text that is learnt, in this order.",
        "alphabet": "`lowres prepare` names transcripts that hold anything else.",
    }
    return _table("text", values, comments)


def _splits(answers: Answers) -> str:
    comments = {"test_speakers": "All their speech is for testing: how well is somebody new heard?"}
    return _table("splits", answers.splits or {}, comments)


def _finetune(walk: Walk) -> str:
    answers = walk.answers
    values: dict[str, Any] = {}
    # Without a word about it, training starts from the same one.
    usual = default_backbone(Recipe())
    if answers.backbone and (usual is None or usual.reference != answers.backbone):
        values["backbone"] = answers.backbone
    if answers.minutes is not None:
        values["minutes"] = int(answers.minutes) if answers.minutes.is_integer() else answers.minutes
    speed = find_speed(answers.speeds, answers.backbone)
    measured = f"Measured here: {speed.hours_per_hour:.0f} hours of speech in an hour." if speed else ""
    return _table("finetune", values, {"minutes": f"The time to train in. {measured}".strip()})
