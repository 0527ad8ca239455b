"""Signal measures of one utterance, in one pass over its samples: what `prepare`'s checks judge by."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lowres.audio.constants import FULL_SCALE, SAMPLE_RATE

Int16Array = npt.NDArray[np.int16]

SILENCE_DBFS = -120.0
"""What digital silence measures, instead of minus infinity."""
FRAME_SAMPLES = 512
NUM_SPECTRA = 24
BAND_HZ = 250
# A band counts as present when it is less than this far below the strongest one. Speech recorded at 16 kHz keeps its
# hiss and its fricatives within 60 dB; resampling from 8 kHz leaves rounding noise, 80 dB down and more.
PRESENT_DB = 68.0
_CLIPPED_FROM = int(0.999 * FULL_SCALE)
_WINDOW = np.hanning(FRAME_SAMPLES).astype(np.float32)
_BANDS = int(np.ceil(SAMPLE_RATE / 2 / BAND_HZ))
_BAND_EDGES = np.arange(_BANDS) * BAND_HZ * FRAME_SAMPLES // SAMPLE_RATE


@dataclass(frozen=True)
class SignalMeasures:
    """What was measured of one utterance.

    Attributes:
        peak: largest absolute sample, 0 to 1.
        rms_dbfs: level of the whole utterance in dB below full scale; -120 for digital silence.
        loudest_dbfs: level of its loudest 32 ms, in the same unit.
        clipped_share: share of samples at full scale, 0 to 1.
        bandwidth_hz: the highest frequency present in its loud parts, in steps of 250 Hz; 0 for silence.
    """

    peak: float
    rms_dbfs: float
    loudest_dbfs: float
    clipped_share: float
    bandwidth_hz: float


def measure_signal(samples: Int16Array) -> SignalMeasures:
    """Measure one utterance.

    Args:
        samples: (S,) int16 at 16 kHz; S may be 0.

    Returns:
        The measures; those of no samples at all are those of silence.
    """
    if not samples.size:
        return SignalMeasures(0.0, SILENCE_DBFS, SILENCE_DBFS, 0.0, 0.0)
    peak = int(max(int(samples.max()), -int(samples.min())))
    clipped = 0 if peak < _CLIPPED_FROM else int(((samples >= _CLIPPED_FROM) | (samples <= -_CLIPPED_FROM)).sum())
    frames = _frames(samples)
    energies = np.einsum("fs,fs->f", frames, frames) / FRAME_SAMPLES
    return SignalMeasures(
        peak=min(peak / FULL_SCALE, 1.0),
        rms_dbfs=level_dbfs(samples),
        loudest_dbfs=_decibels(float(energies.max()) / FULL_SCALE**2),
        clipped_share=clipped / samples.size,
        bandwidth_hz=_bandwidth(frames, energies),
    )


def level_dbfs(samples: Int16Array) -> float:
    """Return the level of a whole utterance, (S,) int16, in dB below full scale; -120 for silence and for nothing."""
    if not samples.size:
        return SILENCE_DBFS
    waveform = samples.astype(np.float32)
    return _decibels(float(np.dot(waveform, waveform)) / samples.size / FULL_SCALE**2)


def _frames(samples: Int16Array) -> npt.NDArray[np.float32]:
    num_frames = max(1, samples.size // FRAME_SAMPLES)
    if samples.size < FRAME_SAMPLES:
        samples = np.pad(samples, (0, FRAME_SAMPLES - samples.size))
    frames: npt.NDArray[np.float32] = (
        samples[: num_frames * FRAME_SAMPLES].reshape(num_frames, FRAME_SAMPLES).astype(np.float32)
    )
    return frames


def _bandwidth(frames: npt.NDArray[np.float32], energies: npt.NDArray[np.float32]) -> float:
    loud = frames[np.argsort(-energies, kind="stable")[:: max(1, len(frames) // (4 * NUM_SPECTRA))][:NUM_SPECTRA]]
    spectra = np.fft.rfft((loud - loud.mean(axis=1, keepdims=True)) * _WINDOW, axis=1)
    power = spectra.real**2 + spectra.imag**2
    bands = np.maximum.reduceat(power.mean(axis=0)[:-1], _BAND_EDGES)
    strongest = float(bands.max())
    if strongest <= 0:
        return 0.0
    present = np.flatnonzero(bands > strongest * 10 ** (-PRESENT_DB / 10))
    return float((present[-1] + 1) * BAND_HZ)


def _decibels(power: float) -> float:
    return SILENCE_DBFS if power <= 0 else max(SILENCE_DBFS, round(10 * float(np.log10(power)), 2))
