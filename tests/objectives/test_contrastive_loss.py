import math
from collections.abc import Sequence

import pytest
import torch
from torch import Tensor
from torch.nn import functional
from torch.testing import assert_close

from lowres.objectives.contrastive import ContrastiveLoss, contrastive_loss
from lowres.objectives.distractors import sample_distractors

NUM_MASKED = [7, 4, 12]


def literal_loss(
    predictions: Tensor,
    targets: Tensor,
    codes: Tensor,
    num_masked: Sequence[int],
    distractors: Sequence[Tensor],
    temperature: float,
) -> Tensor:
    """Equation 3 as it is written: K vectors gathered for each frame, and the cosine similarity with each."""
    total, start = torch.zeros(()), 0
    for length, places in zip(num_masked, distractors, strict=True):
        for frame in range(length):
            gathered = targets[start + places[frame]]
            counts = (codes[start + places[frame]] != codes[start + frame]).any(-1)
            candidates = torch.cat([targets[start + frame][None], gathered[counts]])
            similarities = torch.cosine_similarity(predictions[start + frame][None], candidates)
            total = total - functional.log_softmax(similarities / temperature, dim=0)[0]
        start += length
    return total


def vectors(num_frames: int = sum(NUM_MASKED)) -> tuple[Tensor, Tensor, Tensor]:
    """Predictions, targets that are the same where the codes are, and codes."""
    generator = torch.Generator().manual_seed(0)
    codes = torch.randint(3, (num_frames, 2), generator=generator)
    entries = torch.randn(3, 3, 8, generator=generator)
    predictions = torch.randn(num_frames, 8, generator=generator)
    return predictions, entries[codes[:, 0], codes[:, 1]], codes


def distractors_of(num_masked: Sequence[int], num_distractors: int = 10) -> list[Tensor]:
    generator = torch.Generator().manual_seed(1)
    return [sample_distractors(length, num_distractors, generator) for length in num_masked]


def on_the_plane(angles: list[float]) -> Tensor:
    """Vectors of different lengths at these angles in degrees."""
    radians = torch.deg2rad(torch.tensor(angles))
    return torch.stack([radians.cos(), radians.sin()], 1) * torch.arange(1, len(angles) + 1)[:, None]


def of_three_frames(predictions: list[float], targets: list[float], codes: list[int]) -> ContrastiveLoss:
    """Frames 0, 1, 2 with both others as distractors, at a temperature of 0.5."""
    places = torch.tensor([[1, 2], [0, 2], [0, 1]])
    parts = (on_the_plane(predictions), on_the_plane(targets), torch.tensor(codes)[:, None])
    return contrastive_loss(*parts, [3], [places], temperature=0.5)


def test_the_loss_is_what_equation_3_says() -> None:
    result = of_three_frames([0, 0, 0], [0, 60, 90], [0, 1, 2])
    # Similarities of every prediction with the targets: 1, 1/2, 0; over the temperature 2, 1, 0.
    log_sum = math.log(math.exp(2) + math.exp(1) + 1)
    assert float(result.loss) == pytest.approx((log_sum - 2) + (log_sum - 1) + (log_sum - 0), rel=1e-5)
    assert int(result.num_correct) == 1
    assert result.num_frames == 3


def test_a_distractor_with_the_targets_codes_does_not_count() -> None:
    result = of_three_frames([0, 0, 0], [0, 60, 60], [0, 1, 1])
    first = math.log(math.exp(2) + 2 * math.exp(1)) - 2
    others = math.log(math.exp(1) + math.exp(2)) - 1
    assert float(result.loss) == pytest.approx(first + 2 * others, rel=1e-5)


def test_a_tie_is_not_correct() -> None:
    # The same vector under different codes.
    assert int(of_three_frames([0, 0, 0], [0, 0, 90], [0, 1, 2]).num_correct) == 0


