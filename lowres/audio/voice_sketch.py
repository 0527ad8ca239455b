"""A few numbers on how speech sounds: enough to tell that two recordings have other speakers or rooms, not who speaks.

The mean and the spread of log energies in bands that are as wide as the ear's (Stevens, Volkmann and Newman 1937), over
the louder half of the frames, which is mostly speech.
"""

from collections.abc import Iterable
from typing import Final

import numpy as np
import numpy.typing as npt

from lowres.audio.constants import SAMPLE_RATE

_WINDOW: Final = 512
_NUM_BANDS: Final = 24
_FAINTEST: Final = 1e-9

VoiceSketch = npt.NDArray[np.float64]
"""(48,): the means of 24 bands without their common level, which is how far the microphone was; then their spreads."""


def sketch_voice(blocks: Iterable[npt.NDArray[np.float32]]) -> VoiceSketch | None:
    """Sketch how a recording sounds.

    Args:
        blocks: (S_i,) float32 at 16 kHz, in order.

    Returns:
        The sketch; None where there is less than a window of sound.
    """
    rest = np.zeros(0, dtype=np.float32)
    levels = []
    for block in blocks:
        joined = np.concatenate([rest, block])
        levels.append(_levels(joined))
        rest = joined[joined.size // _WINDOW * _WINDOW :]
    frames = np.concatenate([np.zeros((0, _NUM_BANDS), dtype=np.float32), *levels])
    if not len(frames):
        return None
    loudness = frames.mean(axis=1)
    loud = frames[loudness >= np.median(loudness)].astype(np.float64)
    means = loud.mean(axis=0)
    return np.concatenate([means - means.mean(), loud.std(axis=0)])


def _levels(block: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    windows = block[: block.size // _WINDOW * _WINDOW].reshape(-1, _WINDOW) * np.hanning(_WINDOW).astype(np.float32)
    powers = np.abs(np.fft.rfft(windows, axis=1)).astype(np.float32) ** 2
    levels: npt.NDArray[np.float32] = np.log(powers @ _BANDS + _FAINTEST)
    return levels


def _make_bands() -> npt.NDArray[np.float32]:
    """Return (257, 24) triangular bands between 60 and 7,600 Hz."""
    edges = np.linspace(_mel(60.0), _mel(7600.0), _NUM_BANDS + 2)
    places = _mel(np.linspace(0, SAMPLE_RATE / 2, _WINDOW // 2 + 1))
    rising = (places[:, None] - edges[None, :-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[None, 2:] - places[:, None]) / (edges[2:] - edges[1:-1])
    bands: npt.NDArray[np.float32] = np.maximum(0, np.minimum(rising, falling)).astype(np.float32)
    return bands


def _mel(hertz: npt.NDArray[np.float64] | float) -> npt.NDArray[np.float64]:
    mels: npt.NDArray[np.float64] = 2595 * np.log10(1 + np.asarray(hertz, dtype=np.float64) / 700)
    return mels


_BANDS: Final = _make_bands()
