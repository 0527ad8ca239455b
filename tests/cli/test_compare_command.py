"""`lowres compare`, as it is typed."""

from pathlib import Path

import pytest
from comparisons import REFERENCES, garble, write_report, write_run
from html_pages import Page, check_accessible, check_alone
from typer.testing import CliRunner

from lowres.cli.app import app

runner = CliRunner()


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for seed, (name, chance) in enumerate({"old": 0.7, "[red]new": 0.2}.items(), start=1):
        write_run(tmp_path, name, settings={"learning_rate": 0.001 * seed}, best_dev_character_error_rate=0.3 / seed)
        write_report(tmp_path, name, garble(REFERENCES, chance, seed))
    return tmp_path


def test_two_runs_are_compared_in_words(project: Path) -> None:
    result = runner.invoke(app, ["compare", "old", "[red]new", "--project", str(project)])
    assert result.exit_code == 0, result.output
    said = " ".join(result.output.split())
    assert "[red]new makes" in said
    assert "fewer word errors than old (" in said
    assert "not luck of the draw" in said
    assert "finetune.learning_rate" in said
    assert "next: To see how much another seed alone changes: lowres finetune --seeds 3 --project" in said
    assert (project / "reports" / "compare-old-[red]new-test" / "report.html").is_file()


def test_without_names_all_runs_are_listed(project: Path) -> None:
    result = runner.invoke(app, ["compare", "--project", str(project)])
    assert result.exit_code == 0, result.output
    assert "[red]new is best on dev: of 100 letters about 15 are wrong." in result.output
    assert result.output.index("[red]new") < result.output.index("old")
    assert "lowres compare old '[red]new' --project" in result.output
    source = (project / "reports" / "compare" / "report.html").read_text(encoding="utf-8")
    page = Page(source)
    check_alone(page, source)
    check_accessible(page)
    assert "lowres-small, full" in page.text


def test_a_missing_report_is_one_sentence_and_status_2(project: Path) -> None:
    result = runner.invoke(app, ["compare", "old", "[red]new", "--split", "dev", "--project", str(project)])
    assert result.exit_code == 2
    assert result.stderr.startswith("error: The run old has no report of the dev split.\nhint: Make it with `lowres")


def test_reports_of_other_tests_are_status_2(project: Path) -> None:
    write_report(project, "old", ["a"], references=["a"])
    result = runner.invoke(app, ["compare", "old", "[red]new", "--project", str(project)])
    assert result.exit_code == 2
    assert "not of the same test: the reference of u000" in result.stderr
    assert "--shared" in result.stderr
