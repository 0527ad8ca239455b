"""Hand on the speech of a recording of any length in stretches short enough to recognise, in flat memory.

A stretch that is too long comes in pieces. Where such a cut falls into a pause, the pieces merely follow each other;
where it falls into speech, both hear a second and a half beyond it, and a decoder joins their frames at the cut:

    piece 1   |<------------- kept ------------->|<- after ->|
    piece 2                          |<- before ->|<------------- kept ------------->|

No paper's; cf. the striding of Patry 2022, "Making automatic speech recognition work on large files with Wav2Vec2".
"""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from lowres.audio.stretch_plan import PlannedPiece, StretchPlanner, StretchSettings
from lowres.audio.voice_activity import HOP_SAMPLES, SpeechDetector

FloatArray = npt.NDArray[np.float32]

_CHUNK_SAMPLES = 64 * HOP_SAMPLES
"""Blocks are cut anew to this length (about 2 s), so that nothing depends on how they came."""


@dataclass(frozen=True, eq=False)
class Stretch:
    """A continuous piece of a recording with speech in it.

    Attributes:
        start_samples: of `samples` in the recording, at 16 kHz.
        samples: (S,) float32; a copy, which nothing else holds on to.
        overlap_before_samples, overlap_after_samples: heard only, at both ends of `samples`; the kept part lies
            between them. Before is a multiple of the settings' `align_samples`; after is shorter than asked for where
            the recording ends.
        continues: the kept part begins exactly where that of the stretch before it ended.
    """

    start_samples: int
    samples: FloatArray
    overlap_before_samples: int = 0
    overlap_after_samples: int = 0
    continues: bool = False

    @property
    def kept_start_samples(self) -> int:
        """Where the kept part begins in the recording."""
        return self.start_samples + self.overlap_before_samples

    @property
    def kept_end_samples(self) -> int:
        """The first sample of the recording that no longer belongs to the kept part."""
        return self.start_samples + self.samples.size - self.overlap_after_samples


def find_stretches(
    blocks: Iterable[FloatArray], detector: SpeechDetector | None, settings: StretchSettings | None = None
) -> Iterator[Stretch]:
    """Find the stretches of a recording that hold speech.

    The same stretches come however the recording is cut into blocks. Every sample that the detector calls speech is in
    the kept part of exactly one stretch, unless its whole stretch holds less speech than `shortest_speech_seconds`.
    Memory: about two pieces of `longest_seconds`, what the detector is late by, and the block at hand.

    Args:
        blocks: (S_i,) float32 arrays at 16 kHz, mono, in order, of any lengths.
        detector: hears where speech is; it is reset first. None: everything is speech, to the last sample, and nothing
            is padded.
        settings: None = `StretchSettings()`.

    Raises:
        LowresError: whatever `blocks` raises; the stretches before that have been handed on by then.
    """
    settings = settings or StretchSettings()
    if detector is None:
        settings = replace(settings, pad_seconds=0.0, shortest_speech_seconds=0.0)
    else:
        detector.reset()
    planner, sound = StretchPlanner(settings), _Sound()
    planned: deque[PlannedPiece] = deque()
    energies: deque[float] = deque()
    for chunk in _chunks(blocks):
        sound.append(chunk)
        energies.extend(_energies(chunk))
        probabilities = np.ones(len(chunk) // HOP_SAMPLES) if detector is None else detector.feed(chunk)
        for probability in probabilities:
            planned.extend(planner.add(HOP_SAMPLES, float(probability), energies.popleft()))
        while planned and planned[0].end_samples + planned[0].after_samples <= sound.end_samples:
            yield sound.take(planned.popleft())
        sound.forget(min([planner.oldest_needed_samples, *(one.start_samples - one.before_samples for one in planned)]))
    planned.extend(_plan_the_end(planner, detector, energies, sound.end_samples))
    yield from map(sound.take, planned)


def _plan_the_end(
    planner: StretchPlanner, detector: SpeechDetector | None, energies: deque[float], end_samples: int
) -> Iterator[PlannedPiece]:
    """Yield the pieces that stand once the recording has ended."""
    probabilities = np.ones(len(energies)) if detector is None else detector.finish()
    last_hop = end_samples % HOP_SAMPLES or HOP_SAMPLES
    for probability, energy in zip(probabilities, list(energies), strict=True):
        energies.popleft()
        yield from planner.add(HOP_SAMPLES if energies else last_hop, float(probability), energy)
    yield from planner.finish()


def _chunks(blocks: Iterable[FloatArray]) -> Iterator[FloatArray]:
    """Cut blocks anew: every chunk but the last has `_CHUNK_SAMPLES`."""
    waiting, num_waiting = [], 0
    for block in blocks:
        for start in range(0, block.size, _CHUNK_SAMPLES):
            waiting.append(block[start : start + _CHUNK_SAMPLES])
            num_waiting += waiting[-1].size
            if num_waiting >= _CHUNK_SAMPLES:
                joined = np.concatenate(waiting, dtype=np.float32)
                yield joined[:_CHUNK_SAMPLES]
                waiting, num_waiting = [joined[_CHUNK_SAMPLES:]], joined.size - _CHUNK_SAMPLES
    if num_waiting:
        yield np.concatenate(waiting, dtype=np.float32)


def _energies(chunk: FloatArray) -> list[float]:
    """Return the energy of every hop, without its mean: hum and offset of cheap recorders are no loudness."""
    hops = np.pad(chunk, (0, -chunk.size % HOP_SAMPLES)).reshape(-1, HOP_SAMPLES).astype(np.float64)
    hops -= hops.mean(axis=1, keepdims=True)
    energies: list[float] = (hops**2).sum(axis=1).tolist()
    return energies


class _Sound:
    """The part of the recording that is still needed."""

    def __init__(self) -> None:
        self._chunks: deque[FloatArray] = deque()
        self._start_samples = 0
        self.end_samples = 0

    def append(self, chunk: FloatArray) -> None:
        self._chunks.append(chunk)
        self.end_samples += chunk.size

    def forget(self, before_samples: int) -> None:
        """Let go of the chunks that end before that sample."""
        while self._chunks and self._start_samples + self._chunks[0].size <= before_samples:
            self._start_samples += self._chunks.popleft().size

    def take(self, piece: PlannedPiece) -> Stretch:
        """Return a piece; what it wants to hear beyond the recording's end is left out."""
        start = piece.start_samples - piece.before_samples
        end = min(piece.end_samples + piece.after_samples, self.end_samples)
        samples = np.concatenate(
            [self._chunks[n] for n in range((end - self._start_samples - 1) // _CHUNK_SAMPLES + 1)]
        )[start - self._start_samples : end - self._start_samples].copy()
        return Stretch(start, samples, piece.before_samples, end - piece.end_samples, piece.continues)
