"""`lowres prepare`: shows the work while it is done, and then what there is to know before anybody trains."""

import re
import time
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Annotated

import typer
from rich.panel import Panel
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from lowres.cli.console import console, plain_table, print_next, print_warning, say
from lowres.cli.options import ProjectOption, RecipeOption, SetOption, with_project

if TYPE_CHECKING:
    from lowres.stages.join_corpora import JoinedCorpora
    from lowres.stages.prepare import PrepareOptions, PrepareResult
    from lowres.stages.prepare_corpora import Preparation

_STEPS = {
    "downloading": "downloading the corpus",
    "reading": "reading transcripts",
    "decoding": "decoding recordings",
    "checking": "checking and splitting",
}
_MOST_SPEAKERS = 12
_MOST_LETTERS = 300


def prepare(
    project: ProjectOption = Path(),
    recipe: RecipeOption = None,
    overrides: SetOption = None,
    workers: Annotated[
        int | None, typer.Option("--workers", min=1, help="Processes that decode; without it, one per processor.")
    ] = None,
    cluster: Annotated[
        str, typer.Option("--cluster", help="Decode on a Dask cluster: its scheduler's host:port, or scheduler file.")
    ] = "",
) -> None:
    """Make recordings and transcripts ready to train on, and say what is wrong with them."""
    from lowres.recipe import load_recipe
    from lowres.stages.join_corpora import join_corpora
    from lowres.stages.prepare import PrepareOptions
    from lowres.stages.prepare_corpora import list_preparations

    loaded = load_recipe(recipe, overrides or (), project=project)
    options = PrepareOptions(num_workers=workers, cluster=cluster)
    preparations = list_preparations(project, loaded)
    results = [prepare_one(project, preparation, options) for preparation in preparations]
    own = results[0] if results and not preparations[0].name else None
    if not results:
        say("There is nothing to prepare: every corpus of [[pretrain.corpora]] is a folder that was prepared already.")
    joined = join_corpora(project, loaded)
    if joined is not None:
        _print_joined(joined)
    if own is not None:
        print_next("To look at it and listen to what was found", with_project("lowres inspect", project, recipe))
    if own is not None and own.order is not None and own.order.is_accusation:
        print_next("Once the transcripts are put right", with_project("lowres prepare", project, recipe))
    elif own is not None and own.order is not None and len(results) == 1:
        print_next("To train on it", with_project("lowres finetune --hours 1", project, recipe))
    else:
        it = "them" if len(loaded.pretrain.corpora) > 1 else "it"
        print_next(f"To pretrain on {it}", with_project("lowres pretrain", project, recipe))
    if joined is not None:
        print_next("For one recogniser of all of them", with_project("lowres finetune", project, recipe))


def prepare_one(project: Path, preparation: "Preparation", options: "PrepareOptions") -> "PrepareResult | None":
    """Prepare one corpus and show what there is to know of it; None where it was prepared already."""
    from lowres.manifest.overlap import count
    from lowres.stages.prepare import prepare as run
    from lowres.stages.prepare_corpora import find_unchanged

    started = time.monotonic()
    with _ProgressDisplay() as display:
        if preparation.name:
            console.print(Text.assemble("\n", (preparation.name, "bold")))
            unchanged = find_unchanged(project, preparation, options.seed, display.show)
            if unchanged is not None:
                hours = sum(unchanged.hours_per_split.values())
                say(
                    f"prepared already, and nothing has changed since: {count(unchanged.num_utterances, 'utterance')}, "
                    f"{hours:.2f} h, in {preparation.target}/"
                )
                return None
        result = run(project, preparation.recipe, options, display.show, target=preparation.target)
    _print_result(result, time.monotonic() - started)
    return result


class _ProgressDisplay:
    """A bar with the time that is left, on stderr, so that what a command prints can be piped."""

    def __init__(self) -> None:
        from lowres.cli.console import errors

        self._progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            TextColumn("{task.percentage:>3.0f} %", markup=False),
            TimeElapsedColumn(),
            TextColumn("left:", markup=False),
            TimeRemainingColumn(),
            console=errors,
            transient=True,
        )
        self._tasks: dict[str, TaskID] = {}

    def __enter__(self) -> "_ProgressDisplay":
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._progress.stop()

    def show(self, step: str, done: int, total: int) -> None:
        """Show that `done` of `total` of a step are done; 0 of 0 = under way."""
        if step not in self._tasks:
            for earlier in self._tasks.values():
                self._progress.update(earlier, visible=False)
            self._tasks[step] = self._progress.add_task(_STEPS[step], total=total or None)
        self._progress.update(self._tasks[step], completed=done, total=total or None)


def _print_result(result: "PrepareResult", seconds: float) -> None:
    from lowres.manifest.overlap import count

    info = result.corpus.info
    hours = sum(info.hours_per_split.values())
    reused = f", {result.num_reused_parts} of {result.num_parts} parts from before" if result.num_reused_parts else ""
    utterances, recordings = count(info.num_utterances, "utterance"), count(result.num_recordings, "recording")
    say(f"{info.name}: {utterances}, {hours:.2f} h, from {recordings} in {seconds:.0f} s{reused}")
    _print_splits(result)
    _print_speakers(result)
    _print_checks(result)
    _print_segmentations(result)
    _print_order(result)
    shown = {check.sentence for check in result.checks} | ({result.order.sentence} if result.order else set())
    for sentence in info.warnings:
        if sentence not in shown:
            print_warning(sentence)
    say(f"licence: {info.licence or 'not stated'}   consent: {info.consent or 'not stated'}")
    say(f"written: {result.corpus.folder}/  (manifest.tsv, checks.tsv, corpus.json, subsets/, shards/)")


