"""`lowres recipe`: print a recipe with its defaults filled in."""

from pathlib import Path
from typing import Annotated

import typer

from lowres.cli.options import ProjectOption, RecipeOption, SetOption, with_project


def recipe(
    project: ProjectOption = Path(),
    recipe: RecipeOption = None,
    overrides: SetOption = None,
    list_shipped: Annotated[bool, typer.Option("--list", help="List the shipped recipes instead.")] = False,
) -> None:
    """Print the recipe with its defaults, after running its text tests; comments name what is left to lowres."""
    from lowres.cli.console import console, errors, print_next
    from lowres.errors import RecipeError
    from lowres.recipe import list_shipped_recipes, load_recipe, run_text_tests

    if list_shipped:
        for name in list_shipped_recipes():
            console.print(f"{name:20} {load_recipe(name).description}", markup=False, soft_wrap=True)
        print_next("To begin with one of them", with_project("lowres init --recipe NAME", project, None))
        return
    loaded = load_recipe(recipe, overrides or (), project=project)
    failures = run_text_tests(loaded)
    if failures:
        first = failures[0]
        raise RecipeError(
            f"{loaded.source_path}: {len(failures)} of {len(loaded.text.tests)} text tests fail: "
            f"{first.source!r} becomes {first.actual!r} instead of {first.expected!r}.",
            "Correct text.rules or the test.",
        )
    console.print(loaded.to_toml(), markup=False, soft_wrap=True, end="")
    # On stderr: what is on stdout is a recipe, to be kept in a file.
    print_next("To prepare its corpus", with_project("lowres prepare", project, recipe, overrides), on=errors)
