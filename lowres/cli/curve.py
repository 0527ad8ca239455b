"""`lowres curve`: what more speech would bring, by recognisers trained on less and less of it."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.text import Text

from lowres.cli.console import console, plain_table, print_answers, print_next, print_warning, say
from lowres.cli.finetune import SeedOption
from lowres.cli.options import MinutesOption, ProjectOption, RecipeOption, SetOption, with_options, with_project
from lowres.cli.series_view import SeriesView
from lowres.cli.stopping import INTERRUPTED_STATUS, stopping_politely

if TYPE_CHECKING:
    from lowres.report.curve_contents import CurveContents
    from lowres.stages.curve import CurveOptions

SizesOption = Annotated[
    str | None,
    typer.Option(
        "--sizes",
        metavar="AMOUNTS",
        help="Amounts of training speech, e.g. 10m,30m,1,2; without it, doubling from 10 minutes as far as there is.",
    ),
]
PointsOption = Annotated[
    list[str] | None,
    typer.Option("--run", metavar="NAME", help="Take this trained run as a point and train nothing. Repeatable."),
]
SplitOption = Annotated[
    Literal["dev", "test"] | None,
    typer.Option("--split", help="What to score; without it dev, since test is for the last figure."),
]
TargetOption = Annotated[
    str | None,
    typer.Option(
        "--target", metavar="RATE", help="The error rate to reach, e.g. 20 (percent of letters), 20%CER or 35%WER."
    ),
]
NameOption = Annotated[
    str, typer.Option("--name", metavar="NAME", help="Begins the runs' names, and is that of the report.")
]


def curve(
    project: ProjectOption = Path(),
    recipe: RecipeOption = None,
    overrides: SetOption = None,
    sizes: SizesOption = None,
    run: PointsOption = None,
    minutes: MinutesOption = None,
    seed: SeedOption = None,
    split: SplitOption = None,
    target: TargetOption = None,
    name: NameOption = "curve",
) -> None:
    """Predict what more transcribed speech would bring, from recognisers trained on less of it."""
    from lowres.errors import RecipeError
    from lowres.recipe import load_recipe
    from lowres.report.curve_contents import parse_target
    from lowres.stages.curve import CurveOptions, learning_curve

    if sizes and run:
        raise RecipeError("--sizes and --run cannot be used together.", "With --run, nothing is trained.")
    loaded = load_recipe(recipe, overrides or [], project=project)
    options = CurveOptions(
        sizes=_parse_sizes(sizes) if sizes else None,
        runs=tuple(run or ()),
        minutes=minutes,
        seed=seed,
        split=split,
        target=parse_target(target) if target else None,
        name=name,
    )
    with SeriesView() as view, stopping_politely(view.say) as stop:
        result = learning_curve(project, loaded, options, view.show, is_stop_asked=lambda: stop.is_asked)
    if result.contents is None:
        say("Stopped; everything is saved.")
        print_next("To go on", with_project(_again(options, sizes, target), project, recipe, overrides))
        raise typer.Exit(INTERRUPTED_STATUS)
    print_curve(result.contents)
    page = result.folder / "report.html"
    console.print(Text.assemble(("report: ", "bold green"), (str(page), "bold")), soft_wrap=True)
    best = with_project(with_options("lowres evaluate", {"run": result.contents.largest.run}), project, recipe)
    print_next("To see what the largest gets wrong", best)


def _parse_sizes(sizes: str) -> tuple[float, ...]:
    from lowres.manifest.subsets import parse_amount

    return tuple(parse_amount(size) / 60 for size in sizes.split(","))


def _again(options: "CurveOptions", sizes: str | None, target: str | None) -> str:
    given = {
        "sizes": sizes,
        "minutes": options.minutes,
        "seed": options.seed,
        "split": options.split,
        "target": target,
        "name": None if options.name == "curve" else options.name,
    }
    again = with_options("lowres curve", given)
    for run in options.runs:
        again = with_options(again, {"run": run})
    return again


def print_curve(contents: "CurveContents") -> None:
    """Print the answers first, then what was measured and what is predicted."""
    from lowres.report.curve_page import answers
    from lowres.report.curve_sentences import amount_text
    from lowres.report.sentences import interval_text, percent

    print_answers(answers(contents))
    table = plain_table("trained on", "CER", "95 %", "WER", "95 %", "run")
    for column in table.columns[1:5]:
        column.justify, column.no_wrap = "right", True
    for point in contents.points:
        rates = [
            text
            for rate in (point.characters, point.words)
            for text in (percent(rate.error_rate, 1), interval_text(rate.interval))
        ]
        table.add_row(Text(amount_text(point.hours)), *map(Text, rates), Text(point.run))
    law, words_law = contents.letters_law, contents.words_law
    if law is not None and words_law is not None:
        for factor in (2, 4):
            hours = factor * contents.most_hours
            predicted = [
                text
                for one in (law.predict(hours), words_law.predict(hours))
                for text in (percent(one.error_rate, 1), f"{one.low * 100:.1f}–{one.high * 100:.1f}\u00a0%")
            ]
            table.add_row(*(Text(cell, style="dim") for cell in (amount_text(hours), *predicted, "(predicted)")))
    console.print(table)
    for caution in contents.cautions:
        print_warning(caution)