def test_collapsed_codes_cost_nothing_and_are_not_correct() -> None:
    result = of_three_frames([0, 10, 20], [60, 60, 60], [4, 4, 4])
    assert float(result.loss) == 0
    assert int(result.num_correct) == 0


@pytest.mark.parametrize("temperature", [0.1, 1.0])
def test_the_similarity_matrix_gives_the_value_and_the_gradients_of_gathered_vectors(temperature: float) -> None:
    distractors = distractors_of(NUM_MASKED)
    results = []
    for function in (lambda *parts: contrastive_loss(*parts, temperature=temperature).loss, None):
        predictions, targets, codes = vectors()
        predictions.requires_grad_()
        targets.requires_grad_()
        parts = (predictions, targets, codes, NUM_MASKED, distractors)
        loss = literal_loss(*parts, temperature) if function is None else function(*parts)
        loss.backward()
        results.append((loss.detach(), predictions.grad, targets.grad))
    for fast, literal in zip(*results, strict=True):
        assert_close(fast, literal, atol=1e-4, rtol=1e-4)


def test_a_batch_costs_the_sum_of_its_utterances() -> None:
    parts, distractors = vectors(), distractors_of(NUM_MASKED)
    together = contrastive_loss(*parts, NUM_MASKED, distractors)
    pieces = zip(*(part.split(NUM_MASKED) for part in parts), NUM_MASKED, distractors, strict=True)
    alone = [contrastive_loss(*three, [length], [places]) for *three, length, places in pieces]
    assert_close(together.loss, torch.stack([one.loss for one in alone]).sum())
    assert int(together.num_correct) == sum(int(one.num_correct) for one in alone)


def test_no_other_utterance_takes_part() -> None:
    predictions, targets, codes = vectors()
    targets.requires_grad_()
    distractors = distractors_of(NUM_MASKED)
    losses = contrastive_loss(predictions, targets, codes, NUM_MASKED, distractors)
    (whole,) = torch.autograd.grad(losses.loss, targets)
    changed = predictions.clone()
    changed[:7] = torch.randn(7, 8)
    changed[11:] = torch.randn(12, 8)
    losses = contrastive_loss(changed, targets, codes, NUM_MASKED, distractors)
    (other,) = torch.autograd.grad(losses.loss, targets)
    assert_close(whole[7:11], other[7:11])
    assert not torch.equal(whole[:7], other[:7])


def test_utterances_with_fewer_than_two_masked_frames_are_left_out_and_counted() -> None:
    predictions, targets, codes = vectors(6)
    distractors = distractors_of([1, 0, 5])
    result = contrastive_loss(predictions, targets, codes, [1, 0, 5], distractors)
    alone = contrastive_loss(predictions[1:], targets[1:], codes[1:], [5], distractors[2:])
    assert_close(result.loss, alone.loss)
    assert (result.num_frames, result.num_left_out) == (5, 2)


def test_a_batch_of_which_nothing_counts_costs_nothing_and_keeps_its_graph() -> None:
    predictions, targets, codes = vectors(1)
    predictions.requires_grad_()
    result = contrastive_loss(predictions, targets, codes, [1, 0], distractors_of([1, 0]))
    result.loss.backward()
    assert float(result.loss.detach()) == 0
    assert (result.num_frames, result.num_left_out, int(result.num_correct)) == (0, 2, 0)
    assert predictions.grad is not None
    assert not predictions.grad.any()


def test_bfloat16_vectors_are_compared_in_float32() -> None:
    predictions, targets, codes = vectors()
    parts = (predictions.bfloat16(), targets.bfloat16())
    distractors = distractors_of(NUM_MASKED)
    with torch.autocast("cpu", torch.bfloat16):
        ours = contrastive_loss(*parts, codes, NUM_MASKED, distractors).loss
    exact = contrastive_loss(parts[0].float(), parts[1].float(), codes, NUM_MASKED, distractors).loss
    assert ours.dtype == torch.float32
    assert_close(ours, exact, atol=0, rtol=0)
