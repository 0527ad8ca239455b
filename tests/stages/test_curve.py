"""Learning curves: which amounts, one run each, resumption, points from runs that are there, and the command."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tone_corpus import write_project
from typer.testing import CliRunner

from lowres.cli.app import app
from lowres.errors import CheckpointError, CorpusError, RecipeError, TrainingError
from lowres.manifest.corpus import PreparedCorpus, load_corpus
from lowres.recipe import Recipe, load_recipe
from lowres.stages.curve import CurveOptions, CurveResult, learning_curve
from lowres.stages.curve_sizes import choose_sizes, training_hours
from lowres.stages.evaluate import EvaluateOptions, evaluate
from lowres.stages.finetune import FinetuneOptions, finetune
from lowres.stages.finetune_again import SeriesEvent, SeriesNotice, train_or_take
from lowres.stages.finetune_run import RunRecord
from lowres.stages.measure_run import measure_run

QUICK = ["finetune.updates=2", "finetune.evaluate_every_updates=1"]
SIZES = (0.1 / 60, 0.2 / 60, 1.0)
RUNS = ("curve-0.1min-seed1", "curve-0.2min-seed1", "curve-all-seed1")


pytestmark = pytest.mark.slow


@pytest.fixture
def project(tmp_path: Path) -> Path:
    written: Path = write_project(tmp_path / "project")
    return written


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, CurveResult]:
    """A project whose three amounts were trained on and measured, for tests that only look or copy it."""
    project = write_project(tmp_path_factory.mktemp("drawn") / "project")
    recipe = load_recipe(project=project, overrides=QUICK)
    return project, learning_curve(project, recipe, CurveOptions(sizes=SIZES))


@pytest.fixture
def trained(drawn: tuple[Path, CurveResult], tmp_path: Path) -> Path:
    """A project of one's own with the three runs."""
    return shutil.copytree(drawn[0], tmp_path / "trained")


def corpus_of_hours(project: Path, hours: float) -> PreparedCorpus:
    """The corpus with durations as if there were so many hours of training speech."""
    corpus = load_corpus(project / "corpus")
    factor = hours / training_hours(corpus)
    return replace(corpus, table=corpus.table.assign(duration_seconds=corpus.table["duration_seconds"] * factor))


@pytest.mark.parametrize(
    ("hours", "sizes"),
    [
        (4.02, [1 / 6, 0.5, 1.0, 2.0, 4.0]),  # all of it is no more than 4 h
        (3.0, [1 / 6, 0.5, 1.0, 2.0, None]),
        (0.3, [1 / 6, None]),
        (0.1, [None]),
        (20.0, [1 / 6, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, None]),
    ],
)
def test_amounts_double_as_far_as_the_corpus_reaches(project: Path, hours: float, sizes: list[float | None]) -> None:
    assert choose_sizes(corpus_of_hours(project, hours), None) == sizes


def test_amounts_that_are_asked_for_are_cut_at_all_there_is(project: Path) -> None:
    corpus = corpus_of_hours(project, 3.0)
    assert choose_sizes(corpus, (4.0, 0.5, 3.0, 1.0, 0.5)) == [0.5, 1.0, None]
    assert choose_sizes(corpus, (0.5, 1.0)) == [0.5, 1.0]


def test_a_curve_trains_measures_and_reports_and_takes_its_runs_again(drawn: tuple[Path, CurveResult]) -> None:
    project, result = drawn
    recipe = load_recipe(project=project, overrides=QUICK)
    contents = result.contents
    assert contents is not None
    assert tuple(point.run for point in contents.points) == RUNS
    assert [point.hours for point in contents.points] == sorted(point.hours for point in contents.points)
    assert (contents.split, contents.num_utterances) == ("dev", 4)
    assert contents.letters_law is not None
    assert (project / "reports/curve/report.html").is_file()
    written = json.loads((project / "reports/curve/report.json").read_text(encoding="utf-8"))
    assert [point["run"] for point in written["points"]] == list(RUNS)
    assert any("dev, which also chose" in caution for caution in contents.cautions)
    before = [(project / "runs" / run / "run.json").stat().st_mtime_ns for run in RUNS]
    again = learning_curve(project, recipe, CurveOptions(sizes=SIZES))
    assert again.contents is not None
    assert again.contents.points == contents.points
    assert [(project / "runs" / run / "run.json").stat().st_mtime_ns for run in RUNS] == before


def test_a_point_is_what_evaluate_says(trained: Path) -> None:
    recipe = load_recipe(project=trained, overrides=QUICK)
    found = measure_run(trained, recipe, load_corpus(trained / "corpus"), RUNS[2], "test")
    rates = evaluate(trained, recipe, EvaluateOptions(run=RUNS[2], split="test", language_model="none")).rates
    assert sum(found.word_errors) == rates.words.counts.num_errors
    assert sum(found.num_characters) == rates.characters.counts.num_reference
    assert sum(found.character_errors) == rates.characters.counts.num_errors


