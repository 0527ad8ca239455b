"""What there is in a project: its runs with their figures, and its reports, for the first page of the studio."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from lowres.backbones.checkpoint_folder import has_checkpoint, read_metadata
from lowres.corpora.files import is_inside
from lowres.errors import ON_NONSENSE, LowresError
from lowres.report.writing import PAGE_FILE
from lowres.stages.evaluate_run import best_checkpoint
from lowres.studio.files import find_page

_LARGEST_JSON: Final = 50_000_000
_KNOWN_REPORTS: Final = {"data": "Data report", "orthography": "Orthography audit"}


@dataclass(frozen=True)
class ReportEntry:
    """A report page.

    Attributes:
        place: in the project, such as "reports/pilot/report.html". title: what it is about. run: that it scores, or "".
        split: that was scored, or "". character_error_rate, word_error_rate: 0-1, None where not known.
        written: when, local time.
    """

    place: str
    title: str
    run: str
    split: str
    character_error_rate: float | None
    word_error_rate: float | None
    written: str


@dataclass(frozen=True)
class RunEntry:
    """A run: its best checkpoint so far, or why there is none.

    Attributes:
        name: of the folder. kind: "recogniser", "backbone" or "". hours: it learned from, None where not known.
        step: of the checkpoint. character_error_rate, word_error_rate: on dev, 0-1. problem: a sentence, or "".
        page: place of its own report page, or "". written: when, local time.
    """

    name: str
    kind: str = ""
    hours: float | None = None
    step: int = 0
    character_error_rate: float | None = None
    word_error_rate: float | None = None
    problem: str = ""
    page: str = ""
    written: str = ""


def list_runs(project: Path) -> list[RunEntry]:
    """List the runs of a project, the newest first; one that cannot be read says why."""
    folders = [path for path in _folders(project / "runs") if is_inside(path, project)]
    return sorted((_describe_run(project, path) for path in folders), key=lambda run: run.written, reverse=True)


def _describe_run(project: Path, folder: Path) -> RunEntry:
    place = f"runs/{folder.name}/{PAGE_FILE}"
    page = place if find_page(project, place) else ""
    best = best_checkpoint(folder)
    try:
        if not has_checkpoint(best):
            return RunEntry(folder.name, problem="No checkpoint yet.", page=page, written=_when(folder))
        metadata = read_metadata(best)
    except (LowresError, OSError) as error:
        return RunEntry(folder.name, problem=str(error), page=page, written=_when(folder))
    return RunEntry(
        folder.name,
        kind="recogniser" if metadata.kind == "recognizer" else "backbone",
        hours=_number(metadata.training.get("hours")),
        step=metadata.step,
        character_error_rate=_number(metadata.training.get("dev_character_error_rate")),
        word_error_rate=_number(metadata.training.get("dev_word_error_rate")),
        page=page,
        written=_when(best),
    )


def list_reports(project: Path) -> list[ReportEntry]:
    """List the report pages under reports/, the newest first; links that lead out of the project are left out."""
    found = [
        place
        for folder in (project / "reports", *_folders(project / "reports"))
        for path in (folder, *_folders(folder))
        if find_page(project, place := f"{path.relative_to(project).as_posix()}/{PAGE_FILE}")
    ]
    entries = [_describe_report(project, place) for place in dict.fromkeys(found)]
    return sorted(entries, key=lambda entry: entry.written, reverse=True)


def _describe_report(project: Path, place: str) -> ReportEntry:
    page = project / place
    name = page.parent.relative_to(project / "reports").as_posix()
    facts = _read_json(page.with_suffix(".json")) if find_page(project, place[: -len("html")] + "json") else {}
    rates = facts.get("normalised")
    return ReportEntry(
        place=place,
        title=_KNOWN_REPORTS.get(name, name),
        run=_text(facts.get("run")),
        split=_text(facts.get("split")),
        character_error_rate=_rate(rates, "characters"),
        word_error_rate=_rate(rates, "words"),
        written=_when(page),
    )


def _read_json(path: Path) -> dict[str, Any]:
    """Read a report's figures; none where they cannot be read, for the page itself says what there is to say."""
    try:
        if path.stat().st_size > _LARGEST_JSON:
            return {}
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, *ON_NONSENSE):
        return {}
    return found if isinstance(found, dict) else {}


def _rate(rates: Any, of: str) -> float | None:
    found = rates.get(of) if isinstance(rates, dict) else None
    return _number(found.get("error_rate")) if isinstance(found, dict) else None


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _folders(folder: Path) -> Iterator[Path]:
    if folder.is_dir():
        yield from sorted(path for path in folder.iterdir() if not path.name.startswith(".") and path.is_dir())


def _when(path: Path) -> str:
    return datetime.fromtimestamp(path.stat().st_mtime).strftime("%Y-%m-%d %H:%M")
