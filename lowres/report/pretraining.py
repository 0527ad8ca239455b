"""report.html of a pretraining run: does it learn, on what, and how it went, in one file that opens offline."""

from pathlib import Path

from lowres.report import pretraining_verdict as rules
from lowres.report.axes import LARGE, SMALL
from lowres.report.line_chart import draw_all
from lowres.report.pretraining_charts import (
    MOST_LANGUAGES,
    code_charts,
    health_charts,
    learning_charts,
)
from lowres.report.pretraining_contents import (
    EVALUATED,
    cautions_of,
    consents_of,
    evaluation_rows,
    evidence_of,
    facts_of,
    figures_of,
)
from lowres.report.pretraining_languages import held_out_languages, trained_languages
from lowres.report.pretraining_run import PretrainingRun, read_pretraining_run
from lowres.report.pretraining_verdict import chance_accuracy, judge
from lowres.report.run_charts import hours_text
from lowres.report.run_contents import Head, settings_of
from lowres.report.templating import page_environment, plain, style_sheet
from lowres.report.writing import PAGE_FILE, write_file


def write_pretraining_report(run_folder: Path) -> Path:
    """Write report.html into a run's folder from its run.json and metrics.jsonl, while it trains or afterwards.

    Args:
        run_folder: e.g. runs/pretrain-xs-seed1. metrics.jsonl may be missing, empty or end in a torn line.

    Returns:
        The file; an earlier one is replaced only once the new one is whole.

    Raises:
        CheckpointError: there is no readable run.json.
        LowresError: the page cannot be written.
    """
    page = render_pretraining_page(read_pretraining_run(run_folder))
    path = run_folder / PAGE_FILE
    write_file(path, page, hint="Free some disk space or check the folder's permissions; the run itself is unharmed.")
    return path


def render_pretraining_page(run: PretrainingRun) -> str:
    """Write the whole page."""
    environment = page_environment(hours=hours_text)
    verdict = judge(evidence_of(run))
    trained, held_out = trained_languages(run), held_out_languages(run)
    return environment.get_template("pretraining.html.jinja").render(
        run=run,
        verdict=verdict,
        rules=rules,
        chance=chance_accuracy(run.num_distractors),
        figures=figures_of(run, verdict),
        cautions=cautions_of(run, verdict, held_out),
        trained=trained,
        consents=consents_of(run),
        held_out=held_out,
        learning=draw_all(learning_charts(run), LARGE),
        codes=draw_all(code_charts(run), SMALL),
        health=draw_all(health_charts(run), SMALL),
        heads=[*map(Head, EVALUATED), *(Head("Loss, ", name) for name in run.held_out_languages[:MOST_LANGUAGES])],
        rows=evaluation_rows(run),
        happenings=run.log.happenings(),
        facts=facts_of(run, trained),
        settings=settings_of(run.log.record),
        style=style_sheet("style.css", "charts.css"),
        title=plain(run.name),
    )
