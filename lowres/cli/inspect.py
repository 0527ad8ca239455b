"""`lowres inspect`: how much speech there is of what and of whom, and what the checks found, to look at and to hear."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from lowres.cli.console import console, errors, plain_table, print_next, print_warning, say
from lowres.cli.options import ProjectOption, RecipeOption, SetOption, with_project

if TYPE_CHECKING:
    from lowres.report.data_contents import DataContents
    from lowres.stages.inspect import InspectResult


def inspect(
    project: ProjectOption = Path(),
    recipe: RecipeOption = None,
    overrides: SetOption = None,
    corpus: Annotated[
        Path | None,
        typer.Option("--corpus", metavar="FOLDER", help="Another prepared corpus than the project's own."),
    ] = None,
    recordings: Annotated[
        bool, typer.Option("--recordings/--no-recordings", help="Whether the page holds recordings to listen to.")
    ] = True,
) -> None:
    """Look at a prepared corpus: hours, speakers, length and pace, and what the checks found, to listen to."""
    from lowres.recipe import load_recipe
    from lowres.stages.inspect import ORTHOGRAPHY_FOLDER, inspect_corpus

    loaded = load_recipe(recipe, overrides or (), project=project)
    with errors.status("looking at the corpus"):
        result = inspect_corpus(project, loaded, folder=corpus, with_recordings=recordings)
    _print_contents(result)
    if corpus is not None:
        _print_next_of_other(result)
    elif not result.contents.transcribed:
        print_next("To pretrain on it", with_project("lowres pretrain", project, recipe, overrides))
    elif not (project / ORTHOGRAPHY_FOLDER / result.page.name).is_file():
        print_next(
            "To look at the letters of the transcripts", with_project("lowres audit", project, recipe, overrides)
        )
    else:
        print_next("To train on it", with_project("lowres finetune --hours 1", project, recipe, overrides))


def _print_next_of_other(result: "InspectResult") -> None:
    """Name the next command for the corpus of another project; prepared ones that are none's have no such command."""
    if result.owner is not None:
        is_transcribed = result.contents.transcribed
        doing, command = ("train", "finetune --hours 1") if is_transcribed else ("pretrain", "pretrain")
        print_next(f"To {doing} on it", with_project(f"lowres {command}", result.owner, None))


def _print_contents(result: "InspectResult") -> None:
    from lowres.report.sentences import duration_text
    from lowres.report.terms import CONSENT, LICENCE

    contents = result.contents
    _print_amounts(contents)
    _print_findings(contents)
    for sentence in contents.warnings:
        print_warning(sentence)
    facts = dict(contents.facts)
    say(f"licence: {facts[LICENCE]}   consent: {facts[CONSENT]}")
    say(
        f"{duration_text(contents.used.seconds)} of {duration_text(contents.seconds)} can be used"
        + (f"; {contents.num_unread:,} files or stretches could not be read" if contents.num_unread else "")
    )
    say(
        f"written: {result.page}  ({result.page_bytes / 1e6:.1f} MB, {result.num_embedded} recordings to hear; opens "
        "offline in any browser)"
    )


def _print_amounts(contents: "DataContents") -> None:
    from lowres.report.sentences import duration_text

    table = plain_table("split", "speech", "utterances", "speakers", title=f"\n{contents.name}")
    for amount in (*contents.splits, contents.used):
        table.add_row(
            Text(amount.name or "all"),
            duration_text(amount.seconds),
            f"{amount.num_utterances:,}",
            f"{amount.num_speakers:,}" if amount.num_speakers else "not known",
        )
    console.print(table)


def _print_findings(contents: "DataContents") -> None:
    from lowres.report.data_checks import words_for
    from lowres.report.sentences import duration_text

    if not contents.found:
        say("\nThe checks found nothing.")
        return
    table = plain_table("what the checks found", "utterances", "speech", "", title="")
    for found in contents.found:
        mark = Text("left out", "bold red") if found.is_left_out else Text("kept", "yellow")
        title = Text(words_for(found.check).title)
        table.add_row(title, f"{found.num_utterances:,}", duration_text(found.seconds), mark)
    console.print()
    console.print(table)
