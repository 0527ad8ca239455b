"""Training from kept latents is the same training, to the bit, and leaves no latents behind."""

import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn

import pytest
import torch
from tone_corpus import TINY_RECIPE, hash_of, write_project

from lowres.errors import TrainingError
from lowres.manifest.corpus import load_corpus
from lowres.model.feature_encoder import FeatureEncoder
from lowres.model.wav2vec2 import Wav2Vec2
from lowres.recipe import load_recipe
from lowres.stages import finetune as finetune_stage
from lowres.stages import finetune_latents
from lowres.stages.finetune import FinetuneEvent, FinetuneOptions, FinetuneResult, LatentsProgress, finetune
from lowres.stages.finetune_attempt import RunContext
from lowres.stages.run_folder import RunFolder, write_record
from lowres.training.monitors import without_timings

pytestmark = pytest.mark.slow  # every test trains or exports for a second or more

BACKBONE = ("backbone=runs/first/checkpoints/best", "train_feature_encoder=false")
LAYER_NORM = TINY_RECIPE.replace(
    "[finetune]", 'feature_norm = "layer"\nconv_bias = true\nnormalize_waveforms = true\n[finetune]'
)


def train(project: Path, *settings: str, **more: Any) -> FinetuneResult:
    overrides = [f"finetune.{setting}" for setting in settings]
    options = FinetuneOptions(run=more.pop("run"), minutes=more.pop("minutes", None), resume=more.pop("resume", False))
    return finetune(project, load_recipe(project=project, overrides=overrides), options, **more)


def with_backbone(project: Path, recipe: str = TINY_RECIPE) -> Path:
    write_project(project, recipe=recipe)
    train(project, "updates=1", run="first")
    return project


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return with_backbone(tmp_path_factory.mktemp("template") / "project")


@pytest.fixture
def project(template: Path, tmp_path: Path) -> Path:
    """A project with a backbone to start from."""
    return shutil.copytree(template, tmp_path / "project")


def run_of(project: Path, name: str) -> RunFolder:
    return RunFolder(project / "runs" / name)


def events_of(project: Path, name: str) -> list[dict[str, Any]]:
    return [without_timings(event) for event in run_of(project, name).metrics.read()]


def measured(project: Path, name: str) -> list[dict[str, Any]]:
    """Everything that training and dev showed: losses, gradient norms, error rates, examples."""
    return [event for event in events_of(project, name) if event["event"] in ("step", "evaluation")]


def notices(project: Path, name: str) -> list[str]:
    sentences = [event["sentence"] for event in events_of(project, name) if event["event"] == "notice"]
    return [sentence for sentence in sentences if "atents" in sentence]


def weights_of(project: Path, name: str, kind: str = "last") -> str:
    return hash_of(project / "runs" / name / "checkpoints" / kind / "weights.safetensors")


def assert_same(project: Path, first: str, second: str) -> None:
    assert measured(project, first) == measured(project, second)
    assert weights_of(project, first) == weights_of(project, second)
    assert weights_of(project, first, "best") == weights_of(project, second, "best")


@pytest.mark.parametrize(
    ("recipe", "precision"), [(TINY_RECIPE, "fp32"), (LAYER_NORM, "bf16")], ids=["group-fp32", "layer-bf16"]
)
def test_training_from_kept_latents_gives_the_same_losses_and_weights(
    tmp_path: Path, recipe: str, precision: str
) -> None:
    project = with_backbone(tmp_path / "project", recipe)
    asked = (*BACKBONE, f"precision={precision}", "updates=6", "evaluate_every_updates=3", "log_every_updates=1")
    train(project, *asked, "cache_latents=off", run="without")
    train(project, *asked, run="with")
    assert len(measured(project, "with")) == 8
    assert_same(project, "with", "without")
    assert notices(project, "without") == []
    [sentence] = notices(project, "with")
    assert "are computed once and kept in latents/ of the run folder until the run has ended" in sentence


@pytest.mark.parametrize("adaptation", ["adapter", "lora", "last_layers"])
def test_ways_to_adapt_that_leave_the_convolutions_alone_train_from_latents_too(project: Path, adaptation: str) -> None:
    asked = (*BACKBONE, f"adaptation={adaptation}", "num_last_layers=1", "updates=4")
    train(project, *asked, "cache_latents=off", run="without")
    train(project, *asked, run="with")
    assert notices(project, "with")
    assert_same(project, "with", "without")


