"""Dropout that does not cost more than the matrix product before it."""

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from lowres.model.random_bits import random_bits

_LEVELS = 2**16


def dropout(rows: Tensor, probability: float, training: bool) -> Tensor:
    """Set entries to 0 with this probability and scale the others to keep the expectation.

    PyTorch draws a Mersenne Twister number and a logarithm's worth of work per entry on the CPU (a tenth of a training
    step); here one 64-bit number decides four entries, so the probability is rounded to a multiple of 1 / 65536. The
    numbers follow from PyTorch's default generator.
    """
    if not training or probability == 0:
        return rows
    if rows.device.type != "cpu":
        return functional.dropout(rows, probability)
    return rows * _draw_factors(rows, probability)


def gelu_with_dropout(rows: Tensor, probability: float, training: bool) -> Tensor:
    """Apply GELU, then `dropout`; in training, less is kept for the backward pass than by the two apart."""
    is_learning = training and torch.is_grad_enabled() and rows.requires_grad
    if not is_learning or probability == 0 or rows.device.type != "cpu":
        return dropout(functional.gelu(rows), probability, training)
    dropped: Tensor = _GeluTimesFactors.apply(rows, _draw_factors(rows, probability))  # type: ignore[no-untyped-call]
    return dropped


def _draw_factors(rows: Tensor, probability: float) -> Tensor:
    """Draw 0 or 1 / (1 - probability) for each entry of rows, in their numbers."""
    num_dropped = round(probability * _LEVELS)
    numbers = random_bits(-(-rows.numel() // 4)).view(torch.int16)
    kept = numbers[: rows.numel()].view(rows.shape).ge_(num_dropped - _LEVELS // 2)
    scale = torch.tensor(_LEVELS / (_LEVELS - num_dropped), dtype=rows.dtype)
    if rows.dtype == torch.bfloat16:
        # As wide as the decisions: 0 or 1 times the bits of the factor are the bits of 0 or the factor.
        return kept.mul_(scale.view(torch.int16)).view(torch.bfloat16)
    return kept.to(rows.dtype).mul_(scale)


class _GeluTimesFactors(torch.autograd.Function):
    """GELU times constant factors. Of its input and the factors, only the slope that follows from both is kept."""

    @staticmethod
    def forward(ctx: Any, rows: Tensor, factors: Tensor) -> Tensor:
        ctx.save_for_backward(torch.ops.aten.gelu_backward(factors, rows))
        return functional.gelu(rows).mul_(factors)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        (slope,) = ctx.saved_tensors
        return gradient * slope, None
