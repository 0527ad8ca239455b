"""Cross-validation: nothing of the left-out speaker is learnt from, folds stand apart, and stops are gone on from."""

import json
from pathlib import Path

import pytest
from tone_corpus import write_project
from typer.testing import CliRunner

from lowres.cli.app import app
from lowres.errors import CheckpointError, CorpusError, RecipeError
from lowres.manifest.corpus import load_corpus, verify_shards, write_corpus
from lowres.recipe import load_recipe
from lowres.report.cross_validation_contents import CrossValidationContents
from lowres.stages.cross_validate import CrossValidateOptions, cross_validate
from lowres.stages.cross_validate_fold import fold_folder, recipe_for_fold
from lowres.stages.evaluate import EvaluateOptions, evaluate
from lowres.stages.evaluate_run import find_run
from lowres.stages.finetune import FinetuneOptions, finetune

QUICK = ["finetune.updates=2", "finetune.evaluate_every_updates=1"]
FOLDS = ("01-ana", "02-bo", "03-cy")


pytestmark = pytest.mark.slow


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return with_speakers(write_project(tmp_path / "project"), ["ana", "bo", "cy"])


def with_speakers(project: Path, speakers: list[str]) -> Path:
    """Give the utterances to these speakers in turn, and a letter of their own to the first one's text."""
    corpus = load_corpus(project / "corpus")
    names = [speakers[number % len(speakers)] for number in range(len(corpus.table))]
    table = corpus.table.assign(speaker=names)
    table["text"] = [f"{text} z" if name == "ana" else text for text, name in zip(table["text"], names, strict=True)]
    write_corpus(corpus.folder, table, corpus.info)
    return project


@pytest.fixture(scope="module")
def validated(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, CrossValidationContents]:
    """A project that was cross-validated with a run of its own beside, for tests that only look."""
    project = with_speakers(write_project(tmp_path_factory.mktemp("validated") / "project"), ["ana", "bo", "cy"])
    recipe = load_recipe(project=project, overrides=QUICK)
    finetune(project, load_recipe(project=project, overrides=["finetune.updates=3"]), FinetuneOptions(run="mine"))
    found = cross_validate(project, recipe, CrossValidateOptions()).contents
    assert found is not None
    return project, found


def test_nothing_of_the_left_out_speaker_is_learnt_from_or_chosen_by(
    validated: tuple[Path, CrossValidationContents],
) -> None:
    project, found = validated
    assert {one.speaker for one in found.results} == {"ana", "bo", "cy"}
    parent = project / "cross-validation/all-seed1"
    assert tuple(sorted(path.name for path in parent.iterdir())) == FOLDS
    for fold, speaker in zip(FOLDS, ("ana", "bo", "cy"), strict=True):
        corpus = load_corpus(parent / fold / "corpus")
        verify_shards(corpus)
        assert set(corpus.rows("test")["speaker"]) == {speaker}
        assert speaker not in {*corpus.rows("train")["speaker"], *corpus.rows("dev")["speaker"]}
        checkpoint = json.loads((parent / fold / "runs/left-out/checkpoints/best/checkpoint.json").read_text("utf-8"))
        # The letter that ana alone says is in every vocabulary but that of the fold that leaves ana out.
        assert ("z" in checkpoint["vocabulary"]["tokens"]) == (speaker != "ana")


def test_audio_is_linked_and_folds_are_never_taken_for_the_newest_run(
    validated: tuple[Path, CrossValidationContents],
) -> None:
    project, _ = validated
    shard = "corpus/shards/part-00000.pcm"
    assert (project / "cross-validation/all-seed1/02-bo" / shard).samefile(project / shard)
    assert find_run(project, None).name == "mine"


def test_a_run_of_other_settings_is_not_compared_with(validated: tuple[Path, CrossValidationContents]) -> None:
    assert validated[1].official is None


def test_all_utterances_are_scored_once_and_folds_can_be_evaluated(
    validated: tuple[Path, CrossValidationContents],
) -> None:
    project, found = validated
    assert sum(one.num_utterances for one in found.results) == len(load_corpus(project / "corpus").table)
    fold = project / "cross-validation/all-seed1/03-cy"
    rates = evaluate(fold, load_recipe(project=fold), EvaluateOptions(language_model="none")).rates
    own = next(one for one in found.results if one.speaker == "cy")
    assert own.letters.error_rate == pytest.approx(rates.characters.counts.error_rate)


def test_a_run_of_the_same_settings_stands_beside_the_folds(project: Path) -> None:
    recipe = load_recipe(project=project, overrides=QUICK)
    finetune(project, recipe, FinetuneOptions(run="same"))
    found = cross_validate(project, recipe, CrossValidateOptions(folds=2)).contents
    assert found is not None
    assert found.official is not None
    assert (found.official.run, found.official.split, found.official.num_heard_speakers) == ("same", "test", 3)
    rates = evaluate(project, recipe, EvaluateOptions(run="same", language_model="none")).rates
    assert found.official.letters.error_rate == pytest.approx(rates.characters.counts.error_rate)
    assert all(one.official is not None for one in found.results)


