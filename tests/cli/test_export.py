"""`lowres export` finds the recogniser, says what it wrote, and refuses in a sentence."""

from pathlib import Path

import pytest
from recognizers import make_recognizer
from typer.testing import CliRunner

from lowres.backbones import export_onnx
from lowres.backbones.checkpoint_folder import write_checkpoint
from lowres.cli.app import app

runner = CliRunner()
RECIPE = '[language]\nname = "Mboshi"\niso_639_3 = "mdw"\n'


@pytest.fixture
def project(tmp_path: Path) -> Path:
    run = tmp_path / "runs" / "first"
    recognizer = make_recognizer()
    write_checkpoint(run / "checkpoints" / "best", recognizer.model.state_dict(), recognizer.metadata)
    (run / "recipe.toml").write_text(RECIPE, encoding="utf-8")
    return tmp_path


def test_a_run_is_exported_by_its_name(project: Path) -> None:
    result = runner.invoke(app, ["export", "first", str(project / "out"), "--project", str(project)])
    assert result.exit_code == 0, result.output
    assert "Mboshi mdw" in result.stdout
    assert "million parameters" in result.stdout
    assert f"written: {project / 'out'}" in result.stdout
    assert f'AutoModelForCTC.from_pretrained("{project / "out"}")' in result.stdout
    assert "no commercial use" in result.stderr
    assert "Mboshi" in (project / "out" / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("below", ["runs/first", "runs/first/checkpoints/best"])
def test_a_run_or_checkpoint_folder_is_exported(project: Path, below: str) -> None:
    result = runner.invoke(app, ["export", str(project / below), str(project / "out")])
    assert result.exit_code == 0, result.output
    assert (project / "out" / "model.safetensors").is_file()


def test_a_run_that_does_not_exist_is_refused_with_those_that_do(project: Path) -> None:
    result = runner.invoke(app, ["export", "second", str(project / "out"), "--project", str(project)])
    assert result.exit_code == 2
    assert "no run called 'second'" in result.stderr
    assert "first" in result.stderr


def test_a_path_without_a_checkpoint_is_refused(project: Path) -> None:
    result = runner.invoke(app, ["export", "runs/none", str(project / "out"), "--project", str(project)])
    assert result.exit_code == 2
    assert result.stderr.startswith("error: There is no checkpoint in runs/none.")


def test_a_missing_package_is_one_sentence(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export_onnx, "find_spec", lambda name: None)
    arguments = ["export", "first", str(project / "x.onnx"), "--to", "onnx", "--project", str(project)]
    result = runner.invoke(app, arguments)
    assert result.exit_code == 2
    assert "error: Exporting to ONNX needs onnx and onnxscript and onnxruntime" in result.stderr
    assert not (project / "x.onnx").exists()


@pytest.mark.slow
def test_onnx_is_written_and_checked(project: Path) -> None:
    arguments = ["export", "first", str(project / "x.onnx"), "--to", "onnx", "--project", str(project)]
    result = runner.invoke(app, arguments)
    assert result.exit_code == 0, result.output
    assert "onnxruntime gives the same scores" in result.stdout
    assert f"written: {project / 'x.onnx'}" in result.stdout
