"""The runs of a project: what each learned from, how far it came, how well, and which reports of it there are."""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from lowres.errors import ON_NONSENSE, CheckpointError
from lowres.report.compare_runs import ReportFigures, RunRow, RunsContents, RunState, ScoredRate, SeedSpread
from lowres.report.compare_runs_page import write_runs_report
from lowres.report.writing import PAGE_FILE, address_beside
from lowres.scoring.bootstrap import Interval
from lowres.stages.compare_reports import SPLITS, evaluate_command, has_report, read_figures, report_folder
from lowres.stages.compare_settings import read_recipe_of, seed_group
from lowres.stages.finetune_run import RunRecord, read_record
from lowres.stages.finetune_seeds import spread_of
from lowres.stages.run_folder import RUN_FILE, RunFolder

RUNS_FOLDER: Final = Path("reports", "compare")
"""Where in a project the table of its runs is written."""

_STATES: Final[dict[str, RunState]] = {
    "training": "unfinished",
    "finished": "finished",
    "stopped early": "stopped early",
    "collapsed": "collapsed",
}
_WEIGHTS: Final = "weights.safetensors"


def list_runs(project: Path) -> RunsContents:
    """Look at every run of a project and its reports.

    Args:
        project: the project folder.

    Returns:
        The table, the best character error rate on dev first. A run that cannot be read is listed as damaged.

    Raises:
        CheckpointError: the project has no run.
    """
    folders = sorted(path.parent for path in (project / "runs").glob(f"*/{RUN_FILE}"))
    if not folders:
        raise CheckpointError(f"There is no run in {project / 'runs'}.", "Make one with `lowres finetune`.")
    pretraining = [path.name for path in folders if _is_pretraining(path)]
    rows = [_row(project, RunFolder(path)) for path in folders if path.name not in pretraining]
    rows.sort(key=_order)
    return RunsContents(
        project=project.resolve().name,
        rows=tuple(rows),
        spreads=tuple(_spreads(rows)),
        pretraining=tuple(pretraining),
        language=_language(folders, pretraining),
        commands=tuple((row.name, row.command) for row in rows if row.command),
    )


def write_runs_table(project: Path, contents: RunsContents) -> Path:
    """Write reports/compare/report.html and report.json; return the page.

    Raises:
        LowresError: they cannot be written.
    """
    folder = project / RUNS_FOLDER
    write_runs_report(folder, contents)
    return folder / PAGE_FILE


def _order(row: RunRow) -> tuple[bool, float, str]:
    rate = row.dev_character_error_rate
    return rate is None, rate or 0.0, row.name


def _is_pretraining(path: Path) -> bool:
    try:
        found = json.loads((path / RUN_FILE).read_text(encoding="utf-8"))
    except (OSError, *ON_NONSENSE):
        return False
    return isinstance(found, dict) and found.get("stage") == "pretrain"


def _row(project: Path, folder: RunFolder) -> RunRow:
    name = folder.path.name
    size = sum(path.stat().st_size for path in folder.path.rglob("*") if path.is_file())
    date = datetime.fromtimestamp((folder.path / RUN_FILE).stat().st_mtime, UTC).strftime("%Y-%m-%d")
    try:
        record = read_record(folder)
    except CheckpointError as error:
        return RunRow(name, "damaged", size_bytes=size, date=date, problem=error.message)
    reports = _reports(project, folder)
    has_best = (folder.best / _WEIGHTS).is_file()
    command = evaluate_command(project, name, "", record.recipe_name) if has_best and not reports else ""
    return RunRow(
        name=name,
        state=_STATES[record.status],
        trained_on=_amount(record),
        start=record.backbone or "random weights",
        learns=str(record.settings.get("adaptation", "")) if record.backbone else "",
        seed=int(record.settings.get("seed", record.seed_used)),
        updates=record.updates,
        hours_processed=record.hours_processed,
        num_parameters=record.num_parameters,
        dev_character_error_rate=record.best_dev_character_error_rate,
        dev_word_error_rate=record.best_dev_word_error_rate,
        reports=reports,
        size_bytes=size,
        date=date,
        seed_group=seed_group(folder, record),
        command=command,
    )


def _amount(record: RunRecord) -> str:
    amount = "all" if record.subset_label == "all" else f"the {record.subset_label} list"
    said = f"{amount}: {record.hours:.2f} h"
    if record.num_pseudo_labelled:
        said += f", and {record.pseudo_labelled_hours:.2f} h labelled by {record.teacher}"
    return said


def _reports(project: Path, folder: RunFolder) -> tuple[ReportFigures, ...]:
    name = folder.path.name
    found = []
    for split in SPLITS:
        if not has_report(project, name, split):
            continue
        try:
            figures = read_figures(report_folder(project, name, split))
        except CheckpointError:
            continue
        made_from = figures.get("made_from", {})
        decoding = str(made_from.get("Decoding", ""))
        found.append(
            ReportFigures(
                split=split,
                words=rate_in(figures, "words"),
                characters=rate_in(figures, "characters"),
                num_utterances=int(figures.get("num_utterances", 0)),
                address=address_beside(f"{name}-{split}"),
                is_of_other_weights=is_of_other_weights(folder, made_from),
                language_model="" if decoding.startswith("greedy") else decoding,
            )
        )
    return tuple(found)


def rate_in(figures: Mapping[str, Any], measure: str) -> ScoredRate:
    """Return the normalised word or character error rate of a report.json; None where it says none."""
    found = figures.get("normalised", {}).get(measure, {})
    interval = found.get("over_utterances")
    return ScoredRate(found.get("error_rate"), Interval(**interval) if interval else None)


def is_of_other_weights(folder: RunFolder, made_from: Mapping[str, str]) -> bool:
    """Whether a report was made of other weights than those that are now the run's best."""
    stated = str(made_from.get("Weights", "")).removeprefix("sha256 ")
    try:
        metadata = json.loads((folder.best / "checkpoint.json").read_text(encoding="utf-8"))
        now = str(metadata["files"][_WEIGHTS])
    except (OSError, *ON_NONSENSE):
        return False
    return bool(stated) and not now.startswith(stated)


def _spreads(rows: Sequence[RunRow]) -> list[SeedSpread]:
    groups: defaultdict[str, list[RunRow]] = defaultdict(list)
    for row in rows:
        if row.seed_group:
            groups[row.seed_group].append(row)
    spreads = []
    for group in groups.values():
        measures: dict[str, list[float | None]] = {
            "letters wrong on dev": [row.dev_character_error_rate for row in group],
            "words wrong on dev": [row.dev_word_error_rate for row in group],
        }
        for split in SPLITS:
            measures[f"letters wrong on {split}, scored"] = [_scored(row, split, "characters") for row in group]
            measures[f"words wrong on {split}, scored"] = [_scored(row, split, "words") for row in group]
        for measure, values in measures.items():
            known = [value for value in values if value is not None]
            spread = spread_of(values)
            if spread is None or len(known) < 2:
                continue
            names = tuple(row.name for row, value in zip(group, values, strict=True) if value is not None)
            spreads.append(SeedSpread(names, measure, spread.mean, spread.deviation, min(known), max(known)))
    return spreads


def _scored(row: RunRow, split: str, measure: str) -> float | None:
    for report in row.reports:
        if report.split == split and not report.is_of_other_weights:
            return (report.words if measure == "words" else report.characters).rate
    return None


def _language(folders: Sequence[Path], pretraining: Sequence[str]) -> str:
    for path in folders:
        if path.name not in pretraining and (recipe := read_recipe_of(RunFolder(path))):
            return recipe.language.name
    return ""
