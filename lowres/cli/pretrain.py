"""`lowres pretrain`: learn from untranscribed recordings, of many languages or of one, and show how it goes."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from lowres.cli.console import console, plain_table, print_next, say
from lowres.cli.options import (
    MinutesOption,
    ProjectOption,
    RecipeOption,
    ResumeOption,
    SetOption,
    with_options,
    with_project,
)
from lowres.cli.pretrain_view import PretrainView
from lowres.cli.stopping import INTERRUPTED_STATUS, stopping_politely
from lowres.cli.training_screen import duration

if TYPE_CHECKING:
    from lowres.stages.pretrain import PretrainResult

SeedOption = Annotated[
    int | None, typer.Option("--seed", min=0, help="Seed of weights, order, crops, masks and distractors.")
]
RunOption = Annotated[
    str | None, typer.Option("--run", metavar="NAME", help="Name of the run; without it, made from the seed.")
]


def pretrain(
    project: ProjectOption = Path(),
    recipe: RecipeOption = None,
    overrides: SetOption = None,
    minutes: MinutesOption = None,
    seed: SeedOption = None,
    run: RunOption = None,
    resume: ResumeOption = False,
) -> None:
    """Train a backbone on recordings without transcripts; `torchrun` spreads it over GPUs and machines."""
    from lowres.recipe import load_recipe
    from lowres.stages.pretrain import PretrainOptions
    from lowres.stages.pretrain import pretrain as run_pretraining

    loaded = load_recipe(recipe, overrides or [], project=project)
    options = PretrainOptions(minutes=minutes, seed=seed, run=run, resume=resume)
    with PretrainView() as view, stopping_politely(view.say) as stop:
        result = run_pretraining(project, loaded, options, view.show, is_stop_asked=lambda: stop.is_asked)
    if result.report is None:
        return  # another process talks
    if result.ending == "interrupted":
        done = result.record.updates
        say(f"Stopped after {done:,} updates; everything is saved." if done else "Stopped before the first update.")
        again = with_options("lowres pretrain --resume", {"run": result.record.name})
        print_next("To go on", with_project(again, project, recipe, overrides))
        raise typer.Exit(INTERRUPTED_STATUS)
    print_result(result)
    backbone = f"runs/{result.record.name}/checkpoints/{result.checkpoint_name}"
    start = with_options("lowres finetune --hours 1", {"set": f"finetune.backbone={backbone}"})
    print_next("To fine-tune from it", with_project(start, project, recipe))


def print_result(result: "PretrainResult") -> None:
    """Say how the run ended, in figures."""
    record = result.record
    table = plain_table("", "")
    if record.best_contrastive_loss is not None and record.best_contrastive_accuracy is not None:
        table.add_row(
            Text("best on held-out speech"),
            Text(
                f"contrastive loss {record.best_contrastive_loss:.3f}, accuracy "
                f"{record.best_contrastive_accuracy:.1%} (by chance {1 / (record.num_distractors + 1):.1%}) "
                f"after {record.best_step:,} updates"
            ),
        )
    table.add_row(Text("trained"), Text(f"{record.updates:,} updates, {record.hours_processed:.2f} h of audio heard"))
    table.add_row(Text("time"), Text(f"{duration(record.wall_seconds)} ({result.ending})"))
    table.add_row(Text("backbone"), Text(str(result.folder / "checkpoints" / result.checkpoint_name)))
    table.add_row(Text("curves"), Text(str(result.report)))
    console.print(table)
