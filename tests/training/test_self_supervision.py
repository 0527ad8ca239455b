"""What one micro batch of pretraining costs does not depend on padding, on company, or on the number of processes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.testing import assert_close

from lowres.model.config import QuantizerConfig, Wav2Vec2Config
from lowres.model.masking import draw_masks
from lowres.model.pretraining import PretrainingNetwork
from lowres.model.quantizer import sample_gumbel_noise
from lowres.objectives.contrastive import contrastive_loss
from lowres.objectives.distractors import sample_distractors
from lowres.training.precision import Compute
from lowres.training.self_supervision import (
    LossWeights,
    PretrainingLoss,
    keep_own,
    mean_similarity,
    pretraining_loss_function,
)

NUM_SAMPLES = [20_000, 9_000, 13_001, 720, 401, 100]  # 62, 27, 40, 2, 1 and 0 frames
QUANTIZER = QuantizerConfig(num_entries=10, code_width=8, projection_width=12, latent_dropout=0.0)
CONFIG = Wav2Vec2Config(
    conv_layers=((16, 10, 5), *((16, 3, 2),) * 4, *((16, 2, 2),) * 2),
    width=32,
    num_layers=2,
    num_heads=4,
    feed_forward_width=48,
    positional_kernel=16,
    positional_groups=4,
    activation_dropout=0.0,
    layer_drop=0.0,
    channel_span_start_probability=0.0,
)
CPU = Compute("cpu", "fp32")
WEIGHTS = LossWeights(num_distractors=15)


@dataclass(frozen=True)
class Speech:
    waveforms: Tensor
    num_samples: Tensor


def build() -> PretrainingNetwork:
    torch.manual_seed(0)
    return PretrainingNetwork(CONFIG, QUANTIZER)


def speech_of(utterances: Sequence[int], padding_seed: int = 0) -> Speech:
    """Utterances, always the same, in loud noise."""
    lengths = [NUM_SAMPLES[index] for index in utterances]
    waveforms = torch.randn(len(lengths), max(lengths), generator=torch.Generator().manual_seed(padding_seed)) * 100
    for row, index, length in zip(waveforms, utterances, lengths, strict=True):
        row[:length] = torch.randn(length, generator=torch.Generator().manual_seed(index)) * 0.1
    return Speech(waveforms, torch.tensor(lengths))


def generators_of(utterances: Sequence[int]) -> list[torch.Generator]:
    return [torch.Generator().manual_seed(100 + index) for index in utterances]


def loss_of(
    network: PretrainingNetwork,
    utterances: Sequence[int],
    *,
    padding_seed: int = 0,
    temperature: float | None = 1.5,
    weights: LossWeights = WEIGHTS,
    share: Any = keep_own,
) -> PretrainingLoss:
    function = pretraining_loss_function(network, CONFIG, QUANTIZER, CPU, weights, share_probabilities=share)
    return function(speech_of(utterances, padding_seed), generators_of(utterances), temperature)


def gradients_of(network: PretrainingNetwork, total: Tensor) -> dict[str, Tensor]:
    names = [name for name, _ in network.named_parameters()]
    return dict(zip(names, torch.autograd.grad(total, list(network.parameters())), strict=True))


def assert_same_gradients(ours: dict[str, Tensor], theirs: dict[str, Tensor]) -> None:
    largest = max(float(gradient.abs().max()) for gradient in theirs.values())
    for name, gradient in theirs.items():
        # The keys' bias has no gradient but rounding.
        scale = max(float(gradient.abs().max()), 1e-4 * largest)
        assert_close(ours[name] / scale, gradient / scale, atol=1e-4, rtol=1e-3, msg=lambda m, n=name: n + m)


def test_noise_in_the_padding_changes_no_loss() -> None:
    first, second = (loss_of(build(), [0, 1, 2], padding_seed=seed) for seed in (1, 2))
    assert torch.equal(first.total, second.total)
    assert torch.equal(first.contrastive, second.contrastive)
    assert torch.equal(first.diversity, second.diversity)
    assert torch.equal(first.latent_penalty, second.latent_penalty)


def test_a_batch_costs_what_its_utterances_cost_alone() -> None:
    network = build()
    together, alone = loss_of(network, [0, 1, 2]), [loss_of(network, [index]) for index in (0, 1, 2)]
    assert together.num_frames == sum(one.num_frames for one in alone)
    assert_close(together.contrastive, torch.stack([one.contrastive for one in alone]).sum())
    assert_close(together.num_correct, torch.stack([one.num_correct for one in alone]).sum())
    assert_close(together.probability_sums, torch.stack([one.probability_sums for one in alone]).sum(0))
    assert_close(together.code_counts, torch.stack([one.code_counts for one in alone]).sum(0))
    penalties = torch.stack([one.num_frames * one.latent_penalty for one in alone]).sum()
    assert_close(together.num_frames * together.latent_penalty, penalties)


def test_the_total_is_the_weighted_sum_of_its_parts() -> None:
    weights = LossWeights(diversity=0.3, latent_penalty=2.0, num_distractors=15)
    loss = loss_of(build(), [0, 1], weights=weights)
    parts = loss.contrastive + loss.num_frames * (0.3 * loss.diversity + 2.0 * loss.latent_penalty)
    assert_close(loss.total.detach(), parts)


def test_each_utterance_draws_its_masks_then_its_distractors_then_its_noise() -> None:
    network, frames = build(), [62, 27]
    generators = generators_of([0, 1])
    masks = draw_masks(frames, CONFIG, generators)
    num_masked = masks.time.sum(1).tolist()
    distractors = [sample_distractors(length, 15, own) for length, own in zip(num_masked, generators, strict=True)]
    noise = [sample_gumbel_noise((length, 2, 10), own) for length, own in zip(num_masked, generators, strict=True)]
    speech = speech_of([0, 1])
    output = network(
        speech.waveforms,
        speech.num_samples,
        masks=masks,
        gumbel_temperature=1.5,
        gumbel_noise=torch.cat(noise),
    )
    by_hand = contrastive_loss(output.predictions, output.targets, output.codes, num_masked, distractors)
    assert torch.equal(loss_of(network, [0, 1]).contrastive, by_hand.loss)


def test_utterances_with_fewer_than_two_masked_frames_are_left_out_and_counted() -> None:
    network = build()
    alone, in_company = loss_of(network, [0]), loss_of(network, [3, 0, 4, 5])
    assert (alone.num_left_out, in_company.num_left_out) == (0, 3)
    assert alone.num_frames == in_company.num_frames == int(in_company.code_counts[0].sum())
    assert_close(alone.total, in_company.total)


def test_a_batch_of_which_nothing_counts_has_zero_gradients() -> None:
    network = build()
    loss = loss_of(network, [3, 4])
    assert (float(loss.total.detach()), loss.num_frames, loss.num_left_out) == (0, 0, 2)
    assert not any(gradient.any() for gradient in gradients_of(network, loss.total).values())


def test_two_processes_with_half_a_batch_each_have_the_loss_and_the_gradient_of_the_whole() -> None:
    network = build()
    whole = loss_of(network, [0, 1, 2])
    halves = [[0], [1, 2]]
    own = [loss_of(network, half) for half in halves]
    sums = torch.stack([half.probability_sums for half in own]).sum(0)
    count = sum(half.num_frames for half in own)
    shared = [loss_of(network, half, share=lambda own_sums, own_count: (sums, count)) for half in halves]
    assert_close(shared[0].total + shared[1].total, whole.total)
    assert_close(shared[0].diversity, whole.diversity)
    first, second = (gradients_of(network, half.total) for half in shared)
    summed = {name: gradient + second[name] for name, gradient in first.items()}
    assert_same_gradients(summed, gradients_of(network, whole.total))


def test_what_is_shared_is_this_processs_sums_without_a_graph_and_its_count() -> None:
    seen: list[tuple[Tensor, int]] = []

    def share(sums: Tensor, count: int) -> tuple[Tensor, int]:
        seen.append((sums, count))
        return sums, count

    loss = loss_of(build(), [0, 1], share=share)
    ((sums, count),) = seen
    assert not sums.requires_grad
    assert count == loss.num_frames
    assert torch.equal(sums, loss.probability_sums)
    assert_close(sums.sum(-1), torch.full((2,), float(count)))


def test_evaluation_draws_no_noise_and_takes_the_entries_of_the_highest_logits() -> None:
    network, generator = build().eval(), torch.Generator().manual_seed(100)
    function = pretraining_loss_function(network, CONFIG, QUANTIZER, CPU, WEIGHTS)
    with torch.no_grad():
        loss = function(speech_of([0]), [generator], None)
    again = torch.Generator().manual_seed(100)
    num_masked = int(draw_masks([62], CONFIG, [again]).time.sum())
    sample_distractors(num_masked, 15, again)
    assert torch.equal(generator.get_state(), again.get_state())
    assert int(loss.code_counts.sum()) == 2 * num_masked
    assert torch.equal(loss.total, loss_of(network, [0], temperature=None).total.detach())


def test_everything_but_the_total_is_without_a_graph() -> None:
    loss = loss_of(build(), [0])
    tensors = {name: value for name, value in vars(loss).items() if isinstance(value, Tensor)}
    assert [name for name, tensor in tensors.items() if tensor.requires_grad] == ["total"]


def test_in_bfloat16_the_losses_are_float32_and_nearly_the_same() -> None:
    network = build()
    costs = []
    for compute in (CPU, Compute("cpu", "bf16")):
        function = pretraining_loss_function(network, CONFIG, QUANTIZER, compute, WEIGHTS)
        costs.append(function(speech_of([0, 1]), generators_of([0, 1]), None))
    for name, tolerance in {"diversity": 0.02, "latent_penalty": 0.02, "contrastive": 0.15, "total": 0.15}.items():
        # A code near a tie becomes another one.
        exact, rounded = (getattr(cost, name).detach() for cost in costs)
        assert_close(rounded, exact, atol=0, rtol=tolerance)


def test_about_half_of_the_frames_are_masked() -> None:
    function = pretraining_loss_function(build().eval(), CONFIG, QUANTIZER, CPU, WEIGHTS)
    generators = [torch.Generator().manual_seed(seed) for seed in range(30)]
    speech = Speech(torch.randn(30, 32_000) * 0.1, torch.full((30,), 32_000))
    with torch.no_grad():
        share = function(speech, generators, None).num_frames / (30 * 99)
    # 0.49 for long utterances (paper, appendix A.2), a little less for two seconds.
    assert 0.42 < share < 0.51


def test_the_mean_similarity_is_that_of_all_pairs_of_an_utterance() -> None:
    vectors = torch.randn(9, 5, generator=torch.Generator().manual_seed(0))
    expected, count = 0.0, 0
    for utterance in (vectors[:4], vectors[4:5], vectors[5:]):
        pairs = [
            float(torch.cosine_similarity(one, other, dim=0))
            for place, one in enumerate(utterance)
            for other in utterance[place + 1 :]
        ]
        if pairs:
            expected += len(utterance) * sum(pairs) / len(pairs)
            count += len(utterance)
    assert float(mean_similarity(vectors, [4, 1, 4])) == pytest.approx(expected / count, rel=1e-4)


def test_equal_vectors_have_similarity_one_and_no_pair_has_none() -> None:
    assert float(mean_similarity(torch.ones(4, 3), [4])) == pytest.approx(1)
    assert float(mean_similarity(torch.ones(2, 3), [1, 1])) == 0
