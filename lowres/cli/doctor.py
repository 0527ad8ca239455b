"""`lowres doctor`: what works on this machine, as a table, and how to mend what does not."""

from pathlib import Path

import typer
from rich.text import Text

from lowres.cli.console import console, plain_table, print_next
from lowres.cli.options import ProjectOption, with_project

MARKS = {"good": ("ok", "green"), "note": ("note", "yellow"), "broken": ("broken", "bold red")}


def doctor(project: ProjectOption = Path()) -> None:
    """Say what works on this machine, and how to mend what does not."""
    from lowres.stages.doctor import examine_machine, is_usable

    findings = examine_machine(project)
    table = plain_table("", "", "")
    table.show_header = False
    for finding in findings:
        mark, style = MARKS[finding.verdict]
        detail = Text(finding.detail)
        if finding.remedy:
            detail.append(f"\n{finding.remedy}", style="cyan")
        table.add_row(Text(mark, style=style), Text(finding.subject, style="bold"), detail)
    console.print(table)
    console.print()
    if not is_usable(findings):
        console.print(Text("Something that lowres cannot do without is broken: see above.", style="bold red"))
        print_next("Once that is mended", with_project("lowres doctor", project, None))
        raise typer.Exit(1)
    console.print("lowres can work here.")
    print_next("To begin", with_project("lowres start", project, None))
