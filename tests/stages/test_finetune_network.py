"""What a new recogniser takes over from the one it starts from."""

from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import nn

from lowres.backbones.native import KnownLabels
from lowres.model.config import PRESETS, preset
from lowres.recipe import parse_recipe
from lowres.stages.finetune_network import Start, settle, take_over_labels
from lowres.text.vocabulary import BLANK, WORD_BOUNDARY, Vocabulary


def test_labels_are_taken_over_by_what_they_stand_for_and_others_stay_as_they_were() -> None:
    vocabulary = Vocabulary("characters", (BLANK, WORD_BOUNDARY, "a", "b", "ω"))
    tokens = (BLANK, WORD_BOUNDARY, "b", "c", "a")
    known = KnownLabels(tokens, torch.arange(10.0).view(5, 2).bfloat16(), torch.arange(5.0).bfloat16())
    head = nn.Linear(2, 5)
    untouched = head.weight[4].clone(), head.bias[4].clone()
    assert take_over_labels(head, vocabulary, known) == 4
    assert head.weight[:4].tolist() == [[0, 1], [2, 3], [8, 9], [4, 5]]
    assert head.bias[:4].tolist() == [0, 1, 4, 2]
    assert torch.equal(head.weight[4], untouched[0])
    assert torch.equal(head.bias[4], untouched[1])


SPEECH: Any = SimpleNamespace(hours=1.0, mean_seconds=3.0)


@pytest.mark.parametrize("said", ["dropout = 0.0", "layer_drop = 0.1", "dropout = 0.3", "span_length = 10"])
def test_what_model_says_wins_over_the_hours_even_where_the_preset_says_the_same(said: str) -> None:
    recipe = parse_recipe(f"[model]\npreset = 'base'\n{said}\n")
    name, value = said.split(" = ")
    _, config = settle(recipe.finetune, Start(recipe.network_config()), SPEECH, recipe.model.overrides)
    assert getattr(config, name) == float(value)


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_says_the_span_that_is_masked_where_a_recipe_says_none(name: str) -> None:
    recipe = parse_recipe(f"[model]\npreset = '{name}'\n")
    _, config = settle(recipe.finetune, Start(recipe.network_config()), SPEECH, recipe.model.overrides)
    assert config.span_length == preset(name).span_length


def test_nothing_in_common_changes_nothing() -> None:
    head = nn.Linear(2, 3)
    before = head.weight.clone()
    vocabulary = Vocabulary("characters", (BLANK, WORD_BOUNDARY, "a"))
    assert take_over_labels(head, vocabulary, KnownLabels(("▁x",), torch.zeros(1, 2), torch.zeros(1))) == 0
    assert torch.equal(head.weight, before)
