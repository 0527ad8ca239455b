"""Dropout that does not cost more than the matrix product before it."""

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
    num_dropped = round(probability * _LEVELS)
    numbers = random_bits(-(-rows.numel() // 4)).view(torch.int16)
    kept = numbers[: rows.numel()].view(rows.shape).ge_(num_dropped - _LEVELS // 2)
    scale = torch.tensor(_LEVELS / (_LEVELS - num_dropped), dtype=rows.dtype)
    if rows.dtype == torch.bfloat16:
        # As wide as the decisions: 0 or 1 times the bits of the factor are the bits of 0 or the factor.
        return rows * kept.mul_(scale.view(torch.int16)).view(torch.bfloat16)
    return rows * kept.to(rows.dtype).mul_(scale)
