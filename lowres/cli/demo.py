"""`lowres demo`: the main job from nothing, on speech that a machine makes here or on a public corpus.

It calls the commands that anybody calls, and shows each as one would type it.
"""

import os
import time
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.text import Text

from lowres.cli.console import console, errors, print_next
from lowres.cli.evaluate import evaluate
from lowres.cli.finetune import finetune
from lowres.cli.prepare import prepare
from lowres.cli.training_screen import duration

RUN = "demo"
MINUTES = 1.5
CORPUS_MINUTES = 20.0
CORPUS_HOURS = "1"

FolderArgument = Annotated[
    Path | None,
    typer.Argument(metavar="[FOLDER]", help="Where the project is written: demo, or demo-NAME with --corpus."),
]
CorpusOption = Annotated[
    str | None,
    typer.Option("--corpus", metavar="NAME", help="Real speech instead: a shipped recipe, such as mboshi."),
]
MinutesOption = Annotated[
    float | None,
    typer.Option("--minutes", min=0.01, help="Time to train in; 1.5, or 20 with --corpus."),
]


def demo(folder: FolderArgument = None, corpus: CorpusOption = None, minutes: MinutesOption = None) -> None:
    """Make a small corpus, train on it and write a report, in about three minutes."""
    started = time.monotonic()
    if corpus is None:
        project = folder or Path("demo")
        _speak(project)
        _run_stages(project, hours=None, minutes=minutes or MINUTES)
    else:
        from lowres.stages.demo import write_corpus_project

        project = folder or Path(f"demo-{corpus}")
        write_corpus_project(project, corpus)
        _run_stages(project, hours=CORPUS_HOURS, minutes=minutes or CORPUS_MINUTES)
    _say_farewell(project, is_synthetic=corpus is None, seconds=time.monotonic() - started)


def _speak(project: Path) -> None:
    """Write the synthetic corpus, with a bar on stderr."""
    from lowres.stages.demo import write_demo_project

    _announce(f"Speaking the demo's sentences with eSpeak NG into {project}/recordings")
    columns = (TextColumn("speaking"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=errors, transient=True) as bar:
        task = bar.add_task("speaking", total=None)
        written = write_demo_project(
            project,
            num_workers=min(os.cpu_count() or 1, 4),
            progress=lambda done, total: bar.update(task, completed=done, total=total),
        )
    console.print(
        f"{written.num_utterances:,} sentences of Swahili in {written.num_voices} synthetic voices; "
        "the ones for testing have voices and sentences of their own",
        markup=False,
    )


def _run_stages(project: Path, *, hours: str | None, minutes: float) -> None:
    """Prepare, finetune (or go on with it) and evaluate, as the commands do it."""
    from lowres.stages.demo import find_run_status

    _announce_command(f"lowres prepare --project {project}")
    prepare(project=project)
    status = find_run_status(project, RUN)
    hours_option = f" --hours {hours}" if hours else ""
    command = f"lowres finetune --project {project}{hours_option} --minutes {minutes:g} --run {RUN}"
    if status == "":
        _announce_command(command)
        finetune(project=project, hours=hours, minutes=minutes, run=RUN)
    elif status == "training":
        _announce_command(f"{command} --resume")
        finetune(project=project, hours=hours, minutes=minutes, run=RUN, resume=True)
    else:
        _announce(f"Trained already: {project}/runs/{RUN} (remove the folder {project} to begin anew)")
    _announce_command(f"lowres evaluate --project {project} --run {RUN}")
    evaluate(project=project, run=RUN)


def _say_farewell(project: Path, *, is_synthetic: bool, seconds: float) -> None:
    reports = sorted((project / "reports").glob("*/report.html"), key=lambda path: path.stat().st_mtime)
    _announce(f"Done in {duration(seconds)}")
    if is_synthetic:
        console.print(
            "A machine spoke these recordings, clearly and in whole sentences of few words: people are harder.",
            markup=False,
        )
    if reports:
        console.print(Text.assemble(("report: ", "bold green"), (str(reports[-1]), "bold")), soft_wrap=True)
    print_next("Begin with recordings of your own", "lowres start --project my-language")


def _announce(sentence: str) -> None:
    console.print()
    console.print(Text(sentence, style="bold magenta"), soft_wrap=True)


def _announce_command(command: str) -> None:
    _announce(f"$ {command}")
