"""With the same weights, every part and the whole give what torchaudio's and transformers' wav2vec 2.0 give."""

import warnings
from typing import Any

import pytest
import torch
from peers import as_torchaudio, as_transformers, randomize, tiny_config
from torch import Tensor
from torch.testing import assert_close

from lowres.backbones.transformers_layout import recognizer_names, under_transformers_names
from lowres.model.ctc import CTCRecognizer

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    pytest.importorskip("transformers")
    pytest.importorskip("torchaudio")

BASE: dict[str, Any] = {"feature_norm": "group", "conv_bias": False, "transformer_norm": "post"}
LARGE: dict[str, Any] = {"feature_norm": "layer", "conv_bias": True, "transformer_norm": "pre"}
XS: dict[str, Any] = {"feature_norm": "group", "conv_bias": False, "transformer_norm": "pre"}
VARIANTS = pytest.mark.parametrize("variant", [BASE, LARGE, XS], ids=["base", "large", "xs"])
TOLERANCE = {"atol": 1e-4, "rtol": 1e-4}


def build(variant: dict[str, Any], **changes: Any) -> CTCRecognizer:
    recognizer = CTCRecognizer(tiny_config(**(variant | changes)), vocabulary_size=9).eval()
    randomize(recognizer)
    return recognizer


def waveforms_of(num_utterances: int, num_samples: int) -> Tensor:
    return torch.randn(num_utterances, num_samples, generator=torch.Generator().manual_seed(1)) * 0.3 + 0.05


def lengths_of(waveforms: Tensor) -> Tensor:
    return torch.full((len(waveforms),), waveforms.shape[1])


@VARIANTS
@pytest.mark.parametrize("num_samples", [400, 719, 720, 16_000, 70_001])
def test_logits_equal_both_peers(variant: dict[str, Any], num_samples: int) -> None:
    recognizer, waveforms = build(variant), waveforms_of(2, num_samples)
    with torch.no_grad():
        logits = recognizer(waveforms, lengths_of(waveforms)).logits
        assert_close(logits, as_transformers(recognizer)(waveforms).logits, **TOLERANCE)
        assert_close(logits, as_torchaudio(recognizer)(waveforms)[0], **TOLERANCE)


@VARIANTS
def test_an_odd_positional_kernel_equals_both_peers(variant: dict[str, Any]) -> None:
    recognizer, waveforms = build(variant, positional_kernel=7), waveforms_of(1, 9_000)
    with torch.no_grad():
        logits = recognizer(waveforms, lengths_of(waveforms)).logits
        assert_close(logits, as_transformers(recognizer)(waveforms).logits, **TOLERANCE)
        assert_close(logits, as_torchaudio(recognizer)(waveforms)[0], **TOLERANCE)


@VARIANTS
def test_the_feature_encoder_equals_transformers(variant: dict[str, Any]) -> None:
    recognizer, waveforms = build(variant), waveforms_of(1, 80_000)
    encoder = recognizer.backbone.feature_encoder
    with torch.no_grad():
        latents = encoder(waveforms, [80_000], [249], torch.float32)
        theirs = as_transformers(recognizer).wav2vec2.feature_extractor(waveforms)[0].t()
    assert_close(latents, theirs, **TOLERANCE)


@VARIANTS
def test_normalised_latents_and_their_projection_equal_transformers(variant: dict[str, Any]) -> None:
    recognizer, waveforms = build(variant), waveforms_of(1, 8_000)
    backbone, peer = recognizer.backbone, as_transformers(recognizer).wav2vec2
    with torch.no_grad():
        projected, normalised = peer.feature_projection(peer.feature_extractor(waveforms).transpose(1, 2))
        latents = backbone(waveforms, lengths_of(waveforms)).latents
        assert_close(latents, normalised, **TOLERANCE)
        assert_close(backbone.projection(latents), projected, **TOLERANCE)


@VARIANTS
def test_the_positional_embedding_equals_transformers(variant: dict[str, Any]) -> None:
    recognizer = build(variant)
    rows = torch.randn(21, 32)
    with torch.no_grad():
        embedded = recognizer.backbone.context_network.positional_embedding(rows, [21])
        theirs = as_transformers(recognizer).wav2vec2.encoder.pos_conv_embed(rows[None])[0]
    assert_close(embedded, theirs, **TOLERANCE)


