"""`lowres finetune`: train a recogniser and show how it learns."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from lowres.cli.console import console, plain_table, print_next, say
from lowres.cli.finetune_view import FinetuneView
from lowres.cli.options import (
    MinutesOption,
    ProjectOption,
    RecipeOption,
    ResumeOption,
    SetOption,
    with_options,
    with_project,
)
from lowres.cli.stopping import INTERRUPTED_STATUS, stopping_politely
from lowres.cli.training_screen import duration

if TYPE_CHECKING:
    from lowres.recipe import Recipe
    from lowres.stages.finetune import FinetuneOptions, FinetuneResult
    from lowres.stages.finetune_run import RunRecord
    from lowres.stages.finetune_seeds import SeedsResult, Spread

HoursOption = Annotated[
    str | None,
    typer.Option("--hours", metavar="AMOUNT", help="Training speech to use: 1, 0.5, 10min, 2h; without it, all."),
]
SeedOption = Annotated[int | None, typer.Option("--seed", min=0, help="Seed of weights, order, masks and dropout.")]
SeedsOption = Annotated[
    int | None,
    typer.Option("--seeds", min=1, help="Train this many, with one seed after the other, and show mean and spread."),
]
SelfTrainOption = Annotated[
    Path | None,
    typer.Option(
        "--self-train",
        metavar="FOLDER",
        help="Label the recordings of this folder with the trained recogniser, and train another one on both.",
    ),
]
RunOption = Annotated[
    str | None, typer.Option("--run", metavar="NAME", help="Name of the run; without it, made from hours and seed.")
]


def finetune(
    project: ProjectOption = Path(),
    recipe: RecipeOption = None,
    overrides: SetOption = None,
    hours: HoursOption = None,
    minutes: MinutesOption = None,
    seed: SeedOption = None,
    seeds: SeedsOption = None,
    self_train: SelfTrainOption = None,
    run: RunOption = None,
    resume: ResumeOption = False,
) -> None:
    """Train a recogniser on the prepared corpus; it can be stopped and resumed at any moment."""
    from lowres.errors import RecipeError
    from lowres.manifest.subsets import parse_amount
    from lowres.recipe import load_recipe
    from lowres.stages.finetune import FinetuneOptions
    from lowres.stages.finetune import finetune as run_finetuning

    loaded = load_recipe(recipe, overrides or [], project=project)
    options = FinetuneOptions(
        hours=None if hours is None else parse_amount(hours) / 60, minutes=minutes, seed=seed, run=run, resume=resume
    )
    if seeds is not None and self_train is not None:
        raise RecipeError("--self-train and --seeds cannot be used together.", "Use --self-train with each --seed N.")
    if self_train is not None:
        _self_train(project, recipe, loaded, options, self_train, overrides)
        return
    if seeds is not None:
        _train_seeds(project, recipe, loaded, options, seeds, overrides)
        return
    with FinetuneView() as view, stopping_politely(view.say) as stop:
        result = run_finetuning(project, loaded, options, view.show, is_stop_asked=lambda: stop.is_asked)
    if result.ending == "interrupted":
        say(f"Stopped after {result.record.updates:,} updates; everything is saved.")
        if result.pages is not None:
            say(f"How it has gone so far: {result.pages.report}")
        again = with_options("lowres finetune --resume", {"run": result.record.name})
        print_next("To go on", with_project(again, project, recipe, overrides))
        raise typer.Exit(INTERRUPTED_STATUS)
    print_result(result)
    measure = with_options("lowres evaluate", {"run": result.record.name})
    print_next("To measure it", with_project(measure, project, recipe))


def _train_seeds(
    project: Path,
    recipe: str | None,
    loaded: "Recipe",
    options: "FinetuneOptions",
    num_seeds: int,
    overrides: list[str] | None,
) -> None:
    from lowres.stages.finetune_seeds import finetune_seeds

    with FinetuneView() as view, stopping_politely(view.say) as stop:
        result = finetune_seeds(project, loaded, options, num_seeds, view.show, is_stop_asked=lambda: stop.is_asked)
    if result.is_interrupted:
        console.print(Text("Stopped; everything is saved."))
        given = {"seeds": num_seeds, "hours": options.hours, "minutes": options.minutes, "seed": options.seed}
        again = with_options("lowres finetune --resume", given)
        print_next("To go on", with_project(again, project, recipe, overrides))
        raise typer.Exit(INTERRUPTED_STATUS)
    print_seeds(result)
    if result.best is not None:
        measure = with_options("lowres evaluate", {"run": result.best.run})
        print_next("To measure the best on dev", with_project(measure, project, recipe))
    else:
        print_next("To look for the cause in the recordings", with_project("lowres inspect", project, recipe))


def _self_train(
    project: Path,
    recipe: str | None,
    loaded: "Recipe",
    options: "FinetuneOptions",
    folder: Path,
    overrides: list[str] | None,
) -> None:
    from lowres.stages.finetune_self_train import finetune_self_train

    with FinetuneView() as view, stopping_politely(view.say) as stop:
        result = finetune_self_train(project, loaded, options, folder, view.show, is_stop_asked=lambda: stop.is_asked)
    if result.teacher is None or result.student is None:
        say("Stopped; everything is saved.")
        again = with_options("lowres finetune --resume", {"self-train": folder, "run": result.teacher_run})
        print_next("To go on", with_project(again, project, recipe, overrides))
        raise typer.Exit(INTERRUPTED_STATUS)
    print_teacher_and_student(result.teacher, result.student)
    measure = with_project(with_options("lowres evaluate", {"run": result.better_run}), project, recipe)
    print_next(f"To measure the {'student' if result.better_run == result.student_run else 'teacher'}", measure)


def print_teacher_and_student(teacher: "RunRecord", student: "RunRecord") -> None:
    """Show the error rates of both on dev, and what each learnt from."""
    table = plain_table("", "CER on dev", "WER on dev", "transcribed", "pseudo-labelled")
    for role, record in (("teacher", teacher), ("student", student)):
        rates = (record.best_dev_character_error_rate, record.best_dev_word_error_rate)
        hours = (record.hours, record.pseudo_labelled_hours)
        cells = [role, *map(_percent, rates), *(f"{amount:.2f} h" for amount in hours)]
        table.add_row(*map(Text, cells))
    console.print(table)
    before, after = teacher.best_dev_character_error_rate, student.best_dev_character_error_rate
    if before is not None and after is not None and after >= before:
        say("The student is no better than its teacher on dev.")


def _percent(rate: float | None) -> str:
    return "-" if rate is None else f"{rate:.1%}"


def print_seeds(result: "SeedsResult") -> None:
    """Show each seed's error rates on dev, their mean and their standard deviation."""
    table = plain_table("seed", "CER on dev", "WER on dev", "run")
    for outcome in result.outcomes:
        rates = [_percent(rate) for rate in (outcome.character_error_rate, outcome.word_error_rate)]
        table.add_row(Text(str(outcome.seed)), *map(Text, rates), Text(outcome.run))
    spreads = [_spread_text(spread) for spread in (result.character_error_rate, result.word_error_rate)]
    table.add_row(Text("mean"), *map(Text, spreads), Text("plus or minus the standard deviation over seeds"))
    console.print(table)
    for outcome in result.outcomes:
        if outcome.problem:
            say(f"seed {outcome.seed}: {outcome.problem}")
    say(f"written: {result.summary}" + (f", {result.report}" if result.report else ""))


def _spread_text(spread: "Spread | None") -> str:
    return "-" if spread is None else f"{spread.mean:.1%} ± {spread.deviation:.1%}"


def print_result(result: "FinetuneResult") -> None:
    """Say how the run ended, in figures."""
    record = result.record
    table = plain_table("", "")
    if record.best_dev_character_error_rate is not None and record.best_dev_word_error_rate is not None:
        table.add_row(
            Text("best on dev"),
            Text(
                f"CER {record.best_dev_character_error_rate:.1%}, WER {record.best_dev_word_error_rate:.1%} "
                f"after {record.best_step:,} updates"
            ),
        )
    table.add_row(Text("trained"), Text(f"{record.updates:,} updates, {record.hours_processed:.2f} h of audio heard"))
    table.add_row(Text("time"), Text(f"{duration(record.wall_seconds)} ({result.ending})"))
    table.add_row(Text("recogniser"), Text(str(result.folder / "checkpoints" / "best")))
    if result.pages is not None:
        table.add_row(Text("how it went"), Text(str(result.pages.report)))
    if result.pages is not None and result.pages.model_card is not None:
        table.add_row(Text("model card"), Text(str(result.pages.model_card)))
    console.print(table)
