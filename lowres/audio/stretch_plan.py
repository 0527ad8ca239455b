"""Decide, hop by hop, which pieces of a recording are handed on: what is speech, what is one stretch, where to cut."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil
from typing import Final

import numpy as np
import numpy.typing as npt

from lowres.audio.constants import SAMPLE_RATE
from lowres.audio.voice_activity import HOP_SAMPLES
from lowres.errors import LowresError

SHORTEST_CUT_SECONDS: Final = 0.1
"""No shorter pause is a place to cut without overlap: the closure of a plosive is shorter than that."""
_PAUSE_HOPS = ceil(SHORTEST_CUT_SECONDS * SAMPLE_RATE / HOP_SAMPLES)
_MOST_ALIGN_SAMPLES = round(SHORTEST_CUT_SECONDS * SAMPLE_RATE)
_RELEASE = 0.15
"""Speech that began goes on until its probability is this much below the threshold (as silero-vad has it)."""


@dataclass(frozen=True)
class StretchSettings:
    """How speech is turned into stretches.

    Attributes:
        pad_seconds: kept before and after speech; 0 to a quarter of `longest_seconds`.
        shortest_pause_seconds: speech closer than this, or than twice the padding, is one stretch; at most a quarter
            of `longest_seconds`.
        shortest_speech_seconds: a stretch with less speech than this is dropped.
        longest_seconds: a longer stretch is cut into pieces whose kept parts are at most this long; at least 1.
        overlap_seconds: heard on both sides of a cut in mid-speech; 0 to a quarter of `longest_seconds`; rounded up to
            a multiple of `align_samples`.
        align_samples: cuts lie a multiple of this after the stretch's start, so that the frames of the pieces join;
            1 to 1600 (640 suits frames of 20 ms that are taken two by two).
        threshold: probability from which a hop is speech, above 0 and below 1; it ends 0.15 below that.

    Raises:
        LowresError: a value that cannot be kept.
    """

    pad_seconds: float = 0.2
    shortest_pause_seconds: float = 0.5
    shortest_speech_seconds: float = 0.1
    longest_seconds: float = 30.0
    overlap_seconds: float = 1.5
    align_samples: int = 1
    threshold: float = 0.5

    def __post_init__(self) -> None:
        if not 1 <= self.longest_seconds < float("inf"):
            raise LowresError(f"Stretches of at most {self.longest_seconds} s of speech: at least 1 s is needed.")
        for name in ("pad_seconds", "shortest_pause_seconds", "overlap_seconds"):
            if not 0 <= getattr(self, name) <= self.longest_seconds / 4:
                raise LowresError(
                    f"{name} = {getattr(self, name)} does not go with longest_seconds = {self.longest_seconds}.",
                    f"Choose from 0 to a quarter of that, {self.longest_seconds / 4:g} s.",
                )
        if not self.shortest_speech_seconds >= 0:
            raise LowresError(f"shortest_speech_seconds = {self.shortest_speech_seconds}: it cannot be below 0.")
        if not 1 <= self.align_samples <= _MOST_ALIGN_SAMPLES:
            raise LowresError(f"align_samples = {self.align_samples}: choose from 1 to {_MOST_ALIGN_SAMPLES}.")
        if not 0 < self.threshold < 1:
            raise LowresError(f"threshold = {self.threshold}: choose a probability between 0 and 1.")


def stretches_up_to(longest_seconds: float) -> StretchSettings:
    """Return the usual settings with pieces of at most this length, paddings and overlaps shorter where they must be.

    Raises:
        LowresError: below 1 s, or no number.
    """
    usual = StretchSettings()
    most = longest_seconds / 4
    if not most > 0:
        return StretchSettings(longest_seconds=longest_seconds)  # which says what is wrong
    return StretchSettings(
        pad_seconds=min(usual.pad_seconds, most),
        shortest_pause_seconds=min(usual.shortest_pause_seconds, most),
        overlap_seconds=min(usual.overlap_seconds, most),
        longest_seconds=longest_seconds,
    )


@dataclass(frozen=True)
class PlannedPiece:
    """What is to be handed on: the kept part [start, end) and how much is heard around it, in samples."""

    start_samples: int
    end_samples: int
    before_samples: int
    after_samples: int
    continues: bool


class StretchPlanner:
    """Is told of every hop in order, and says which pieces are settled by that.

    Remembers the hops of one piece and its pauses, never more.
    """

    def __init__(self, settings: StretchSettings) -> None:
        self._settings = settings
        self._pad = round(settings.pad_seconds * SAMPLE_RATE)
        # Paddings that touched would make two stretches that follow each other without a gap.
        self._pause = max(round(settings.shortest_pause_seconds * SAMPLE_RATE), 2 * self._pad + 1)
        self._shortest = round(settings.shortest_speech_seconds * SAMPLE_RATE)
        self._longest = int(settings.longest_seconds * SAMPLE_RATE)
        align = settings.align_samples
        self._overlap = ceil(settings.overlap_seconds * SAMPLE_RATE / align) * align
        self._seen = 0  # samples of the hops so far
        self._speaking = False
        self._close()

    def _close(self) -> None:
        """Forget the stretch; `_origin` below 0 says that there is none."""
        self._origin = self._start = -1
        self._before = 0
        self._speech_end = self._num_speech = 0
        self._first_hop = 0
        self._hops: list[tuple[bool, float]] = []  # is it speech, its energy; from `_first_hop` on

    @property
    def oldest_needed_samples(self) -> int:
        """The first sample that pieces still to come may hold."""
        return self._start - self._before if self._origin >= 0 else max(0, self._seen - self._pad)

    def add(self, num_samples: int, probability: float, energy: float) -> Iterator[PlannedPiece]:
        """Take the next hop and yield the pieces that are now settled.

        Args:
            num_samples: `HOP_SAMPLES`; fewer only in the recording's last hop.
            probability: of speech, from a detector.
            energy: anything that is smaller the quieter the hop is.
        """
        threshold = self._settings.threshold
        self._speaking = probability >= (max(threshold - _RELEASE, threshold / 2) if self._speaking else threshold)
        if self._speaking and self._origin < 0:
            self._origin = self._start = max(0, self._seen - self._pad)
            self._first_hop = self._seen // HOP_SAMPLES
        self._seen += num_samples
        if self._origin < 0:
            return
        self._hops.append((self._speaking, energy))
        if self._speaking:
            self._speech_end = self._seen
            self._num_speech += num_samples
        # Padding beyond what was seen may lie beyond the recording's end.
        while self._known_end() - self._start > self._longest:
            yield self._cut()
        if self._seen - self._speech_end >= self._pause:
            yield from self._last_piece()

    def finish(self) -> Iterator[PlannedPiece]:
        """Yield the piece that the recording's end settles, if there is one."""
        if self._origin >= 0:
            yield from self._last_piece()

    def _known_end(self) -> int:
        return min(self._speech_end + self._pad, self._seen)

    def _last_piece(self) -> Iterator[PlannedPiece]:
        continues = self._start > self._origin
        piece = PlannedPiece(self._start, self._known_end(), self._before, 0, continues)
        worth_it = continues or self._num_speech >= self._shortest
        self._close()
        if worth_it:
            yield piece

    def _cut(self) -> PlannedPiece:
        """Cut off the first piece; what remains is the stretch from there on."""
        first = ceil((self._start + self._longest / 2) / HOP_SAMPLES)
        last = (self._start + self._longest) // HOP_SAMPLES
        place, in_speech = _place_to_cut(self._hops[first - self._first_hop : last - self._first_hop])
        align = self._settings.align_samples
        # Half an alignment, 50 ms, moves no cut out of its pause, whose half is longer.
        steps = round((first * HOP_SAMPLES + place - self._origin) / align)
        cut, overlap = self._origin + steps * align, self._overlap if in_speech else 0
        piece = PlannedPiece(self._start, cut, self._before, overlap, self._start > self._origin)
        self._start, self._before = cut, overlap
        gone = cut // HOP_SAMPLES - self._first_hop
        self._hops, self._first_hop = self._hops[gone:], self._first_hop + gone
        return piece


