"""prepare in a project that pretrains on several corpora: each prepared once, and again only when something changed."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile
from typer.testing import CliRunner

from lowres.cli.app import app
from lowres.errors import RecipeError
from lowres.manifest.corpus import load_corpus
from lowres.recipe import load_recipe, parse_recipe
from lowres.stages.prepare_corpora import list_preparations
from lowres.stages.pretrain_corpora import locate_entries
from lowres.stages.pretrain_speech import load_pretraining_speech
from lowres.training.pretrain_settings import settle_pretraining

WORDS = ("mbote", "na", "yo", "ndeko", "tata", "mama")
PROJECT_RECIPE = """
name = "many"
[[pretrain.corpora]]
recipe = "recipes/first.toml"
set = ["splits.train=['train']", "splits.dev=['dev']"]
[[pretrain.corpora]]
recipe = "recipes/tapes.toml"
language = "lin"
"""


def record(path: Path, seconds: float, text: str | None = None) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    noise = 0.1 * np.random.default_rng(len(str(path))).standard_normal(int(16_000 * seconds))
    soundfile.write(path, noise, 16_000)
    if text is not None:
        path.with_suffix(".txt").write_text(text, encoding="utf-8")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Return a project that pretrains on a transcribed corpus, trained on train + dev otherwise, and on tapes."""
    folder = tmp_path / "project"
    for number in range(12):
        text = " ".join(WORDS[(number + place) % 6] for place in range(1 + number % 4))
        record(tmp_path / "first" / ("train", "train", "dev")[number % 3] / f"u{number:02d}.wav", 1.2, text)
    for number in range(12):
        record(tmp_path / "tapes" / f"tape{number:02d}.wav", 1.5)
    recipes = folder / "recipes"
    recipes.mkdir(parents=True)
    (recipes / "first.toml").write_text(
        '[language]\niso_639_3 = "mdw"\n[corpus]\nfolder = "../../first"\nlicence = "CC0"\n'
        '[splits]\ntrain = ["train", "dev"]\ndev = []\n'
    )
    (recipes / "tapes.toml").write_text('[corpus]\nfolder = "../../tapes"\n[corpus.reader]\nreader = "recordings"\n')
    (folder / "lowres.toml").write_text(PROJECT_RECIPE)
    return folder


def prepare(project: Path, *options: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, ["prepare", "--project", str(project), "--workers", "1", *options])
    if result.exit_code == 1 and result.exception is not None:
        raise result.exception
    return result.exit_code, result.stdout, " ".join(result.stderr.split())


def test_every_corpus_of_the_recipe_is_prepared_and_can_be_learnt_from(project: Path) -> None:
    status, output, error = prepare(project)
    assert status == 0, error
    assert "first: 12 utterances" in output
    assert "tapes: 12 utterances" in output
    assert "There are no transcripts" in output
    assert "lowres pretrain" in output
    recipe = load_recipe(project=project)
    settings = settle_pretraining(recipe.pretrain, recipe.network_config(), is_continued=False)
    speech = load_pretraining_speech(project, settings.corpora, settings)
    assert [(info.language, info.corpus, info.num_utterances) for info in speech.infos] == [
        ("mdw", "first", 8),
        ("lin", "tapes", 11),
    ]
    assert set(speech.held_out) == {"mdw", "lin"}


def test_the_values_of_an_entry_win_over_its_recipe(project: Path) -> None:
    prepare(project)
    assert load_corpus(project / "prepared" / "first").info.utterances_per_split["dev"] == 4


def test_what_is_prepared_already_is_not_prepared_again(project: Path) -> None:
    prepare(project)
    before = (project / "prepared" / "first" / "corpus.json").stat().st_mtime_ns
    status, output, _ = prepare(project)
    assert status == 0
    assert " ".join(output.split()).count("prepared already, and nothing has changed since: 12 utterances") == 2
    assert (project / "prepared" / "first" / "corpus.json").stat().st_mtime_ns == before


