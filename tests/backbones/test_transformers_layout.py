"""The table of names covers both sides' tensors exactly and gives every tensor back."""

import warnings
from typing import Any

import pytest
import torch
from peers import as_transformers, as_transformers_for_pretraining, randomize, tiny_config

from lowres.backbones.transformers_layout import (
    pretraining_names,
    recognizer_names,
    under_our_names,
    under_transformers_names,
)
from lowres.model.config import QuantizerConfig
from lowres.model.ctc import CTCRecognizer
from lowres.model.pretraining import PretrainingNetwork

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    pytest.importorskip("transformers")

LARGE: dict[str, Any] = {"feature_norm": "layer", "conv_bias": True, "transformer_norm": "pre"}
ADAPTED = LARGE | {"adapter_width": 4}
DATA2VEC: dict[str, Any] = {"feature_norm": "layer", "positional_layers": 3, "positional_kernel": 5}


@pytest.mark.parametrize("variant", [{}, LARGE, ADAPTED, DATA2VEC], ids=["base", "large", "adapted", "data2vec"])
def test_a_recognizers_tensors_go_there_and_come_back(variant: dict[str, Any]) -> None:
    recognizer = CTCRecognizer(tiny_config(**variant), vocabulary_size=5)
    names, tensors = recognizer_names(recognizer.backbone.config), recognizer.state_dict()
    assert set(names) == set(tensors)
    theirs = as_transformers(recognizer).state_dict()
    back = under_our_names(theirs, names)
    assert all(torch.equal(back[name], tensor) for name, tensor in tensors.items())


def test_what_pretraining_adds_goes_there_and_comes_back() -> None:
    quantizer = QuantizerConfig(num_codebooks=3, num_entries=4, code_width=6, projection_width=5)
    network = PretrainingNetwork(tiny_config(), quantizer)
    names, tensors = pretraining_names(network.backbone.config), network.state_dict()
    assert set(names) == set(tensors)
    back = under_our_names(as_transformers_for_pretraining(network).state_dict(), names, num_codebooks=3)
    assert all(torch.equal(back[name], tensor) for name, tensor in tensors.items())


def test_adapters_give_transformers_logits() -> None:
    recognizer = CTCRecognizer(tiny_config(**ADAPTED), vocabulary_size=5).eval()
    randomize(recognizer)
    waveforms = torch.randn(2, 8_000, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        ours = recognizer(waveforms, torch.tensor([8_000, 8_000])).logits
        theirs = as_transformers(recognizer)(waveforms).logits
    torch.testing.assert_close(ours, theirs, atol=1e-4, rtol=1e-4)


def test_a_missing_tensor_is_named() -> None:
    recognizer = CTCRecognizer(tiny_config(), vocabulary_size=5)
    names = recognizer_names(recognizer.backbone.config)
    theirs = under_transformers_names(recognizer.state_dict(), names)
    del theirs["wav2vec2.encoder.layers.1.attention.k_proj.weight"]
    with pytest.raises(KeyError, match=r"layers\.1\.attention\.k_proj\.weight"):
        under_our_names(theirs, names)
