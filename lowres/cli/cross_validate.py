"""`lowres cross-validate`: how speakers are heard whom the recogniser has never heard."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from lowres.cli.console import console, plain_table, print_answers, print_next, print_warning, say
from lowres.cli.finetune import HoursOption, SeedOption
from lowres.cli.options import MinutesOption, ProjectOption, RecipeOption, SetOption, with_options, with_project
from lowres.cli.series_view import SeriesView
from lowres.cli.stopping import INTERRUPTED_STATUS, stopping_politely

if TYPE_CHECKING:
    from lowres.report.cross_validation_contents import CrossValidationContents, MeasuredRate, SpeakerResult

_SPEAKERS_SHOWN = 40

FoldsOption = Annotated[
    int | None,
    typer.Option("--folds", min=2, help="Leave out this many groups of speakers; without it, each speaker alone."),
]
NameOption = Annotated[
    str | None,
    typer.Option("--name", metavar="NAME", help="Keep it apart from others; without it, made from hours and seed."),
]


def cross_validate(
    project: ProjectOption = Path(),
    recipe: RecipeOption = None,
    overrides: SetOption = None,
    folds: FoldsOption = None,
    hours: HoursOption = None,
    minutes: MinutesOption = None,
    seed: SeedOption = None,
    name: NameOption = None,
) -> None:
    """Leave out each speaker in turn, train on the others, and show how people are heard whom it never heard."""
    from lowres.manifest.subsets import parse_amount
    from lowres.recipe import load_recipe
    from lowres.stages.cross_validate import CrossValidateOptions
    from lowres.stages.cross_validate import cross_validate as run_cross_validation

    loaded = load_recipe(recipe, overrides or [], project=project)
    options = CrossValidateOptions(
        folds=folds,
        hours=None if hours is None else parse_amount(hours) / 60,
        minutes=minutes,
        seed=seed,
        name=name,
    )
    with SeriesView() as view, stopping_politely(view.say) as stop:
        result = run_cross_validation(project, loaded, options, view.show, is_stop_asked=lambda: stop.is_asked)
    if result.contents is None:
        say("Stopped; everything is saved.")
        given = {"folds": folds, "hours": hours, "minutes": minutes, "seed": seed, "name": name}
        again = with_options("lowres cross-validate", given)
        print_next("To go on", with_project(again, project, recipe, overrides))
        raise typer.Exit(INTERRUPTED_STATUS)
    print_cross_validation(result.contents)
    page = result.folder / "report.html"
    console.print(Text.assemble(("report: ", "bold green"), (str(page), "bold")), soft_wrap=True)
    print_next("To see what more speech would bring", with_project("lowres curve", project, recipe))


def print_cross_validation(contents: "CrossValidationContents") -> None:
    """Print the answer first, then the table of speakers."""
    from lowres.report.cross_validation_page import answers

    print_answers(answers(contents))
    _print_table(contents)
    for caution in contents.cautions:
        print_warning(caution)


def _print_table(contents: "CrossValidationContents") -> None:
    from lowres.report.cross_validation_sentences import name_of
    from lowres.report.sentences import percent

    official = contents.official
    table = plain_table("left out", "spoke", "CER", "95 %", "WER", "95 %", *(["CER there"] if official else []))
    for column in table.columns[1:]:
        column.justify, column.no_wrap = "right", True
    for result in contents.results[:_SPEAKERS_SHOWN]:
        cells = [name_of(result.speaker), f"{result.seconds / 60:,.0f} min"]
        table.add_row(*map(Text, [*cells, *_rates(result.letters, result.words), *_there(result, bool(official))]))
    means = [
        text
        for spread in (contents.spread("letters"), contents.spread("words"))
        for text in (percent(spread.mean, 1), f"± {percent(spread.deviation, 1)}")
    ]
    ending = [percent(official.letters.error_rate, 1)] if official else []
    table.add_row(*(Text(cell, style="bold") for cell in ["mean", "", *means, *ending]))
    console.print(table)
    if len(contents.results) > _SPEAKERS_SHOWN:
        console.print(Text(f"and {len(contents.results) - _SPEAKERS_SHOWN} more in the report", style="dim"))
    if official:
        console.print(Text(f"there: {official.run}, of the same settings, on the {official.split} split", style="dim"))


def _rates(*rates: "MeasuredRate") -> list[str]:
    from lowres.report.sentences import interval_text, percent

    return [text for rate in rates for text in (percent(rate.error_rate, 1), interval_text(rate.interval))]


def _there(result: "SpeakerResult", has_official: bool) -> list[str]:
    from lowres.report.sentences import percent

    if not has_official:
        return []
    return [percent(result.official[0].error_rate, 1) if result.official else "–"]
