"""A run's page and model card: written when training ends, renewed by an evaluation, carried into exports."""

import json
from pathlib import Path

import pytest
from tone_corpus import write_project

from lowres.backbones.checkpoint_folder import read_metadata
from lowres.recipe import load_recipe
from lowres.stages.evaluate import EvaluateOptions, evaluate
from lowres.stages.export import export
from lowres.stages.finetune import FinetuneOptions, FinetuneResult, finetune
from lowres.stages.finetune_seeds import finetune_seeds
from lowres.stages.model_card import results_of, write_model_card

RUN = "finetune-all-seed1"


def train(project: Path, *settings: str, **more: object) -> FinetuneResult:
    overrides = [f"finetune.{setting}" for setting in settings]
    return finetune(
        project,
        load_recipe(project=project, overrides=overrides),
        FinetuneOptions(),
        **more,  # type: ignore[arg-type]
    )


@pytest.mark.slow
def test_from_training_to_evaluation_to_export_the_card_follows(tmp_path: Path) -> None:
    project = write_project(tmp_path / "project")
    result = train(project)
    assert result.pages is not None
    assert result.pages.report == project / "runs" / RUN / "report.html"
    assert "Error rates on dev" in result.pages.report.read_text(encoding="utf-8")
    card = project / "runs" / RUN / "model-card.md"
    assert result.pages.model_card == card
    trained = card.read_text(encoding="utf-8")
    assert "has not been evaluated on a test split" in trained
    assert "| Speakers | 2; so few can be identified" in trained
    training = read_metadata(project / "runs" / RUN / "checkpoints" / "best").training
    assert (training["num_speakers"], training["num_utterances_without_speaker"]) == (2, 0)

    evaluate(project, load_recipe(project=project), EvaluateOptions(precision="fp32", embed_recordings=False))
    measured = card.read_text(encoding="utf-8")
    assert "\n| test | tones | 4 | 2 | " in measured
    assert "A machine spoke these recordings" in measured
    assert "has not been evaluated" not in measured

    export(project, RUN, project / "exported", "backbone")
    exported = (project / "exported" / "README.md").read_text(encoding="utf-8")
    section = measured[measured.index("## How good") : measured.index("## Known limits")]
    assert section in exported

    report = project / "reports" / f"{RUN}-test" / "report.json"
    found = json.loads(report.read_text(encoding="utf-8"))
    found["made_from"]["Weights"] = "sha256 0123456789abcdef"
    report.write_text(json.dumps(found), encoding="utf-8")
    write_model_card(project, project / "runs" / RUN)
    assert card.read_text(encoding="utf-8") == trained


def test_reports_that_are_damaged_or_of_other_runs_say_nothing(tmp_path: Path) -> None:
    project = write_project(tmp_path / "project")
    metadata_folder = project / "runs" / RUN
    assert write_model_card(project, metadata_folder) is None
    for name, content in (("a", "{"), ("b", "[]"), ("c", '{"run": 3}'), ("d", '{"run": "other", "made_from": []}')):
        (project / "reports" / name).mkdir(parents=True)
        (project / "reports" / name / "report.json").write_text(content, encoding="utf-8")
    train(project, "updates=4")
    metadata = read_metadata(metadata_folder / "checkpoints" / "best")
    assert results_of(project, RUN, metadata) == ()


def test_a_run_whose_recipe_this_lowres_cannot_read_is_evaluated_to_the_end(tmp_path: Path) -> None:
    project = write_project(tmp_path / "project")
    train(project, "updates=4")
    recipe = project / "runs" / RUN / "recipe.toml"
    recipe.write_text(f"key_of_another_version = 1\n{recipe.read_text(encoding='utf-8')}", encoding="utf-8")
    evaluate(project, load_recipe(project=project), EvaluateOptions(precision="fp32", embed_recordings=False))
    assert "\n| test | tones | 4 | 2 | " in (project / "runs" / RUN / "model-card.md").read_text(encoding="utf-8")


def test_a_stopped_run_has_a_page(tmp_path: Path) -> None:
    project = write_project(tmp_path / "project")
    stopped = train(project, is_stop_asked=lambda: True)
    assert stopped.ending == "interrupted"
    assert stopped.pages is not None
    assert "It is still training." in stopped.pages.report.read_text(encoding="utf-8")


@pytest.mark.slow
def test_several_seeds_have_a_page_together(tmp_path: Path) -> None:
    project = write_project(tmp_path / "project")
    recipe = load_recipe(project=project, overrides=["finetune.updates=8"])
    result = finetune_seeds(project, recipe, FinetuneOptions(), 2)
    assert result.report == project / "runs" / "finetune-all-seeds.html"
    page = result.report.read_text(encoding="utf-8")
    assert "Over 2 seeds the best dev CER is" in page
    assert "finetune-all-seed2" in page
