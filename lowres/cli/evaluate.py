"""`lowres evaluate`: score a recogniser, say in words how good it is, and write the report."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.padding import Padding
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.text import Text

from lowres.cli.console import console, errors, plain_table, print_next, print_warning, say
from lowres.cli.options import ProjectOption, RecipeOption, SetOption, with_options, with_project

if TYPE_CHECKING:
    from lowres.scoring.breakdowns import GroupScore
    from lowres.scoring.scorecard import Rates
    from lowres.stages.evaluate import EvaluationProgress, EvaluationResult

NUM_WORST_SHOWN = 3
NUM_GROUPS_SHOWN = 12
NUM_CONFUSIONS_SHOWN = 8

RunOption = Annotated[
    str | None, typer.Option("--run", metavar="NAME", help="The run to score; without it, the newest one.")
]
SplitOption = Annotated[
    Literal["train", "dev", "test"] | None,
    typer.Option("--split", help="What to score; without it test, or dev where the corpus has no test."),
]
LanguageModelOption = Annotated[
    Literal["auto", "none", "word", "character"],
    typer.Option("--lm", help="The language model to decode with; auto takes the better one on dev, if there is any."),
]
PrecisionOption = Annotated[
    Literal["auto", "bf16", "fp32", "int8"],
    typer.Option(
        "--precision",
        help="auto takes bf16 where this machine is fast in it; int8 is for large networks where it is not; "
        "fp32 is the same everywhere.",
    ),
]
BatchOption = Annotated[
    float | None,
    typer.Option("--batch-seconds", min=1, help="Seconds of audio decoded together: less needs less memory."),
]
RecordingsOption = Annotated[
    bool, typer.Option("--recordings/--no-recordings", help="Put recordings into report.html, to be played there.")
]
AllRecordingsOption = Annotated[
    bool,
    typer.Option("--all-recordings", help="Write those that do not fit into report.html into recordings/ beside it."),
]


def evaluate(
    project: ProjectOption = Path(),
    recipe: RecipeOption = None,
    overrides: SetOption = None,
    run: RunOption = None,
    split: SplitOption = None,
    lm: LanguageModelOption = "auto",
    precision: PrecisionOption = "auto",
    batch_seconds: BatchOption = None,
    recordings: RecordingsOption = True,
    all_recordings: AllRecordingsOption = False,
) -> None:
    """Score a recogniser on speech it was not trained on, and write a report."""
    from lowres.recipe import load_recipe
    from lowres.stages.evaluate import EvaluateOptions
    from lowres.stages.evaluate import evaluate as run_evaluation

    loaded = load_recipe(recipe, overrides or [], project=project)
    options = EvaluateOptions(
        run=run,
        split=split,
        language_model=lm,
        precision=precision,
        batch_seconds=batch_seconds,
        embed_recordings=recordings,
        all_recordings=all_recordings,
    )
    with EvaluationBar() as bar:
        result = run_evaluation(project, loaded, options, bar.show)
    print_summary(result)
    if result.gain is None and lm == "auto":
        command = with_project(with_options("lowres lm", {"run": result.run_name}), project, recipe)
        print_next("Open it in a browser; to decode with a language model", command)
    else:
        again = with_project("lowres finetune --seed 2", project, recipe)
        print_next("Open it in a browser; to train again with another seed", again)


class EvaluationBar:
    """A progress bar on stderr, gone when the evaluation is done."""

    def __init__(self) -> None:
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TaskProgressColumn(),
            TimeRemainingColumn(),
            console=errors,
            transient=True,
        )
        self._task = self._progress.add_task("loading", total=None)

    def __enter__(self) -> "EvaluationBar":
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def show(self, progress: "EvaluationProgress") -> None:
        """Show how far the evaluation is."""
        is_listening = progress.task == "listening"
        self._progress.update(
            self._task,
            description=progress.task,
            total=progress.total_seconds if is_listening else None,
            completed=progress.done_seconds if is_listening else 0,
        )


def print_summary(result: "EvaluationResult") -> None:
    """Print what a linguist asks first: how good, how sure, what to beware of, where the rest is."""
    from lowres.report.sentences import duration_text, headline, range_sentence

    provenance, rates = result.contents.provenance, result.rates
    num_utterances = len(result.contents.text.utterance_ids)
    console.print(
        Text.assemble(
            (provenance.language, "bold"),
            f": {result.run_name}, {result.split} split, {num_utterances:,} utterances, "
            f"{duration_text(result.audio_seconds)} of speech",
            (" spoken by a machine" if provenance.synthetic else "", "yellow"),
        )
    )
    console.print()
    console.print(Text(headline(rates.words, rates.characters), style="bold green"))
    if sentence := range_sentence(rates.words):
        console.print(Text(sentence))
    console.print()
    _print_rates(result)
    _print_gain(result)
    _print_cautions(result)
    _print_groups("speaker", result.scorecard.speakers)
    _print_kinds(result)
    _print_worst(result)
    _print_ending(result)


def _print_gain(result: "EvaluationResult") -> None:
    for note in result.notes:
        print_warning(note)
    if result.gain is not None:
        for name, value in result.gain.facts():
            say(f"{name}: {value}")


def _print_rates(result: "EvaluationResult") -> None:
    from lowres.report.sentences import interval_text, percent

    table = plain_table("", "rate", "95 %, other\nsentences", "95 %, other\nspeakers", "changed", "added", "left out")
    for column in table.columns:
        column.no_wrap = True
    for column in table.columns[1:]:
        column.justify = "right"
    rows: list[tuple[str, str, Rates]] = [
        ("words (WER)", "letters (CER)", result.scorecard.normalised),
        ("WER, raw", "CER, raw", result.scorecard.raw),
    ]
    for of_words, of_letters, rates in rows:
        is_raw = rates is result.scorecard.raw
        for name, rate in ((of_words, rates.words), (of_letters, rates.characters)):
            table.add_row(
                Text(name, style="dim" if is_raw else ""),
                Text(percent(rate.counts.error_rate), style="" if is_raw else "bold"),
                Text(interval_text(rate.over_utterances)),
                Text(interval_text(rate.over_speakers)),
                f"{rate.counts.substitutions:,}",
                f"{rate.counts.insertions:,}",
                f"{rate.counts.deletions:,}",
            )
    console.print(table)
    rules = result.contents.provenance.text_rules
    said = " ".join(rules) if rules else "none."
    console.print(Text(f"text rules: {said} “raw” is scored against the transcripts as written.", style="dim"))


def _print_cautions(result: "EvaluationResult") -> None:
    for caution in result.contents.cautions:
        style = "bold black on yellow" if caution.serious else "reverse"
        line = Text.assemble((f" {caution.badge} ", style), " ", caution.sentence)
        console.print()
        console.print(line)


def _print_groups(heading: str, groups: "list[GroupScore]") -> None:
    from lowres.report.sentences import duration_text, interval_text, percent

    if len(groups) < 2:
        return
    table = plain_table(heading, "utterances", "speech", "words wrong", "letters wrong", "95 %")
    for column in table.columns[1:]:
        column.justify = "right"
    for group in groups[:NUM_GROUPS_SHOWN]:
        table.add_row(
            Text(group.name or "(unknown)"),
            f"{group.num_utterances:,}",
            duration_text(group.duration_seconds),
            Text(percent(group.words.error_rate, 1)),
            Text(percent(group.characters.error_rate, 1)),
            Text(interval_text(group.character_interval)),
        )
    console.print()
    console.print(table)
    if len(groups) > NUM_GROUPS_SHOWN:
        console.print(Text(f"and {len(groups) - NUM_GROUPS_SHOWN} more in the report", style="dim"))


def _print_kinds(result: "EvaluationResult") -> None:
    from lowres.report.sentences import percent

    card = result.scorecard
    console.print()
    marks, unseen = card.word_marks, card.unseen_words
    console.print(
        Text(
            f"Tone marks and diacritics alone: {percent(marks.share, 1)} of the word errors, "
            f"{percent(card.grapheme_marks.share, 1)} of the letter errors; word boundaries alone: "
            f"{card.spacing.num_word_errors:,} of {marks.num_errors:,} word errors."
        )
    )
    if unseen.unseen_error_rate is not None:
        console.print(
            Text(
                f"Words never seen in training: {unseen.num_unseen:,}, {percent(unseen.unseen_error_rate, 1)} wrong; "
                f"words seen: {unseen.num_seen:,}, {percent(unseen.seen_error_rate, 1)} wrong."
            )
        )
    pairs = [
        f"{_unit(confusion.reference)} > {_unit(confusion.hypothesis)} ({confusion.count:,})"
        for confusion in card.grapheme_confusions.substitutions[:NUM_CONFUSIONS_SHOWN]
    ]
    if pairs:
        console.print(Text("Letters most often changed: " + ", ".join(pairs)))


def _print_worst(result: "EvaluationResult") -> None:
    text, card = result.contents.text, result.scorecard
    if not card.worst:
        return
    console.print()
    console.print(Text("The worst utterances", style="bold"))
    for index in card.worst[:NUM_WORST_SHOWN]:
        console.print(Text(shown(text.utterance_ids[index]), style="dim"))
        for label, line in (("said ", text.references[index]), ("heard", text.hypotheses[index])):
            console.print(Padding(Text.assemble((f"{label}  ", "cyan"), shown(line) or "(nothing)"), (0, 0, 0, 2)))


def _print_ending(result: "EvaluationResult") -> None:
    from lowres.report.sentences import duration_text

    console.print()
    console.print(
        Text(
            f"{duration_text(result.audio_seconds)} of audio heard in {duration_text(result.decoding_seconds)}, "
            f"{result.hours_of_audio_per_hour:,.0f} hours of audio per hour "
            f"({result.compute.device}, {result.compute.precision}); {duration_text(result.wall_seconds)} in all",
            style="dim",
        )
    )
    num_utterances = len(result.contents.text.utterance_ids)
    beside = f", {result.num_beside:,} beside it" if result.num_beside else ""
    console.print(
        Text.assemble(
            ("report: ", "bold green"),
            (str(result.folder / "report.html"), "bold"),
            f"  ({result.page_bytes / 1e6:.1f} MB, {result.num_embedded:,} of {num_utterances:,} recordings{beside})",
        ),
        soft_wrap=True,
    )


def _unit(letter: str) -> str:
    return "space" if letter == " " else shown(letter)


def shown(text: str) -> str:
    """Return a transcript with everything that a terminal would act on made visible, direction controls included."""
    return "".join(c if c.isprintable() else f"<U+{ord(c):04X}>" for c in text)