def test_what_was_stopped_goes_on_and_what_has_ended_is_taken(project: Path) -> None:
    recipe = load_recipe(project=project, overrides=QUICK)
    stops = iter([False] * 4 + [True] * 9)
    stopped = cross_validate(project, recipe, CrossValidateOptions(), is_stop_asked=lambda: next(stops))
    assert stopped.contents is None
    first = project / "cross-validation/all-seed1/01-ana/runs/left-out/run.json"
    before = first.stat().st_mtime_ns
    result = cross_validate(project, recipe, CrossValidateOptions())
    assert result.contents is not None
    assert len(result.contents.results) == 3
    assert first.stat().st_mtime_ns == before
    other = load_recipe(project=project, overrides=["finetune.updates=3"])
    with pytest.raises(CheckpointError, match="was trained with other settings"):
        cross_validate(project, other, CrossValidateOptions())
    assert result.folder.name == "cross-validation"
    named = cross_validate(project, other, CrossValidateOptions(name="longer"), is_stop_asked=lambda: True)
    assert named.folder.name == "cross-validation-longer"


def test_a_corpus_that_was_prepared_again_is_noticed(project: Path) -> None:
    recipe, two = load_recipe(project=project, overrides=QUICK), CrossValidateOptions(folds=2)
    stops = iter([False] * 3 + [True] * 9)
    cross_validate(project, recipe, two, is_stop_asked=lambda: next(stops))
    corpus = load_corpus(project / "corpus")
    write_corpus(corpus.folder, corpus.table.assign(text=corpus.table["text"] + " a"), corpus.info)
    with pytest.raises(CheckpointError, match="on another corpus, or before it was prepared again"):
        cross_validate(project, recipe, two)


def test_speakers_can_be_left_out_in_groups(tmp_path: Path) -> None:
    project = with_speakers(write_project(tmp_path / "many"), [f"s{number}" for number in range(21)])
    recipe = load_recipe(project=project, overrides=QUICK)
    with pytest.raises(RecipeError, match="There are 21 speakers"):
        cross_validate(project, recipe, CrossValidateOptions())
    with pytest.raises(RecipeError, match="--folds 22 is more than the 21 speakers"):
        cross_validate(project, recipe, CrossValidateOptions(folds=22))
    found = cross_validate(project, recipe, CrossValidateOptions(folds=2)).contents
    assert found is not None
    assert (len(found.results), len(found.folds), found.is_single) == (21, 2, False)
    assert {len(fold.speakers) for fold in found.folds} <= {10, 11}


def test_a_fold_of_other_speakers_is_refused_before_it_is_touched(tmp_path: Path) -> None:
    project = with_speakers(write_project(tmp_path / "seven"), [f"s{number}" for number in range(7)])
    recipe = load_recipe(project=project, overrides=QUICK)
    cross_validate(project, recipe, CrossValidateOptions(folds=3))
    fold = project / "cross-validation/all-seed1/03-2-speakers"  # as one of four would be called, with others in it
    before = {path: path.read_bytes() for path in fold.rglob("*") if path.is_file()}
    other = load_recipe(project=project, overrides=[*QUICK, "finetune.learning_rate=1e-5"])
    for asked, folds in ((recipe, 4), (other, 3)):
        with pytest.raises(CheckpointError, match=r"on another corpus|with other settings"):
            cross_validate(project, asked, CrossValidateOptions(folds=folds))
        assert {path: path.read_bytes() for path in fold.rglob("*") if path.is_file()} == before


def test_unnamed_speakers_are_refused_with_a_sentence(tmp_path: Path) -> None:
    project = with_speakers(write_project(tmp_path / "unnamed"), ["ana", ""])
    with pytest.raises(CorpusError, match="Nobody says who speaks in 16 of 32 utterances"):
        cross_validate(project, load_recipe(project=project), CrossValidateOptions())
    assert not (project / "cross-validation").exists()


def test_folders_are_named_after_speakers_as_far_as_files_can_be(tmp_path: Path) -> None:
    assert fold_folder(tmp_path, 3, ("../../etc",)).name == "03-etc"
    assert fold_folder(tmp_path, 4, ("é",)).name == "04-speaker"
    assert fold_folder(tmp_path, 5, ("x" * 300,)).name == "05-" + "x" * 40
    assert fold_folder(tmp_path, 6, ("a", "b")).name == "06-2-speakers"


def test_a_backbone_of_the_project_is_seen_from_its_folds(project: Path) -> None:
    recipe = load_recipe(project=project, overrides=[*QUICK, "finetune.backbone=runs/mine/checkpoints/best"])
    finetune(project, load_recipe(project=project, overrides=QUICK), FinetuneOptions(run="mine"))
    fold = project / "cross-validation/all-seed1/01-ana"
    seen = recipe_for_fold(recipe, project, fold).finetune.backbone
    assert seen == "../../../runs/mine/checkpoints/best"
    bundled = load_recipe(project=project, overrides=["finetune.backbone=lowres-small"])
    assert recipe_for_fold(bundled, project, fold) is bundled
    found = cross_validate(project, recipe, CrossValidateOptions(folds=2)).contents
    assert found is not None
    assert any("may" in caution or "not wholly new" in caution for caution in found.cautions)


def test_the_command_shows_a_table_and_the_answer_first(project: Path) -> None:
    sets = [part for setting in QUICK for part in ("--set", setting)]
    arguments = ["cross-validate", "--project", str(project), "--hours", "0.2m", *sets]
    result = CliRunner().invoke(app, arguments, env={"COLUMNS": "80"})
    assert result.exit_code == 0, result.output
    assert result.output.index("For somebody it has never heard") < result.output.index("left out")
    assert "mean" in result.output
    assert (project / "reports/cross-validation-0.2min-seed1/report.html").is_file()
    assert (project / "cross-validation/0.2min-seed1/01-ana").is_dir()
