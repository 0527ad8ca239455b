"""Small random networks of transformers' own classes, saved as it saves them, their output, and refusals."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from peers import randomize
from safetensors.torch import save_file
from torch import Tensor
from torch.testing import assert_close

from lowres.backbones.native import Backbone, load_weights
from lowres.backbones.resolve import open_backbone
from lowres.errors import CheckpointError
from lowres.model.wav2vec2 import Wav2Vec2

GROUP: dict[str, Any] = {"feat_extract_norm": "group", "conv_bias": False, "do_stable_layer_norm": False}
LAYER: dict[str, Any] = {"feat_extract_norm": "layer", "conv_bias": True, "do_stable_layer_norm": True}
SMALL: dict[str, Any] = {
    "conv_dim": (16,) * 7,
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 48,
    "num_conv_pos_embeddings": 16,
    "num_conv_pos_embedding_groups": 4,
    "attn_implementation": "eager",
}
TOLERANCE = {"atol": 1e-4, "rtol": 1e-4}


def make_peer(name: str, **settings: Any) -> Any:
    """Build transformers' class `name`, every weight random."""
    import transformers

    kind = getattr(transformers, name)
    numbers = SMALL | settings
    if name.startswith("Data2Vec"):
        numbers |= {"num_conv_pos_embeddings": 3, "conv_pos_kernel_size": 5} | settings
    torch.manual_seed(5)
    peer = kind(kind.config_class(**numbers)).eval()
    randomize(peer, seed=7)
    return peer


def write_feature_extractor(folder: Path, **settings: Any) -> None:
    numbers = {"feature_extractor_type": "Wav2Vec2FeatureExtractor", "do_normalize": False, "sampling_rate": 16_000}
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "preprocessor_config.json").write_text(json.dumps(numbers | settings))


def save_peer(folder: Path, peer: Any, **more: Any) -> Path:
    """Save as transformers does, with a feature extractor that leaves waveforms as they are."""
    peer.save_pretrained(folder, **more)
    write_feature_extractor(folder)
    return folder


def save_mms(folder: Path) -> Any:
    """A network with adapters, whose file holds English ones, with Mooré's in a file of their own as on the hub."""
    english = make_peer("Wav2Vec2ForCTC", **LAYER, adapter_attn_dim=4)
    save_peer(folder, english)
    moore = make_peer("Wav2Vec2ForCTC", **LAYER, adapter_attn_dim=4)
    generator = torch.Generator().manual_seed(11)
    with torch.no_grad():
        for parameter in moore._get_adapters().values():
            parameter.add_(torch.randn(parameter.shape, generator=generator))
    adapters = {name: parameter.detach().clone() for name, parameter in moore._get_adapters().items()}
    save_file(adapters, folder / "adapter.mos.safetensors")
    return moore


def make_batch() -> tuple[Tensor, Tensor]:
    """Two utterances, the shorter one padded with zeros; (2, S) and their lengths."""
    waveforms = torch.randn(2, 9_000, generator=torch.Generator().manual_seed(1)) * 0.3 + 0.05
    waveforms[1, 5_000:] = 0
    return waveforms, torch.tensor([9_000, 5_000])


def build(backbone: Backbone) -> Wav2Vec2:
    network = Wav2Vec2(backbone.config).eval()
    load_weights(network, backbone.weights, Path("imported"))
    return network


def refusal_of(reference: str | Path) -> str:
    """Return the sentence that a backbone is refused with; it is one line, and a hint comes with it."""
    with pytest.raises(CheckpointError) as refusal:
        open_backbone(reference)
    assert refusal.value.hint
    assert "\n" not in refusal.value.message
    return refusal.value.message


def assert_same_context(backbone: Backbone, peer: Any) -> None:
    """Compare with transformers' base model: each utterance alone, and padded where it looks at no padding."""
    network, (waveforms, num_samples) = build(backbone), make_batch()
    with torch.no_grad():
        ours = network(waveforms, num_samples)
        for index, length in enumerate(num_samples.tolist()):
            alone = peer(waveforms[index : index + 1, :length]).last_hidden_state[0]
            assert_close(ours.context[index, : len(alone)], alone, **TOLERANCE)
        if backbone.config.feature_norm == "layer" and backbone.config.positional_layers == 1:
            mask = (torch.arange(waveforms.shape[1]) < num_samples[:, None]).long()
            padded = peer(waveforms, attention_mask=mask).last_hidden_state
            for index, frames in enumerate(ours.num_frames.tolist()):
                assert_close(ours.context[index, :frames], padded[index, :frames], **TOLERANCE)


def context_of(peer: Any, waveforms: Tensor) -> Tensor:
    """The context as transformers' base models give it."""
    context: Tensor = peer(waveforms).last_hidden_state
    return context


def assert_as_near_in_bfloat16(
    backbone: Backbone, peer: Any, context_of: Callable[[Any, Tensor], Tensor] = context_of
) -> None:
    """In bf16 we are no farther from float32 than the peer is."""
    network, waveforms = build(backbone), torch.randn(1, 30_000, generator=torch.Generator().manual_seed(2)) * 0.3
    with torch.no_grad():
        exact = context_of(peer, waveforms)
        with torch.autocast("cpu", torch.bfloat16):
            ours = network(waveforms, torch.tensor([30_000])).context
            theirs = context_of(peer, waveforms).float()
    assert float((ours - exact).norm()) < 1.2 * float((theirs - exact).norm())
