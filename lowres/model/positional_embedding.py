"""The convolutional positional embedding added to the projected latents (paper section 2)."""

import math
from collections.abc import Iterable, Sequence
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from lowres.model.overlap_save import FEWEST_TAPS, convolve_spectra, spectrum_of
from lowres.model.packing import Bucket, buckets_of

BLOCK_FRAMES = 4
"""Frames whose products with the weight's gradient are one, see `_weight_gradient_by_blocks`."""

NARROWEST_IN_BF16 = 16
"""Channels a group for bf16 on a CPU: with fewer and many taps, oneDNN's results are wrong (torch 2.13)."""


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
        self._kept_spectrum: tuple[tuple[int, ...], Tensor] | None = None

    def forward(self, rows: Tensor, num_frames: Sequence[int]) -> Tensor:
        """Embed rows (N, D), the utterances' frames laid end to end; each utterance sees zeros around itself."""
        if self._spectra_pay(rows):
            with torch.autocast(rows.device.type, enabled=False):
                return functional.gelu(convolve_spectra(rows, num_frames, self._spectrum()).add_(self.bias))
        return functional.gelu(_convolve_utterances(rows, num_frames, self._weight(), self.bias, self.groups))

    def _spectra_pay(self, rows: Tensor) -> bool:
        is_exact = rows.dtype == self.weight_v.dtype in (torch.float32, torch.float64)
        return rows.device.type == "cpu" and is_exact and self.weight_v.shape[2] >= FEWEST_TAPS

    def _spectrum(self) -> Tensor:
        """Return the spectrum of the weight, which is kept as long as nothing is learnt."""
        if torch.is_grad_enabled():
            self._kept_spectrum = None
            return spectrum_of(self._weight(), self.groups)
        state = (self.weight_v._version, self.weight_g._version, self.weight_v.data_ptr())
        if self._kept_spectrum is None or self._kept_spectrum[0] != state:
            self._kept_spectrum = state, spectrum_of(self._weight(), self.groups)
        return self._kept_spectrum[1]

    def _weight(self) -> Tensor:
        return self.weight_v * (self.weight_g / self._tap_norms())

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
    is_wrong_in_bf16 = rows.device.type == "cpu" and weight.shape[1] < NARROWEST_IN_BF16
    dtype = torch.float32 if rows.dtype == torch.bfloat16 and is_wrong_in_bf16 else rows.dtype
    with torch.autocast(rows.device.type, enabled=False):  # which would choose bf16 again
        convolved: Tensor = _GroupedConvolution.apply(  # type: ignore[no-untyped-call]
            rows.to(dtype), weight.to(dtype), bias.to(dtype), groups, buckets_of(num_frames, rows.device)
        )
    return convolved.to(rows.dtype)


