"""`lowres audit`: what the transcripts are written with, what looks odd, and rules to paste into the recipe."""

import unicodedata
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from lowres.cli.console import console, errors, plain_table, print_next, print_warning, say
from lowres.cli.options import ProjectOption, RecipeOption, SetOption, with_project
from lowres.text.hidden import number_hidden

if TYPE_CHECKING:
    from lowres.stages.audit import AuditResult
    from lowres.text.audit_findings import Example, Finding, MarkUse, OrthographyAudit

_ITEMS_SHOWN = 6
_EXAMPLES_SHOWN = 3
_LONGEST = 48


def audit(
    project: ProjectOption = Path(),
    recipe: RecipeOption = None,
    overrides: SetOption = None,
    letters: Annotated[
        bool, typer.Option("--letters", help="Also list every grapheme with its Unicode name, script and examples.")
    ] = False,
) -> None:
    """Look at the letters, marks and habits of the transcripts, and suggest text rules; nothing is changed."""
    from lowres.recipe import load_recipe
    from lowres.stages.audit import audit as run

    loaded = load_recipe(recipe, overrides or (), project=project)
    with errors.status("reading transcripts"):
        result = run(project, loaded)
    _print_summary(result)
    _print_marks(result.audit.marks)
    for finding in result.audit.findings:
        _print_finding(finding)
    if letters:
        _print_letters(result.audit)
    else:
        letters_now = " ".join(plain(use.grapheme) for use in result.audit.graphemes[:_LONGEST])
        say(f"\nGraphemes, most frequent first: {letters_now}  (`lowres audit --letters` lists all with names)")
    _print_rules(result.audit)
    say(
        f"written: {result.page}  (opens offline in any browser; {result.num_embedded} recordings to hear) and "
        f"{result.path.name}"
    )
    print_next("Once the recipe says what you want", with_project("lowres prepare", project, recipe, overrides))


def plain(text: str) -> str:
    """Show text of a transcript safely: what hides or reorders its neighbours by number, a lone mark on a circle."""
    shown = number_hidden(text[:_LONGEST])
    if shown and unicodedata.category(shown[0]).startswith("M"):
        shown = f"\u25cc{shown}"
    return shown if len(text) <= _LONGEST else f"{shown}…"


def _print_summary(result: "AuditResult") -> None:
    audited = result.audit
    where = "as lowres prepare found them" if result.from_prepared else "as they are written"
    empty = f", {audited.num_empty:,} of them empty" if audited.num_empty else ""
    say(
        f"{audited.num_utterances:,} transcripts{empty}, {where} in {result.source}: {audited.num_words:,} words, "
        f"{audited.num_distinct_words:,} different, {len(audited.graphemes):,} graphemes"
        + (f", mostly {audited.script}" if audited.script else "")
    )
    for note in result.notes:
        print_warning(number_hidden(note))


def _print_marks(marks: Sequence["MarkUse"]) -> None:
    if not marks:
        return
    tones = sum(mark.tone for mark in marks)
    table = plain_table("", "times", "in utterances", "what it usually writes", "for example", title="\nMarks")
    for mark in marks[: 2 * _ITEMS_SHOWN]:
        table.add_row(
            Text(plain(mark.mark)),
            f"{mark.count:,}",
            f"{mark.num_utterances:,}",
            Text(number_hidden(mark.meaning)),
            _examples(mark.examples[:1]),
        )
    console.print(table)
    more = f"{len(marks) - 2 * _ITEMS_SHOWN} more are in audit.json. " if len(marks) > 2 * _ITEMS_SHOWN else ""
    known = f"{tones} of them may write tone" if tones else "they belong to their letters"
    say(f"{more}These are orthography ({known}): no rule here takes them away.")


def _print_finding(finding: "Finding") -> None:
    from lowres.text.audit_findings import FINDING_TITLES

    console.print()
    console.print(Text(FINDING_TITLES[finding.kind], style="bold"))
    say(number_hidden(finding.sentence))
    if finding.kind == "unused":
        return
    table = plain_table("", "", "", "")
    table.show_header = False
    for item in finding.items[:_ITEMS_SHOWN]:
        table.add_row(
            Text(f"  {plain(item.what)}"),
            Text(f"{item.count:,}", style="dim"),
            Text(number_hidden(item.remark)),
            _examples(item.examples[:_EXAMPLES_SHOWN]),
        )
    console.print(table)
    if finding.num_items > _ITEMS_SHOWN:
        say(f"  and {finding.num_items - _ITEMS_SHOWN:,} more")


def _print_letters(audited: "OrthographyAudit") -> None:
    table = plain_table("", "times", "in utterances", "script", "Unicode name", "for example", title="\nGraphemes")
    for use in audited.graphemes:
        table.add_row(
            Text(plain(use.grapheme)),
            f"{use.count:,}",
            f"{use.num_utterances:,}",
            Text(use.script),
            Text(use.name),
            _examples(use.examples[:1]),
        )
    console.print(table)


def _print_rules(audited: "OrthographyAudit") -> None:
    from lowres.stages.audit_snippet import rules_snippet

    console.print()
    if not audited.suggestions:
        console.print(Text("Suggested rules: none; the transcripts are even as they are.", style="bold"))
        return
    missing = [suggestion for suggestion in audited.suggestions if not suggestion.in_recipe]
    title = "Suggested rules, to look over and paste" if missing else "Rules: the recipe has all that is suggested"
    console.print(Text(title, style="bold"))
    for line in rules_snippet(audited):
        say(line)


def _examples(examples: Sequence["Example"]) -> Text:
    shown = Text()
    for example in examples:
        shown.append(f"{', ' if shown else ''}{plain(example.word)} ")
        shown.append(f"({_tail(number_hidden(example.utterance_id))})", style="dim")
    return shown


def _tail(name: str) -> str:
    """Shorten the name of an utterance from its front, where the names of one corpus are alike."""
    return name if len(name) <= _LONGEST // 2 else f"…{name[1 - _LONGEST // 2 :]}"
