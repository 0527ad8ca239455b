"""`lowres export` finds the recogniser, says what it wrote, and refuses in a sentence."""

from dataclasses import replace
from pathlib import Path, PureWindowsPath
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from recognizers import make_recognizer
from safetensors.torch import load_file
from typer.testing import CliRunner

from lowres.audio.constants import SAMPLE_RATE
from lowres.backbones import export_onnx
from lowres.backbones.checkpoint_folder import WEIGHTS_FILE, CheckpointMetadata, read_metadata, write_checkpoint
from lowres.backbones.model_card import Language
from lowres.backbones.transformers_layout import recognizer_names, under_our_names
from lowres.cli.app import app
from lowres.cli.export import _print_use
from lowres.errors import CheckpointError
from lowres.stages.export import find_checkpoint
from lowres.stages.model_card import language_of

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
    assert f"lowres evaluate --run first --project {project}" in result.stdout.replace("\n", "")
    assert "Mboshi mdw" in result.stdout
    assert "million parameters" in result.stdout
    assert f"written: {project / 'out'}" in result.stdout
    assert f'AutoModelForCTC.from_pretrained("{project / "out"}")' in result.stdout
    assert "Commercial use of this recogniser is not allowed" in " ".join(result.stderr.split())
    assert "Mboshi" in (project / "out" / "README.md").read_text(encoding="utf-8")


def test_what_is_no_project_s_run_is_not_said_to_be_measured(project: Path, tmp_path: Path) -> None:
    (project / "runs" / "first" / "checkpoints" / "best").rename(tmp_path / "alone")
    result = runner.invoke(app, ["export", str(tmp_path / "alone"), str(tmp_path / "out"), "--project", str(project)])
    assert result.exit_code == 0, result.output
    assert "lowres evaluate" not in result.stdout


