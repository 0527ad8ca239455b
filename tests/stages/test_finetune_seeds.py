"""One recogniser for each of several seeds."""

import json
import statistics
from pathlib import Path

import pytest
from tone_corpus import write_project
from typer.testing import CliRunner

from lowres.cli.app import app
from lowres.errors import CheckpointError
from lowres.recipe import load_recipe
from lowres.stages.finetune import FinetuneOptions
from lowres.stages.finetune_run import read_record
from lowres.stages.finetune_seeds import Spread, finetune_seeds, spread_of
from lowres.stages.run_folder import RunFolder

QUICK = ["finetune.updates=2", "finetune.evaluate_every_updates=1"]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return write_project(tmp_path / "project")


def test_mean_and_deviation_by_hand() -> None:
    assert spread_of([0.1, 0.2, None, 0.3]) == Spread(pytest.approx(0.2), pytest.approx(0.1))
    assert spread_of([0.4]) == Spread(0.4, 0.0)
    assert spread_of([None]) is None


def test_each_seed_has_its_run_and_the_summary_holds_all(project: Path) -> None:
    result = finetune_seeds(project, load_recipe(project=project, overrides=QUICK), FinetuneOptions(seed=5), 2)
    assert [(outcome.seed, outcome.run) for outcome in result.outcomes] == [
        (5, "finetune-all-seed5"), (6, "finetune-all-seed6"),
    ]  # fmt: skip
    records = [read_record(RunFolder(project / "runs" / outcome.run)) for outcome in result.outcomes]
    rates = [record.best_dev_character_error_rate or 0.0 for record in records]
    assert [record.seed_used for record in records] == [5, 6]
    written = json.loads((project / "runs/finetune-all-seeds.json").read_text(encoding="utf-8"))
    assert written["dev_character_error_rate"]["mean"] == pytest.approx(statistics.fmean(rates))
    assert [one["character_error_rate"] for one in written["seeds"]] == rates


def test_going_on_trains_only_what_is_missing(project: Path) -> None:
    recipe = load_recipe(project=project, overrides=QUICK)
    stops = iter([False] * 3 + [True] * 9)
    first = finetune_seeds(project, recipe, FinetuneOptions(), 3, is_stop_asked=lambda: next(stops))
    assert first.is_interrupted
    before = (project / "runs/finetune-all-seed1/run.json").stat().st_mtime_ns
    result = finetune_seeds(project, recipe, FinetuneOptions(resume=True), 3)
    assert len(result.outcomes) == 3
    assert (project / "runs/finetune-all-seed1/run.json").stat().st_mtime_ns == before


def test_runs_that_cannot_be_averaged_are_refused_before_any_training(project: Path) -> None:
    recipe = load_recipe(project=project, overrides=QUICK)
    finetune_seeds(project, recipe, FinetuneOptions(seed=2), 1)
    with pytest.raises(CheckpointError, match="exists already"):
        finetune_seeds(project, recipe, FinetuneOptions(seed=1), 2)
    other = load_recipe(project=project, overrides=[*QUICK, "finetune.learning_rate=1e-4"])
    with pytest.raises(CheckpointError, match="is of other settings"):
        finetune_seeds(project, other, FinetuneOptions(seed=1, resume=True), 2)
    assert not (project / "runs/finetune-all-seed1").exists()


def test_the_command_shows_every_seed_and_their_mean(project: Path) -> None:
    sets = [part for setting in QUICK for part in ("--set", setting)]
    result = CliRunner().invoke(app, ["finetune", "--project", str(project), "--seeds", "2", *sets])
    assert result.exit_code == 0, result.output
    assert "±" in result.output
    assert "finetune-all-seed2" in result.output
    assert "lowres evaluate --run finetune-all-seed" in result.output


@pytest.mark.slow
def test_seeds_go_on_where_lowres_chose_the_backbone(tmp_path: Path) -> None:
    open_recipe = 'name = "tones"\n[finetune]\nupdates = 1\nseconds_per_update = 4.0\nmicro_batch_seconds = 4.0\n'
    project = write_project(tmp_path / "project", recipe=open_recipe)
    recipe = load_recipe(project=project)
    finetune_seeds(project, recipe, FinetuneOptions(), 1)
    assert len(finetune_seeds(project, recipe, FinetuneOptions(resume=True), 2).outcomes) == 2
