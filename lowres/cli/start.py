"""`lowres start`: the guided walk from a folder of recordings to a report, and where there is no terminal, the way."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import typer
from rich.text import Text

from lowres.cli.console import console, errors, print_next, print_warning, say, without_next
from lowres.cli.evaluate import evaluate
from lowres.cli.finetune import finetune
from lowres.cli.lm import lm
from lowres.cli.options import ProjectOption, with_options, with_project
from lowres.cli.prepare import prepare_one
from lowres.cli.start_terminal import TerminalAsk
from lowres.cli.stopping import INTERRUPTED_STATUS
from lowres.errors import CorpusError, LowresError

if TYPE_CHECKING:
    from lowres.stages.start_walk import Walk

_WELCOME = (
    "From recordings to a recogniser and a report on how good it is, question by question. "
    "Nothing leaves this computer, and your recordings are not changed.",
    "Enter takes the answer in [brackets], b goes back to the question before, q stops and keeps everything.",
)


def start(project: ProjectOption = Path()) -> None:
    """Be asked what is needed, and be walked from a folder of recordings to a report."""
    if not is_terminal():
        _print_way(project)
        return
    from lowres.stages.start_asking import GoBack, StopAsking

    try:
        _walk(project)
    except (StopAsking, GoBack, KeyboardInterrupt) as stop:
        console.print("\nStopped. Every answer so far is kept.")
        print_next("To go on", with_project("lowres start", project, None))
        raise typer.Exit(0 if not isinstance(stop, KeyboardInterrupt) else INTERRUPTED_STATUS) from stop


def is_terminal() -> bool:
    """Say whether there is somebody to ask."""
    return sys.stdin.isatty() and sys.stdout.isatty()


def _print_way(project: Path) -> None:
    """Print the commands to type, for what is in the folder."""
    from lowres.stages.start_progress import list_commands

    say("There is no terminal here to ask questions in. These commands do the same:")
    for what, command in list_commands(project):
        console.print(Text.assemble("  ", (command, "bold"), (f"   # {what}", "dim")), soft_wrap=True)
    print_next("With questions, in a terminal", with_project("lowres start", project, None))


def _walk(project: Path) -> None:
    from lowres.recipe.load import PROJECT_RECIPE
    from lowres.stages.start_answers import read_answers
    from lowres.stages.start_walk import Walk

    walk = Walk(project, read_answers(project))
    path = project / PROJECT_RECIPE
    if path.is_file() and walk.answers.recipe_is_written:
        say(f"Going on with what {path} says. Edit it to change something; delete it to be asked again.")
    elif not path.is_file() or _may_replace(walk):
        _ask_and_write(walk)
    _run_stages(project)


def _may_replace(walk: "Walk") -> bool:
    """Ask what to do with a recipe that the walk did not write; say whether questions are to be asked."""
    from lowres.stages.start_asking import Choice, Question

    if walk.answers.recordings is not None:  # the questions were begun in spite of it
        return True
    choices = (
        Choice("keep", "use it as it is: prepare, train and measure"),
        Choice("ask", "ask me everything, and keep the old one as lowres.toml.old"),
    )
    why = "There is a lowres.toml in this folder, from `lowres init` or written by hand."
    return TerminalAsk().ask(Question("Shall the recipe that is here be used?", why, "keep", choices)) == "ask"


def _ask_and_write(walk: "Walk") -> None:
    """Ask what was not answered yet, show the recipe, and write it once it is agreed to."""
    from lowres.recipe.load import PROJECT_RECIPE
    from lowres.stages.start import STEPS, ask_everything
    from lowres.stages.start_answers import write_answers
    from lowres.stages.start_asking import GoBack
    from lowres.stages.start_recipe import write_recipe

    ask = TerminalAsk()
    for sentence in _WELCOME:
        ask.say(sentence)
    begin_at = ""
    if walk.answers.recipe_is_written:
        say("\nThe recipe is no longer there, so everything is asked again; Enter keeps what was answered.")
        begin_at = STEPS[0].field
    else:
        _recall(walk)
    while True:
        try:
            ask_everything(walk, ask, begin_at=begin_at)
        except GoBack:
            ask.say("There is no question before this one.")
            begin_at = STEPS[0].field
            continue
        try:
            _agree(walk)
            break
        except GoBack:
            begin_at = STEPS[-1].field
    path = walk.project / PROJECT_RECIPE
    if path.exists():
        path.replace(path.with_name(f"{PROJECT_RECIPE}.old"))
    write_recipe(walk)
    walk.answers = walk.answers.updated(recipe_is_written=True)
    write_answers(walk.project, walk.answers)
    say(f"Written: {path}")


def _recall(walk: "Walk") -> None:
    """Say what was answered another day."""
    answers = walk.answers
    if answers.recordings is None:
        return
    language = answers.language.name if answers.language else ""
    known = ", ".join(filter(None, (f"recordings in {answers.recordings}", language)))
    say(f"\nGoing on where you stopped: {known}.")


def _agree(walk: "Walk") -> None:
    """Show the recipe and ask whether to go to work."""
    from lowres.stages.start_asking import Choice, Question
    from lowres.stages.start_recipe import recipe_text
    from lowres.stages.start_training import describe_minutes

    console.print(Text("\nThis is the recipe, which goes into lowres.toml:\n", style="bold"))
    for line in recipe_text(walk).splitlines():
        console.print(Text(f"  {line}", style="dim" if line.startswith("#") else ""), soft_wrap=True)
    time = describe_minutes(walk.answers.minutes or 0)
    why = f"lowres then prepares the recordings, trains for {time}, and measures the recogniser."
    TerminalAsk().ask(Question("Shall it be written, and the work begin?", why, "yes", (Choice("yes", "yes"),)))


def _run_stages(project: Path) -> None:
    """Do what is not done yet: prepare, finetune, lm, evaluate, each as its command does it; then open the report."""
    from lowres.stages.start_progress import find_report, look_at_project

    with without_next():
        with errors.status("looking at what is done"):
            state = look_at_project(project)
        if state.is_prepared:
            say("The recordings are prepared already.")
        else:
            _prepare(project)
            state = look_at_project(project)
        if state.accusation:
            raise CorpusError(state.accusation, "Put the transcripts right; `lowres start` then goes on from here.")
        if state.run_status in ("", "training"):
            _announce(f"lowres finetune{' --resume' if state.run_status else ''}", project)
            _finetune(project, state.run, seed=state.seed, resume=bool(state.run_status))
        else:
            say(f"Trained already: {project / 'runs' / state.run}.")
        report = find_report(project, state.run)
        if report is None:
            _make_language_models(project, state.run)
            _announce(with_options("lowres evaluate", {"run": state.run}), project)
            evaluate(project=project, run=state.run)
            report = find_report(project, state.run)
    _conclude(project, report)


def _prepare(project: Path) -> None:
    """Prepare the recordings of the project's own recipe."""
    from lowres.recipe import load_recipe
    from lowres.stages.prepare import PrepareOptions
    from lowres.stages.prepare_corpora import list_preparations

    _announce("lowres prepare", project)
    own, *_ = list_preparations(project, load_recipe(project=project))
    prepare_one(project, own, PrepareOptions())


