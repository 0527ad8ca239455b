"""The options that every project command shares, each written once.

A command takes them as annotated parameters:

    def prepare(
        project: ProjectOption = Path("."), recipe: RecipeOption = None, overrides: SetOption = None
    ) -> None: ...
"""

import shlex
from collections.abc import Sequence
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


def with_project(command: str, project: Path, recipe: str | None, overrides: Sequence[str] | None = None) -> str:
    """Add to a command, as it is typed, the project, the recipe and the overrides that this one was given."""
    if recipe is not None:
        command += f" --recipe {shlex.quote(recipe)}"
    for override in overrides or ():
        command += f" --set {shlex.quote(override)}"
    return command if project == Path() else f"{command} --project {shlex.quote(str(project))}"
