"""`lowres align`: the times of every word of a text, and transcripts that do not fit what was said."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn
from rich.text import Text

from lowres.cli.console import console, errors, plain_table, print_error, print_next, print_warning, say
from lowres.cli.evaluate import shown
from lowres.cli.options import ProjectOption, RecipeOption, SetOption, with_project
from lowres.cli.transcribe import INCOMPLETE_STATUS, ChannelOption, DetectorOption, LettersOption, LongestOption
from lowres.errors import LowresError

if TYPE_CHECKING:
    from lowres.stages.align import AlignResult
    from lowres.stages.align_corpus import CorpusFit

NUM_SHOWN = 10
_WELL_TOLD_APART = 0.9
_OF_CORPUS = frozenset({"corpus", "project", "recipe", "overrides", "run"})

SourcesArgument = Annotated[
    list[Path] | None,
    typer.Argument(metavar="[FILES|FOLDERS]...", help="Recordings with their texts beside them, or folders of such."),
]
CorpusOption = Annotated[
    bool, typer.Option("--corpus", help="Instead: find transcripts of the prepared corpus that do not fit.")
]
RunOption = Annotated[
    str | None, typer.Option("--run", metavar="NAME", help="The run to listen with; without it, the newest one.")
]
TextOption = Annotated[
    Path | None, typer.Option("--text", metavar="FILE", help="The text of a single recording, an utterance a line.")
]
SuffixOption = Annotated[
    str, typer.Option("--text-suffix", metavar="ENDING", help="What the names of texts beside recordings end in.")
]
FormatOption = Annotated[Literal["elan", "textgrid"], typer.Option("--to", help="What to write.")]
OutputOption = Annotated[
    Path | None, typer.Option("--output", metavar="FOLDER", help="Where to; without it, aligned/RUN of the project.")
]
OverwriteOption = Annotated[bool, typer.Option("--overwrite", help="Replace files that are there already.")]


def align(
    context: typer.Context,
    sources: SourcesArgument = None,
    project: ProjectOption = Path(),
    recipe: RecipeOption = None,
    overrides: SetOption = None,
    corpus: CorpusOption = False,
    run: RunOption = None,
    text: TextOption = None,
    text_suffix: SuffixOption = ".txt",
    to: FormatOption = "elan",
    output: OutputOption = None,
    overwrite: OverwriteOption = False,
    letters: LettersOption = False,
    vad: DetectorOption = "auto",
    longest: LongestOption = 20.0,
    channel: ChannelOption = None,
) -> None:
    """Find when every word of a text was said, and what of text or speech is missing in the other."""
    if corpus:
        _demand_only_of_corpus(context)
        _align_corpus(project, recipe, run, overrides)
        return
    if not sources:
        raise LowresError("There is nothing to align.", "Name recordings or folders, or give --corpus.")
    from lowres.audio.stretch_plan import stretches_up_to
    from lowres.recipe import load_recipe
    from lowres.stages.align import AlignOptions
    from lowres.stages.align import align as run_alignment
    from lowres.stages.transcribe_work import ListenerSpec

    loaded = load_recipe(recipe, overrides or [], project=project)
    listener = ListenerSpec(
        project,
        detector=None if vad == "none" else vad,
        stretches=stretches_up_to(longest),
        channel=channel,
    )
    options = AlignOptions(run, output, text, text_suffix, to == "textgrid", letters, overwrite)
    with _bar() as bar:
        task = bar.add_task("aligning", total=None)
        result = run_alignment(
            project,
            loaded,
            sources,
            options,
            listener,
            lambda done, total: bar.update(task, completed=done, total=total),
        )
    _print(result)
    if result.problems:
        raise typer.Exit(INCOMPLETE_STATUS)


def _demand_only_of_corpus(context: typer.Context) -> None:
    """Refuse what `--corpus` makes nothing of."""
    given = [
        "the files and folders" if parameter.name == "sources" else parameter.opts[0]
        for parameter in context.command.params
        if parameter.name not in _OF_CORPUS and _is_given(context, str(parameter.name))
    ]
    if given:
        raise LowresError("--corpus looks at the prepared corpus.", f"Leave {' and '.join(given)} out.")


def _is_given(context: typer.Context, name: str) -> bool:
    source = context.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"


def _align_corpus(project: Path, recipe: str | None, run: str | None, overrides: list[str] | None) -> None:
    from lowres.stages.align_corpus import align_corpus

    with _bar() as bar:
        task = bar.add_task("listening", total=None)
        found = align_corpus(project, run, lambda done, total: bar.update(task, completed=done, total=total))
    _print_fit(found)
    print_next(
        'To have them flagged (drop = ["misfit"] under [checks] leaves them out)',
        with_project("lowres prepare", project, recipe, overrides),
    )


def _bar() -> Progress:
    return Progress(TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), console=errors, transient=True)


def visible(text: object) -> str:
    """Return a name or a text as a terminal can show it and will not act on it."""
    from lowres.corpora.written_names import whole_text

    return shown(whole_text(str(text)))


def _print(result: "AlignResult") -> None:
    from lowres.manifest.overlap import count
    from lowres.report.sentences import duration_text

    for note in result.notes:
        print_warning(visible(note))
    if result.files:
        table = plain_table("recording", "length", "lines", "fit", "not said", "not in the text")
        for column in table.columns[1:]:
            column.justify = "right"
        for one in result.files[:NUM_SHOWN]:
            table.add_row(
                Text(visible(one.name)),
                duration_text(one.duration_seconds),
                f"{one.num_lines:,}",
                f"{one.mean_fit:.2f}",
                f"{len(one.not_said):,}",
                f"{one.num_besides:,}",
            )
        console.print(table)
        if len(result.files) > NUM_SHOWN:
            say(f"and {len(result.files) - NUM_SHOWN:,} more")
    for one in result.files:
        if one.not_said:
            numbers = ", ".join(map(str, one.not_said[:NUM_SHOWN])) + (", ..." if len(one.not_said) > NUM_SHOWN else "")
            say(f"{visible(one.name)}: not said, or not as written: line {numbers} (tier “not said”)")
        if one.num_unwritable:
            symbols = count(one.num_unwritable, "symbol")
            say(f"{visible(one.name)}: {symbols} passed over that the recogniser has no label for")
    say(f"{count(len(result.files), 'recording')} aligned with {result.run_name}, in {visible(result.folder)}")
    for _, problem in result.problems:
        print_error(f"not aligned: {visible(problem)}")


def _print_fit(found: "CorpusFit") -> None:
    from lowres.manifest.overlap import count

    misfits = found.misfits
    bad = misfits.bad
    say(
        f"{count(len(bad), 'transcript')} of {len(misfits.fits):,} fit what {found.run_name} hears no better than a "
        f"wrong one (fit up to {misfits.limit:.3f}); right and wrong ones are told apart "
        f"{100 * found.separation:.0f} times of 100"
    )
    if found.separation < _WELL_TOLD_APART:
        print_warning(
            f"{found.run_name} does not hear well enough to tell: many of these will be right. Listen to some before "
            "they are left out."
        )
    if found.num_heard_in_training:
        print_warning(
            f"{found.run_name} learned from {count(found.num_heard_in_training, 'utterance')} of these, their mistakes "
            "included: those in its training fit better than they should."
        )
    for index in bad[:NUM_SHOWN]:
        say(f"{visible(misfits.utterance_ids[index])}  (fit {misfits.fits[index]:.3f})")
        say(f"  written  {visible(misfits.texts[index])}")
        say(f"  heard    {visible(misfits.heard[index])}")
    if len(bad) > NUM_SHOWN:
        say(f"and {len(bad) - NUM_SHOWN:,} more")
    say(f"all of them, the worst first: {visible(found.path)}")
