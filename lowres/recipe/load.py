"""Recipes found, read and checked: shipped ones by name, others by path, the project's lowres.toml by default."""

import dataclasses
import difflib
import json
import re
import tomllib
import types
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, get_args, get_type_hints

from pydantic import BaseModel, ValidationError

from lowres.errors import RecipeError
from lowres.manifest.typed_paths import expand_home
from lowres.model.config import Wav2Vec2Config
from lowres.recipe.locate import find_line
from lowres.recipe.sections import ModelSection, Recipe

PROJECT_RECIPE = "lowres.toml"
_PACKAGE = Path(__file__).resolve().parent.parent
_OVERRIDE_EXAMPLE = "Write it as --set finetune.learning_rate=1e-5."

KeyPath = tuple[str | int, ...]


def load_recipe(name_or_path: str | None = None, overrides: Sequence[str] = (), *, project: Path = Path()) -> Recipe:
    """Read and check a recipe.

    Args:
        name_or_path: a shipped recipe's name, a recipe file, or a folder that holds lowres.toml; None takes the
            project's lowres.toml.
        overrides: `section.key=value` each; the value is read as TOML, else taken as a string.
        project: the project folder.

    Raises:
        RecipeError: no such recipe, not TOML, an unknown key (the nearest one is named), a value that does not fit;
            says the file, the line where it can be found, and the remedy.
    """
    path = _find_recipe(name_or_path, project)
    try:
        toml = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise RecipeError(
            f"{path} is not UTF-8 text: byte {error.start} cannot be read.", "Save it again with the encoding UTF-8."
        ) from error
    default_name = path.stem if path.name != PROJECT_RECIPE else path.resolve().parent.name
    recipe = parse_recipe(toml, overrides, place=str(path), default_name=default_name)
    recipe._source_path = path
    return recipe


def parse_recipe(
    toml: str, overrides: Sequence[str] = (), *, place: str = "the recipe", default_name: str = ""
) -> Recipe:
    """Check a recipe given as text; arguments and errors as `load_recipe`.

    Args:
        toml: the recipe.
        overrides: as `load_recipe`.
        place: what errors call the recipe.
        default_name: the recipe's name where it does not say one.
    """
    data = _read_toml(toml, place)
    overridden = _apply_overrides(data, overrides)
    for path, known in _unknown_keys(data, Recipe, ()):
        raise _unknown_key_error(path, known, _say_where(path, toml, place, overridden))
    data.setdefault("name", default_name)
    try:
        # Through JSON, because strict validation takes a list for a tuple only there.
        return Recipe.model_validate_json(json.dumps(data, default=str), strict=True)
    except ValidationError as error:
        first = error.errors()[0]
        where = _say_where(first["loc"], toml, place, overridden)
        dotted = ".".join(str(part) for part in first["loc"])
        message = first["msg"].removeprefix("Value error, ")
        is_ours = first["type"] == "value_error"
        given = "" if is_ours else f" = {first['input']!r}"
        raise RecipeError(f"{where}: {dotted}{given}: {message}.", "recipes/README.md explains every key.") from error
    except RecipeError as error:
        raise RecipeError(f"{place}: {error.message}", error.hint) from error


def shipped_recipes_folder() -> Path:
    """Give the folder of the shipped recipes: inside the wheel, else beside the package in a checkout."""
    shipped = _PACKAGE / "_shipped" / "recipes"
    return shipped if shipped.is_dir() else _PACKAGE.parent / "recipes"


def list_shipped_recipes() -> list[str]:
    """List the names of the shipped recipes, sorted."""
    return sorted(path.stem for path in shipped_recipes_folder().glob("*.toml"))


def _find_recipe(name_or_path: str | None, project: Path) -> Path:
    shipped = list_shipped_recipes()
    if name_or_path is None:
        path = project / PROJECT_RECIPE
        if not path.is_file():
            raise RecipeError(
                f"There is no recipe: {path} does not exist.",
                f"Write one with `lowres init`, or name a shipped one with --recipe: {', '.join(shipped)}.",
            )
        return path
    if name_or_path in shipped:
        return shipped_recipes_folder() / f"{name_or_path}.toml"
    path = expand_home(name_or_path)
    if path.is_dir():
        path = path / PROJECT_RECIPE
    if path.is_file():
        return path
    nearest = difflib.get_close_matches(name_or_path, shipped, n=1, cutoff=0.5)
    guess = f"Did you mean {nearest[0]}? " if nearest else ""
    raise RecipeError(
        f"No recipe is called {name_or_path!r}, and there is no such file.",
        f"{guess}Shipped recipes: {', '.join(shipped)}. For your own, give the path of its .toml file.",
    )


