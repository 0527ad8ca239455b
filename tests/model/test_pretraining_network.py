from typing import Any

import pytest
import torch
from peers import randomize, tiny_config
from torch import Tensor
from torch.testing import assert_close

from lowres.model.config import QuantizerConfig
from lowres.model.masking import Masks, draw_masks
from lowres.model.pretraining import PretrainingNetwork, PretrainingOutput
from lowres.model.quantizer import sample_gumbel_noise

QUANTIZER = QuantizerConfig(num_entries=10, code_width=8, projection_width=12, latent_dropout=0.0)
NUM_SAMPLES = [20_000, 9_000, 13_001]
NUM_FRAMES = [62, 27, 40]


def build(feature_gradient_scale: float = 1.0, **changes: Any) -> PretrainingNetwork:
    torch.manual_seed(0)
    network = PretrainingNetwork(tiny_config(**changes), QUANTIZER, feature_gradient_scale=feature_gradient_scale)
    randomize(network)
    return network


def masks_of(network: PretrainingNetwork, utterances: list[int]) -> Masks:
    generators = [torch.Generator().manual_seed(index) for index in utterances]
    return draw_masks([NUM_FRAMES[index] for index in utterances], network.backbone.config, generators)


def noisy_batch(utterances: list[int], padding_seed: int = 0) -> Tensor:
    longest = max(NUM_SAMPLES[index] for index in utterances)
    waveforms = torch.randn(len(utterances), longest, generator=torch.Generator().manual_seed(padding_seed)) * 100
    for row, index in zip(waveforms, utterances, strict=True):
        length = NUM_SAMPLES[index]
        row[:length] = torch.randn(length, generator=torch.Generator().manual_seed(index)) * 0.1
    return waveforms


def predict(network: PretrainingNetwork, utterances: list[int], padding_seed: int = 0) -> PretrainingOutput:
    masks = masks_of(network, utterances)
    noise = [
        sample_gumbel_noise((int(row.sum()), 2, 10), torch.Generator().manual_seed(index))
        for row, index in zip(masks.time, utterances, strict=True)
    ]
    output: PretrainingOutput = network(
        noisy_batch(utterances, padding_seed),
        torch.tensor([NUM_SAMPLES[index] for index in utterances]),
        masks=masks,
        gumbel_temperature=1.5,
        gumbel_noise=torch.cat(noise),
    )
    return output


def test_only_masked_frames_come_out() -> None:
    network = build()
    output, masks = predict(network, [0, 1, 2]), masks_of(network, [0, 1, 2])
    num_masked = masks.time.sum(1).tolist()
    assert output.num_masked == tuple(num_masked)
    assert output.num_frames == (62, 27, 40)
    assert output.predictions.shape == output.targets.shape == (sum(num_masked), 12)
    assert output.codes.shape == (sum(num_masked), 2)
    assert output.probabilities.shape == (sum(num_masked), 2, 10)
    assert output.unnormalized_latents.shape == (62 + 27 + 40, 16)


def test_predictions_and_targets_are_those_of_the_masked_frames() -> None:
    network = build()
    masks = masks_of(network, [0])
    network.eval()
    with torch.no_grad():
        output = network(noisy_batch([0]), torch.tensor([20_000]), masks=masks)
        rows = network.backbone.forward_rows(noisy_batch([0]), torch.tensor([20_000]), masks=masks)
    masked = masks.time[0]
    assert_close(output.predictions, network.context_projection(rows.context[masked]))
    assert_close(output.targets, network.target_projection(network.quantizer(rows.latents[masked]).vectors))


def test_targets_do_not_depend_on_what_is_masked() -> None:
    network = build().eval()
    everything, half = torch.ones(1, 62, dtype=torch.bool), torch.arange(62)[None] < 31
    with torch.no_grad():
        whole, part = (
            network(noisy_batch([0]), torch.tensor([20_000]), masks=Masks(mask, None)) for mask in (everything, half)
        )
    assert_close(whole.targets[:31], part.targets)
    assert float((whole.predictions[:31] - part.predictions).abs().max()) > 1e-3


def test_what_is_in_the_padding_changes_nothing() -> None:
    first, second = (predict(build(), [0, 1, 2], padding_seed) for padding_seed in (1, 2))
    assert torch.equal(first.predictions, second.predictions)
    assert torch.equal(first.targets, second.targets)
    assert torch.equal(first.unnormalized_latents, second.unnormalized_latents)


@pytest.mark.parametrize("feature_norm", ["group", "layer"])
def test_a_batch_equals_its_utterances_alone(feature_norm: str) -> None:
    network = build(feature_norm=feature_norm, channel_span_start_probability=0.1, channel_span_length=4)
    together, alone = predict(network, [0, 1, 2]), [predict(network, [index]) for index in (0, 1, 2)]
    for name in ("predictions", "targets", "codes", "probabilities", "unnormalized_latents"):
        parts = torch.cat([getattr(output, name) for output in alone])
        assert_close(getattr(together, name), parts, atol=1e-5, rtol=1e-5)


def test_gradient_scaling_scales_the_feature_encoders_gradients_and_no_others() -> None:
    gradients = []
    for scale in (1.0, 0.25):
        network = build(scale)
        output = predict(network, [0, 1])
        loss = (output.predictions * output.targets).sum() + output.unnormalized_latents.square().sum()
        loss.backward()
        gradients.append({name: tensor.grad for name, tensor in network.named_parameters()})
    plain, scaled = gradients
    for name, gradient in plain.items():
        # A power of two scales without rounding.
        factor = 0.25 if name.startswith("backbone.feature_encoder.") else 1.0
        assert torch.equal(gradient * factor, scaled[name]), name


def test_no_scaling_is_needed_where_the_feature_encoder_is_frozen() -> None:
    network = build(0.1)
    network.backbone.freeze_feature_encoder()
    predict(network, [0]).predictions.sum().backward()
    assert network.backbone.feature_encoder.first.convolution.weight.grad is None


def test_masks_of_another_batch_are_refused() -> None:
    network = build()
    with pytest.raises(ValueError, match="time mask"):
        network(noisy_batch([0]), torch.tensor([20_000]), masks=masks_of(network, [1]))
