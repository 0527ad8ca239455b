"""Utterances laid end to end, so that nothing is computed on padding, but for two operations in small `Bucket`s.

Between the waveforms and the outputs, a batch is one tensor of rows (N, D): the T frames of the first utterance, then
those of the second, ... N is the sum of the true numbers of frames. What an utterance is batched with can then change
neither its result, beyond the last bits, nor much of its cost.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from lowres.model.shapes import UTTERANCE_QUANTUM, num_missing

SHORTEST_SHARE = 0.7
"""Utterances share a bucket down to this share of its longest one's frames."""


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


@dataclass(frozen=True)
class Bucket:
    """Utterances of about one length, filled up to it where one call on all of them beats a call for each."""

    places: tuple[slice, ...]
    """The rows of each."""

    num_frames: int
    """What they are filled up to, T."""

    def spread(self, rows: Tensor, spread: Tensor) -> None:
        """Copy rows (N, ...) into a tensor (B, T or more, ...) of any memory layout; what is left of it becomes 0."""
        for utterance, place in zip(spread, self.places, strict=True):
            length = place.stop - place.start
            utterance[:length] = rows[place]
            utterance[length:] = 0

    def gather(self, spread: Tensor, rows: Tensor) -> None:
        """Copy what is not padding in a tensor (B, T, ...) of any memory layout to its place in rows (N, ...)."""
        for utterance, place in zip(spread, self.places, strict=True):
            rows[place] = utterance[: place.stop - place.start]


def buckets_of(num_frames: Sequence[int], device: torch.device) -> list[Bucket]:
    """Sort utterances of these lengths, laid end to end, into buckets of similar length, the longest first."""
    starts = [0]
    for length in num_frames:
        starts.append(starts[-1] + length)
    buckets: list[list[int]] = []
    for index in sorted(range(len(num_frames)), key=lambda index: -num_frames[index]):
        if buckets and num_frames[index] >= SHORTEST_SHARE * num_frames[buckets[-1][0]]:
            buckets[-1].append(index)
        else:
            buckets.append([index])
    return [
        Bucket(
            tuple(slice(starts[index], starts[index + 1]) for index in bucket),
            num_frames[bucket[0]] + num_missing(num_frames[bucket[0]], UTTERANCE_QUANTUM, device),
        )
        for bucket in buckets
    ]