def test_what_was_measured_is_measured_again_after_more_training(trained: Path) -> None:
    recipe, run = load_recipe(project=trained, overrides=QUICK), RUNS[2]
    corpus = load_corpus(trained / "corpus")
    first = measure_run(trained, recipe, corpus, run, "test")
    heard: list[float] = []
    assert measure_run(trained, recipe, corpus, run, "test", lambda done, _total: heard.append(done)) == first
    assert heard == []
    path = trained / "runs" / run / "measured-test.json"
    path.write_text(path.read_text(encoding="utf-8").replace(first.origin, "another"), encoding="utf-8")
    assert measure_run(trained, recipe, corpus, run, "test", lambda done, _total: heard.append(done)) == first
    assert heard
    path.write_text("[", encoding="utf-8")
    assert measure_run(trained, recipe, corpus, run, "test") == first


def test_a_curve_that_was_stopped_goes_on_where_it_was(project: Path) -> None:
    recipe = load_recipe(project=project, overrides=QUICK)
    stops = iter([False] * 3 + [True] * 9)
    stopped = learning_curve(project, recipe, CurveOptions(sizes=SIZES), is_stop_asked=lambda: next(stops))
    assert stopped.contents is None
    first = project / "runs" / RUNS[0] / "run.json"
    before = first.stat().st_mtime_ns
    result = learning_curve(project, recipe, CurveOptions(sizes=SIZES))
    assert result.contents is not None
    assert len(result.contents.points) == 3
    assert first.stat().st_mtime_ns == before


def test_other_settings_are_refused_before_any_training(project: Path) -> None:
    recipe = load_recipe(project=project, overrides=QUICK)
    finetune(project, recipe, FinetuneOptions(run=RUNS[2]))
    other = load_recipe(project=project, overrides=["finetune.updates=3"])
    with pytest.raises(CheckpointError, match="was trained with other settings of the recipe"):
        learning_curve(project, other, CurveOptions(sizes=SIZES))
    with pytest.raises(CheckpointError, match="with a time budget of none, not 1 minutes"):
        learning_curve(project, recipe, CurveOptions(sizes=SIZES, minutes=1.0))
    assert not (project / "runs" / RUNS[0]).exists()


def test_points_can_be_runs_that_are_there(trained: Path) -> None:
    recipe = load_recipe(project=trained, overrides=QUICK)
    for run, name in zip(RUNS, "abc", strict=True):
        (trained / "runs" / run).rename(trained / "runs" / name)
    events: list[SeriesEvent] = []
    result = learning_curve(trained, recipe, CurveOptions(runs=("c", "a", "b", "a"), split="test"), events.append)
    assert result.contents is not None
    assert not result.contents.nests
    assert [point.run for point in result.contents.points] == ["a", "b", "c"]
    assert not any(isinstance(event, SeriesNotice) for event in events)  # nothing was trained
    with pytest.raises(CheckpointError, match="There is no run"):
        learning_curve(trained, recipe, CurveOptions(runs=("a", "nowhere")))


def test_runs_that_differ_in_more_than_hours_are_called_mixed(trained: Path) -> None:
    recipe = load_recipe(project=trained, overrides=["finetune.updates=3"])
    finetune(trained, recipe, FinetuneOptions(run="longer"))
    result = learning_curve(trained, recipe, CurveOptions(runs=(RUNS[0], "longer")))
    assert result.contents is not None
    assert any("differ in their recipes or settings" in caution for caution in result.contents.cautions)
    assert result.contents.letters_law is None


def test_an_amount_that_collapses_is_no_point_and_the_rest_goes_on(
    trained: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def collapse_at_first(
        where: Path, recipe: Recipe, options: FinetuneOptions, watch: Callable[[SeriesEvent], None], **more: Any
    ) -> RunRecord | None:
        if options.run == RUNS[0]:
            raise TrainingError("Training has collapsed: all blank.")
        return train_or_take(where, recipe, options, watch, **more)

    monkeypatch.setattr("lowres.stages.curve.train_or_take", collapse_at_first)
    recipe = load_recipe(project=trained, overrides=QUICK)
    result = learning_curve(trained, recipe, CurveOptions(sizes=SIZES))
    assert result.contents is not None
    assert len(result.contents.points) == 2
    assert result.contents.cautions[0] == "0.1min is no point of the curve. Training has collapsed: all blank."


def test_too_few_amounts_and_missing_splits_are_refused(project: Path) -> None:
    recipe = load_recipe(project=project, overrides=QUICK)
    with pytest.raises(RecipeError, match="takes 3 different amounts of speech, and there are 1"):
        learning_curve(project, recipe, CurveOptions())
    with pytest.raises(CheckpointError, match="not a path"):
        learning_curve(project, recipe, CurveOptions(name="../elsewhere"))
    with pytest.raises(CorpusError, match="no prepared corpus"):
        learning_curve(project.parent / "empty", recipe, CurveOptions())


def test_the_command_answers_first_and_names_what_comes_next(project: Path) -> None:
    sets = [part for setting in QUICK for part in ("--set", setting)]
    arguments = ["curve", "--project", str(project), "--sizes", "0.1m,0.2m,1", "--target", "30%WER", *sets]
    result = CliRunner().invoke(app, arguments, env={"COLUMNS": "80"})
    assert result.exit_code == 0, result.output
    assert "of 100 words" in result.output
    assert result.output.index("of 100 words") < result.output.index("trained on")
    assert "lowres evaluate --run curve-all-seed1" in result.output
    refused = CliRunner().invoke(app, ["curve", "--project", str(project), "--sizes", "1", "--run", "x"])
    assert refused.exit_code == 2
