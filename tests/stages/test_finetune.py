"""Fine-tuning a corpus of whistled letters with a tiny network, from Python."""

import json
import math
import re
import shutil
import sys
import weakref
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
import torch
from tone_corpus import LETTERS, TINY_RECIPE, hash_of, write_project

from lowres.backbones.checkpoint_folder import read_checkpoint
from lowres.backbones.low_rank_merging import without_low_rank_updates
from lowres.backbones.native import load_recognizer
from lowres.errors import CheckpointError, RecipeError, TrainingError
from lowres.recipe import load_recipe
from lowres.stages import finetune_attempt
from lowres.stages.backbone import find_backbone
from lowres.stages.export import export
from lowres.stages.finetune import FinetuneEvent, FinetuneOptions, FinetuneResult, RunStarted, finetune
from lowres.stages.finetune_run import read_record
from lowres.stages.run_folder import RunFolder
from lowres.training.loop import TrainingLoop
from lowres.training.monitors import EvaluationReport, RetryReport, without_timings
from lowres.training.recognition import BatchLoss

NAME = "finetune-all-seed1"


def ignore(_event: FinetuneEvent) -> None:
    pass


def train(
    project: Path, *settings: str, watch: Callable[[FinetuneEvent], None] = ignore, **options: object
) -> FinetuneResult:
    overrides = [f"finetune.{setting}" for setting in settings]
    return finetune(
        project,
        load_recipe(project=project, overrides=overrides),
        FinetuneOptions(**options),  # type: ignore[arg-type]
        watch,
    )


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return write_project(tmp_path / "project")


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project that nobody may change, with the run `first`, whose recogniser is a backbone for others."""
    project = write_project(tmp_path_factory.mktemp("begun") / "project")
    train(project, "updates=2", run="first")
    return project


@pytest.fixture
def continued(begun: Path, tmp_path: Path) -> Path:
    """A project of one's own with the run `first`."""
    return shutil.copytree(begun, tmp_path / "continued")


def test_a_run_leaves_its_recipe_record_metrics_and_checkpoints(project: Path) -> None:
    events: list[FinetuneEvent] = []
    result = train(project, watch=events.append)
    assert result.ending == "finished"
    run = project / "runs" / NAME
    assert (run / "recipe.toml").is_file()
    record = read_record(RunFolder(run))
    assert (record.status, record.updates, record.num_utterances) == ("finished", 12, 24)
    assert record.hours_processed > 0
    assert record.best_dev_character_error_rate is not None
    assert isinstance(events[0], RunStarted)
    evaluations = [event for event in events if isinstance(event, EvaluationReport)]
    assert [event.step for event in evaluations] == [4, 8, 12]
    found = load_recognizer(run / "checkpoints" / "best")
    assert found.metadata.training["subset_label"] == "all"
    assert found.metadata.training["is_synthetic"] is True
    assert str(project) not in (run / "run.json").read_text()


def test_the_vocabulary_is_that_of_the_training_text(project: Path) -> None:
    train(project, "updates=1")
    tokens = load_recognizer(project / "runs" / NAME / "checkpoints" / "best").vocabulary.tokens
    assert set(tokens[2:]) == set(LETTERS)


def test_the_same_seed_gives_the_same_weights_and_another_seed_others(tmp_path: Path) -> None:
    projects = [write_project(tmp_path / name) for name in "abc"]
    for project, seed in zip(projects, (1, 1, 2), strict=True):
        train(project, "updates=2", seed=seed, run="run")
    first, again, other = (
        hash_of(project / "runs" / "run" / "checkpoints" / "last" / "weights.safetensors") for project in projects
    )
    assert first == again
    assert first != other


