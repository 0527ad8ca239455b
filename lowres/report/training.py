"""report.html of a fine-tuning run: how good it got, whether more training helps, and how it went, in one file."""

import statistics
from collections.abc import Sequence
from pathlib import Path

from lowres.report import training_verdict as rules
from lowres.report.axes import LARGE, SMALL
from lowres.report.line_chart import draw_all
from lowres.report.run_charts import hours_text
from lowres.report.run_contents import Head, settings_of
from lowres.report.run_log import RunLog, read_run_log
from lowres.report.sentences import percent
from lowres.report.templating import page_environment, plain, style_sheet
from lowres.report.training_charts import health_charts, learning_charts, seeds_charts
from lowres.report.training_contents import (
    EVALUATED,
    cautions_of,
    evaluation_rows,
    evidence_of,
    examples_of,
    facts_of,
    figures_of,
    terms_of,
)
from lowres.report.training_verdict import judge, rate_text
from lowres.report.writing import PAGE_FILE, write_file

_HINT = "Free some disk space or check the folder's permissions; the run itself is unharmed."


def write_training_report(run_folder: Path) -> Path:
    """Write report.html into a run's folder from its run.json and metrics.jsonl, while it trains or afterwards.

    Args:
        run_folder: e.g. runs/finetune-1h-seed1. metrics.jsonl may be missing, empty or end in a torn line.

    Returns:
        The file; an earlier one is replaced only once the new one is whole.

    Raises:
        CheckpointError: there is no readable run.json.
        LowresError: the page cannot be written.
    """
    path = run_folder / PAGE_FILE
    write_file(path, render_training_page(read_run_log(run_folder)), hint=_HINT)
    return path


def write_seeds_report(path: Path, run_folders: Sequence[Path]) -> Path:
    """Write a page of the runs of several seeds: all curves together, their mean and its spread.

    Args:
        path: the file, e.g. runs/finetune-1h-seeds.html.
        run_folders: one per seed.

    Raises:
        CheckpointError: one has no readable run.json.
        LowresError: the page cannot be written.
    """
    write_file(path, render_seeds_page(path.stem, [read_run_log(folder) for folder in run_folders]), hint=_HINT)
    return path


def render_training_page(log: RunLog) -> str:
    """Write the whole page of one run."""
    name = log.name or "finetune"
    return _render(
        "training.html.jinja",
        name=name,
        log=log,
        verdict=judge(evidence_of(log)),
        rules=rules,
        figures=figures_of(log),
        cautions=cautions_of(log),
        learning=draw_all(learning_charts(log), LARGE),
        health=draw_all(health_charts(log), SMALL),
        heads=[*map(Head, EVALUATED)],
        rows=evaluation_rows(log),
        examples=examples_of(log),
        happenings=log.happenings(),
        facts=facts_of(log),
        settings=settings_of(log.record),
        title=plain(name),
    )


def render_seeds_page(name: str, logs: Sequence[RunLog]) -> str:
    """Write the whole page of several seeds."""
    return _render(
        "training_seeds.html.jinja",
        name=name,
        answer=seeds_answer(logs),
        runs=[(log, judge(evidence_of(log)), figures_of(log)) for log in logs],
        learning=draw_all(seeds_charts(logs), LARGE),
        facts=list(dict.fromkeys(fact for log in logs for fact in terms_of(log.record))),
        title=plain(name),
    )


def seeds_answer(logs: Sequence[RunLog]) -> str:
    """Say how good the seeds got on average, and how far they lie apart."""
    best = [min(rates) for log in logs if (rates := evidence_of(log).error_rates)]
    if not best:
        return "No seed has been evaluated on dev, so there is nothing to compare."
    if len(best) == 1:
        return f"One seed was evaluated: its best dev CER is {rate_text(best[0])}."
    mean, deviation = statistics.fmean(best), statistics.stdev(best)
    return (
        f"Over {len(best)} seeds the best dev CER is {percent(mean, 1)} ± {percent(deviation, 1)}, "
        f"from {percent(min(best), 1)} to {percent(max(best), 1)}."
    )


def _render(template: str, **values: object) -> str:
    environment = page_environment(hours=hours_text)
    return environment.get_template(template).render(style=style_sheet("style.css", "charts.css"), **values)
