"""The CTC loss against the sum over all alignments, written out."""

import math
from itertools import groupby, product

import pytest
import torch

from lowres.objectives.ctc import ctc_loss


def collapse(path: tuple[int, ...]) -> list[int]:
    return [token for token, _ in groupby(path) if token != 0]


def loss_by_enumeration(log_probs: torch.Tensor, tokens: list[int]) -> float:
    """-log of the summed probability of every path over log_probs (T, V) that collapses to the tokens."""
    num_frames, num_entries = log_probs.shape
    total = 0.0
    for path in product(range(num_entries), repeat=num_frames):
        if collapse(path) == tokens:
            total += math.exp(sum(float(log_probs[frame, token]) for frame, token in enumerate(path)))
    return -math.log(total) if total else math.inf


def random_log_probs(num_utterances: int, num_frames: int, num_entries: int = 3) -> torch.Tensor:
    generator = torch.Generator().manual_seed(num_frames)
    return torch.randn(num_utterances, num_frames, num_entries, generator=generator).log_softmax(-1)


def run(log_probs: torch.Tensor, tokens: list[list[int]], num_frames: list[int] | None = None):  # type: ignore[no-untyped-def]
    longest = max(1, *map(len, tokens))
    token_ids = torch.tensor([row + [2] * (longest - len(row)) for row in tokens])
    lengths = torch.tensor(num_frames or [log_probs.shape[1]] * len(tokens))
    return ctc_loss(log_probs, lengths, token_ids, torch.tensor([len(row) for row in tokens]))


@pytest.mark.parametrize("tokens", [[], [1], [2, 1], [1, 1], [1, 2, 1], [1, 1, 2]])
@pytest.mark.parametrize("num_frames", [4, 5])
def test_it_equals_the_sum_over_all_alignments(tokens: list[int], num_frames: int) -> None:
    log_probs = random_log_probs(1, num_frames)
    assert float(run(log_probs, [tokens]).loss) == pytest.approx(loss_by_enumeration(log_probs[0], tokens), rel=1e-5)


def test_only_true_frames_and_true_tokens_count() -> None:
    log_probs = random_log_probs(2, 6)
    result = run(log_probs, [[1, 2], [1]], num_frames=[6, 3])
    assert float(result.per_utterance[1]) == pytest.approx(loss_by_enumeration(log_probs[1, :3], [1]), rel=1e-5)


def test_the_loss_is_the_mean_over_utterances() -> None:
    log_probs = random_log_probs(3, 5)
    result = run(log_probs, [[1, 2], [1], [2, 2]])
    expected = sum(loss_by_enumeration(log_probs[i], tokens) for i, tokens in enumerate([[1, 2], [1], [2, 2]])) / 3
    assert float(result.loss) == pytest.approx(expected, rel=1e-5)
    assert result.num_infinite == 0


def test_tokens_that_fit_into_no_alignment_are_counted_and_give_neither_loss_nor_gradient() -> None:
    # Two equal neighbours need a blank between them: [1, 1] takes three frames.
    log_probs = random_log_probs(2, 2).requires_grad_()
    result = run(log_probs, [[1, 1], [1, 2]])
    assert result.num_infinite == 1
    assert result.per_utterance[0] == 0
    result.loss.backward()
    assert log_probs.grad is not None
    assert not log_probs.grad[0].any()
    assert log_probs.grad[1].any()
    assert log_probs.grad.isfinite().all()


def test_a_loss_of_truly_zero_is_not_counted_as_infinite() -> None:
    certain = torch.tensor([[[0.0, -math.inf], [0.0, -math.inf]]])
    result = run(certain, [[]])
    assert result.per_utterance.tolist() == [0.0]
    assert result.num_infinite == 0


def test_an_utterance_without_frames_is_infinite_unless_it_is_empty_too() -> None:
    result = run(random_log_probs(3, 4), [[1], [], [2]], num_frames=[0, 0, 4])
    assert result.num_infinite == 1
    assert result.loss.isfinite()


def test_it_is_computed_in_float32_whatever_comes_in() -> None:
    log_probs = random_log_probs(1, 5).bfloat16()
    with torch.autocast("cpu", torch.bfloat16):
        result = run(log_probs, [[1, 2]])
    assert result.loss.dtype == torch.float32
    assert float(result.loss) == pytest.approx(loss_by_enumeration(log_probs[0].float(), [1, 2]), rel=1e-4)


def test_its_gradient_equals_that_of_the_enumeration() -> None:
    logits = random_log_probs(1, 4).clone().requires_grad_()
    run(logits.log_softmax(-1), [[1, 2]]).loss.backward()
    ours, logits.grad = logits.grad, None
    log_probs = logits.log_softmax(-1)[0]
    paths = [path for path in product(range(3), repeat=4) if collapse(path) == [1, 2]]
    sums = torch.stack([log_probs[torch.arange(4), torch.tensor(path)].sum() for path in paths])
    (-torch.logsumexp(sums, 0)).backward()
    assert torch.allclose(ours, logits.grad, atol=1e-5)
