"""Utterances laid end to end, so that no module ever computes on padding.

Between the waveforms and the outputs, a batch is one tensor of rows (N, D): the T frames of the first utterance, then
those of the second, ... N is the sum of the true numbers of frames. What an utterance is batched with can then change
neither its result nor its cost.
"""

from collections.abc import Sequence

import torch
from torch import Tensor


def pack(padded: Tensor, num_frames: Sequence[int]) -> Tensor:
    """Lay the true frames of (B, T, ...) end to end as (N, ...)."""
    if len(num_frames) == 1:
        return padded[0, : num_frames[0]]
    return torch.cat([utterance[:length] for utterance, length in zip(padded, num_frames, strict=True)])


def unpack(rows: Tensor, num_frames: Sequence[int]) -> Tensor:
    """Spread rows (N, ...) over a zero-padded (B, T, ...), T being the longest utterance's."""
    longest = max(num_frames)
    if all(length == longest for length in num_frames):
        return rows.view(len(num_frames), longest, *rows.shape[1:])
    padded = rows.new_zeros(len(num_frames), longest, *rows.shape[1:])
    return padded.index_put((~padding_mask_of(num_frames, rows.device),), rows)


def padding_mask_of(num_frames: Sequence[int], device: torch.device) -> Tensor:
    """Return (B, T) bool, True = padding."""
    lengths = torch.tensor(num_frames, device=device)
    return torch.arange(max(num_frames), device=device) >= lengths[:, None]
