"""`lowres compare`: all runs of a project in a table, or which of some runs is better and whether that is luck."""

import shlex
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.text import Text

from lowres.cli.console import console, plain_table, print_next, print_warning, say
from lowres.cli.evaluate import EvaluationBar, shown
from lowres.cli.options import ProjectOption, with_project

if TYPE_CHECKING:
    from rich.table import Table

    from lowres.report.compare_contents import CompareContents, Measured
    from lowres.report.compare_runs import RunRow, RunsContents
    from lowres.stages.compare import CompareResult

NUM_CHANGES_SHOWN = 3
NUM_SETTINGS_SHOWN = 12


def compare(
    runs: Annotated[
        list[str] | None,
        typer.Argument(metavar="[RUNS]...", help="Runs to compare, the one to compare with first; none lists all."),
    ] = None,
    project: ProjectOption = Path(),
    split: Annotated[
        Literal["train", "dev", "test"] | None,
        typer.Option("--split", help="Whose reports to compare; without it test, else dev, where all runs have one."),
    ] = None,
    evaluate: Annotated[
        bool, typer.Option("--evaluate", help="First make the reports that are missing, as `lowres evaluate` does.")
    ] = False,
    shared: Annotated[
        bool, typer.Option("--shared", help="Compare only the utterances that all runs were scored on alike.")
    ] = False,
    recordings: Annotated[
        bool, typer.Option("--recordings/--no-recordings", help="Put recordings into report.html, to be played there.")
    ] = True,
) -> None:
    """Compare runs: which is better, by how much, and is it luck? Without names, list all runs."""
    if not runs:
        _list_runs(project)
        return
    from lowres.stages.compare import CompareOptions
    from lowres.stages.compare import compare as run_comparison

    options = CompareOptions(split=split, only_shared=shared, evaluate_missing=evaluate, embed_recordings=recordings)
    # Without evaluations there is nothing that takes long enough for a bar.
    with EvaluationBar() if evaluate else nullcontext() as bar:
        result = run_comparison(project, runs, options, lambda _run, progress: bar.show(progress) if bar else None)
    _print_comparison(result)
    if not result.contents.groups:
        command = with_project("lowres finetune --seeds 3", project, None)
        print_next("To see how much another seed alone changes", command)


def _list_runs(project: Path) -> None:
    from lowres.stages.compare_runs import list_runs, write_runs_table

    contents = list_runs(project)
    page = write_runs_table(project, contents)
    _print_runs(contents)
    console.print(Text.assemble(("table: ", "bold green"), (str(page), "bold")), soft_wrap=True)
    if contents.commands:
        print_next("To make the report of a run that has none", contents.commands[0][1])
    elif len(contents.rows) > 1:
        command = shlex.join(["lowres", "compare", *(row.name for row in contents.rows[1::-1])])
        print_next("To see whether the best is really better", with_project(command, project, None))


def _print_runs(contents: "RunsContents") -> None:
    from lowres.report.compare_runs_page import runs_headline

    say(runs_headline(contents))
    console.print()
    table = plain_table("run", "dev CER", "scored", "WER", "CER")
    for column in (table.columns[1], *table.columns[3:]):
        column.justify = "right"
        column.no_wrap = True
    for row in contents.rows:
        _add_run(table, row)
    console.print(table)
    if any(report.is_of_other_weights for row in contents.rows for report in row.reports):
        say("old: scored before the run was trained on; evaluate it again")
    for spread in contents.spreads:
        names = ", ".join(shown(name) for name in spread.runs)
        figures = f"{spread.mean:.1%} ± {spread.deviation * 100:.1f} points of {spread.measure}"
        say(f"{names}, which differ only in the seed: {figures}")
    if contents.pretraining:
        say(f"pretraining runs, which have no error rate: {', '.join(shown(name) for name in contents.pretraining)}")
    for name, command in contents.commands:
        say(f"no report yet: {shown(name)}:  {command}")


def _add_run(table: "Table", row: "RunRow") -> None:
    from lowres.report.compare_runs_page import describe_start
    from lowres.report.sentences import percent

    about = row.problem or f"{row.trained_on}; {describe_start(row)}; seed {row.seed}; {row.updates:,} updates"
    state = "" if row.state == "finished" else f"  {row.state}"
    name = Text.assemble((shown(row.name), "bold"), state, "\n", (shown(about), "dim"))
    scored = [
        (
            report.split + (" (old)" if report.is_of_other_weights else ""),
            percent(report.words.rate, 1),
            percent(report.characters.rate, 1),
        )
        for report in row.reports
    ] or [("–", "–", "–")]
    columns = [Text("\n".join(column)) for column in zip(*scored, strict=True)]
    table.add_row(name, Text(percent(row.dev_character_error_rate, 1)), *columns)


