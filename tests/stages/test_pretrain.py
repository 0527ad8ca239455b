"""Pretraining a tiny network on whistled letters, from Python and from the command line."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from tone_corpus import TINY_PRETRAIN_RECIPE, write_project
from typer.testing import CliRunner

from lowres.backbones.native import load_backbone
from lowres.cli.app import app
from lowres.errors import CheckpointError, CorpusError, TrainingError
from lowres.recipe import load_recipe
from lowres.stages import pretrain_begin
from lowres.stages.finetune import FinetuneOptions, finetune
from lowres.stages.pretrain import PretrainOptions, PretrainResult, PretrainStarted, pretrain
from lowres.stages.pretrain_run import read_pretrain_record
from lowres.stages.run_folder import RunFolder
from lowres.training.pretraining_monitors import HeldOutReport

NAME = "pretrain-seed1"
BACKBONE = f"runs/{NAME}/checkpoints/best"


def train(
    project: Path, *settings: str, watch: Callable[[Any], None] = lambda _event: None, **options: Any
) -> PretrainResult:
    overrides = [f"pretrain.{setting}" for setting in settings]
    return pretrain(project, load_recipe(project=project, overrides=overrides), PretrainOptions(**options), watch)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return write_project(tmp_path / "project", recipe=TINY_PRETRAIN_RECIPE)


def test_a_run_leaves_a_backbone_its_record_its_metrics_and_its_curves(project: Path) -> None:
    events: list[Any] = []
    result = train(project, watch=events.append)
    assert result.ending == "finished"
    assert isinstance(events[0], PretrainStarted)
    assert [event.step for event in events if isinstance(event, HeldOutReport)] == [4, 8, 12]
    record = read_pretrain_record(RunFolder(project / "runs" / NAME))
    assert (record.status, record.updates, record.best_step) == ("finished", 12, record.best_step)
    assert record.languages[0]["corpus"] == "tones"
    assert record.is_synthetic
    backbone = load_backbone(project / BACKBONE)
    assert backbone.heads is not None
    assert backbone.heads.config.num_entries == 8
    assert backbone.metadata.training["hours_processed"] > 0
    assert NAME in (project / "runs" / NAME / "report.html").read_text(encoding="utf-8")


def test_a_recogniser_is_fine_tuned_from_what_was_pretrained(project: Path) -> None:
    train(project, "updates=2", "evaluate_every_updates=1")
    recipe = load_recipe(project=project, overrides=[f"finetune.backbone={BACKBONE}", "finetune.updates=2"])
    result = finetune(project, recipe, FinetuneOptions())
    assert result.record.backbone == BACKBONE
    assert result.record.backbone_sha256


def test_pretraining_goes_on_from_a_backbone_with_its_codebooks_or_with_new_ones(project: Path) -> None:
    train(project, "updates=2", "evaluate_every_updates=1")
    codes = load_backbone(project / BACKBONE).heads
    assert codes is not None
    # Without a learning rate nothing moves: what is saved is what it began with.
    still = ["updates=1", "learning_rate=1e-12", "weight_decay=0", f"backbone={BACKBONE}"]
    for reset, run in ((False, "kept"), (True, "reset")):
        train(project, *still, f"reset_codebooks={str(reset).lower()}", run=run)
        found = load_backbone(project / "runs" / run / "checkpoints" / "last")
        assert found.heads is not None
        same = torch.allclose(found.heads.weights["quantizer.codebooks"], codes.weights["quantizer.codebooks"])
        assert same != reset
        before = load_backbone(project / BACKBONE).weights["projection.weight"]
        assert torch.allclose(found.weights["projection.weight"], before)


def test_a_backbone_without_codebooks_is_gone_on_from_with_a_word_of_warning(project: Path) -> None:
    result = finetune(project, load_recipe(project=project, overrides=["finetune.updates=1"]), FinetuneOptions())
    folder = f"runs/{result.record.name}/checkpoints/best"
    continued = train(project, "updates=1", f"backbone={folder}")
    assert any("came without its codebooks" in warning for warning in continued.record.warnings)


def test_what_was_stopped_goes_on_and_what_has_changed_is_refused(project: Path) -> None:
    recipe = load_recipe(project=project)
    result = pretrain(project, recipe, PretrainOptions(), is_stop_asked=lambda: True)
    assert result.ending == "interrupted"
    with pytest.raises(CheckpointError, match="exists already"):
        train(project)
    with pytest.raises(CheckpointError, match="num_distractors was 10 and is now 11"):
        train(project, "num_distractors=11", resume=True)
    resumed = train(project, resume=True)
    assert (resumed.ending, resumed.record.updates, resumed.record.times_resumed) == ("finished", 12, 1)
    with pytest.raises(CheckpointError, match="is finished"):
        train(project, resume=True)


def test_what_was_stopped_in_its_acoustic_start_begins_anew_and_trains_as_if_it_had_never_been_stopped(
    project: Path,
) -> None:
    recipe = load_recipe(project=project, overrides=["pretrain.updates=2", "pretrain.acoustic_start_hours=0.02"])
    pretrain(project, recipe, PretrainOptions(run="whole"))
    stopped = pretrain(project, recipe, PretrainOptions(run="stopped"), is_stop_asked=lambda: True)
    assert (stopped.ending, stopped.record.status, stopped.record.updates) == ("interrupted", "training", 0)
    resumed = pretrain(project, recipe, PretrainOptions(run="stopped", resume=True))
    assert (resumed.ending, resumed.record.times_resumed) == ("finished", 1)
    whole, again = (load_backbone(project / f"runs/{run}/checkpoints/last").weights for run in ("whole", "stopped"))
    assert all(torch.equal(tensor, again[name]) for name, tensor in whole.items())


def test_crops_of_the_acoustic_start_may_be_shorter_than_the_shortest_utterance(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pretrain_begin, "_ACOUSTIC_CROP_SAMPLES", 4_800)  # 0.3 s, and shortest_seconds is 0.4
    assert train(project, "updates=1").ending == "finished"


def test_a_collapse_is_said_with_what_to_try_and_kept_in_the_record(project: Path) -> None:
    with pytest.raises(TrainingError, match="Pretraining has collapsed: all speech looks alike") as raised:
        train(project, "collapse_check_share=0", "collapse_check_updates=0", "largest_latent_similarity=-1")
    assert "pretrain.learning_rate" in raised.value.hint
    assert read_pretrain_record(RunFolder(project / "runs" / NAME)).status == "collapsed"
    assert (project / "runs" / NAME / "report.html").is_file()


def test_without_a_prepared_corpus_the_command_says_what_to_run(tmp_path: Path) -> None:
    (tmp_path / "lowres.toml").write_text(TINY_PRETRAIN_RECIPE, encoding="utf-8")
    with pytest.raises(CorpusError) as raised:
        train(tmp_path)
    assert "lowres prepare" in raised.value.hint


def test_the_command_says_where_the_backbone_lies_and_how_to_use_it(project: Path) -> None:
    found = CliRunner().invoke(app, ["pretrain", "--project", str(project), "--set", "pretrain.updates=4"])
    assert found.exit_code == 0, found.output
    assert "best on held-out speech" in found.stdout
    assert f"finetune.backbone={BACKBONE}" in found.stdout.replace("\n", "")
    events = [json.loads(line) for line in (project / "runs" / NAME / "metrics.jsonl").read_text().splitlines()]
    assert {event["event"] for event in events} >= {"step", "evaluation", "notice"}


def test_a_backbone_that_is_not_there_is_one_sentence_and_exit_2(project: Path) -> None:
    found = CliRunner().invoke(app, ["pretrain", "--project", str(project), "--set", "pretrain.backbone=nowhere"])
    assert found.exit_code == 2
    assert "There is no backbone in" in found.stderr


@pytest.mark.parametrize("option", [["--seed", str(2**63)], ["--minutes", "1e+308"], ["--minutes", "inf"]])
def test_an_option_that_no_run_could_use_is_one_sentence_and_exit_2(project: Path, option: list[str]) -> None:
    found = CliRunner().invoke(app, ["pretrain", "--project", str(project), *option])
    assert found.exit_code == 2
    assert f"{option[0][2:]} is {option[1]}: it must be" in found.stderr.replace("\n", " ")


def test_a_pretraining_run_is_not_taken_for_a_recogniser(project: Path) -> None:
    train(project, "updates=2", "evaluate_every_updates=1")
    found = CliRunner().invoke(app, ["evaluate", "--project", str(project)])
    assert found.exit_code == 2
    assert "There is no trained recogniser" in found.stderr
