"""Properties of the whole network that no peer can vouch for."""

from typing import Any

import pytest
import torch
from peers import randomize, tiny_config
from torch import Tensor
from torch.testing import assert_close

from lowres.model import feature_encoder, packing, wav2vec2
from lowres.model.feature_encoder import PIECE_FRAMES
from lowres.model.packing import pack, unpack
from lowres.model.wav2vec2 import Wav2Vec2

VARIANTS = pytest.mark.parametrize(
    "variant",
    [
        {"feature_norm": "group", "transformer_norm": "post"},
        {"feature_norm": "layer", "transformer_norm": "pre", "conv_bias": True, "normalize_waveforms": True},
        {"front_end": "log_mel", "conv_layers": ((24, 200, 100), (16, 3, 2)), "transformer_norm": "pre"},
    ],
    ids=["base", "large", "log_mel"],
)
NUM_SAMPLES = torch.tensor([40_000, 401, 9_999, 26_123])


def build(**changes: Any) -> Wav2Vec2:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        backbone = Wav2Vec2(tiny_config(**changes))
    randomize(backbone)
    return backbone


def noisy_batch(seed: int = 0) -> Tensor:
    """Waveforms whose padding is loud noise."""
    generator = torch.Generator().manual_seed(0)
    waveforms = torch.randn(len(NUM_SAMPLES), 40_000, generator=generator) * 0.1
    noise = torch.randn(waveforms.shape, generator=torch.Generator().manual_seed(seed)) * 100
    return torch.where(torch.arange(40_000) < NUM_SAMPLES[:, None], waveforms, noise)


@VARIANTS
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_a_padded_batch_equals_single_utterances_even_when_padding_is_noise(
    variant: dict[str, Any], dtype: torch.dtype
) -> None:
    backbone, waveforms = build(**variant).eval(), noisy_batch()
    tolerance = 1e-5 if dtype == torch.float32 else 3e-2
    with torch.no_grad(), torch.autocast("cpu", dtype, enabled=dtype != torch.float32):
        batch = backbone(waveforms, NUM_SAMPLES)
        for index, length in enumerate(NUM_SAMPLES.tolist()):
            alone = backbone(waveforms[index : index + 1, :length], NUM_SAMPLES[index : index + 1])
            num_frames = int(alone.num_frames)
            assert batch.num_frames[index] == num_frames
            assert_close(batch.context[index, :num_frames], alone.context[0], atol=tolerance, rtol=tolerance)
            assert_close(batch.latents[index, :num_frames], alone.latents[0], atol=tolerance, rtol=tolerance)


@VARIANTS
def test_what_is_in_the_padding_changes_no_output_and_no_gradient(variant: dict[str, Any]) -> None:
    results = []
    for seed in (1, 2):
        backbone = build(**variant)
        output = backbone(noisy_batch(seed), NUM_SAMPLES)
        output.context.square().sum().backward()
        results.append([output.context, *(tensor.grad for tensor in backbone.parameters() if tensor.grad is not None)])
    for first, second in zip(*results, strict=True):
        assert torch.equal(first, second)


@VARIANTS
def test_not_a_number_in_the_padding_stays_there(variant: dict[str, Any]) -> None:
    waveforms = torch.where(torch.arange(40_000) < NUM_SAMPLES[:, None], noisy_batch(), torch.nan)
    backbone = build(**variant)
    backbone(waveforms, NUM_SAMPLES).context.sum().backward()
    assert all(tensor.grad.isfinite().all() for tensor in backbone.parameters() if tensor.grad is not None)


@VARIANTS
def test_gradients_of_a_batch_are_the_sum_of_its_utterances(variant: dict[str, Any]) -> None:
    backbone, waveforms = build(**variant), noisy_batch()
    backbone(waveforms, NUM_SAMPLES).context.square().sum().backward()
    of_batch = {name: tensor.grad.clone() for name, tensor in backbone.named_parameters() if tensor.grad is not None}
    backbone.zero_grad()
    for index, length in enumerate(NUM_SAMPLES.tolist()):
        output = backbone(waveforms[index : index + 1, :length], NUM_SAMPLES[index : index + 1])
        output.context.square().sum().backward()
    for name, gradient in of_batch.items():
        summed = backbone.get_parameter(name).grad
        assert_close(gradient / gradient.abs().max(), summed / gradient.abs().max(), atol=1e-4, rtol=1e-3)


