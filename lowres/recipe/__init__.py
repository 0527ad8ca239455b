"""The recipe of a language: what is special about it, as data; everything else is a default in code."""

from lowres.recipe.load import list_shipped_recipes, load_recipe, parse_recipe, shipped_recipes_folder
from lowres.recipe.sections import (
    CorpusSection,
    EvaluateSection,
    LanguageSection,
    ModelSection,
    Recipe,
    TextSection,
    TextTest,
    TextTestFailure,
    run_text_tests,
)

__all__ = [
    "CorpusSection",
    "EvaluateSection",
    "LanguageSection",
    "ModelSection",
    "Recipe",
    "TextSection",
    "TextTest",
    "TextTestFailure",
    "list_shipped_recipes",
    "load_recipe",
    "parse_recipe",
    "run_text_tests",
    "shipped_recipes_folder",
]
