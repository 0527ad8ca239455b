"""Damaged, foreign and missing checkpoints on the command line: one sentence, a hint, exit 2, nothing lost."""

import errno
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from tone_corpus import TINY_RECIPE, hash_of, write_project
from typer.testing import CliRunner, Result

from lowres.backbones import checkpoint_folder
from lowres.cli.app import app
from lowres.recipe import load_recipe
from lowres.stages.finetune import FinetuneOptions, finetune

NAME = "finetune-all-seed1"


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with one finished run, `done`, and one that was stopped, `finetune-all-seed1`."""
    project = write_project(tmp_path_factory.mktemp("finished") / "project")
    finetune(project, load_recipe(project=project, overrides=["finetune.updates=2"]), FinetuneOptions(run="done"))
    finetune(project, load_recipe(project=project), FinetuneOptions(), is_stop_asked=lambda: True)
    return project


@pytest.fixture
def project(finished: Path, tmp_path: Path) -> Path:
    """A copy of it to damage."""
    return Path(shutil.copytree(finished, tmp_path / "project"))


def lowres(project: Path, *arguments: str) -> Result:
    return CliRunner().invoke(app, [*arguments, "--project", str(project)])


def text_of(result: Result) -> str:
    return result.output.replace("\n", " ")


def assert_refused(result: Result, *expected: str) -> None:
    text = text_of(result)
    assert result.exit_code == 2, text
    assert "error:" in text
    assert "hint:" in text
    assert "Traceback" not in text
    for part in expected:
        assert part in text


def test_a_checkpoint_of_another_vocabulary_is_not_gone_on_with(project: Path) -> None:
    shutil.rmtree(project / "corpus")
    write_project(project, letters="abdeiko")
    corpus_json = project / "corpus" / "corpus.json"
    same_manifest = '"corpus_sha256": "' + _field(corpus_json, "manifest_sha256")
    run = project / "runs" / NAME / "run.json"
    before = '"corpus_sha256": "' + _field(run, "corpus_sha256")
    run.write_text(run.read_text().replace(before, same_manifest))
    assert_refused(
        lowres(project, "finetune", "--resume"), "trained with another vocabulary (8 labels", "(9 labels", "--run NAME"
    )


def _field(path: Path, name: str) -> str:
    return path.read_text().split(f'"{name}": "')[1].split('"')[0]


def test_a_changed_corpus_is_not_gone_on_with(project: Path) -> None:
    shutil.rmtree(project / "corpus")
    write_project(project, num_train=20)
    assert_refused(lowres(project, "finetune", "--resume"), "The prepared corpus", "changed since it was started")


def test_changed_settings_are_not_gone_on_with_and_named(project: Path) -> None:
    result = lowres(project, "finetune", "--resume", "--set", "finetune.learning_rate=1e-5")
    assert_refused(result, "learning_rate was 0.003 and is now 1e-05")


@pytest.mark.parametrize("file", ["weights.safetensors", "training_state.pt", "checkpoint.json"])
def test_a_tampered_checkpoint_is_not_gone_on_with(project: Path, file: str) -> None:
    path = project / "runs" / NAME / "checkpoints" / "last" / file
    content = path.read_bytes()
    path.write_bytes(content.replace(b'"step": 1', b'"step": 9') if file == "checkpoint.json" else b"\0" + content[1:])
    assert_refused(lowres(project, "finetune", "--resume"), file, "was changed")


@pytest.mark.parametrize("file", ["weights.safetensors", "training_state.pt", "checkpoint.json"])
def test_a_truncated_checkpoint_is_not_gone_on_with(project: Path, file: str) -> None:
    path = project / "runs" / NAME / "checkpoints" / "last" / file
    path.write_bytes(path.read_bytes()[:100])
    assert_refused(lowres(project, "finetune", "--resume"), file)


def test_a_tampered_checkpoint_is_not_evaluated(project: Path) -> None:
    path = project / "runs" / "done" / "checkpoints" / "best" / "weights.safetensors"
    path.write_bytes(path.read_bytes()[:-8] + b"tampered")
    assert_refused(lowres(project, "evaluate", "--run", "done"), "weights.safetensors", "was changed")


def test_adapters_of_another_backbone_are_not_evaluated(project: Path) -> None:
    recipe = load_recipe(
        project=project,
        overrides=[
            "finetune.backbone=runs/done/checkpoints/best", "finetune.adaptation=adapter", "finetune.updates=1",
            "finetune.evaluate_every_updates=1",
        ],
    )  # fmt: skip
    finetune(project, recipe, FinetuneOptions(run="adapters"))
    shutil.rmtree(project / "runs" / "done")
    other = load_recipe(project=project, overrides=["finetune.updates=1", "finetune.evaluate_every_updates=1"])
    finetune(project, other, FinetuneOptions(run="done", seed=7))
    assert_refused(lowres(project, "evaluate", "--run", "adapters"), "on top of another backbone than the one")


def test_a_missing_checkpoint_file_is_named(project: Path) -> None:
    (project / "runs" / "done" / "checkpoints" / "best" / "weights.safetensors").unlink()
    assert_refused(lowres(project, "evaluate", "--run", "done"), "weights.safetensors", "missing")


def test_a_damaged_run_file_is_named(project: Path) -> None:
    (project / "runs" / NAME / "run.json").write_text("{")
    assert_refused(lowres(project, "finetune", "--resume"), "run.json", "is damaged")


def test_there_is_nothing_to_resume_where_nothing_was_started(tmp_path: Path) -> None:
    project = write_project(tmp_path / "project")
    assert_refused(lowres(project, "finetune", "--resume"), "nothing to resume", "Start one without --resume")


def test_there_is_nothing_to_resume_in_a_finished_run(project: Path) -> None:
    assert_refused(lowres(project, "finetune", "--resume", "--run", "done"), "is finished", "lowres evaluate")


def test_an_unknown_run_names_those_that_can_be_resumed(project: Path) -> None:
    assert_refused(lowres(project, "finetune", "--resume", "--run", "other"), "does not exist", NAME)


def test_a_run_is_never_written_over(project: Path) -> None:
    before = hash_of(project / "runs" / "done" / "checkpoints" / "best" / "weights.safetensors")
    result = lowres(project, "finetune", "--run", "done", "--set", "finetune.updates=2")
    assert_refused(result, "exists already", "lowres evaluate --run done")
    assert hash_of(project / "runs" / "done" / "checkpoints" / "best" / "weights.safetensors") == before


def test_a_run_name_that_climbs_out_is_refused(project: Path) -> None:
    assert_refused(lowres(project, "finetune", "--run", "../elsewhere"), "is not a path")
    assert not (project.parent / "elsewhere").exists()


def test_without_a_prepared_corpus_prepare_is_named(tmp_path: Path) -> None:
    (tmp_path / "lowres.toml").write_text(TINY_RECIPE)
    assert_refused(lowres(tmp_path, "finetune"), "no prepared corpus", "lowres prepare")


def test_an_amount_that_is_none_is_refused(project: Path) -> None:
    assert_refused(lowres(project, "finetune", "--hours", "an hour"), "'an hour' is not an amount of speech")


def test_a_backbone_that_is_not_there_is_named(project: Path) -> None:
    result = lowres(project, "finetune", "--run", "new", "--set", "finetune.backbone=nowhere")
    assert_refused(result, "There is no backbone in", "nowhere")


def test_a_full_disk_while_checkpointing_loses_nothing_written_before(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    last = project / "runs" / NAME / "checkpoints" / "last"
    before = {path.name: hash_of(path) for path in last.iterdir()}

    def no_space(*_arguments: Any, **_more: Any) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(checkpoint_folder, "save_file", no_space)
    result = lowres(project, "finetune", "--resume")
    assert_refused(result, "could not be written: No space left on device", "--resume")
    assert {path.name: hash_of(path) for path in last.iterdir()} == before
    assert [path.name for path in last.parent.iterdir()] == ["last"]
    monkeypatch.undo()
    result = lowres(project, "finetune", "--resume")
    assert result.exit_code == 0, text_of(result)
    assert f"lowres evaluate --run {NAME}" in text_of(result)


def test_a_finished_run_names_the_next_command_and_shows_transcripts_as_text(tmp_path: Path) -> None:
    project = write_project(tmp_path / "project", letters="ab[]")
    result = lowres(project, "finetune", "--set", "finetune.updates=2")
    assert result.exit_code == 0, text_of(result)
    assert f"lowres evaluate --run {NAME}" in text_of(result)
    assert "said" in text_of(result)
    assert "[" in text_of(result)
