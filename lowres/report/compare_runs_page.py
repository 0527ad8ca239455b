"""The page and the JSON of the table of all runs of a project."""

from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from lowres.report import sentences
from lowres.report.compare_runs import STATE_WORDS, RunRow, RunsContents, ScoredRate
from lowres.report.templating import page_environment, plain, style_sheet
from lowres.report.tracks import track_part, track_width
from lowres.report.writing import write_page_and_data

RUNS_SCHEMA_VERSION: Final = 1


def write_runs_report(folder: Path, contents: RunsContents) -> int:
    """Write report.json and report.html into a folder; return the size of the page in bytes.

    Raises:
        LowresError: the folder cannot be written.
    """
    data: dict[str, Any] = {"schema_version": RUNS_SCHEMA_VERSION, "kind": "runs", **asdict(contents)}
    return write_page_and_data(folder, data, render_runs_page(contents))


def render_runs_page(contents: RunsContents) -> str:
    """Write the whole page."""
    environment = page_environment(megabytes=megabytes)
    best = contents.rows[0] if contents.rows and contents.rows[0].dev_character_error_rate is not None else None
    return environment.get_template("compare_runs.html.jinja").render(
        contents=contents,
        headline=runs_headline(contents),
        best=best,
        reports=[(row, report) for row in contents.rows for report in row.reports],
        states={row.state: STATE_WORDS[row.state] for row in contents.rows},
        track=_track,
        title=plain(contents.language or contents.project),
        style=style_sheet("style.css", "corpus.css", "compare.css"),
    )


def runs_headline(contents: RunsContents) -> str:
    """Say in one sentence which run is best on dev; of reports on other splits nothing."""
    scored = [row for row in contents.rows if row.dev_character_error_rate is not None]
    if not scored:
        return "No run has an error rate yet."
    best = scored[0]
    rate = sentences.per_hundred(best.dev_character_error_rate or 0.0)
    among = f"Of {len(scored):,} runs" if len(scored) > 1 else "The only run that has a figure"
    verb = "is best on dev" if len(scored) > 1 else "on dev"
    return f"{among}, {best.name} {verb}: of 100 letters about {rate} are wrong."


def describe_start(row: RunRow) -> str:
    """Say what a run was trained from and what of it learns."""
    return f"{row.start}, {row.learns}" if row.learns else row.start


def megabytes(num_bytes: int) -> str:
    """Print a size: "21 MB", "0.4 MB"."""
    size = num_bytes / 1e6
    return f"{size:,.0f}{sentences.NO_BREAK}MB" if size >= 10 else f"{size:.1f}{sentences.NO_BREAK}MB"


def _track(rate: ScoredRate) -> tuple[str, str]:
    """Return the style of the bar of a rate, and of its interval ("" without one)."""
    return f"width:{track_width(rate.rate or 0.0)}", track_part(rate.interval) if rate.interval else ""