class _GroupedConvolution(torch.autograd.Function):
    """`conv1d` over the frames of utterances of similar length in one call, as many frames out as in.

    Its backward pass is its own, since PyTorch's is slow on CPUs for many taps and few channels a group. The input's
    gradient is a convolution with the reversed weight.
    """

    @staticmethod
    def forward(ctx: Any, rows: Tensor, weight: Tensor, bias: Tensor, groups: int, buckets: list[Bucket]) -> Tensor:
        kernel = weight.shape[2]
        convolved = torch.empty_like(rows)
        kept = []
        for bucket in buckets:
            # An even kernel sees one frame more of the past, as in the published models.
            padded = _pad(rows, bucket, kernel // 2, (kernel - 1) // 2)
            bucket.gather(functional.conv1d(padded, weight, bias, groups=groups).transpose(1, 2), convolved)
            kept.append(padded)
        ctx.save_for_backward(weight, *kept)
        ctx.groups, ctx.buckets = groups, buckets
        return convolved

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, Tensor | None, Tensor | None, None, None]:
        weight, *kept = ctx.saved_tensors
        width, group_width, kernel = weight.shape
        by_group = weight.view(ctx.groups, group_width, group_width, kernel)
        reversed_weight = by_group.transpose(1, 2).flip(3).reshape(width, group_width, kernel)
        needs_rows, needs_weight, needs_bias, *_ = ctx.needs_input_grad
        rows_gradient = torch.empty_like(gradient) if needs_rows else None
        wide = torch.promote_types(weight.dtype, torch.float32)
        weight_gradient = weight.new_zeros(weight.shape, dtype=wide) if needs_weight else None
        for bucket, padded in zip(ctx.buckets, kept, strict=True):
            arriving = _pad(gradient, bucket, (kernel - 1) // 2, kernel // 2)
            if rows_gradient is not None:
                convolved = functional.conv1d(arriving, reversed_weight, groups=ctx.groups)
                bucket.gather(convolved.transpose(1, 2), rows_gradient)
            if weight_gradient is not None:
                arriving = arriving[:, :, (kernel - 1) // 2 :][:, :, : bucket.num_frames]
                weight_gradient += _weight_gradient(padded, arriving, weight, ctx.groups)
        bias_gradient = gradient.sum(0) if needs_bias else None
        return (
            rows_gradient,
            None if weight_gradient is None else weight_gradient.to(weight.dtype),
            bias_gradient,
            None,
            None,
        )


def _pad(rows: Tensor, bucket: Bucket, before: int, after: int) -> Tensor:
    """Copy a bucket's utterances out of rows (N, D) with zeros around each: (B, D, before + T + after)."""
    padded = rows.new_empty(len(bucket.places), rows.shape[1], before + bucket.num_frames + after)
    padded[:, :, :before] = 0
    bucket.spread(rows, padded[:, :, before:].transpose(1, 2))
    return padded


def _weight_gradient(padded: Tensor, gradient: Tensor, weight: Tensor, groups: int) -> Tensor:
    """Gradient (D, D / groups, K) from padded frames (B, D, T + K - 1) and the gradient of the output (B, D, T)."""
    are_blocks_whole = gradient.shape[2] % BLOCK_FRAMES == 0
    if padded.device.type == "cpu" and padded.dtype == torch.float32 and are_blocks_whole:
        return _weight_gradient_by_blocks(padded, gradient, weight.shape, groups)
    _, found, _ = torch.ops.aten.convolution_backward(
        gradient, padded, weight, None, [1], [0], [1], False, [0], groups, [False, True, False]
    )
    return cast(Tensor, found)


def _weight_gradient_by_blocks(padded: Tensor, gradient: Tensor, shape: torch.Size, groups: int) -> Tensor:
    """The same, faster in float32 on a CPU; T is a multiple of BLOCK_FRAMES.

    The weight's gradient at tap k sums the products of the gradient at t and the input at t + k over all t. With t = i
    L + j, they lie on the diagonals of one matrix product over i, of the gradient in blocks of L frames and the input
    in overlapping blocks of L + K - 1 frames; of that product, only L - 1 frames in L + K - 1 are for nothing.
    """
    width, group_width, kernel = shape
    gradient_by_group, input_by_group = (
        frames.view(len(frames), groups, group_width, -1).permute(1, 0, 3, 2).contiguous()
        for frames in (gradient.contiguous(), padded)
    )
    num_blocks = gradient.shape[0] * gradient.shape[2] // BLOCK_FRAMES
    span = (BLOCK_FRAMES + kernel - 1) * group_width
    gradient_blocks = gradient_by_group.view(groups, num_blocks, BLOCK_FRAMES * group_width)
    input_blocks = input_by_group.as_strided(
        (groups, gradient.shape[0], gradient.shape[2] // BLOCK_FRAMES, span),
        (*input_by_group.stride()[:2], BLOCK_FRAMES * group_width, 1),
    ).reshape(groups, num_blocks, span)
    products = torch.bmm(gradient_blocks.transpose(1, 2), input_blocks)
    # Frame j of a block and tap k meet in row (j, output channel) and column (j + k, input channel).
    diagonals = products.as_strided(
        (groups, BLOCK_FRAMES, group_width, kernel, group_width),
        (products.stride(0), group_width * span + group_width, span, group_width, 1),
    )
    return diagonals.sum(1).transpose(2, 3).reshape(width, group_width, kernel)
