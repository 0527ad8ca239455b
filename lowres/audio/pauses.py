"""Cutting a recording of any length into pieces short enough to recognise, at its quietest places."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lowres.audio.constants import SAMPLE_RATE

Int16Array = npt.NDArray[np.int16]

_HOP_SAMPLES = SAMPLE_RATE // 100
_PAUSE_HOPS = 10
"""A place is as quiet as the 100 ms around it, looked at every 10 ms: the closure of a plosive is shorter than that."""


@dataclass(frozen=True)
class Piece:
    """A stretch of a recording."""

    start_samples: int
    end_samples: int
    """The first sample that no longer belongs to it."""

    @property
    def num_samples(self) -> int:
        """Its length."""
        return self.end_samples - self.start_samples


def cut_at_pauses(samples: Int16Array, *, longest_seconds: float = 20.0, shortest_seconds: float = 1.0) -> list[Piece]:
    """Cut a recording into pieces that together are the whole of it.

    What is longer than `longest_seconds` is cut from the start on, each time at the quietest place in the second half
    of what may be one piece; of places that are equally quiet, at the last one. Only a few seconds are looked at at a
    time, so that a memory-mapped recording of any length needs no memory.

    Args:
        samples: (S,) int16 at 16 kHz; S may be 0.
        longest_seconds: no piece is longer.
        shortest_seconds: no piece is shorter, at most a quarter of `longest_seconds`.

    Returns:
        The pieces in order, without gaps or overlaps; none where the whole recording is shorter than
        `shortest_seconds`.

    Raises:
        ValueError: `shortest_seconds` is more than a quarter of `longest_seconds`, or not above 0.
    """
    if not 0 < shortest_seconds <= longest_seconds / 4:
        raise ValueError(f"pieces of {shortest_seconds} to {longest_seconds} s: the shortest must be at most a quarter")
    longest, shortest = round(longest_seconds * SAMPLE_RATE), round(shortest_seconds * SAMPLE_RATE)
    if len(samples) < shortest:
        return []
    pieces, start = [], 0
    while len(samples) - start > longest:
        first, last = start + longest // 2, min(start + longest, len(samples) - shortest)
        end = first + _quietest_place(samples[first:last])
        pieces.append(Piece(start, end))
        start = end
    return [*pieces, Piece(start, len(samples))]


def _quietest_place(samples: Int16Array) -> int:
    """Return the sample in the middle of the quietest 100 ms of (S,) samples, S at least 100 ms; the last of equals."""
    num_hops = len(samples) // _HOP_SAMPLES
    hops = samples[: num_hops * _HOP_SAMPLES].reshape(num_hops, _HOP_SAMPLES).astype(np.int64)
    # Sums of whole numbers are exact, so that equally quiet places are equal; the hop's own mean takes hum and offset
    # of cheap recorders out of its loudness.
    energies = _HOP_SAMPLES * (hops**2).sum(axis=1) - hops.sum(axis=1) ** 2
    around = np.convolve(energies, np.ones(_PAUSE_HOPS, dtype=np.int64), mode="valid")
    quietest = len(around) - 1 - int(np.argmin(around[::-1]))
    return quietest * _HOP_SAMPLES + _PAUSE_HOPS * _HOP_SAMPLES // 2
