"""The convolutional positional embedding added to the projected latents (paper section 2)."""

import math
from collections.abc import Iterable, Sequence
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from lowres.model.shapes import UTTERANCE_QUANTUM, num_missing

BLOCK_FRAMES = 4
"""Frames whose products with the weight's gradient are one, see `_GroupedConvolution`; divides UTTERANCE_QUANTUM."""


class PositionalEmbedding(nn.Module):
    """A grouped convolution over frames, weight-normalised per tap, and a GELU.

    Args:
        width: D.
        kernel: frames seen, K.
        groups: groups of the convolution.
    """

    def __init__(self, width: int, kernel: int, groups: int) -> None:
        super().__init__()
        self.groups = groups
        self.weight_v = nn.Parameter(torch.empty(width, width // groups, kernel))
        self.bias = nn.Parameter(torch.zeros(width))
        # As in fairseq, at dropout 0.
        nn.init.normal_(self.weight_v, mean=0.0, std=math.sqrt(4 / (kernel * width)))
        self.weight_g = nn.Parameter(self._tap_norms().detach())

    def forward(self, rows: Tensor, num_frames: Sequence[int]) -> Tensor:
        """Embed rows (N, D), the utterances' frames laid end to end; each utterance sees zeros around itself."""
        weight = self.weight_v * (self.weight_g / self._tap_norms())
        return functional.gelu(_convolve_utterances(rows, num_frames, weight, self.bias, self.groups))

    def _tap_norms(self) -> Tensor:
        norms: Tensor = torch.linalg.vector_norm(self.weight_v, dim=(0, 1), keepdim=True)
        return norms


class StackedPositionalEmbedding(nn.Module):
    """Several grouped convolutions over frames, each with a layer norm without weights and a GELU: data2vec's.

    Not in the paper; Baevski et al. 2022, arXiv 2202.03555, section 3.1 of data2vec for speech.

    Args:
        width: D.
        kernel: frames seen by each convolution.
        groups: groups of each convolution.
        num_layers: convolutions.
    """

    def __init__(self, width: int, kernel: int, groups: int, num_layers: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList(nn.Conv1d(width, width, kernel, groups=groups) for _ in range(num_layers))

    def forward(self, rows: Tensor, num_frames: Sequence[int]) -> Tensor:
        """Embed rows (N, D), the utterances' frames laid end to end; each sees zeros around itself, in every layer."""
        for layer in cast(Iterable[nn.Conv1d], self.layers):
            bias = layer.bias if layer.bias is not None else layer.weight.new_zeros(len(layer.weight))
            convolved = _convolve_utterances(rows, num_frames, layer.weight, bias, layer.groups)
            rows = functional.gelu(functional.layer_norm(convolved, convolved.shape[1:]))
        return rows


def _convolve_utterances(rows: Tensor, num_frames: Sequence[int], weight: Tensor, bias: Tensor, groups: int) -> Tensor:
    """Convolve rows (N, D), the utterances' frames laid end to end, each with zeros around it: (N, D)."""
    weight, bias, kernel = weight.to(rows.dtype), bias.to(rows.dtype), weight.shape[2]
    convolved = []
    for utterance in torch.split(rows, list(num_frames)):
        # An even kernel yields one frame too many at the end, which is left out as in the published models.
        missing = num_missing(len(utterance), UTTERANCE_QUANTUM, rows.device)
        padded = functional.pad(utterance.t()[None], (kernel // 2, (kernel - 1) // 2 + missing))
        convolved.append(_convolve(padded, weight, bias, groups)[0].t()[: len(utterance)])
    return torch.cat(convolved)


def _convolve(padded: Tensor, weight: Tensor, bias: Tensor, groups: int) -> Tensor:
    """Convolve (1, D, T + K - 1) to (1, D, T)."""
    if padded.device.type == "cpu" and padded.dtype == torch.float32:
        convolved: Tensor = _GroupedConvolution.apply(padded, weight, bias, groups)  # type: ignore[no-untyped-call]
        return convolved
    return functional.conv1d(padded, weight, bias, groups=groups)


class _GroupedConvolution(torch.autograd.Function):
    """`conv1d` with many taps and few channels a group, whose own backward pass in float32 on a CPU is far slower.

    The input's gradient is a convolution with the reversed weight. The weight's gradient at tap k sums the products of
    the gradient at t and the input at t + k over all t. With t = i L + j, they lie on the diagonals of one matrix
    product over i, of the gradient in blocks of L frames and the input in overlapping blocks of L + K - 1 frames; of
    that product, only L - 1 frames in L + K - 1 are for nothing.
    """

    @staticmethod
    def forward(ctx: Any, padded: Tensor, weight: Tensor, bias: Tensor, groups: int) -> Tensor:
        ctx.save_for_backward(padded, weight)
        ctx.groups = groups
        return functional.conv1d(padded, weight, bias, groups=groups)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, Tensor | None, Tensor | None, None]:
        padded, weight = ctx.saved_tensors
        input_gradient = weight_gradient = bias_gradient = None
        if ctx.needs_input_grad[0]:
            width, group_width, kernel = weight.shape
            by_group = weight.view(ctx.groups, group_width, group_width, kernel)
            reversed_weight = by_group.transpose(1, 2).flip(3).reshape(width, group_width, kernel)
            input_gradient = functional.conv1d(gradient, reversed_weight, padding=kernel - 1, groups=ctx.groups)
        if ctx.needs_input_grad[1]:
            weight_gradient = _weight_gradient(padded[0].t(), gradient[0].t(), weight.shape, ctx.groups)
        if ctx.needs_input_grad[2]:
            bias_gradient = gradient.sum((0, 2))
        return input_gradient, weight_gradient, bias_gradient, None


def _weight_gradient(padded: Tensor, gradient: Tensor, shape: torch.Size, groups: int) -> Tensor:
    """Gradient (D, D / groups, K) from padded rows (T + K - 1, D) and the gradient of the output rows (T, D)."""
    width, group_width, kernel = shape
    missing = -len(gradient) % BLOCK_FRAMES
    by_group = [
        functional.pad(rows, (0, 0, 0, missing)).view(-1, groups, group_width).transpose(0, 1).contiguous()
        for rows in (gradient, padded)
    ]
    num_blocks = by_group[0].shape[1] // BLOCK_FRAMES
    span = (BLOCK_FRAMES + kernel - 1) * group_width
    gradient_blocks = by_group[0].view(groups, num_blocks, BLOCK_FRAMES * group_width)
    input_blocks = by_group[1].as_strided(
        (groups, num_blocks, span), (by_group[1].stride(0), BLOCK_FRAMES * group_width, 1)
    )
    products = torch.bmm(gradient_blocks.transpose(1, 2), input_blocks)
    # Frame j of a block and tap k meet in row (j, output channel) and column (j + k, input channel).
    diagonals = products.as_strided(
        (groups, BLOCK_FRAMES, group_width, kernel, group_width),
        (products.stride(0), group_width * span + group_width, span, group_width, 1),
    )
    return diagonals.sum(1).transpose(2, 3).reshape(width, group_width, kernel)
