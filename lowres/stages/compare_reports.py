"""The reports that `lowres evaluate` wrote, read again: what was heard in which utterance, and how it was scored."""

import csv
import json
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from lowres.errors import ON_NONSENSE, CheckpointError
from lowres.recipe.load import PROJECT_RECIPE, list_shipped_recipes
from lowres.report.files import REPORT_SCHEMA_VERSION, TABLE_FILE
from lowres.report.writing import DATA_FILE
from lowres.scoring.alignment import Alignment, align_characters, align_words
from lowres.stages.run_folder import RECIPE_FILE

SPLITS: Final = ("test", "dev", "train")
"""In the order in which a comparison prefers them."""

_NEEDED: Final = (
    "utterance_id",
    "speaker",
    "duration_seconds",
    "reference",
    "hypothesis",
    "word_errors",
    "character_errors",
)
_LONGEST_FIELD: Final = 1_000_000_000


@dataclass(frozen=True)
class Utterance:
    """A row of utterances.tsv."""

    utterance_id: str
    speaker: str
    duration_seconds: float
    reference: str
    hypothesis: str


@dataclass(frozen=True)
class ReadReport:
    """A report folder, read.

    Attributes:
        run, split, folder: whose report it is.
        utterances: the N rows in their order.
        words, characters: (N,) alignments of reference and hypothesis.
        figures: report.json.
    """

    run: str
    split: str
    folder: Path
    utterances: tuple[Utterance, ...]
    words: list[Alignment]
    characters: list[Alignment]
    figures: dict[str, Any]

    @property
    def made_from(self) -> dict[str, str]:
        """What the report says of how it was made, by name."""
        found = self.figures.get("made_from")
        return {str(name): str(value) for name, value in found.items()} if isinstance(found, dict) else {}


def report_folder(project: Path, run: str, split: str) -> Path:
    """Return where `lowres evaluate` writes the report of a run."""
    return project / "reports" / f"{run}-{split}"


def has_report(project: Path, run: str, split: str) -> bool:
    """Whether a run has a report of a split."""
    folder = report_folder(project, run, split)
    return (folder / DATA_FILE).is_file() and (folder / TABLE_FILE).is_file()


def evaluate_command(project: Path, run: str, split: str, recipe_name: str) -> str:
    """Return the command, as it is typed, that writes the report of a run.

    Args:
        project: the project folder.
        run: the run's name.
        split: what to score; "" leaves it to `lowres evaluate`.
        recipe_name: of the recipe that it was trained with; named where the project has no recipe of its own.
    """
    words = ["lowres", "evaluate", "--run", run, *(("--split", split) if split else ())]
    if not (project / PROJECT_RECIPE).is_file():
        is_shipped = recipe_name in list_shipped_recipes()
        words += ["--recipe", recipe_name if is_shipped else str(project / "runs" / run / RECIPE_FILE)]
    if project != Path():
        words += ["--project", str(project)]
    return shlex.join(words)


def read_figures(folder: Path) -> dict[str, Any]:
    """Read report.json of a report folder.

    Raises:
        CheckpointError: it is missing, damaged, or of a version that is not known.
    """
    path = folder / DATA_FILE
    try:
        figures = json.loads(path.read_text(encoding="utf-8"))
        version = figures["schema_version"]
    except (OSError, *ON_NONSENSE) as error:
        raise CheckpointError(f"{path} cannot be read as a report.", _again(folder)) from error
    if version not in range(1, REPORT_SCHEMA_VERSION + 1):
        raise CheckpointError(
            f"{path} has schema version {version}, and this lowres reads no later one than {REPORT_SCHEMA_VERSION}.",
            _again(folder),
        )
    return dict(figures)


def read_report(project: Path, run: str, split: str) -> ReadReport:
    """Read the report of a run, and align its texts again.

    Raises:
        CheckpointError: a file is missing or damaged, or utterances.tsv was changed since it was written.
    """
    folder = report_folder(project, run, split)
    figures = read_figures(folder)
    rows = _read_rows(folder)
    try:
        utterances = tuple(
            Utterance(
                row["utterance_id"], row["speaker"], float(row["duration_seconds"]), row["reference"], row["hypothesis"]
            )
            for row in rows
        )
        recorded = [(int(row["word_errors"]), int(row["character_errors"])) for row in rows]
    except ValueError as error:
        raise CheckpointError(f"{folder / TABLE_FILE} holds a figure that is none: {error}.", _again(folder)) from error
    references, hypotheses = [one.reference for one in utterances], [one.hypothesis for one in utterances]
    words, characters = align_words(references, hypotheses), align_characters(references, hypotheses)
    for utterance, counts, word, character in zip(utterances, recorded, words, characters, strict=True):
        if counts != (word.num_errors, character.num_errors):
            raise CheckpointError(
                f"{folder / TABLE_FILE} was changed since it was written: in {utterance.utterance_id} it counts "
                f"{counts[0]} words and {counts[1]} letters wrong, and its texts differ in {word.num_errors} and "
                f"{character.num_errors}.",
                _again(folder),
            )
    return ReadReport(run, split, folder, utterances, words, characters, figures)


def _read_rows(folder: Path) -> list[dict[str, str]]:
    path = folder / TABLE_FILE
    usual = csv.field_size_limit(_LONGEST_FIELD)
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, delimiter="\t", restval="", strict=True)
            missing = [name for name in _NEEDED if name not in (reader.fieldnames or ())]
            rows = [] if missing else [dict(row) for row in reader]
    except (OSError, ValueError, csv.Error) as error:
        raise CheckpointError(f"{path} cannot be read: {error}.", _again(folder)) from error
    finally:
        csv.field_size_limit(usual)
    if missing or not rows:
        what = f"has no column {missing[0]}" if missing else "holds no utterance"
        raise CheckpointError(f"{path} {what}.", _again(folder))
    return rows


def _again(folder: Path) -> str:
    return f"Delete {folder} and evaluate that run again."


def keep_utterances(report: ReadReport, utterance_ids: Sequence[str]) -> ReadReport:
    """Return a report of some of its utterances, in the order given."""
    place = {one.utterance_id: number for number, one in enumerate(report.utterances)}
    numbers = [place[name] for name in utterance_ids]
    return ReadReport(
        report.run,
        report.split,
        report.folder,
        tuple(report.utterances[number] for number in numbers),
        [report.words[number] for number in numbers],
        [report.characters[number] for number in numbers],
        report.figures,
    )
