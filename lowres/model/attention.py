"""Scaled dot-product attention of utterances laid end to end, each to itself."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from lowres.model.shapes import UTTERANCE_QUANTUM, num_missing

LONGEST_RECORDED = 1000
"""Frames up to which the attention weights of an utterance are cheaper kept than computed again."""


def attend(heads: Tensor, num_frames: Sequence[int], dropout: float) -> Tensor:
    """Attend within each utterance; no mask is needed, since nothing is padded.

    Args:
        heads: (N, 3, H, D / H): queries, keys and values of H heads.
        num_frames: frames of each utterance; they sum to N.
        dropout: of the attention weights, in [0, 1).

    Returns:
        (N, D)
    """
    longest = max(num_frames)
    if dropout == 0 and _recording_pays(heads, longest):
        recorded: Tensor = _RecordedAttention.apply(heads, num_frames)  # type: ignore[no-untyped-call]
        return recorded
    if all(length == longest for length in num_frames):
        utterances = heads.view(len(num_frames), longest, *heads.shape[1:])
        return _attend_in_batch(utterances, dropout)
    return torch.cat([_attend_in_batch(utterance[None], dropout) for utterance in torch.split(heads, list(num_frames))])


def _recording_pays(heads: Tensor, longest: int) -> bool:
    """Whether `_RecordedAttention` beats the fused kernel: in training on a CPU with bf16, up to 20 s of audio."""
    is_trained = torch.is_grad_enabled() and heads.requires_grad
    return is_trained and heads.device.type == "cpu" and heads.dtype == torch.bfloat16 and longest <= LONGEST_RECORDED


def _attend_in_batch(heads: Tensor, dropout: float) -> Tensor:
    """Attend within utterances of equal length: (B, T, 3, H, D / H) to (B T, D)."""
    query, key, value = heads.permute(2, 0, 3, 1, 4)
    attended = functional.scaled_dot_product_attention(query, key, value, dropout_p=dropout)
    return attended.transpose(1, 2).reshape(heads.shape[0] * heads.shape[1], -1)


class _RecordedAttention(torch.autograd.Function):
    """The textbook formulation with the attention weights kept for the backward pass.

    PyTorch's fused kernel computes them again to keep memory small; on CPUs in bf16 its backward pass alone takes
    longer than all of this.
    """

    @staticmethod
    def forward(ctx: Any, heads: Tensor, num_frames: Sequence[int]) -> Tensor:
        ctx.num_frames, ctx.scale = list(num_frames), heads.shape[-1] ** -0.5
        attended = heads.new_empty(len(heads), *heads.shape[2:])
        all_weights = []
        parts = zip(torch.split(heads, ctx.num_frames), torch.split(attended, ctx.num_frames), strict=True)
        for utterance, target in parts:
            query, key, value = _fill(utterance).permute(1, 2, 0, 3).contiguous()
            scores = torch.bmm(query * ctx.scale, key.transpose(1, 2))
            scores[:, :, len(utterance) :] = -torch.inf
            weights = torch.softmax(scores, dim=-1)
            target.copy_(torch.bmm(weights, value)[:, : len(utterance)].transpose(0, 1))
            all_weights.append(weights)
        ctx.save_for_backward(heads, *all_weights)
        return attended.flatten(1)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        heads, *all_weights = ctx.saved_tensors
        heads_gradient = torch.empty_like(heads)
        gradient = gradient.view(len(heads), *heads.shape[2:])
        parts = [torch.split(tensor, ctx.num_frames) for tensor in (heads, heads_gradient, gradient)]
        for weights, utterance, target, arriving in zip(all_weights, *parts, strict=True):
            # No gradient arrives at the rows that fill up, and none of their weights as keys is above 0.
            query, key, value = _fill(utterance).permute(1, 2, 0, 3).contiguous()
            output_gradient = _fill(arriving).transpose(0, 1).contiguous()
            weights_gradient = torch.bmm(output_gradient, value.transpose(1, 2))
            scores_gradient = torch._softmax_backward_data(weights_gradient, weights, -1, weights.dtype)
            gradients = (
                torch.bmm(scores_gradient, key) * ctx.scale,
                torch.bmm(scores_gradient.transpose(1, 2), query * ctx.scale),
                torch.bmm(weights.transpose(1, 2), output_gradient),
            )
            for place, part in enumerate(gradients):
                target[:, place].copy_(part[:, : len(utterance)].transpose(0, 1))
        return heads_gradient, None


def _fill(rows: Tensor) -> Tensor:
    """Fill (T, ...) up with zeros to a multiple of UTTERANCE_QUANTUM rows."""
    missing = num_missing(len(rows), UTTERANCE_QUANTUM, rows.device)
    return functional.pad(rows, (0, 0) * (rows.dim() - 1) + (0, missing))