def test_pieces_of_a_long_utterance_join_without_a_seam(monkeypatch: pytest.MonkeyPatch) -> None:
    backbone = build(feature_norm="group").eval()
    num_samples = torch.tensor([320 * (3 * PIECE_FRAMES + 7)])
    waveforms = torch.randn(1, int(num_samples))
    with torch.no_grad():
        in_pieces = backbone(waveforms, num_samples).latents
        monkeypatch.setattr("lowres.model.feature_encoder.PIECE_FRAMES", 10**6)
        assert_close(in_pieces, backbone(waveforms, num_samples).latents, atol=1e-5, rtol=1e-5)


def test_an_utterance_too_short_for_a_frame_has_none_and_harms_nobody() -> None:
    backbone = build().eval()
    with torch.no_grad():
        output = backbone(noisy_batch()[:2], torch.tensor([40_000, 399]))
    assert output.num_frames.tolist() == [124, 0]
    assert output.padding_mask[1].all()
    assert not output.context[1].any()


def test_a_batch_without_a_single_frame_is_refused() -> None:
    with pytest.raises(ValueError, match="400 samples"):
        build()(torch.zeros(2, 399), torch.tensor([399, 10]))


def test_without_a_generator_nothing_is_masked_even_in_training() -> None:
    assert build().train()(noisy_batch(), NUM_SAMPLES).time_mask is None


def test_masked_frames_reach_the_context_network_as_the_mask_embedding() -> None:
    backbone = build(channel_span_start_probability=0.0)
    seen: list[Tensor] = []
    backbone.context_network.register_forward_pre_hook(lambda module, arguments: seen.append(arguments[0]))
    output = backbone(noisy_batch(), NUM_SAMPLES, mask_generator=torch.Generator().manual_seed(0))
    assert output.time_mask is not None
    masked = pack(output.time_mask, output.num_frames.tolist())
    rows = seen[0][: len(masked)]  # what follows only fills up the batch
    assert_close(rows[masked], backbone.mask_embedding.expand(int(masked.sum()), -1))
    assert not torch.equal(rows[~masked][0], backbone.mask_embedding)


def test_masked_channels_are_zero_in_every_frame_of_an_utterance() -> None:
    backbone = build(channel_span_start_probability=0.1, channel_span_length=4, span_start_probability=0.0)
    seen: list[Tensor] = []
    backbone.context_network.register_forward_pre_hook(lambda module, arguments: seen.append(arguments[0]))
    output = backbone(noisy_batch(), NUM_SAMPLES, mask_generator=torch.Generator().manual_seed(0))
    for utterance in torch.split(seen[0][: output.num_frames.sum()], output.num_frames.tolist()):
        zeros = (utterance == 0).sum(0)
        assert set(zeros.tolist()) == {0, len(utterance)}


def test_latents_are_not_masked() -> None:
    backbone = build().eval()
    with torch.no_grad():
        plain = backbone(noisy_batch(), NUM_SAMPLES)
        masked = backbone(noisy_batch(), NUM_SAMPLES, mask_generator=torch.Generator().manual_seed(0))
    assert torch.equal(plain.latents, masked.latents)
    assert not torch.equal(plain.context, masked.context)


def test_layer_drop_skips_blocks_in_training_only() -> None:
    torch.manual_seed(0)
    backbone = build(num_layers=4, layer_drop=0.9)
    calls: list[int] = []
    for block in backbone.context_network.blocks:
        block.register_forward_hook(lambda *_: calls.append(1))
    backbone.train()(noisy_batch(), NUM_SAMPLES)
    assert len(calls) < 4
    calls.clear()
    backbone.eval()(noisy_batch(), NUM_SAMPLES)
    assert len(calls) == 4


