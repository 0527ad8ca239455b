"""`lowres inspect` through the command line, after `lowres prepare`."""

from pathlib import Path

import numpy as np
import pytest
import soundfile
from typer.testing import CliRunner, Result

from lowres.cli.app import app


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Return a project with a prepared corpus of six recordings, of which one is silent."""
    recordings = tmp_path / "recordings"
    recordings.mkdir()
    for number in range(6):
        noise = np.random.default_rng(number).standard_normal(24_000) * (0.1 if number else 0.0)
        soundfile.write(recordings / f"u{number}.wav", noise, 16_000)
        (recordings / f"u{number}.txt").write_text(f"ba na ilé [{'abcdef'[number]}]", encoding="utf-8")
    recipe = 'name = "tiny"\n[corpus]\nfolder = "recordings"\nlicence = "CC0"\nconsent = "for research"\n'
    (tmp_path / "lowres.toml").write_text(recipe, encoding="utf-8")
    prepared = run("prepare", "--project", tmp_path, "--workers", "1")
    assert prepared.exit_code == 0, prepared.output
    assert f"lowres inspect --project {tmp_path}" in prepared.output
    return tmp_path


def test_inspect_shows_a_short_table_and_names_the_page_and_the_next_command(project: Path) -> None:
    result = run("inspect", "--project", project)
    assert result.exit_code == 0, result.output
    assert "Silence" in result.output
    assert "left out" in result.output
    assert "licence: CC0   consent: for research" in result.output
    assert str(project / "reports" / "data" / "report.html") in result.output
    assert result.output.rstrip().splitlines()[-1].startswith("next: ")
    assert "lowres audit" in result.output
    assert "for research" in (project / "reports" / "data" / "report.html").read_text(encoding="utf-8")


def test_after_the_audit_the_next_command_is_to_train(project: Path) -> None:
    assert "report.html" in run("audit", "--project", project).output
    assert "lowres finetune" in run("inspect", "--project", project).output


def test_after_another_projects_corpus_the_next_command_is_for_that_project(project: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "lowres.toml").write_text('name = "other"\n[corpus]\nfolder = "x"\n', encoding="utf-8")
    result = run("inspect", "--project", other, "--corpus", project / "corpus")
    assert f"lowres finetune --hours 1 --project {project}" in result.output.replace("\n", "")
    moved = (project / "corpus").rename(tmp_path / "moved")
    assert "next: " not in run("inspect", "--project", other, "--corpus", moved).output


def test_without_a_prepared_corpus_the_status_is_2(tmp_path: Path) -> None:
    (tmp_path / "lowres.toml").write_text('name = "tiny"\n[corpus]\nfolder = "x"\n', encoding="utf-8")
    result = run("inspect", "--project", tmp_path)
    assert result.exit_code == 2
    assert "hint: Run `lowres prepare` first." in result.output