def _print_joined(joined: "JoinedCorpora") -> None:
    from lowres.manifest.overlap import count

    info = joined.corpus.info
    hours = sum(info.hours_per_split.values())
    say(
        f"\njoined: {', '.join(joined.names)}: {count(info.num_utterances, 'utterance')}, {hours:.2f} h, "
        f"in {joined.corpus.folder}/"
    )
    if joined.untranscribed:
        say(f"not in it, since there are no transcripts: {', '.join(joined.untranscribed)}")


def _print_splits(result: "PrepareResult") -> None:
    info = result.corpus.info
    table = plain_table("split", "utterances", "hours", "speakers", title="\nSplits" + f" ({info.splits_origin})")
    included = result.corpus.table[result.corpus.table["included"]]
    for split, count in info.utterances_per_split.items():
        if count:
            speakers = included.loc[included["split"] == split, "speaker"]
            num_speakers = speakers[speakers != ""].nunique()
            table.add_row(split, f"{count:,}", f"{info.hours_per_split[split]:.2f}", str(num_speakers or "not known"))
    if info.num_excluded:
        excluded = result.corpus.table[~result.corpus.table["included"]]
        left_out_hours = excluded["duration_seconds"].sum() / 3600
        table.add_row("left out", f"{info.num_excluded:,}", f"{left_out_hours:.2f}", "")
    console.print(table)
    if info.subset_sha256:
        say(f"nested training subsets: {', '.join(info.subset_sha256)} (`lowres finetune --hours` cuts any other)")


def _print_speakers(result: "PrepareResult") -> None:
    included = result.corpus.table[result.corpus.table["included"]]
    hours = included.groupby(["speaker", "split"])["duration_seconds"].sum().unstack(fill_value=0) / 3600
    if len(hours) < 2:
        return
    hours = hours.loc[hours.sum(axis=1).sort_values(ascending=False, kind="stable").index]
    splits = [split for split in ("train", "dev", "test", "other") if split in hours]
    table = plain_table("speaker", *splits, title="\nHours per speaker")
    for speaker, row in hours.iloc[:_MOST_SPEAKERS].iterrows():
        name = str(speaker) or "not named"
        table.add_row(Text(name if len(name) <= 24 else f"{name[:23]}…"), *(f"{row[split]:.2f}" for split in splits))
    console.print(table)
    if len(hours) > _MOST_SPEAKERS:
        say(f"and {len(hours) - _MOST_SPEAKERS} more speakers")


def _print_checks(result: "PrepareResult") -> None:
    found = [check for check in result.checks if check.utterance_ids]
    clean = len(result.checks) - len(found)
    if not found:
        say(f"\nChecks: {clean}, nothing found")
        return
    table = plain_table("check", "found", "", "what", title="\nChecks")
    for check in sorted(found, key=lambda check: (check.severity, -len(check.utterance_ids))):
        dropped = check.severity == "drop"
        table.add_row(
            Text(check.name),
            f"{len(check.utterance_ids):,}",
            Text("left out", "bold red") if dropped else Text("kept", "yellow"),
            Text(_shorten(check.sentence)),
        )
    console.print(table)
    say(f"{clean} other checks found nothing; every offender is named in checks.tsv")


def _print_segmentations(result: "PrepareResult") -> None:
    if not result.segmentations or result.vocabulary is None:
        return
    symbols = len(result.vocabulary) - 1
    say(f"\nWords as the recogniser will see them ({result.vocabulary.kind}, {symbols} symbols)")
    cells = [Text(f"{word}  {'·'.join(pieces)}") for word, pieces in result.segmentations]
    for cell in cells:
        cell.truncate(max(1, console.width // 2 - 2), overflow="ellipsis")
    half = (len(cells) + 1) // 2
    grid = Table.grid(padding=(0, 4))
    for left, right in zip(cells[:half], [*cells[half:], Text()], strict=False):
        grid.add_row(left, right)
    console.print(grid)


def _print_order(result: "PrepareResult") -> None:
    order = result.order
    if order is None:
        say("\nThere are no transcripts: this corpus can be pretrained on, and not fine-tuned on.")
    elif order.is_accusation:
        console.print(
            Panel(
                Text(order.sentence),
                title=Text(f"TRANSCRIPTS {order.verdict.upper()}: do not train on this yet"),
                border_style="bold red",
            )
        )
    else:
        console.print()
        console.print(Text.assemble(("Transcript order: ", "bold"), order.sentence))


def _shorten(sentence: str) -> str:
    """Take from a check's sentence what the table says already: how many, of what, who, and what becomes of them."""
    told = re.sub(r"^[\d,]+ \w+: ", "", sentence)
    told = re.sub(r" \([^()]*\)\.( Left out\.)?$", "", told)
    return told if len(told) <= _MOST_LETTERS else f"{told[: _MOST_LETTERS - 1]}…"