@pytest.mark.slow
def test_a_run_that_broke_off_goes_on_to_the_same_weights_and_metrics(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, broken = write_project(tmp_path / "whole"), write_project(tmp_path / "broken")
    train(whole)
    for calls_left in (3, 5):
        break_after(calls_left, monkeypatch)
        with pytest.raises(KeyboardInterrupt):
            train(broken, resume=calls_left == 5)
        monkeypatch.undo()
    assert train(broken, resume=True).record.times_resumed == 2
    runs = [RunFolder(path / "runs" / NAME) for path in (whole, broken)]
    for kind in ("last", "best"):
        hashes = {hash_of(run.path / "checkpoints" / kind / "weights.safetensors") for run in runs}
        assert len(hashes) == 1
    metrics = [[without_timings(event) for event in run.metrics.read()] for run in runs]
    assert metrics[0] == metrics[1]


def break_after(num_updates: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make training break off, at an arbitrary place, after so many micro batches."""
    bound = finetune_attempt.ctc_loss_function

    def bind(*arguments: object) -> Callable[..., BatchLoss]:
        compute = bound(*arguments)  # type: ignore[arg-type]
        left = [num_updates * 2]

        def loss(*batch: object) -> BatchLoss:
            left[0] -= 1
            if left[0] < 0:
                raise KeyboardInterrupt
            return compute(*batch)  # type: ignore[arg-type]

        return loss

    monkeypatch.setattr(finetune_attempt, "ctc_loss_function", bind)


@pytest.mark.slow
def test_a_timed_run_goes_on_with_the_updates_it_had_decided(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project = write_project(tmp_path / "project")
    break_after(14, monkeypatch)
    with pytest.raises(KeyboardInterrupt):
        train(project, minutes=0.25)
    monkeypatch.undo()
    run = RunFolder(project / "runs" / NAME)
    decided = [event for event in run.metrics.read() if event["event"] == "plan"]
    assert decided
    result = train(project, "collapse_retries=0", minutes=0.25, resume=True, run=NAME)
    assert result.ending == "finished"
    after = [event for event in run.metrics.read() if event["event"] == "plan"]
    assert after[0] == decided[0]


def test_a_run_can_be_stopped_and_gone_on_with(project: Path) -> None:
    recipe = load_recipe(project=project)
    stopped = finetune(project, recipe, FinetuneOptions(), is_stop_asked=lambda: True)
    assert (stopped.ending, stopped.record.updates, stopped.record.status) == ("interrupted", 1, "training")
    assert finetune(project, recipe, FinetuneOptions(resume=True)).record.updates == 12


def test_resuming_without_a_name_takes_the_unfinished_run(project: Path) -> None:
    recipe = load_recipe(project=project)
    finetune(project, recipe, FinetuneOptions(run="mine", seed=4), is_stop_asked=lambda: True)
    result = finetune(project, recipe, FinetuneOptions(resume=True))
    assert (result.record.name, result.record.settings["seed"]) == ("mine", 4)


def test_collapse_is_retried_with_another_seed_and_then_explained(project: Path) -> None:
    events: list[FinetuneEvent] = []
    # A rate of nearly nothing never leaves the first answers.
    settings = ("learning_rate=1e-12", "collapse_check_share=0.5", "collapse_check_updates=1", "collapse_retries=1")
    silence = load_recipe(project=project, overrides=[f"finetune.{setting}" for setting in settings])
    with pytest.raises(TrainingError, match=r"collapsed: .* in the last of 2 attempts") as caught:
        finetune(project, silence, FinetuneOptions(), events.append)
    assert "try another --seed" in caught.value.hint
    retries = [event for event in events if isinstance(event, RetryReport)]
    assert [event.attempt for event in retries] == [1]
    record = read_record(RunFolder(project / "runs" / NAME))
    assert (record.status, record.attempt, record.seed_used) == ("collapsed", 2, 1001)
    page = (project / "runs" / NAME / "report.html").read_text(encoding="utf-8")
    assert "It collapsed" in page
    assert "Attempt 1 collapsed: after" in page
    with pytest.raises(CheckpointError, match=r"nothing to resume: the run .* collapsed"):
        train(project, *settings, resume=True)


@pytest.fixture(autouse=True)
def silent_network(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """For the collapse test: heads that begin, and at that rate stay, silent."""
    if "collapse" not in request.node.name:
        return
    build = finetune_attempt.build_network

    def build_silent(*arguments: object, **more: object) -> torch.nn.Module:
        model = build(*arguments, **more)  # type: ignore[arg-type]
        with torch.no_grad():
            model.head.weight.zero_()
            model.head.bias[0] = 10.0
        return model

    monkeypatch.setattr(finetune_attempt, "build_network", build_silent)


def test_a_recogniser_of_another_run_is_taken_as_backbone(continued: Path) -> None:
    result = train(
        continued, "updates=2", "backbone=runs/first/checkpoints/best", "head_only_updates=2", "learning_rate=0.1",
        "evaluate_every_updates=2", run="second",
    )  # fmt: skip
    assert result.record.backbone_sha256 == hash_of(continued / "runs/first/checkpoints/best/weights.safetensors")
    first, second = (
        load_recognizer(continued / "runs" / name / "checkpoints" / "best").model for name in ("first", "second")
    )
    for name, tensor in first.backbone.state_dict().items():
        assert torch.equal(tensor, second.backbone.state_dict()[name]), f"{name} moved in the head-only phase"
    assert not torch.equal(first.head.weight, second.head.weight)


ADAPTATIONS = {
    "adapter": ("adapter_width=4", r"head\.|\.adapter\."),
    "lora": ("lora_rank=2", r"head\.|_update\."),
    "last_layers": ("num_last_layers=1", r"head\.|\.blocks\.1\.|context_network\.norm\."),
}


@pytest.mark.parametrize("adaptation", ADAPTATIONS)
def test_only_what_an_adaptation_trains_changes_and_is_stored(continued: Path, adaptation: str) -> None:
    setting, learning = ADAPTATIONS[adaptation]
    backbone = continued / "runs/first/checkpoints/best"
    asked = ("backbone=runs/first/checkpoints/best", f"adaptation={adaptation}", setting, "learning_rate=0.01")
    result = train(continued, *asked, run="second")
    best = continued / "runs/second/checkpoints/best"
    stored = read_checkpoint(best)
    assert stored.weights
    assert all(re.search(learning, name) for name in stored.weights)
    assert stored.metadata.backbone_sha256 == hash_of(backbone / "weights.safetensors")
    assert result.record.warnings[0] == f"Adaptation: {adaptation}, as the recipe says."

    before = load_recognizer(backbone).model.state_dict()
    after = load_recognizer(best, find_backbone=partial(find_backbone, continued)).model.state_dict()
    for name in before:
        assert torch.equal(before[name], after[name]) != bool(re.search(learning, name)), name


@pytest.mark.parametrize("adaptation", ADAPTATIONS)
def test_what_was_trained_on_top_of_a_backbone_is_exported_as_a_whole_one(continued: Path, adaptation: str) -> None:
    asked = ("backbone=runs/first/checkpoints/best", f"adaptation={adaptation}", "learning_rate=0.01", "updates=4")
    train(continued, *asked, run="second")
    best = continued / "runs/second/checkpoints/best"
    result = export(continued, "second", continued / "exported", "backbone")
    assert result.metadata.backbone_licence == read_checkpoint(best).metadata.backbone_licence
    found = load_recognizer(continued / "exported").model
    peer = without_low_rank_updates(load_recognizer(best, find_backbone=partial(find_backbone, continued)).model)
    assert found.backbone.config == peer.backbone.config
    for name, weight in peer.state_dict().items():
        torch.testing.assert_close(found.state_dict()[name], weight, rtol=2**-8, atol=0)
    train(continued, "backbone=exported", "updates=2", run="third")


def test_adapters_do_not_load_onto_another_backbone(continued: Path) -> None:
    train(continued, "updates=2", "backbone=runs/first/checkpoints/best", "adaptation=adapter", run="second")
    shutil.rmtree(continued / "runs/first")
    second = continued / "runs/second/checkpoints/best"
    with pytest.raises(CheckpointError, match="There is no backbone"):
        load_recognizer(second, find_backbone=partial(find_backbone, continued))
    train(continued, "updates=2", run="first", seed=5)
    with pytest.raises(CheckpointError, match="on top of another backbone than the one"):
        load_recognizer(second, find_backbone=partial(find_backbone, continued))
    with pytest.raises(CheckpointError, match="is no whole network"):
        train(continued, "updates=2", "backbone=runs/second/checkpoints/best", run="third")


def test_an_interrupted_run_of_adapters_goes_on_to_the_same_weights(continued: Path) -> None:
    asked = ("backbone=runs/first/checkpoints/best", "adaptation=lora", "updates=6", "evaluate_every_updates=3")
    train(continued, *asked, run="whole")
    stopped = finetune(
        continued, load_recipe(project=continued, overrides=[f"finetune.{setting}" for setting in asked]),
        FinetuneOptions(run="broken"), is_stop_asked=iter([False, True]).__next__,
    )  # fmt: skip
    assert stopped.ending == "interrupted"
    train(continued, *asked, run="broken", resume=True)
    files = [continued / "runs" / run / "checkpoints/last/weights.safetensors" for run in ("whole", "broken")]
    assert hash_of(files[0]) == hash_of(files[1])


def test_a_resumed_run_says_the_same_of_what_learns(continued: Path) -> None:
    asked = ("backbone=runs/first/checkpoints/best", "updates=6")
    options, recipe = (
        FinetuneOptions(run="broken"),
        load_recipe(project=continued, overrides=[f"finetune.{setting}" for setting in asked]),
    )
    finetune(continued, recipe, options, is_stop_asked=iter([False, True]).__next__)
    before = read_record(RunFolder(continued / "runs/broken")).warnings
    assert before[0].startswith("Adaptation: full, since")
    assert train(continued, *asked, run="broken", resume=True).record.warnings == before


@pytest.mark.parametrize("option", [{"seed": 2**63}, {"minutes": math.nan}, {"minutes": math.inf}])
def test_an_option_that_no_run_could_use_is_a_sentence(project: Path, option: dict[str, float]) -> None:
    with pytest.raises(RecipeError, match=f"{next(iter(option))} is .*: it must be"):
        train(project, **option)


def test_parts_of_a_backbone_cannot_learn_where_there_is_none(project: Path) -> None:
    with pytest.raises(CheckpointError, match="trains a part of a backbone, and there is none"):
        train(project, "adaptation=lora")


def test_the_blocks_of_a_backbone_cannot_be_repeated_where_there_is_none(project: Path) -> None:
    with pytest.raises(CheckpointError, match="repeats the blocks of a backbone, and there is none"):
        train(project, "repeat_blocks=2", "updates=1")


def test_model_overrides_of_the_recipe_win_over_the_defaults_by_hours(tmp_path: Path) -> None:
    recipe = TINY_RECIPE.replace("[finetune]", "dropout = 0.25\n[finetune]").replace("layer_drop = 0.2\n", "")
    project = write_project(tmp_path / "project", recipe=recipe)
    config = train(project, "updates=1").record.model_config
    assert config["dropout"] == 0.25
    assert config["layer_drop"] == 0.0


def test_model_overrides_win_over_a_backbones_dropouts_too(continued: Path) -> None:
    overrides = ["finetune.updates=1", "finetune.backbone=runs/first/checkpoints/best", "model.dropout=0.995"]
    recipe = load_recipe(project=continued, overrides=[*overrides, "model.attention_dropout=0.15"])
    config = finetune(continued, recipe, FinetuneOptions(run="second")).record.model_config
    assert (config["dropout"], config["attention_dropout"]) == (0.995, 0.15)


def test_a_backbone_that_changes_under_a_run_is_refused(continued: Path) -> None:
    train(continued, "updates=1", run="other", seed=5)
    best = continued / "runs" / "first" / "checkpoints" / "best"

    def exchange(event: FinetuneEvent) -> None:
        if isinstance(event, RunStarted):
            shutil.rmtree(best)
            shutil.copytree(continued / "runs" / "other" / "checkpoints" / "best", best)

    with pytest.raises(CheckpointError, match="has changed since this run was opened"):
        train(continued, "updates=1", "backbone=runs/first/checkpoints/best", run="second", watch=exchange)


def test_a_first_update_that_does_not_fit_is_made_of_smaller_pieces(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, alive = TrainingLoop.run, list[weakref.ref[torch.nn.Module]]()

    def run_out_of_memory_once(loop: TrainingLoop) -> str:
        alive.append(weakref.ref(loop._parts.model))
        if len(alive) == 1:
            raise torch.OutOfMemoryError("too little")
        assert alive[0]() is None, "the network that did not fit is still there"
        return run(loop)

    monkeypatch.setattr(TrainingLoop, "run", run_out_of_memory_once)
    result = train(project, "micro_batch_seconds=40", run="small")
    assert result.ending == "finished"
    assert result.record.settings["micro_batch_seconds"] == 20.0

    monkeypatch.undo()
    record = json.loads((project / "runs/small/run.json").read_text())
    (project / "runs/small/run.json").write_text(json.dumps(record | {"status": "training"}))
    assert train(project, "micro_batch_seconds=40", run="small", resume=True).ending == "finished"


def test_hours_take_the_nested_subset_and_name_the_run(project: Path) -> None:
    result = train(project, "updates=1", hours=0.2 / 60)
    assert result.record.name == "finetune-0.2min-seed1"
    assert 0 < result.record.num_utterances < 24
    assert result.record.hours <= 0.2 / 60


def test_too_little_training_speech_is_a_sentence(project: Path) -> None:
    with pytest.raises(TrainingError, match="has no training speech in"):
        train(project, hours=1e-5)


def test_threads_and_versions_are_recorded_and_no_paths(project: Path) -> None:
    train(project, "updates=1")
    text = (project / "runs" / NAME / "run.json").read_text()
    machine = json.loads(text)["machine"]
    assert machine["torch"] == torch.__version__.split("+")[0] or machine["torch"]
    assert machine["python"] == ".".join(map(str, sys.version_info[:3]))
    assert "/" not in json.dumps(machine)
