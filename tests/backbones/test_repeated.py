"""Repeated blocks: a deeper network that begins as about the same function."""

from dataclasses import replace

import pytest
import torch

from lowres.backbones.checkpoint_folder import CheckpointMetadata
from lowres.backbones.native import Backbone
from lowres.backbones.repeated import repeat_blocks
from lowres.errors import CheckpointError
from lowres.model.config import Wav2Vec2Config, preset
from lowres.model.wav2vec2 import Wav2Vec2
from lowres.training.settings import FinetuneSettings

CONFIG = replace(
    preset("xs_mel"),
    conv_layers=((80, 400, 160), (32, 3, 2), (32, 3, 2)),
    width=32,
    num_layers=2,
    num_heads=2,
    feed_forward_width=64,
    positional_groups=2,
)


def backbone_of(config: Wav2Vec2Config) -> tuple[Wav2Vec2, Backbone]:
    torch.manual_seed(1)
    network = Wav2Vec2(config).eval()
    metadata = CheckpointMetadata(kind="backbone", model_config={})
    return network, Backbone(config, dict(network.state_dict()), metadata)


def context_of(network: Wav2Vec2) -> torch.Tensor:
    waveforms = torch.randn(1, 16_000, generator=torch.Generator().manual_seed(2))
    with torch.no_grad():
        return network(waveforms, torch.tensor([16_000])).context


@pytest.mark.parametrize("times", [2, 3])
def test_where_blocks_add_little_a_network_of_their_copies_is_the_same_function(times: int) -> None:
    network, backbone = backbone_of(CONFIG)
    for name, weight in network.state_dict().items():
        if ".output." in name:
            weight.mul_(1e-3)  # in place: these are the network's own
    deeper_backbone = repeat_blocks(backbone, times)
    deeper = Wav2Vec2(deeper_backbone.config).eval()
    deeper.load_state_dict(deeper_backbone.weights)
    assert deeper_backbone.config.num_layers == 2 * times
    expected = context_of(network)
    assert (context_of(deeper) - expected).abs().max() < 1e-5
    # What it would be without the division, or without the blocks: further off.
    bare = Wav2Vec2(replace(CONFIG, num_layers=1)).eval()
    bare.load_state_dict({k: w for k, w in backbone.weights.items() if ".blocks.1." not in k})
    assert (context_of(bare) - expected).abs().max() > 1e-5


def test_copies_stand_behind_each_other_and_only_what_they_add_is_divided() -> None:
    _, backbone = backbone_of(replace(CONFIG, adapter_width=4))
    backbone.weights["context_network.blocks.1.adapter.output.weight"].fill_(1.0)
    weights = repeat_blocks(backbone, 2).weights
    for copy in (2, 3):
        place = f"context_network.blocks.{copy}."
        origin = "context_network.blocks.1."
        assert torch.equal(
            weights[place + "feed_forward.inner.weight"], backbone.weights[origin + "feed_forward.inner.weight"]
        )
        assert torch.equal(
            weights[place + "attention.output.bias"], backbone.weights[origin + "attention.output.bias"] / 2
        )
        assert torch.equal(weights[place + "adapter.inner.weight"], backbone.weights[origin + "adapter.inner.weight"])
        assert (weights[place + "adapter.output.weight"] == 0.5).all()
    assert torch.equal(weights["projection.weight"], backbone.weights["projection.weight"])


def test_once_is_the_backbone_itself() -> None:
    _, backbone = backbone_of(CONFIG)
    assert repeat_blocks(backbone, 1) is backbone


def test_a_network_that_normalises_behind_each_addition_is_refused() -> None:
    _, backbone = backbone_of(replace(CONFIG, transformer_norm="post"))
    with pytest.raises(CheckpointError, match="normalises before each part"):
        repeat_blocks(backbone, 2)


def test_a_part_of_a_repeated_backbone_cannot_learn_alone() -> None:
    with pytest.raises(ValueError, match='repeat_blocks needs adaptation "full"'):
        FinetuneSettings(repeat_blocks=2, adaptation="lora")