def test_a_backbone_is_named_so_that_any_project_finds_it(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(project)
    result = runner.invoke(app, ["export", "first", "my model", "--to", "backbone"])
    assert result.exit_code == 0, result.output
    command = result.stdout.replace("\n", " ").partition("To start from it:")[2]
    assert f"lowres finetune --set 'finetune.backbone={project / 'my model'}'" in " ".join(command.split())


@pytest.mark.parametrize("below", ["runs/first", "runs/first/checkpoints/best"])
def test_a_run_or_checkpoint_folder_is_exported(project: Path, below: str) -> None:
    result = runner.invoke(app, ["export", str(project / below), str(project / "out")])
    assert result.exit_code == 0, result.output
    assert (project / "out" / "model.safetensors").is_file()


def test_a_run_that_stores_only_adapters_is_joined_with_its_backbone(tmp_path: Path) -> None:
    whole = make_recognizer("adapter", head_gain=1.0)
    tensors = whole.model.state_dict()
    own = {name: tensor for name, tensor in tensors.items() if ".adapter." in name or name.startswith("head.")}
    rest = {name.removeprefix("backbone."): tensor for name, tensor in tensors.items() if name not in own}
    pretrained = CheckpointMetadata(kind="backbone", model_config=whole.metadata.model_config | {"adapter_width": 0})
    write_checkpoint(tmp_path / "base", rest, pretrained)
    sha256 = read_metadata(tmp_path / "base").files[WEIGHTS_FILE]
    metadata = replace(whole.metadata, backbone_reference="base", backbone_sha256=sha256)
    write_checkpoint(tmp_path / "runs" / "first" / "checkpoints" / "best", own, metadata)

    result = runner.invoke(app, ["export", str(tmp_path / "runs" / "first"), str(tmp_path / "out")])
    assert result.exit_code == 0, result.output
    names = recognizer_names(whole.model.backbone.config)
    written = under_our_names(load_file(tmp_path / "out" / "model.safetensors"), names)
    assert all(torch.equal(written[name], tensor) for name, tensor in tensors.items())


def test_a_run_that_does_not_exist_is_refused_with_those_that_do(project: Path) -> None:
    result = runner.invoke(app, ["export", "second", str(project / "out"), "--project", str(project)])
    assert result.exit_code == 2
    assert "no run called 'second'" in result.stderr
    assert "first" in result.stderr


def test_a_path_without_a_checkpoint_is_refused(project: Path) -> None:
    result = runner.invoke(app, ["export", "runs/none", str(project / "out"), "--project", str(project)])
    assert result.exit_code == 2
    assert result.stderr.startswith("error: There is no checkpoint in runs/none.")


@pytest.mark.parametrize(
    ("target", "to", "message"),
    [
        ("out.onnx", "transformers", "would be a folder, with the name of an ONNX file."),
        ("notes.txt", "onnx", "exists and is no ONNX file."),
        ("notes.txt/out", "transformers", "Not a directory"),
    ],
)
def test_a_target_of_another_kind_is_refused(project: Path, target: str, to: str, message: str) -> None:
    (project / "notes.txt").write_text("hello")
    result = runner.invoke(app, ["export", "first", str(project / target), "--to", to, "--project", str(project)])
    assert result.exit_code == 2
    assert message in " ".join(result.stderr.split())
    assert "hint:" in result.stderr
    assert (project / "notes.txt").read_text() == "hello"
    assert not (project / "out.onnx").exists()


def test_a_folder_is_exported_from_within(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(project / "runs" / "first" / "checkpoints" / "best")
    result = runner.invoke(app, ["export", ".", str(project / "out")])
    assert result.exit_code == 0, result.output
    (project / "here").mkdir()
    monkeypatch.chdir(project / "here")
    result = runner.invoke(app, ["export", str(project / "runs" / "first"), "."])
    assert result.exit_code == 0, result.output
    assert (project / "here" / "model.safetensors").is_file()


@pytest.mark.parametrize("source", ["first", "runs/first", "runs/first/checkpoints/best"])
def test_a_checkpoint_whose_writer_was_killed_is_still_found(project: Path, source: str) -> None:
    checkpoints = project / "runs" / "first" / "checkpoints"
    (checkpoints / "best").rename(checkpoints / ".best.previous")
    assert find_checkpoint(project, source) == checkpoints / "best"


def test_a_checkpoint_at_the_root_has_no_recipe() -> None:
    assert language_of(Path("/checkpoint")) == Language()


def test_a_user_who_is_not_there_is_no_traceback(project: Path) -> None:
    with pytest.raises(CheckpointError, match="There is no checkpoint in ~nosuchuser/run"):
        find_checkpoint(project, "~nosuchuser/run")


def test_a_missing_package_is_one_sentence(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export_onnx, "find_spec", lambda name: None)
    arguments = ["export", "first", str(project / "x.onnx"), "--to", "onnx", "--project", str(project)]
    result = runner.invoke(app, arguments)
    assert result.exit_code == 2
    assert "error: Exporting to ONNX needs onnx and onnxscript and onnxruntime" in result.stderr
    assert not (project / "x.onnx").exists()


@pytest.mark.parametrize("to", ["transformers", "onnx"])
def test_a_path_of_windows_is_printed_as_python_reads_it(to: str, capsys: pytest.CaptureFixture[str]) -> None:
    result: Any = SimpleNamespace(paths=(PureWindowsPath(r"C:\new\out"),))
    _print_use(result, to)
    assert '("C:/new/out")' in capsys.readouterr().out


@pytest.mark.slow
def test_onnx_is_written_and_checked(project: Path) -> None:
    arguments = ["export", "first", str(project / "x.onnx"), "--to", "onnx", "--project", str(project)]
    result = runner.invoke(app, arguments)
    assert result.exit_code == 0, result.output
    assert "onnxruntime gives the same scores" in result.stdout
    assert f"written: {project / 'x.onnx'}" in result.stdout
    card = (project / "x-model-card.md").read_text(encoding="utf-8")
    assert "library_name: onnx" in card
    code = card.rpartition("```python")[2].partition("```")[0]
    names: dict[str, Any] = {"path": str(project / "x.onnx"), "waveform": np.zeros(SAMPLE_RATE, np.float32)}
    exec(code, names)  # what the card tells people to do
    assert isinstance(names["text"], str)
