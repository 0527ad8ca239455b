"""Every recipe and corpus manifest that travels with lowres can be read, and does what it says."""

import re
from pathlib import Path

import pytest

from lowres.corpora.catalog import list_corpus_manifests, load_corpus_manifest
from lowres.manifest.settings import SplitSettings
from lowres.recipe import list_shipped_recipes, load_recipe, parse_recipe, run_text_tests, shipped_recipes_folder
from lowres.stages.prepare_corpora import list_preparations
from lowres.text.marks import count_marks
from lowres.text.normalize import describe_rules, normalize

RECIPES = ["east_tusom", "kinyarwanda", "mboshi", "nigerian_pidgin", "sarawak_malay", "swahili", "yoruba"]
PRETRAINING_RECIPES = ["multilingual_small"]


def test_seven_languages_and_one_mixture_of_them_are_there() -> None:
    assert list_shipped_recipes() == sorted(RECIPES + PRETRAINING_RECIPES)


@pytest.mark.parametrize("name", PRETRAINING_RECIPES)
def test_a_pretraining_recipe_names_shipped_recipes_and_learns_from_training_speech_alone(
    name: str, tmp_path: Path
) -> None:
    recipe = load_recipe(name)
    assert parse_recipe(recipe.to_toml()).recipe_hash == recipe.recipe_hash
    entries = recipe.pretrain.corpora
    assert {entry.recipe for entry in entries} <= set(RECIPES)
    assert {entry.splits for entry in entries} == {("train",)}
    for preparation in list_preparations(tmp_path, recipe):
        assert preparation.recipe.splits == SplitSettings()


def test_the_language_that_backbones_are_tried_on_is_not_pretrained_on() -> None:
    assert "mboshi" not in {entry.recipe for entry in load_recipe("multilingual_small").pretrain.corpora}


@pytest.mark.parametrize("name", RECIPES)
def test_a_shipped_recipe_passes_its_own_tests(name: str) -> None:
    recipe = load_recipe(name)
    assert len(recipe.text.tests) >= 2
    assert run_text_tests(recipe) == []


@pytest.mark.parametrize("name", RECIPES)
def test_a_shipped_recipe_declares_language_alphabet_and_a_known_corpus(name: str) -> None:
    recipe = load_recipe(name)
    assert recipe.name == name
    assert recipe.description
    assert recipe.language.iso_639_3
    assert recipe.text.alphabet
    assert recipe.language.iso_639_3 in load_corpus_manifest(recipe.corpus.manifest).languages


@pytest.mark.parametrize("name", RECIPES)
def test_a_shipped_recipe_resolves_to_itself(name: str) -> None:
    recipe = load_recipe(name)
    assert parse_recipe(recipe.to_toml()).recipe_hash == recipe.recipe_hash


@pytest.mark.parametrize("name", RECIPES)
def test_a_shipped_recipe_keeps_marks_and_settles_at_once(name: str) -> None:
    rules = load_recipe(name).text.rules
    text = "ẹ\u0301 Ọ\u0300 n\u0329 ã t\u0361s ma\u02e5 – “É”"
    once = normalize(text, rules)
    assert count_marks(once) == count_marks(text)
    assert normalize(once, rules) == once
    assert all(describe_rules(rules))


@pytest.mark.parametrize("name", list_corpus_manifests())
def test_every_corpus_manifest_loads_and_says_how_to_get_the_recordings(name: str) -> None:
    manifest = load_corpus_manifest(name)
    assert manifest.homepage.startswith("https://")
    assert manifest.citation
    assert manifest.downloads or manifest.how_to_get


def test_each_corpus_of_a_recipe_has_a_folder_of_its_own() -> None:
    folders = [load_corpus_manifest(name).folder for name in list_corpus_manifests()]
    assert len(set(folders)) == len(folders)


def test_the_readme_names_every_recipe_and_every_text_step() -> None:
    from lowres.text.rules import PLAIN_STEPS, STEPS_WITH_VALUES

    readme = (shipped_recipes_folder() / "README.md").read_text(encoding="utf-8")
    shipped = [f"{recipe}.toml" for recipe in RECIPES + PRETRAINING_RECIPES]
    for name in [*shipped, *PLAIN_STEPS, *STEPS_WITH_VALUES]:
        assert name in readme


def test_the_toml_examples_of_the_readme_are_recipes() -> None:
    readme = Path(shipped_recipes_folder() / "README.md").read_text(encoding="utf-8")
    examples = re.findall(r"```toml\n(.*?)```", readme, flags=re.DOTALL)
    assert examples
    for example in examples:
        parse_recipe(example)
