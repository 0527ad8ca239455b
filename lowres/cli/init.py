"""`lowres init`: write the lowres.toml of a new project."""

from pathlib import Path
from typing import Annotated

import typer

from lowres.cli.options import ProjectOption, with_project


def init(
    project: ProjectOption = Path(),
    recipe: Annotated[
        str, typer.Option("--recipe", metavar="NAME", help="Start from a shipped recipe (see lowres recipe --list).")
    ] = "",
    recordings: Annotated[
        Path | None,
        typer.Option("--recordings", metavar="FOLDER", help="Your recordings and their transcripts."),
    ] = None,
    language: Annotated[str, typer.Option("--language", metavar="NAME", help="The language's name.")] = "",
    code: Annotated[str, typer.Option("--code", metavar="XYZ", help="Its ISO 639-3 code.")] = "",
    force: Annotated[bool, typer.Option("--force", help="Replace an existing lowres.toml.")] = False,
) -> None:
    """Write a lowres.toml to edit: from a shipped recipe, or for a folder of your own recordings."""
    from lowres.cli.console import console, print_next
    from lowres.stages.init import InitOptions, init_project

    result = init_project(project, InitOptions(recipe, recordings, language, code, force))
    console.print(f"Written: {result.path}", markup=False, soft_wrap=True)
    if result.layout:
        console.print(f"The recordings look like the layout {result.layout!r}.", markup=False, soft_wrap=True)
    print_next("Look it over, then prepare the recordings", with_project("lowres prepare", project, None))
