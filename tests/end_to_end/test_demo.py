"""`lowres demo`, whole: with a tiny corpus and seconds of training in the fast suite, as it is in the slow one."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from lowres.cli.app import app
from lowres.stages import demo as demo_stage
from lowres.stages.demo import DemoSize

pytest.importorskip("espeakng_loader", reason="eSpeak NG is not installed: uv sync --extra demo")

runner = CliRunner()


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    """Speak sixteen sentences instead of 1,368."""
    size = DemoSize(
        sentences_per_train_voice=4, sentences_per_dev_voice=1, sentences_per_test_voice=1, num_train_voices=4
    )
    monkeypatch.setattr(demo_stage, "DemoSize", lambda: size)


def _report(project: Path) -> dict[str, object]:
    (path,) = (project / "reports").glob("*/report.json")
    report: dict[str, object] = json.loads(path.read_text(encoding="utf-8"))
    return report


@pytest.mark.slow
def test_the_demo_goes_from_nothing_to_a_report_and_says_what_comes_next(tiny: None, tmp_path: Path) -> None:
    project = tmp_path / "demo"
    result = runner.invoke(app, ["demo", str(project), "--minutes", "0.05"])
    assert result.exit_code == 0, result.output
    for command in ("prepare", "finetune", "evaluate"):
        assert f"$ lowres {command} --project {project}" in result.stdout
    assert "report.html" in result.stdout
    assert result.stdout.rstrip().splitlines()[-1].endswith("lowres start --project my-language")
    assert json.loads((project / "corpus" / "corpus.json").read_text(encoding="utf-8"))["synthetic"] is True
    (page,) = (project / "reports").glob("*/report.html")
    assert "synthetic" in page.read_text(encoding="utf-8")

    again = runner.invoke(app, ["demo", str(project), "--minutes", "0.05"])
    assert again.exit_code == 0, again.output
    assert "Trained already" in again.stdout


def test_the_demo_refuses_a_folder_that_holds_another_project(tmp_path: Path) -> None:
    (tmp_path / "lowres.toml").write_text("# mine\n", encoding="utf-8")
    result = runner.invoke(app, ["demo", str(tmp_path)])
    assert result.exit_code == 2
    assert "holds another project" in result.stderr


def test_the_demo_on_an_unknown_corpus_names_those_there_are(tmp_path: Path) -> None:
    result = runner.invoke(app, ["demo", str(tmp_path / "project"), "--corpus", "mboshy"])
    assert result.exit_code == 2
    assert "mboshi" in result.stderr
