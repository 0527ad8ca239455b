"""How far a project is, and which commands are left: what `lowres start` goes on from, or tells to type."""

import shlex
from dataclasses import dataclass
from pathlib import Path

from lowres.errors import CheckpointError, CorpusError, LowresError
from lowres.manifest.corpus import CORPUS_FOLDER, load_corpus, read_corpus_json
from lowres.manifest.transcript_order import check_transcript_order
from lowres.recipe import Recipe, load_recipe
from lowres.recipe.load import PROJECT_RECIPE
from lowres.stages.default_backbone import settle_backbone
from lowres.stages.finetune_run import RunRecord, read_record
from lowres.stages.init import guess_reader
from lowres.stages.prepare import PrepareOptions
from lowres.stages.prepare_corpora import find_unchanged, list_preparations
from lowres.stages.run_folder import RUN_FILE, RunFolder

_MOST_RUNS = 1_000


@dataclass(frozen=True)
class ProjectState:
    """How far a project is.

    Attributes:
        is_prepared: whether its recordings are prepared as the recipe and they are now.
        accusation: what is wrong with the order of the transcripts, so that nobody should train on them; "" if nothing.
        seed: of the run that is trained, or to be trained.
        run: its name.
        run_status: as in its record; "" where it was not begun.
        report: of that run; None where it was not evaluated since.
    """

    is_prepared: bool
    accusation: str
    seed: int
    run: str
    run_status: str
    report: Path | None


def look_at_project(project: Path) -> ProjectState:
    """Find out which stages of a project with a recipe are done.

    Raises:
        LowresError: the recipe cannot be read, or what it names is not there.
    """
    recipe = load_recipe(project=project)
    first, *_ = list_preparations(project, recipe)
    unchanged = find_unchanged(project, first, PrepareOptions().seed, lambda _step, _done, _total: None)
    seed, run, status = _find_run(project, recipe)
    if unchanged is None:
        return ProjectState(False, "", seed, run, status, None)
    report = find_report(project, run) if status else None
    return ProjectState(True, _accuse(first.target), seed, run, status, report)


def _accuse(corpus_folder: Path) -> str:
    """Say what is wrong with the order of a prepared corpus's transcripts; "" where it seems right."""
    corpus = load_corpus(corpus_folder)
    if not corpus.info.transcribed:
        return ""
    order = check_transcript_order(corpus.table)
    return order.sentence if order.is_accusation else ""


def _find_run(project: Path, recipe: Recipe) -> tuple[int, str, str]:
    """Find the run of this recipe and corpus, or a name that is free for one: seed, name and status."""
    first = recipe.finetune.seed
    for seed in range(first, first + _MOST_RUNS):
        folder = RunFolder(project / "runs" / f"finetune-all-seed{seed}")
        if not (folder.path / RUN_FILE).is_file():
            return seed, folder.path.name, ""
        try:
            record = read_record(folder)
        except CheckpointError:
            continue
        if record.status != "collapsed" and _is_of(record, project, recipe):
            return seed, folder.path.name, record.status
    raise CheckpointError(f"{project / 'runs'} holds {_MOST_RUNS:,} runs.", "Move some of them away.")


def _is_of(record: RunRecord, project: Path, recipe: Recipe) -> bool:
    try:
        info = read_corpus_json(project / CORPUS_FOLDER)
    except CorpusError:
        return False
    settled, _ = settle_backbone(recipe, record.backbone)
    return record.corpus_sha256 == info.manifest_sha256 and record.recipe_sha256 == settled.recipe_hash


def find_report(project: Path, run: str) -> Path | None:
    """Return the newest report of a run that was written after its training ended; None where there is none."""
    trained = (project / "runs" / run / RUN_FILE).stat().st_mtime
    reports = [path for path in project.glob(f"reports/{run}-*/report.html") if path.stat().st_mtime >= trained]
    return max(reports, key=lambda path: path.stat().st_mtime, default=None)


def list_commands(project: Path) -> list[tuple[str, str]]:
    """List what to type where nobody can be asked, for what is in the folder: what each command does, and itself.

    Args:
        project: the project folder, which need not exist.
    """
    where = "" if project == Path() else f" --project {shlex.quote(str(project))}"
    if not (project / PROJECT_RECIPE).is_file():
        recordings, layout = _find_recordings(project)
        first = (
            f"describe the project: {layout}",
            f"lowres init{where} --recordings {shlex.quote(recordings)} --language NAME",
        )
        return [first, *_commands_after(where, None)]
    try:
        return _commands_after(where, look_at_project(project))
    except LowresError:
        return _commands_after(where, None)


def _find_recordings(project: Path) -> tuple[str, str]:
    """Return the folder to name, and what it holds; FOLDER where there are no recordings."""
    try:
        reader = guess_reader(project)["reader"] if project.is_dir() else ""
    except LowresError:
        reader = ""
    if not reader:
        return "FOLDER", "FOLDER is where your recordings are"
    return str(project), f"the recordings here look like the layout {reader}"


def _commands_after(where: str, state: ProjectState | None) -> list[tuple[str, str]]:
    """List the commands that are left behind `lowres init`; all of them where the state is not known."""
    commands = [
        ("look at the letters and at suggested text rules", f"lowres audit{where}"),
        ("read and check the recordings", f"lowres prepare{where}"),
        ("train a recogniser", f"lowres finetune{where}"),
        ("weigh what it hears against what is usually said", f"lowres lm{where}"),
        ("measure it and write the report", f"lowres evaluate{where}"),
    ]
    if state is None or not state.is_prepared:
        return commands
    if state.run_status == "training":
        return [("go on with training", f"lowres finetune --resume --run {state.run}{where}"), *commands[3:]]
    if not state.run_status:
        return commands[2:]
    measured = ("measure it again" if state.report else commands[4][0], f"lowres evaluate --run {state.run}{where}")
    return [measured] if state.report else [(commands[3][0], f"lowres lm --run {state.run}{where}"), measured]
