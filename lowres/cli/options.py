"""The options that every project command shares, each written once.

A command takes them as annotated parameters:

    def prepare(
        project: ProjectOption = Path("."), recipe: RecipeOption = None, overrides: SetOption = None
    ) -> None: ...
"""

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

import typer

ProjectOption = Annotated[
    Path,
    typer.Option(
        "--project", metavar="FOLDER", help="The project folder: lowres.toml, corpus/, runs/ and reports/ live there."
    ),
]

RecipeOption = Annotated[
    str | None,
    typer.Option(
        "--recipe",
        metavar="NAME-or-PATH",
        help="A shipped recipe's name or a recipe file; without it, the project's lowres.toml.",
    ),
]

SetOption = Annotated[
    list[str] | None,
    typer.Option(
        "--set", metavar="KEY=VALUE", help="Override one recipe value, e.g. finetune.learning_rate=1e-5. Repeatable."
    ),
]

MinutesOption = Annotated[
    float | None,
    typer.Option("--minutes", min=0.01, help="Time to train in; the whole learning rate schedule is fitted into it."),
]

ResumeOption = Annotated[bool, typer.Option("--resume", help="Go on with a run that was stopped or killed.")]


def with_options(command: str, given: Mapping[str, object]) -> str:
    """Add to a command, as it is typed, the options that were given: by name, without dashes; None was not given."""
    options = {name: _as_typed(value) for name, value in given.items() if value is not None}
    return command + "".join(f" --{name} {shlex.quote(value)}" for name, value in options.items())


def _as_typed(value: object) -> str:
    """Return 5.0 as 5, and every digit of what has more than six."""
    return f"{value:g}" if isinstance(value, float) and float(f"{value:g}") == value else str(value)


def with_project(command: str, project: Path, recipe: str | None, overrides: Sequence[str] | None = None) -> str:
    """Add to a command, as it is typed, the project, the recipe and the overrides that this one was given."""
    command = with_options(command, {"recipe": recipe})
    for override in overrides or ():
        command = with_options(command, {"set": override})
    return with_options(command, {"project": None if project == Path() else project})
