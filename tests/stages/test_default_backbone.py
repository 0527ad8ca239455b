"""What fine-tuning starts from where a recipe leaves it open, and that it says so."""

import shutil
from pathlib import Path

import pytest
from tone_corpus import TINY_RECIPE, write_project
from typer.testing import CliRunner

from lowres.backbones import bundled
from lowres.backbones.cache import CACHE_VARIABLE, backbone_folder
from lowres.backbones.checkpoint_folder import read_checkpoint
from lowres.cli.app import app
from lowres.errors import CheckpointError
from lowres.recipe import Recipe, load_recipe
from lowres.recipe.load import parse_recipe
from lowres.stages.default_backbone import default_backbone, settle_backbone
from lowres.stages.export import export
from lowres.stages.finetune import FinetuneOptions, finetune
from lowres.stages.finetune_open import open_run
from lowres.stages.finetune_run import read_record
from lowres.stages.run_folder import RunFolder

LARGE, LARGER = "facebook/wav2vec2-xls-r-300m", "facebook/wav2vec2-xls-r-1b"
runner = CliRunner()


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "cache"))
    (tmp_path / "brought").mkdir()
    monkeypatch.setattr(bundled, "BUNDLED_FOLDER", tmp_path / "brought")


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the project `first`, which has a tiny trained recogniser, and what was exported of that one."""
    folder = tmp_path_factory.mktemp("exported")
    project = write_project(folder / "first")
    finetune(project, load_recipe(project=project), FinetuneOptions(run="first"))
    export(project, "first", folder / "lowres-small", "backbone")
    return folder


@pytest.fixture
def small(exported: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A tiny trained recogniser, exported as a backbone and put where lowres's own lies."""
    shutil.copytree(exported, tmp_path, dirs_exist_ok=True)
    folder = tmp_path / "lowres-small"
    monkeypatch.setattr(bundled, "BUNDLED_FOLDER", folder)
    return folder


def open_recipe(*lines: str) -> Recipe:
    return parse_recipe("\n".join(lines), default_name="x")


def test_the_one_that_comes_along_is_taken_and_said_so() -> None:
    chosen = default_backbone(open_recipe())
    assert chosen is not None
    assert chosen.reference == bundled.BUNDLED_NAME
    assert "comes with lowres" in chosen.sentence


@pytest.mark.parametrize(
    "line", ['model.preset = "xs_mel"', "model.width = 64", 'finetune.backbone = "x"', 'finetune.backbone = "none"']
)
def test_nothing_is_chosen_where_the_recipe_says_what_it_wants(line: str) -> None:
    assert default_backbone(open_recipe(line)) is None


@pytest.mark.parametrize("line", ["model.dropout = 0.2", "model.span_length = 3", "finetune.dropout = 0.2"])
def test_regularisation_names_no_network(line: str) -> None:
    assert default_backbone(open_recipe(line)) is not None


def test_a_downloaded_one_comes_first_and_its_licence_is_said() -> None:
    for name in (LARGER, LARGE):
        backbone_folder(name).mkdir(parents=True)
    chosen = default_backbone(open_recipe())
    assert chosen is not None
    assert chosen.reference == LARGE
    assert "licence" not in chosen.sentence
    backbone_folder("facebook/mms-300m").mkdir(parents=True)
    chosen = default_backbone(open_recipe())
    assert chosen is not None
    assert chosen.reference == "facebook/mms-300m"
    assert "CC-BY-NC-4.0, allows no commercial use" in chosen.sentence


def test_a_run_that_is_gone_on_with_keeps_what_it_started_from() -> None:
    recipe, sentence = settle_backbone(open_recipe(), recorded=None)
    assert (recipe.finetune.backbone, bool(sentence)) == (bundled.BUNDLED_NAME, True)
    backbone_folder(LARGE).mkdir(parents=True)
    for recorded in (bundled.BUNDLED_NAME, ""):
        recipe, sentence = settle_backbone(open_recipe(), recorded=recorded)
        assert (recipe.finetune.backbone, sentence) == (recorded, "")


def test_none_is_random_weights() -> None:
    recipe, sentence = settle_backbone(open_recipe('finetune.backbone = "none"'), recorded=None)
    assert (recipe.finetune.backbone, sentence) == ("", "")


def test_the_recipe_of_a_run_from_random_weights_asks_for_them_again(tmp_path: Path) -> None:
    finetuning = TINY_RECIPE[TINY_RECIPE.index("[finetune]") :] + 'backbone = "none"\n'
    project = write_project(tmp_path / "second", recipe='name = "tones"\n' + finetuning)
    options = FinetuneOptions(run="random")
    context, _ = open_run(project, load_recipe(project=project), options, lambda _: None, lambda: False)
    kept = load_recipe(str(context.folder.path / "recipe.toml"))
    assert default_backbone(kept) is None
    assert settle_backbone(kept, recorded=None)[0].recipe_hash == context.record.recipe_sha256


@pytest.mark.slow
def test_an_open_recipe_is_trained_from_the_one_that_comes_along(small: Path, tmp_path: Path) -> None:
    finetuning = TINY_RECIPE[TINY_RECIPE.index("[finetune]") :]
    project = write_project(tmp_path / "second", recipe='name = "tones"\n' + finetuning)
    result = runner.invoke(app, ["finetune", "--project", str(project), "--run", "open"])
    assert result.exit_code == 0, result.output
    assert "comes with lowres" in result.output
    record = read_record(RunFolder(project / "runs" / "open"))
    assert record.backbone == bundled.BUNDLED_NAME
    assert record.backbone_sha256 == read_checkpoint(small).metadata.files["weights.safetensors"]
    assert record.model_config["width"] == 32
    resolved = load_recipe(str(project / "runs" / "open" / "recipe.toml"))
    assert resolved.finetune.backbone == bundled.BUNDLED_NAME


def test_an_exported_backbone_has_half_the_bytes_and_a_card_that_may_be_edited(small: Path, tmp_path: Path) -> None:
    before = tmp_path / "first" / "runs" / "first" / "checkpoints" / "best"
    sizes = [(folder / "weights.safetensors").stat().st_size for folder in (small, before)]
    assert sizes[0] < 0.65 * sizes[1]
    card = small / "README.md"
    assert "library_name: lowres" in card.read_text(encoding="utf-8")
    card.write_text("another card", encoding="utf-8")
    exported, original = read_checkpoint(small), read_checkpoint(before)
    assert set(exported.weights) == set(original.weights)
    for name, weight in exported.weights.items():
        assert (weight.float() - original.weights[name]).abs().max() <= 2**-8 * original.weights[name].abs().max()


def test_a_backbone_is_not_exported_over_another(small: Path, tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="exists already"):
        export(tmp_path / "first", "first", small, "backbone")


def test_without_it_training_starts_from_random_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bundled, "BUNDLED_FOLDER", tmp_path / "gone")
    assert default_backbone(open_recipe()) is None


def test_what_comes_along_needs_no_download(small: Path) -> None:
    result = runner.invoke(app, ["backbones", "get", bundled.BUNDLED_NAME])
    assert result.exit_code == 0, result.output
    assert "is here already" in result.output
    assert bundled.BUNDLED_NAME in runner.invoke(app, ["backbones"]).output
