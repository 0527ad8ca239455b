"""Published backbones on the command line: the good ones train, and each bad one is one sentence, a hint and exit 2."""

import json
import os
import shutil
import warnings
from pathlib import Path
from typing import Any

import pytest
import torch
from published import GROUP, make_peer, save_peer, write_feature_extractor
from safetensors.torch import load_file
from tone_corpus import TINY_PRETRAIN_RECIPE, write_project
from typer.testing import CliRunner, Result

from lowres.backbones.native import load_backbone
from lowres.backbones.resolve import open_backbone
from lowres.cli.app import app

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    pytest.importorskip("transformers")


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with a corpus, and a Hugging Face folder in it: `published`."""
    project = write_project(tmp_path_factory.mktemp("prepared") / "project")
    (project / "lowres.toml").write_text(TINY_PRETRAIN_RECIPE)
    save_peer(project / "published", make_peer("Wav2Vec2ForPreTraining", **GROUP))
    return project


@pytest.fixture
def project(prepared: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(prepared, tmp_path / "project"))


def lowres(project: Path, command: str, backbone: str, *more: str) -> Result:
    arguments = [command, "--set", f"{command}.backbone={backbone}", *more, "--project", str(project)]
    return CliRunner().invoke(app, arguments)


def assert_refused(result: Result, *expected: str) -> None:
    text = result.output.replace("\n", " ")
    assert result.exit_code == 2, text
    assert text.count("error:") == 1
    assert "hint:" in text
    assert "Traceback" not in text
    for part in expected:
        assert part in text


def edit(path: Path, **changes: Any) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


@pytest.mark.parametrize("command", ["finetune", "pretrain"])
def test_training_begins_from_a_hugging_face_folder(project: Path, command: str) -> None:
    result = lowres(project, command, "published", "--set", f"{command}.updates=2", "--run", "new")
    assert result.exit_code == 0, result.output
    record = json.loads((project / "runs" / "new" / "run.json").read_text())
    assert record["backbone_sha256"] == open_backbone(project / "published").sha256


def test_pretraining_goes_on_with_published_codebooks(project: Path) -> None:
    result = lowres(project, "pretrain", "published", "--set", "pretrain.updates=1", "--run", "new")
    assert result.exit_code == 0, result.output
    heads = load_backbone(project / "runs" / "new" / "checkpoints" / "last").heads
    assert heads is not None
    published = load_file(project / "published" / "model.safetensors")["project_q.weight"]
    assert heads.weights["target_projection.weight"].shape == published.shape
    assert float((heads.weights["target_projection.weight"] - published).abs().max()) < 0.01


def test_what_was_assumed_is_said(project: Path) -> None:
    (project / "published" / "preprocessor_config.json").unlink()
    result = lowres(project, "finetune", "published", "--set", "finetune.updates=1")
    assert result.exit_code == 0, result.output
    assert "no preprocessor_config.json" in result.output.replace("\n", " ")


@pytest.mark.parametrize("command", ["finetune", "pretrain"])
def test_a_truncated_download_is_refused(project: Path, command: str) -> None:
    path = project / "published" / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-1000])
    assert_refused(lowres(project, command, "published"), "model.safetensors is damaged or was cut short")


def test_a_truncated_zip_is_refused(project: Path) -> None:
    path = project / "published" / "pytorch_model.bin"
    torch.save(load_file(project / "published" / "model.safetensors"), path)
    (project / "published" / "model.safetensors").unlink()
    path.write_bytes(path.read_bytes()[:-1000])
    assert_refused(lowres(project, "finetune", "published"), "pytorch_model.bin is damaged or was cut short")


class Malice:
    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.trace),)


@pytest.mark.parametrize("name", ["published/pytorch_model.bin", "fairseq.pt", "fairseq2.pt"])
def test_a_pickle_with_code_in_it_is_refused_and_nothing_is_run(project: Path, name: str) -> None:
    tensors = load_file(project / "published" / "model.safetensors")
    (project / "published" / "model.safetensors").unlink()
    malice = Malice(project / "ran")
    contents = {"fairseq.pt": {"model": tensors, "args": malice}, "fairseq2.pt": {"model": tensors | {"x": malice}}}
    torch.save(contents.get(name, tensors | {"x": malice}), project / name)
    reference = name.removesuffix("/pytorch_model.bin")
    assert_refused(lowres(project, "finetune", reference), "holds more than weights", "Nothing in it was run")
    assert not (project / "ran").exists()


@pytest.mark.parametrize("head", ["Wav2Vec2ForXVector", "Wav2Vec2ForSequenceClassification"])
def test_a_speaker_recognition_model_is_refused(project: Path, head: str) -> None:
    shutil.rmtree(project / "published")
    save_peer(project / "published", make_peer(head, **GROUP))
    assert_refused(lowres(project, "finetune", "published"), head, "not to hear words")


def test_a_speechbrain_folder_is_refused(project: Path) -> None:
    (project / "ecapa").mkdir()
    (project / "ecapa" / "hyperparams.yaml").write_text("sample_rate: 16000\n")
    assert_refused(lowres(project, "finetune", "ecapa"), "SpeechBrain")


def test_another_sampling_rate_is_refused(project: Path) -> None:
    write_feature_extractor(project / "published", sampling_rate=8_000)
    assert_refused(lowres(project, "finetune", "published"), "hears 8000 samples per second")


def test_a_partial_checkpoint_names_its_first_missing_tensor(project: Path) -> None:
    edit(project / "published" / "config.json", num_hidden_layers=3)
    missing = "wav2vec2.encoder.layers.2.attention.q_proj.weight is missing"
    assert_refused(lowres(project, "finetune", "published"), missing)


def test_a_hub_name_that_is_not_here_says_how_to_get_it(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(project))
    assert_refused(lowres(project, "finetune", "facebook/mms-300m"), "lowres backbones get facebook/mms-300m")


def test_a_bundle_that_is_not_here_says_how_to_get_it(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TORCH_HOME", str(project))
    assert_refused(lowres(project, "pretrain", "WAV2VEC2_XLSR_300M"), "lowres backbones get WAV2VEC2_XLSR_300M")
