"""The recipe's `[language_model]`: what it refuses."""

import pytest

from lowres.decoding.settings import LanguageModelSettings
from lowres.errors import RecipeError
from lowres.recipe import parse_recipe

RECIPE = '[language]\nname = "Little"\niso_639_3 = "mdw"\n[language_model]\n'


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ("word_order = 1", "between 2 and 6"),
        ("word_order = 7", "between 2 and 6"),
        ("character_order = 1", "between 2 and 6"),
        ("word_share = 1.0", "between 0 and 1"),
        ("word_share = -0.1", "between 0 and 1"),
        ("prune_below = 0", "at least 1"),
        ("beam_size = 0", "at least 1"),
        ("tuning_seconds = 0", "above 0"),
        ("word_ordre = 3", "word_order"),
    ],
)
def test_a_recipe_with_a_value_that_no_model_could_have_is_refused(wrong: str, said: str) -> None:
    with pytest.raises(RecipeError) as caught:
        parse_recipe(RECIPE + wrong)
    assert said in caught.value.message + (caught.value.hint or "")


def test_a_recipe_may_name_texts_and_words() -> None:
    recipe = parse_recipe(RECIPE + 'texts = ["bible.txt"]\nwords = "names.txt"\nword_share = 0.05')
    assert recipe.language_model == LanguageModelSettings(texts=("bible.txt",), words="names.txt", word_share=0.05)
    assert parse_recipe(recipe.to_toml()).recipe_hash == recipe.recipe_hash
