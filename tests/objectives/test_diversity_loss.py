import pytest
import torch
from torch.testing import assert_close

from lowres.objectives.diversity import code_perplexity, diversity_loss


def test_the_perplexity_of_uniform_codes_is_the_number_of_entries() -> None:
    assert_close(code_perplexity(torch.full((2, 320), 1 / 320)), torch.full((2,), 320.0))


def test_the_perplexity_of_a_single_code_is_one() -> None:
    assert code_perplexity(torch.eye(5)[:2]).tolist() == [1, 1]


def test_the_perplexity_is_the_exponential_of_the_entropy() -> None:
    probabilities = torch.tensor([[0.5, 0.25, 0.25, 0.0]])
    # Entropy: 1/2 log 2 + 2 (1/4 log 4) = 3/2 log 2.
    assert float(code_perplexity(probabilities)) == pytest.approx(2**1.5)


def test_the_loss_is_the_share_of_entries_not_in_use() -> None:
    assert float(diversity_loss(torch.full((2, 8), 1 / 8))) == pytest.approx(0, abs=1e-6)
    assert float(diversity_loss(torch.eye(8)[:2])) == pytest.approx((16 - 2) / 16)
    half = torch.tensor([[0.5, 0.5, 0, 0], [0.25, 0.25, 0.25, 0.25]])
    assert float(diversity_loss(half)) == pytest.approx((8 - 2 - 4) / 8)


def test_its_minimum_is_that_of_the_papers_equation_4() -> None:
    # Equal use: there the gradient is the same for all entries of a codebook, so none gains on another.
    probabilities = torch.full((1, 6), 1 / 6, requires_grad=True)
    diversity_loss(probabilities).backward()
    papers = torch.full((1, 6), 1 / 6, requires_grad=True)
    ((papers * papers.log()).sum() / 6).backward()
    assert probabilities.grad is not None
    assert papers.grad is not None
    assert float(probabilities.grad.std()) < 1e-6
    assert float(papers.grad.std()) < 1e-6


def test_an_entry_of_probability_zero_leaves_the_gradient_finite() -> None:
    probabilities = torch.tensor([[0.5, 0.5, 0.0]], requires_grad=True)
    diversity_loss(probabilities).backward()
    assert probabilities.grad is not None
    assert probabilities.grad.isfinite().all()
