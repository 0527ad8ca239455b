import pytest
import torch
from torch.nn import functional
from torch.testing import assert_close

from lowres.model.dropout import dropout, gelu_with_dropout


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_the_share_of_zeros_is_the_probability(dtype: torch.dtype) -> None:
    torch.manual_seed(0)
    dropped = dropout(torch.ones(1000, 333, dtype=dtype), 0.1, training=True)
    assert float((dropped == 0).float().mean()) == pytest.approx(0.1, abs=0.002)


def test_the_expectation_is_kept() -> None:
    torch.manual_seed(0)
    assert float(dropout(torch.ones(1000, 333), 0.3, training=True).mean()) == pytest.approx(1, abs=0.005)


def test_nothing_is_dropped_outside_training_or_at_probability_zero() -> None:
    rows = torch.ones(4, 3)
    assert dropout(rows, 0.5, training=False) is rows
    assert dropout(rows, 0.0, training=True) is rows


def test_the_same_seed_drops_the_same_entries() -> None:
    draws = []
    for _ in range(2):
        torch.manual_seed(7)
        draws.append(dropout(torch.ones(9, 5), 0.5, training=True))
    assert torch.equal(*draws)


def test_the_gradient_is_dropped_where_the_value_was() -> None:
    rows = torch.ones(50, 7, requires_grad=True)
    dropped = dropout(rows, 0.4, training=True)
    dropped.sum().backward()
    assert torch.equal(rows.grad, dropped.detach())


@pytest.mark.parametrize("probability", [0.0, 0.3])
@pytest.mark.parametrize("training", [True, False])
def test_gelu_with_dropout_is_the_two_one_after_the_other(probability: float, training: bool) -> None:
    rows, arriving = torch.randn(40, 6, requires_grad=True), torch.randn(40, 6)
    results = []
    for together in (True, False):
        torch.manual_seed(3)
        output = (
            gelu_with_dropout(rows, probability, training)
            if together
            else dropout(functional.gelu(rows), probability, training)
        )
        results.append((output, *torch.autograd.grad(output, rows, arriving)))
    assert_close(*results)