def _print_comparison(result: "CompareResult") -> None:
    from lowres.report import compare_sentences

    contents = result.contents
    number = len(contents.text.utterance_ids)
    console.print(Text(f"{contents.language}: {contents.split} split, the same {number:,} utterances", style="dim"))
    for comparison in contents.comparisons:
        console.print()
        console.print(Text(_plain(compare_sentences.headline(contents, comparison)), style="bold green"))
        console.print(Text(_plain(compare_sentences.luck_sentence(contents, comparison))))
        console.print(Text(compare_sentences.letters_sentence(comparison)))
        console.print(Text(compare_sentences.counts_sentence(comparison)))
    if sentence := compare_sentences.many_sentence(contents):
        console.print()
        console.print(Text(_plain(sentence)))
    for group in contents.groups:
        console.print(Text(_plain(compare_sentences.group_sentence(contents, group))))
    console.print()
    _print_rates(contents)
    _print_settings(contents)
    _print_changes(contents)
    for caution in contents.cautions:
        print_warning(f"{caution.badge}: {caution.sentence}")
    playable = f", {result.num_embedded:,} recordings" if result.num_embedded else ""
    console.print()
    console.print(
        Text.assemble(
            ("report: ", "bold green"), (str(result.page), "bold"), f"  ({result.page_bytes / 1e6:.1f} MB{playable})"
        ),
        soft_wrap=True,
    )


def _plain(sentence: str) -> str:
    """Return a sentence of the page as a terminal shows it: names hold nothing that acts, spaces may break."""
    return shown(sentence.replace("\u00a0", " "))


def _print_rates(contents: "CompareContents") -> None:
    from lowres.report.compare_sentences import chance_text, interval_words, points_text
    from lowres.report.sentences import percent

    table = plain_table("", "before", "now", "points", "errors, 95 %", "luck", "luck, swapped")
    for column in table.columns[1:]:
        column.justify = "right"
    for comparison in contents.comparisons:
        if len(contents.comparisons) > 1:
            table.add_row(Text(shown(contents.runs[comparison.run].name), style="bold"))
        rows: tuple[tuple[str, Measured], ...] = (("WER", comparison.words), ("CER", comparison.characters))
        for name, measured in rows:
            difference = measured.difference
            gain = difference.gain
            table.add_row(
                name,
                percent(difference.rate_before),
                Text(percent(difference.rate), style="bold"),
                points_text(difference.rate - difference.rate_before) if difference.num_reference else "–",
                Text(interval_words(gain.interval, gain.share) if gain.interval else "–"),
                chance_text(measured.luck_by_redrawing),
                chance_text(measured.luck_by_swapping),
            )
    console.print(table)


def _print_settings(contents: "CompareContents") -> None:
    if not contents.settings:
        say("What was asked for is the same in all runs.")
        return
    console.print()
    table = plain_table("what differs", *(shown(run.name) for run in contents.runs))
    for setting in contents.settings[:NUM_SETTINGS_SHOWN]:
        table.add_row(Text(setting.key), *(Text(shown(value)) for value in setting.values))
    console.print(table)
    if len(contents.settings) > NUM_SETTINGS_SHOWN:
        console.print(Text(f"and {len(contents.settings) - NUM_SETTINGS_SHOWN} more in the report", style="dim"))


def _print_changes(contents: "CompareContents") -> None:
    """Show the utterances that one other run made worst and best; of several runs the report shows them."""
    if len(contents.comparisons) > 1:
        return
    comparison = contents.comparisons[0]
    before, now = contents.baseline, contents.runs[comparison.run]
    for outcome, title in (("worse", "Became worst"), ("better", "Became best")):
        changes = [change for change in comparison.utterances if change.outcome == outcome]
        changes.sort(key=lambda change, outcome=outcome: change.largest_first(outcome))  # type: ignore[misc]
        if not changes:
            continue
        console.print()
        console.print(Text(title, style="bold"))
        for change in changes[:NUM_CHANGES_SHOWN]:
            place = change.number
            console.print(
                Text(
                    f"{shown(contents.text.utterance_ids[place])}: letters wrong {change.character_errors_before} > "
                    f"{change.character_errors}",
                    style="dim",
                )
            )
            lines = (contents.text.references[place], before.hypotheses[place], now.hypotheses[place])
            for label, line in zip(("said  ", "before", "now   "), lines, strict=True):
                console.print(Text.assemble((f"  {label}  ", "cyan"), shown(line) or "(nothing)"))