def _place_to_cut(hops: list[tuple[bool, float]]) -> tuple[int, bool]:
    """Return the sample to cut at, counted from the first hop, and whether that is in mid-speech.

    The middle of the longest pause; where none is long enough, of the quietest 128 ms; of equals, the last.
    """
    pauses = _pauses(np.array([is_speech for is_speech, _ in hops]))
    if len(pauses):
        lengths = pauses[:, 1] - pauses[:, 0]
        start, end = pauses[len(pauses) - 1 - int(np.argmax(lengths[::-1]))]
        return int(start + end) * HOP_SAMPLES // 2, False
    energies = np.array([energy for _, energy in hops])
    around = np.convolve(energies, np.ones(_PAUSE_HOPS), mode="valid")
    quietest = len(around) - 1 - int(np.argmin(around[::-1]))
    return quietest * HOP_SAMPLES + _PAUSE_HOPS * HOP_SAMPLES // 2, True


def _pauses(is_speech: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
    """Return the (P, 2) first hops of pauses that are long enough to cut in, and the first hops after them."""
    changes = np.flatnonzero(np.diff(np.concatenate([[True], is_speech, [True]])))
    pauses: npt.NDArray[np.int64] = changes.reshape(-1, 2)
    return pauses[pauses[:, 1] - pauses[:, 0] >= _PAUSE_HOPS]
