"""Scaled dot-product attention of utterances laid end to end, each to itself."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from lowres.model.packing import buckets_of

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
    """The textbook formulation with the attention weights kept for the backward pass, utterances of similar length in
    one call.

    PyTorch's fused kernel computes them again to keep memory small; on CPUs in bf16 its backward pass alone takes
    longer than all of this.
    """

    @staticmethod
    def forward(ctx: Any, heads: Tensor, num_frames: Sequence[int]) -> Tensor:
        ctx.buckets, ctx.scale, ctx.shape = buckets_of(num_frames, heads.device), heads.shape[-1] ** -0.5, heads.shape
        attended = heads.new_empty(len(heads), *heads.shape[2:])
        kept = []
        for bucket in ctx.buckets:
            shape = (len(bucket.places), heads.shape[2], bucket.num_frames, heads.shape[3])
            parts = heads.new_empty(3, *shape)
            bucket.spread(heads, parts.permute(1, 3, 0, 2, 4))
            parts[0].mul_(ctx.scale)
            query, key, value = parts.flatten(1, 2)
            scores = torch.bmm(query, key.transpose(1, 2))
            for utterance, place in zip(scores.view(*shape[:3], -1), bucket.places, strict=True):
                utterance[:, :, place.stop - place.start :] = -torch.inf
            weights = torch.softmax(scores, dim=-1)
            bucket.gather(torch.bmm(weights, value).view(shape).transpose(1, 2), attended)
            kept += [parts, weights]
        ctx.save_for_backward(*kept)
        return attended.flatten(1)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        heads_gradient = gradient.new_empty(ctx.shape)
        gradient = gradient.view(len(gradient), *ctx.shape[2:])
        kept = iter(ctx.saved_tensors)
        for bucket in ctx.buckets:
            # No gradient arrives at the rows that fill up, and none of their weights as keys is above 0.
            parts, weights = next(kept), next(kept)
            query, key, value = parts.flatten(1, 2)
            arriving = torch.empty_like(parts[0])
            bucket.spread(gradient, arriving.transpose(1, 2))
            arriving = arriving.flatten(0, 1)
            weights_gradient = torch.bmm(arriving, value.transpose(1, 2))
            scores_gradient = torch._softmax_backward_data(weights_gradient, weights, -1, weights.dtype)
            gradients = torch.empty_like(parts)
            for part, factors in zip(
                gradients.flatten(1, 2),
                ((scores_gradient, key), (scores_gradient.transpose(1, 2), query), (weights.transpose(1, 2), arriving)),
                strict=True,
            ):
                torch.bmm(*factors, out=part)
            gradients[0].mul_(ctx.scale)
            bucket.gather(gradients.permute(1, 3, 0, 2, 4), heads_gradient)
        return heads_gradient, None
