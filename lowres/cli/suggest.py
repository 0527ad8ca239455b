"""`lowres suggest`: what to transcribe next, and drafts of it to correct."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.text import Text

from lowres.cli.align import visible
from lowres.cli.console import console, errors, plain_table, print_error, print_next, print_warning, say
from lowres.cli.evaluate import LanguageModelOption
from lowres.cli.options import ProjectOption, RecipeOption, with_project
from lowres.cli.transcribe import (
    INCOMPLETE_STATUS,
    ChannelOption,
    DetectorOption,
    LongestOption,
    RunOption,
    SourcesArgument,
)

if TYPE_CHECKING:
    from lowres.stages.suggest import SuggestResult

NUM_SHOWN = 12

HoursOption = Annotated[float, typer.Option("--hours", min=0.01, help="Hours of speech to suggest.")]
IncludeOption = Annotated[
    bool, typer.Option("--include-transcribed", help="Also recordings with annotations beside them, or in the corpus.")
]


def suggest(
    sources: SourcesArgument,
    project: ProjectOption = Path(),
    recipe: RecipeOption = None,
    run: RunOption = None,
    hours: HoursOption = 1.0,
    include_transcribed: IncludeOption = False,
    lm: LanguageModelOption = "auto",
    vad: DetectorOption = "auto",
    longest: LongestOption = 20.0,
    channel: ChannelOption = None,
) -> None:
    """Choose which recordings to transcribe next, and write drafts of them to correct in ELAN."""
    from lowres.audio.stretch_plan import stretches_up_to
    from lowres.recipe import load_recipe
    from lowres.recipe.load import PROJECT_RECIPE
    from lowres.stages.suggest import suggest as run_suggestion
    from lowres.stages.transcribe_work import ListenerSpec

    # Without one, suggest says that it does not know which recordings the corpus has.
    has_recipe = recipe is not None or (project / PROJECT_RECIPE).exists()
    loaded = load_recipe(recipe, project=project) if has_recipe else None
    listener = ListenerSpec(
        project,
        language_model=lm,
        detector=None if vad == "none" else vad,
        stretches=stretches_up_to(longest),
        channel=channel,
    )
    with Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), console=errors, transient=True
    ) as bar:
        task = bar.add_task("listening", total=None)
        result = run_suggestion(
            project,
            sources,
            listener,
            recipe=loaded,
            run=run,
            hours=hours,
            include_transcribed=include_transcribed,
            progress=lambda done, total: bar.update(task, completed=done, total=total),
        )
    _print(result)
    again = with_project("lowres prepare", project, recipe)
    print_next("Correct the drafts in ELAN, add them to the corpus, then", again)
    if result.problems:
        raise typer.Exit(INCOMPLETE_STATUS)


def _print(result: "SuggestResult") -> None:
    from lowres.manifest.overlap import count
    from lowres.report.sentences import duration_text
    from lowres.stages.suggest import SUGGESTIONS_FILE

    for note in result.notes:
        print_warning(visible(note))
    table = plain_table("", "recording", "from", "speech", "wrong, by\nits guess", "new runs\nof letters", "new sound")
    for column in table.columns[2:]:
        column.justify = "right"
    for rank, one in enumerate(result.suggestions[:NUM_SHOWN], start=1):
        candidate = one.candidate
        table.add_row(
            str(rank),
            Text(visible(candidate.name)),
            duration_text(candidate.start_seconds),
            duration_text(candidate.speech_seconds),
            f"{100 * one.doubt:.0f} %",
            f"{one.num_new_runs:,}",
            f"{one.distance:.2f}",
        )
    console.print(table)
    if len(result.suggestions) > NUM_SHOWN:
        say(f"and {len(result.suggestions) - NUM_SHOWN:,} more")
    console.print()
    seconds = sum(one.candidate.speech_seconds for one in result.suggestions)
    say(
        f"{duration_text(seconds)} of speech suggested, {count(len(result.suggestions), 'passage')} of "
        f"{result.num_candidates:,}, heard with {result.run_name}"
    )
    if result.num_transcribed:
        left_out = count(result.num_transcribed, "recording")
        say(f"{left_out} left out: transcribed already (--include-transcribed)")
    say(f"the list: {visible(result.folder / SUGGESTIONS_FILE)}; a draft of each for ELAN beside it")
    for _, problem in result.problems:
        print_error(f"not heard: {visible(problem)}")
