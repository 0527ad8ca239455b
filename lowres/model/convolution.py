"""A strided convolution over rows as matrix products on views, without gathering windows first.

With kernel k and stride s (s <= k <= 2 s), output row t reads input rows t s ... t s + k - 1. Seen s rows at a time,
that is the whole of row t plus the first k - s inputs of row t + 1: two products on views of the same memory.
"""

from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional


class ArrangedWeight(NamedTuple):
    """A convolution's weight (C_out, C_in, k) as the matrices of the two products."""

    taps: Tensor
    """(C_out, k C_in) in the weight's own dtype and with its graph: what receives the gradient."""

    bias: Tensor | None
    """(C_out,), likewise."""

    head: Tensor
    """(C_out, s C_in): the first s taps, in the dtype to compute in and without a graph."""

    tail: Tensor | None
    """(C_out, (k - s) C_in), likewise: the taps that reach into the next s rows; None when k = s."""


def arrange_weight(weight: Tensor, bias: Tensor | None, stride: int, dtype: torch.dtype) -> ArrangedWeight:
    """Arrange weight (C_out, C_in, k) for `strided_convolution`, once for all rows that it is to see."""
    taps = weight.transpose(1, 2).flatten(1)
    num_head = stride * weight.shape[1]
    head, tail = taps.detach()[:, :num_head].to(dtype), taps.detach()[:, num_head:].to(dtype)
    return ArrangedWeight(taps, bias, head.contiguous(), tail.contiguous() if tail.shape[1] else None)


def strided_convolution(rows: Tensor, stride: int, arranged: ArrangedWeight) -> Tensor:
    """Convolve rows (R, C_in) in the dtype the weight was arranged for: (R - k) // s + 1 rows of C_out."""
    rows = rows.to(arranged.head.dtype)  # on a GPU, autocast lets a layer norm return float32
    result: Tensor = _StridedConvolution.apply(rows, arranged.taps, arranged.bias, stride, arranged)  # type: ignore[no-untyped-call]
    return result


class _StridedConvolution(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, rows: Tensor, taps: Tensor, bias: Tensor | None, stride: int, arranged: ArrangedWeight
    ) -> Tensor:
        ctx.save_for_backward(rows, arranged.head, arranged.tail)
        ctx.stride, ctx.dtype = stride, taps.dtype
        ctx.kernel = taps.shape[1] // rows.shape[1]
        head_rows, tail_rows = _views(rows, ctx.kernel, stride)
        output = functional.linear(head_rows, arranged.head, None if bias is None else bias.to(rows.dtype))
        if arranged.tail is not None:
            output.addmm_(tail_rows, arranged.tail.t())
        return output

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, Tensor | None, Tensor | None, None, None]:
        rows, head, tail = ctx.saved_tensors
        head_rows, tail_rows = _views(rows, ctx.kernel, ctx.stride)
        rows_gradient = taps_gradient = bias_gradient = None
        if ctx.needs_input_grad[0]:
            rows_gradient = torch.empty_like(rows)
            head_gradient, tail_gradient = _views(rows_gradient, ctx.kernel, ctx.stride)
            rows_gradient[len(head_gradient) * ctx.stride :] = 0
            torch.mm(gradient, head, out=head_gradient)
            if tail is not None:
                tail_gradient.addmm_(gradient, tail)
        if ctx.needs_input_grad[1]:
            num_head = head.shape[1]
            taps_gradient = gradient.new_empty(len(head), ctx.kernel * rows.shape[1], dtype=ctx.dtype)
            taps_gradient[:, :num_head] = gradient.t() @ head_rows
            if tail is not None:
                taps_gradient[:, num_head:] = gradient.t() @ tail_rows
        if ctx.needs_input_grad[2]:
            bias_gradient = gradient.sum(0, dtype=ctx.dtype)
        return rows_gradient, taps_gradient, bias_gradient, None, None


def windows_of(rows: Tensor, kernel: int, stride: int) -> Tensor:
    """View contiguous rows (R, C) as the windows (R', k C) of a convolution; neighbours overlap in memory."""
    num_rows = (rows.shape[0] - kernel) // stride + 1
    return rows.as_strided((num_rows, kernel * rows.shape[1]), (stride * rows.shape[1], 1))


def _views(rows: Tensor, kernel: int, stride: int) -> tuple[Tensor, Tensor]:
    """View rows (R, C) as the inputs of the two products: (R', s C) and (R', (k - s) C)."""
    num_inputs = rows.shape[1]
    num_rows = (rows.shape[0] - kernel) // stride + 1
    head = rows[: num_rows * stride].view(num_rows, stride * num_inputs)
    tail = rows.as_strided(
        (num_rows, (kernel - stride) * num_inputs),
        (stride * num_inputs, 1),
        rows.storage_offset() + stride * num_inputs,
    )
    return head, tail
