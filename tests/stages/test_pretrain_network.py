"""What network is pretrained, by what the recipe says of it and where its weights come from."""

from pathlib import Path

import pytest
import torch
from peers import tiny_config

from lowres.backbones.checkpoint_folder import CheckpointMetadata, write_checkpoint
from lowres.errors import TrainingError
from lowres.model.config import PRESETS, QuantizerConfig, preset, quantizer_to_dict, to_dict
from lowres.model.pretraining import PretrainingNetwork
from lowres.model.wav2vec2 import Wav2Vec2
from lowres.recipe import parse_recipe
from lowres.stages.pretrain_network import PretrainStart, choose_pretrain_start


def start_of(toml: str, project: Path = Path()) -> PretrainStart:
    recipe = parse_recipe(toml)
    return choose_pretrain_start(recipe, recipe.pretrain, project)


def write_backbone(project: Path) -> None:
    """Write a tiny backbone without codebooks into `project`/old."""
    torch.manual_seed(1)
    config = tiny_config()
    weights = {f"backbone.{name}": tensor for name, tensor in Wav2Vec2(config).state_dict().items()}
    metadata = CheckpointMetadata(
        kind="backbone", model_config=to_dict(config), quantizer_config=None, step=1, recipe_sha256=""
    )
    write_checkpoint(project / "old", weights, metadata)


@pytest.mark.parametrize("said", ["dropout = 0.0", "layer_drop = 0.0", "span_length = 10", "dropout = 0.3"])
def test_what_model_says_wins_over_the_size_even_where_the_preset_says_the_same(said: str) -> None:
    name, value = said.split(" = ")
    assert getattr(start_of(f"[model]\npreset = 'base'\n{said}\n").config, name) == float(value)


def test_what_pretrain_says_wins_over_model() -> None:
    assert start_of("[model]\npreset = 'base'\ndropout = 0.0\n[pretrain]\ndropout = 0.2\n").config.dropout == 0.2


def test_what_model_says_wins_over_the_backbone_too(tmp_path: Path) -> None:
    write_backbone(tmp_path)
    start = start_of("[model]\nlayer_drop = 0.25\n[pretrain]\nbackbone = 'old'\n", tmp_path)
    assert start.config.layer_drop == 0.25


def test_codebooks_that_begin_anew_begin_at_the_highest_temperature(tmp_path: Path) -> None:
    write_backbone(tmp_path)
    start = start_of("[pretrain]\nbackbone = 'old'\n", tmp_path)
    assert not start.keeps_codebooks
    assert (start.settings.gumbel_start, start.settings.gumbel_end) == (2.0, 0.5)
    assert start.settings.learning_rate == start_of("[model]\npreset = 'xs'\n").settings.learning_rate / 5  # type: ignore[operator]


def test_a_network_whose_masks_cover_nothing_is_not_pretrained() -> None:
    with pytest.raises(TrainingError, match="span_start_probability"):
        start_of("[model]\nspan_start_probability = 0.0\n")
    start_of("[model]\nspan_start_probability = 0.0\n[pretrain]\nspan_start_probability = 0.05\n")


def test_codebooks_that_go_on_although_others_were_asked_for_are_warned_of(tmp_path: Path) -> None:
    torch.manual_seed(1)
    config, heads = tiny_config(), QuantizerConfig(num_entries=8, code_width=8, projection_width=16)
    network = PretrainingNetwork(config, heads)
    metadata = CheckpointMetadata(
        kind="backbone", model_config=to_dict(config), quantizer_config=quantizer_to_dict(heads)
    )
    write_checkpoint(tmp_path / "old", network.state_dict(), metadata)
    start = start_of("[pretrain]\nbackbone = 'old'\nnum_entries = 640\nprojection_width = 16\n", tmp_path)
    assert start.keeps_codebooks
    assert any("num_entries stays 8" in warning and "projection" not in warning for warning in start.warnings)
    fitting = "num_entries = 8\ncode_width = 8\nprojection_width = 16\n"
    assert not start_of(f"[pretrain]\nbackbone = 'old'\n{fitting}", tmp_path).warnings


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_says_the_span_that_is_masked_where_a_recipe_says_none(name: str) -> None:
    assert start_of(f"[model]\npreset = '{name}'\n").config.span_length == preset(name).span_length