def _read_toml(toml: str, place: str) -> dict[str, Any]:
    try:
        return tomllib.loads(toml)
    except tomllib.TOMLDecodeError as error:
        message = str(error)
        found = re.search(r"\s*\(at line (\d+), column (\d+)\)", message)
        line = int(found.group(1)) if found else len(toml.splitlines())
        written = toml.splitlines()[line - 1].strip() if 0 < line <= len(toml.splitlines()) else ""
        reason = message.replace(found.group(0), "") if found else message
        raise RecipeError(
            f"{place}, line {line} is not TOML ({reason}): {written}",
            'Text goes in double quotes, as in name = "Mboshi"; true and false without; a backslash is written \\\\.',
        ) from error


def _apply_overrides(data: dict[str, Any], overrides: Sequence[str]) -> dict[KeyPath, str]:
    """Set `overrides` in `data`; give the path of each with the option as it was typed."""
    applied: dict[KeyPath, str] = {}
    for override in overrides:
        key, separator, value = override.partition("=")
        parts = tuple(part.strip() for part in key.split("."))
        if not separator or not all(parts):
            raise RecipeError(f"--set {override}: this is not KEY=VALUE.", _OVERRIDE_EXAMPLE)
        table: Any = data
        for part in parts[:-1]:
            table = table.setdefault(part, {})
            if not isinstance(table, dict):
                raise RecipeError(f"--set {override}: {part} is a value, not a section.", _OVERRIDE_EXAMPLE)
        table[parts[-1]] = _read_value(value.strip())
        applied[parts] = f"--set {override}"
    return applied


def _read_value(text: str) -> Any:
    """Read a value as TOML (a number, true, a list ...), else take it as the string that it is."""
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def _unknown_keys(data: Mapping[str, Any], kind: Any, path: KeyPath) -> Iterator[tuple[KeyPath, list[str]]]:
    """Find keys that `kind` does not have, each with the keys that it does."""
    known = _known_keys(kind)
    if known is None:
        return
    for key, value in data.items():
        here = (*path, key)
        if key not in known:
            yield here, list(known)
        elif isinstance(value, dict):
            yield from _unknown_keys(value, _inner_kind(known[key]), here)
        elif isinstance(value, list):
            for number, entry in enumerate(value):
                if isinstance(entry, dict):
                    yield from _unknown_keys(entry, _inner_kind(known[key]), (*here, number))


def _known_keys(kind: Any) -> dict[str, Any] | None:
    """Give the keys of a section with the kind of each value; None for anything but a section."""
    if kind is ModelSection:
        return {"preset": str, **get_type_hints(Wav2Vec2Config)}
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return {field.alias or name: field.annotation for name, field in kind.model_fields.items()}
    if dataclasses.is_dataclass(kind):
        hints = get_type_hints(kind)
        return {field.name: hints[field.name] for field in dataclasses.fields(kind)}
    return None


def _inner_kind(kind: Any) -> Any:
    """Give the section inside an optional one or a list of them."""
    if _known_keys(kind) is None and (isinstance(kind, types.UnionType) or getattr(kind, "__origin__", None) is tuple):
        return next((inner for inner in get_args(kind) if _known_keys(inner) is not None), None)
    return kind


def _unknown_key_error(path: KeyPath, known: list[str], where: str) -> RecipeError:
    dotted = ".".join(str(part) for part in path if not isinstance(part, int))
    nearest = difflib.get_close_matches(str(path[-1]), known, n=1, cutoff=0.5)
    hint = f"Did you mean '{nearest[0]}'?" if nearest else f"Known here: {', '.join(known)}."
    return RecipeError(f"{where}: there is no key '{dotted}'.", hint)


def _say_where(path: Sequence[str | int], toml: str, place: str, overridden: Mapping[KeyPath, str]) -> str:
    for key_path, option in overridden.items():
        if tuple(path[: len(key_path)]) == key_path:
            return option
    line = find_line(toml, path)
    return f"{place}, line {line}" if line else place