def _finetune(project: Path, run: str, *, seed: int, resume: bool) -> None:
    try:
        finetune(project=project, run=run, seed=seed, resume=resume)
    except typer.Exit as ending:
        if ending.exit_code == INTERRUPTED_STATUS:
            with without_next(allowed=True):
                print_next("To go on", with_project("lowres start", project, None))
        raise


def _make_language_models(project: Path, run: str) -> None:
    """Make them where they can be made; where they cannot, say why and go on: what is heard is measured without."""
    from lowres.decoding.stored_models import has_models
    from lowres.stages.evaluate_run import best_checkpoint

    if has_models(best_checkpoint(project / "runs" / run)):
        return
    _announce(with_options("lowres lm", {"run": run}), project)
    try:
        lm(project=project, run=run)
    except LowresError as error:
        print_warning(f"{error.message} Going on without a language model.")


def _conclude(project: Path, report: Path | None) -> None:
    """Open the report where there is a display, and name what comes next."""
    if report is not None and not open_page(report):
        console.print(Text.assemble("Open it in any browser:  ", (str(report.resolve()), "bold")), soft_wrap=True)
    again = with_project("lowres finetune --seed 2", project, None)
    print_next("To train again, with another seed (lowres.toml holds all settings)", again)


def open_page(page: Path) -> bool:
    """Open a page in the browser; say whether there is a display to do so."""
    import webbrowser

    has_screen = sys.platform in ("darwin", "win32") and "SSH_CONNECTION" not in os.environ
    if not has_screen and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        return False
    try:
        return webbrowser.open(page.resolve().as_uri())
    except webbrowser.Error:
        return False


def _announce(command: str, project: Path) -> None:
    console.print()
    console.print(Text(f"$ {with_project(command, project, None)}", style="bold magenta"), soft_wrap=True)