def test_neither_training_nor_dev_encodes_again(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    encoded: list[int] = []
    forward = FeatureEncoder.forward

    def counted(self: FeatureEncoder, *arguments: Any) -> torch.Tensor:
        encoded.append(len(arguments[0]))
        return forward(self, *arguments)

    def refuse(*_arguments: object) -> NoReturn:
        raise AssertionError("the network was run on waveforms")

    monkeypatch.setattr(FeatureEncoder, "forward", counted)
    monkeypatch.setattr(Wav2Vec2, "encode", refuse)
    train(project, *BACKBONE, run="with")
    # One frame to learn how large the latents are, then 24 utterances to train on and 4 of dev, each once.
    assert encoded[0] == 1
    assert sum(encoded[1:]) == 28


def test_latents_stay_while_a_run_can_be_gone_on_with_and_no_longer(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = (*BACKBONE, "updates=6")
    train(project, *asked, run="whole")
    assert not (run_of(project, "whole").path / "latents").exists()
    assert train(project, *asked, run="stopped", is_stop_asked=lambda: True).ending == "interrupted"
    folder = run_of(project, "stopped").path / "latents"
    assert {path.name for path in folder.iterdir()} == {"index.json", "rows.bin"}

    def refuse(*_arguments: object) -> NoReturn:
        raise AssertionError("the latents were computed again")

    monkeypatch.setattr(finetune_latents, "write_latents", refuse)
    assert train(project, *asked, run="stopped", resume=True).ending == "finished"
    assert not folder.exists()
    assert_same(project, "stopped", "whole")
    assert events_of(project, "stopped") == events_of(project, "whole")


def test_latents_of_a_run_that_collapsed_are_deleted(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def collapse(context: RunContext, _loop: object) -> NoReturn:
        assert (context.folder.path / "latents").is_dir()
        write_record(context.folder, replace(context.record, status="collapsed"))
        raise TrainingError("Training has collapsed.")

    monkeypatch.setattr(finetune_stage, "_train", collapse)
    with pytest.raises(TrainingError):
        train(project, *BACKBONE, run="with")
    assert not (run_of(project, "with").path / "latents").exists()


def break_while_computing(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    compute = finetune_latents._compute

    def breaking(*arguments: Any) -> Iterator[object]:
        yield next(iter(compute(*arguments)))
        raise error

    monkeypatch.setattr(finetune_latents, "_compute", breaking)


def test_a_run_killed_while_it_computes_latents_goes_on_as_if_nothing_had_been(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = (*BACKBONE, "adaptation=full")
    train(project, *asked, run="whole")
    break_while_computing(monkeypatch, KeyboardInterrupt())
    monkeypatch.setattr("lowres.training.latents.shutil.rmtree", lambda *_arguments, **_more: None)  # as SIGKILL would
    with pytest.raises(KeyboardInterrupt):
        train(project, *asked, run="killed")
    monkeypatch.undo()
    run = run_of(project, "killed")
    assert (run.path / ".latents.writing").exists()
    train(project, *asked, run="killed", resume=True)
    assert_same(project, "killed", "whole")
    assert events_of(project, "killed") == events_of(project, "whole")
    assert {path.name for path in run.path.iterdir()} == {path.name for path in run_of(project, "whole").path.iterdir()}


def test_latents_of_something_else_are_computed_anew(project: Path) -> None:
    train(project, *BACKBONE, run="whole")
    train(project, *BACKBONE, run="stopped", is_stop_asked=lambda: True)
    folder = run_of(project, "stopped").path / "latents"
    index = json.loads((folder / "index.json").read_text())
    (folder / "index.json").write_text(json.dumps(index | {"identity": "another backbone's"}))
    (folder / "rows.bin").write_bytes(bytes((folder / "rows.bin").stat().st_size))
    train(project, *BACKBONE, run="stopped", resume=True)
    assert_same(project, "stopped", "whole")


def too_small(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage(project)
    monkeypatch.setattr(finetune_latents.shutil, "disk_usage", lambda _path: usage._replace(free=2_000_000_000))


def full_in_the_end(_project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    break_while_computing(monkeypatch, OSError(28, "No space left on device"))


@pytest.mark.parametrize(
    ("prepare", "why"),
    [
        (too_small, "since keeping them takes 0 MB and the disk has 2.0 GB free, of which 2.0 GB are left to check"),
        (full_in_the_end, "since they could not be written: No space left on device."),
    ],
    ids=["too small", "full in the end"],
)
def test_a_disk_without_room_is_a_sentence_and_the_same_training(
    project: Path, monkeypatch: pytest.MonkeyPatch, prepare: Callable[..., None], why: str
) -> None:
    train(project, *BACKBONE, "cache_latents=off", run="without")
    prepare(project, monkeypatch)
    train(project, *BACKBONE, "cache_latents=on", run="full")
    [sentence] = notices(project, "full")
    assert sentence.startswith("Latents are computed in every update, ")
    assert why in sentence
    assert_same(project, "full", "without")
    assert not list(run_of(project, "full").path.glob("*latents*"))


def test_a_run_that_hears_its_speech_once_keeps_no_latents_unless_told_to(project: Path) -> None:
    speech = load_corpus(project / "corpus").rows("train")["num_samples"].sum() / 16_000
    train(project, *BACKBONE, "updates=2", run="short")
    assert notices(project, "short") == [
        f"Latents are computed in every update, since this run hears its speech only {2 * 6.0 / speech:.1f} times."
    ]
    train(project, *BACKBONE, "updates=2", "cache_latents=on", run="told")
    assert "are computed once" in notices(project, "told")[0]
    assert_same(project, "short", "told")


@pytest.mark.parametrize("settings", [(), (*BACKBONE, "train_feature_encoder=true")], ids=["random", "learning"])
def test_latents_that_change_are_not_kept(
    project: Path, settings: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_arguments: object) -> NoReturn:
        raise AssertionError("latents were kept")

    monkeypatch.setattr(finetune_latents, "write_latents", refuse)
    train(project, *settings, "cache_latents=on", run="learning")
    assert notices(project, "learning") == []


def test_who_wants_to_stop_need_not_wait_for_the_latents(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(finetune_latents, "_SECONDS_BETWEEN_LOOKS", 0.0)
    events: list[FinetuneEvent] = []
    result = train(project, *BACKBONE, run="stopped", watch=events.append, is_stop_asked=lambda: True)
    assert (result.ending, result.record.updates) == ("interrupted", 1)
    [progress] = [event for event in events if isinstance(event, LatentsProgress)]
    assert 0 < progress.done_seconds < progress.total_seconds


def test_a_timed_run_does_not_spend_its_time_on_latents(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(finetune_latents, "_SECONDS_BETWEEN_LOOKS", 0.0)
    train(project, *BACKBONE, run="timed", minutes=1e-3)
    [sentence] = notices(project, "timed")
    assert "since computing all of them first would take" in sentence


def test_computing_latents_counts_as_time_of_the_run(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    times = iter([100.0, 107.0])
    counted: list[float] = []

    def note(context: RunContext, loop: Any) -> NoReturn:
        counted.extend((loop.state.elapsed_seconds, loop.state.attempt_started_seconds))
        raise KeyboardInterrupt

    opened = finetune_stage.open_run

    def with_clock(*arguments: Any) -> tuple[RunContext, bool]:
        context, is_resumed = opened(*arguments)
        return replace(context, clock=lambda: next(times, 107.0)), is_resumed

    monkeypatch.setattr(finetune_stage, "open_run", with_clock)
    monkeypatch.setattr(finetune_stage, "_train", note)
    with pytest.raises(KeyboardInterrupt):
        train(project, *BACKBONE, run="with")
    assert counted == [7.0, 7.0]


def test_speech_that_sounds_different_in_every_pass_has_no_latents_to_keep(project: Path) -> None:
    train(project, *BACKBONE, "speed_change=0.1", run="altered")
    assert notices(project, "altered") == [
        "Latents are computed in every update, since changes of speed or noise alter them in every pass."
    ]