@pytest.mark.parametrize("feature_norm", ["group", "layer"])
def test_what_fills_up_a_batch_changes_no_result_and_no_gradient(
    feature_norm: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    backbone = build(feature_norm=feature_norm).eval()
    results = []
    for is_filled in (True, False):
        if not is_filled:
            for module in (feature_encoder, packing, wav2vec2):
                monkeypatch.setattr(module, "num_missing", lambda length, quantum, device: 0)
        backbone.zero_grad()
        context = backbone(noisy_batch(), NUM_SAMPLES).context
        context.square().sum().backward()
        results.append(
            [context.detach(), *(weight.grad.clone() for weight in backbone.parameters() if weight.grad is not None)]
        )
    for filled, plain in zip(*results, strict=True):
        assert_close(filled, plain, rtol=1e-4, atol=1e-4)


@VARIANTS
@pytest.mark.parametrize("recomputes", [False, True])
def test_the_context_of_chosen_rows_is_theirs_in_the_context_of_all(variant: dict[str, Any], recomputes: bool) -> None:
    backbone, places = build(**variant), torch.tensor([0, 3, 4, 123, 124, 200])
    backbone.context_network.recomputes_activations = recomputes
    results = []
    for chosen in (None, places):
        backbone.zero_grad()
        rows = backbone.forward_rows(noisy_batch(), NUM_SAMPLES, masks=None, places=chosen)
        context = rows.context[places] if chosen is None else rows.context
        context.square().sum().backward()
        gradients = [weight.grad.clone() for weight in backbone.parameters() if weight.grad is not None]
        results.append([context.detach(), rows.latents.detach(), *gradients])
    for ours, expected in zip(*reversed(results), strict=True):
        assert_close(ours, expected, atol=1e-4, rtol=1e-4)


def test_the_context_of_chosen_rows_comes_out_where_every_block_is_skipped() -> None:
    backbone, places = build(num_layers=2, layer_drop=0.999), torch.tensor([5, 1])
    rows = backbone.forward_rows(noisy_batch(), NUM_SAMPLES, masks=None, places=places)
    assert rows.context.shape == (2, 32)


def test_the_context_of_no_row_is_empty() -> None:
    rows = build().forward_rows(noisy_batch(), NUM_SAMPLES, masks=None, places=torch.zeros(0, dtype=torch.int64))
    assert rows.context.shape == (0, 32)


def test_rows_survive_packing() -> None:
    padded = torch.arange(24.0).view(3, 4, 2) + 1
    rows = pack(padded, [4, 1, 2])
    assert rows.shape == (7, 2)
    restored = unpack(rows, [4, 1, 2])
    assert torch.equal(restored[0], padded[0])
    assert torch.equal(restored[2, :2], padded[2, :2])
    assert not restored[1, 1:].any()


def test_initial_weights_are_spread_as_published() -> None:
    torch.manual_seed(0)
    backbone = Wav2Vec2(tiny_config(width=256, num_heads=4, positional_kernel=128, positional_groups=16))
    backbone.requires_grad_(False)
    positional = backbone.context_network.positional_embedding
    assert float(positional.weight_v.std()) == pytest.approx((4 / (128 * 256)) ** 0.5, rel=0.02)
    assert positional.weight_g.shape == (1, 1, 128)
    assert float(backbone.context_network.blocks[0].attention.query_key_value.weight.std()) == pytest.approx(
        0.02, rel=0.02
    )
    convolution = backbone.feature_encoder.others[0].convolution.weight
    assert float(convolution.std()) == pytest.approx((2 / (16 * 3)) ** 0.5, rel=0.1)
    assert 0 <= float(backbone.mask_embedding.min()) <= float(backbone.mask_embedding.max()) <= 1


def test_activations_that_are_computed_again_give_the_same_gradients() -> None:
    torch.manual_seed(0)
    network = Wav2Vec2(tiny_config()).train()
    waveforms, num_samples = torch.randn(2, 4_000), torch.tensor([4_000, 3_000])
    gradients = []
    for recomputes in (False, True):
        network.context_network.recomputes_activations = recomputes
        network.zero_grad()
        network(waveforms, num_samples).context.square().sum().backward()
        gradients.append({name: parameter.grad for name, parameter in network.named_parameters()})
    for name, gradient in gradients[0].items():
        assert (gradient is None) == (gradients[1][name] is None)
        assert gradient is None or torch.equal(gradient, gradients[1][name]), name