@VARIANTS
def test_a_transformer_block_equals_transformers(variant: dict[str, Any]) -> None:
    recognizer = build(variant)
    rows = torch.randn(21, 32)
    with torch.no_grad():
        ours = recognizer.backbone.context_network.blocks[1](rows, [21])
        theirs = as_transformers(recognizer).wav2vec2.encoder.layers[1](rows[None])
    assert_close(ours, (theirs[0] if isinstance(theirs, tuple) else theirs).view(21, 32), **TOLERANCE)


@VARIANTS
def test_the_context_network_equals_torchaudio(variant: dict[str, Any]) -> None:
    recognizer = build(variant)
    rows = torch.randn(21, 32)
    with torch.no_grad():
        ours = recognizer.backbone.context_network(rows, [21])
        theirs = as_torchaudio(recognizer).encoder.transformer(rows[None])[0]
    assert_close(ours, theirs, **TOLERANCE)


def test_a_padded_batch_equals_both_peers_given_the_lengths() -> None:
    # Only where every norm is over channels: the peers' group norm looks at padding.
    recognizer, waveforms = build(LARGE), waveforms_of(3, 20_000)
    num_samples = torch.tensor([20_000, 9_000, 401])
    for waveform, length in zip(waveforms, num_samples.tolist(), strict=True):
        waveform[length:] = 0
    attention_mask = (torch.arange(20_000) < num_samples[:, None]).long()
    with torch.no_grad():
        output = recognizer(waveforms, num_samples)
        theirs = as_transformers(recognizer)(waveforms, attention_mask=attention_mask).logits
        torchaudios, num_frames = as_torchaudio(recognizer)(waveforms, num_samples)
    assert output.num_frames.tolist() == num_frames.tolist() == [62, 27, 1]
    for index, length in enumerate(output.num_frames.tolist()):
        assert_close(output.logits[index, :length], theirs[index, :length], **TOLERANCE)
        assert_close(output.logits[index, :length], torchaudios[index, :length], **TOLERANCE)


def test_group_norm_in_a_padded_batch_equals_the_peers_on_each_utterance_alone() -> None:
    recognizer, waveforms = build(BASE), waveforms_of(2, 20_000)
    with torch.no_grad():
        output = recognizer(waveforms, torch.tensor([20_000, 9_000]))
        theirs = as_transformers(recognizer)(waveforms[1:, :9_000]).logits[0]
    assert_close(output.logits[1, : output.num_frames[1]], theirs, **TOLERANCE)


def test_normalised_waveforms_equal_transformers_feature_extractor() -> None:
    from transformers import Wav2Vec2FeatureExtractor

    recognizer, waveforms = build(LARGE, normalize_waveforms=True), waveforms_of(1, 8_000) * 7 + 3
    extract = Wav2Vec2FeatureExtractor(do_normalize=True)
    normalised = torch.tensor(extract(waveforms[0].numpy(), sampling_rate=16_000)["input_values"][0])
    with torch.no_grad():
        logits = recognizer(waveforms, lengths_of(waveforms)).logits
        assert_close(logits, as_transformers(recognizer)(normalised[None]).logits, **TOLERANCE)


@VARIANTS
@pytest.mark.parametrize("num_samples", [4_000, 70_001])
def test_gradients_equal_transformers(variant: dict[str, Any], num_samples: int) -> None:
    recognizer, waveforms = build(variant), waveforms_of(2, num_samples)
    peer = as_transformers(recognizer)
    weights = torch.randn(peer(waveforms).logits.shape) / num_samples
    (recognizer(waveforms, lengths_of(waveforms)).logits * weights).sum().backward()
    (peer(waveforms).logits * weights).sum().backward()
    gradients = {name: tensor.grad for name, tensor in recognizer.named_parameters() if tensor.grad is not None}
    ours = under_transformers_names(gradients, recognizer_names(recognizer.backbone.config))
    for name, parameter in peer.named_parameters():
        if parameter.grad is not None:
            scale = float(parameter.grad.abs().max()) + 1e-6
            assert_close(ours[name] / scale, parameter.grad / scale, atol=1e-3, rtol=1e-3, msg=lambda m, n=name: n + m)


@VARIANTS
def test_bfloat16_is_as_near_to_float32_as_transformers_is(variant: dict[str, Any]) -> None:
    recognizer, waveforms = build(variant), waveforms_of(1, 40_000)
    peer = as_transformers(recognizer)
    with torch.no_grad():
        exact = peer(waveforms).logits
        with torch.autocast("cpu", torch.bfloat16):
            ours = recognizer(waveforms, lengths_of(waveforms)).logits
            theirs = peer(waveforms).logits.float()
    assert float((ours - exact).norm()) < 1.2 * float((theirs - exact).norm())