@pytest.mark.parametrize("change", ["transcript", "recording", "recipe", "entry", "damage"])
def test_whatever_changed_is_prepared_again_and_nothing_else(project: Path, change: str) -> None:
    prepare(project)
    match change:
        case "transcript":
            (project.parent / "first" / "train" / "u00.txt").write_text("mama na tata")
        case "recording":
            record(project.parent / "first" / "train" / "u20.wav", 1.0, "mama")
        case "recipe":
            with (project / "recipes" / "first.toml").open("a") as file:
                file.write("[checks]\nmin_seconds = 0.2\n")
        case "entry":
            recipe = (project / "lowres.toml").read_text()
            (project / "lowres.toml").write_text(recipe.replace("splits.dev=['dev']", "splits.dev=[]"))
        case "damage":
            path = project / "prepared" / "first" / "corpus.json"
            path.write_text(json.dumps({"format_version": 1}))
    _, output, _ = prepare(project)
    assert " ".join(output.split()).count("prepared already") == 1
    assert "first: 1" in output


def test_settings_of_training_prepare_nothing_again(project: Path) -> None:
    prepare(project)
    with (project / "recipes" / "first.toml").open("a") as file:
        file.write("[finetune]\nseed = 7\n[pretrain]\nseed = 8\n")
    _, output, _ = prepare(project)
    assert " ".join(output.split()).count("prepared already") == 2


def test_the_project_s_own_corpus_is_prepared_too(project: Path) -> None:
    with (project / "lowres.toml").open("a") as file:
        file.write('[corpus]\nfolder = "../first"\n')
    status, output, error = prepare(project)
    assert status == 0, error
    assert "many: 12 utterances" in output
    assert load_corpus(project / "corpus").info.name == "many"
    assert (project / "prepared" / "first").is_dir()


def test_a_project_of_prepared_folders_alone_has_nothing_to_prepare(project: Path) -> None:
    (project / "lowres.toml").write_text('name = "many"\n[[pretrain.corpora]]\nfolder = "../archive"\n')
    status, output, error = prepare(project)
    assert status == 0, error
    assert "There is nothing to prepare" in output


def test_a_recipe_that_is_missing_is_named(project: Path) -> None:
    with (project / "lowres.toml").open("a") as file:
        file.write('[[pretrain.corpora]]\nrecipe = "yorba"\n')
    status, _, error = prepare(project)
    assert status == 2
    assert error.startswith("error: ")
    assert "yorba" in error
    assert not (project / "prepared").exists()


def test_a_value_of_an_entry_that_its_recipe_does_not_have_is_named(project: Path) -> None:
    (project / "lowres.toml").write_text(PROJECT_RECIPE.replace("splits.dev=", "splits.dve="))
    with pytest.raises(RecipeError, match=r"--set splits\.dve"):
        list_preparations(project, load_recipe(project=project))


def test_recordings_that_are_gone_are_one_sentence_and_keep_the_others(project: Path) -> None:
    shutil.rmtree(project.parent / "tapes")
    status, output, error = prepare(project)
    assert status == 2
    assert "There is no corpus folder" in error
    assert "first: 12 utterances" in output
    assert load_corpus(project / "prepared" / "first").info.num_utterances == 12


def test_fine_tuning_on_recordings_alone_is_one_sentence(project: Path) -> None:
    (project / "lowres.toml").write_text('[corpus]\nfolder = "../tapes"\n[corpus.reader]\nreader = "recordings"\n')
    status, output, error = prepare(project)
    assert status == 0, error
    assert "lowres pretrain" in output
    result = CliRunner().invoke(app, ["finetune", "--project", str(project)])
    assert result.exit_code == 2
    assert "has no transcripts" in " ".join(result.stderr.split())


def test_corpora_in_a_home_folder_that_nobody_has_are_missing(tmp_path: Path) -> None:
    named = parse_recipe('[[pretrain.corpora]]\nrecipe = "~nobody-of-this-name"\n')
    with pytest.raises(RecipeError, match="No recipe is called"):
        list_preparations(tmp_path, named)
    prepared = parse_recipe('[[pretrain.corpora]]\nfolder = "~nobody-of-this-name"\n')
    (located,) = locate_entries(tmp_path, prepared.pretrain.corpora)
    assert located.folder == tmp_path / "~nobody-of-this-name"
