"""A strided convolution over rows as matrix products on views, without gathering windows first.

With kernel k and stride s (s <= k <= 2 s), output row t reads input rows t s ... t s + k - 1. Seen s rows at a time,
that is the whole of row t plus the first k - s inputs of row t + 1: two products on views of the same memory.
"""

from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional


class ArrangedWeight(NamedTuple):
    """A convolution's weight as the matrices of the two products, in the dtype to compute in."""

    head: Tensor
    """(C_out, s C_in): the first s taps."""

    tail: Tensor | None
    """(C_out, (k - s) C_in): the taps that reach into the next s rows; None when k = s."""

    bias: Tensor | None


def arrange_weight(weight: Tensor, bias: Tensor | None, stride: int, dtype: torch.dtype) -> ArrangedWeight:
    """Arrange weight (C_out, C_in, k) for `strided_convolution`; the result carries no gradient."""
    taps = weight.detach().to(dtype).transpose(1, 2)
    head = taps[:, :stride].reshape(len(weight), -1)
    tail = taps[:, stride:].reshape(len(weight), -1) if taps.shape[1] > stride else None
    return ArrangedWeight(head, tail, None if bias is None else bias.detach().to(dtype))


def strided_convolution(
    rows: Tensor, weight: Tensor, bias: Tensor | None, stride: int, arranged: ArrangedWeight
) -> Tensor:
    """Convolve rows (R, C_in) with weight (C_out, C_in, k): (R - k) // s + 1 rows of C_out.

    `weight` and `bias` only receive the gradient, in their own dtype; `arranged` holds their values in the dtype of
    `rows`.
    """
    result: Tensor = _StridedConvolution.apply(rows, weight, bias, stride, arranged)  # type: ignore[no-untyped-call]
    return result


class _StridedConvolution(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, rows: Tensor, weight: Tensor, _bias: Tensor | None, stride: int, arranged: ArrangedWeight
    ) -> Tensor:
        ctx.save_for_backward(rows)
        ctx.stride, ctx.arranged, ctx.weight_shape, ctx.dtype = stride, arranged, weight.shape, weight.dtype
        head_rows, tail_rows = _views(rows, weight.shape[2], stride)
        output = functional.linear(head_rows, arranged.head, arranged.bias)
        if arranged.tail is not None:
            output.addmm_(tail_rows, arranged.tail.t())
        return output

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, Tensor | None, Tensor | None, None, None]:
        (rows,) = ctx.saved_tensors
        arranged: ArrangedWeight = ctx.arranged
        num_outputs, num_inputs, kernel = ctx.weight_shape
        head_rows, tail_rows = _views(rows, kernel, ctx.stride)
        rows_gradient = weight_gradient = bias_gradient = None
        if ctx.needs_input_grad[0]:
            rows_gradient = torch.empty_like(rows)
            head_gradient, tail_gradient = _views(rows_gradient, kernel, ctx.stride)
            rows_gradient[len(head_gradient) * ctx.stride :] = 0
            torch.mm(gradient, arranged.head, out=head_gradient)
            if arranged.tail is not None:
                tail_gradient.addmm_(gradient, arranged.tail)
        if ctx.needs_input_grad[1]:
            taps = [gradient.t() @ head_rows]
            if arranged.tail is not None:
                taps.append(gradient.t() @ tail_rows)
            weight_gradient = torch.cat(taps, dim=1).view(num_outputs, kernel, num_inputs).transpose(1, 2)
            weight_gradient = weight_gradient.to(ctx.dtype)
        if ctx.needs_input_grad[2]:
            bias_gradient = gradient.sum(0, dtype=ctx.dtype)
        return rows_gradient, weight_gradient, bias_gradient, None, None


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
