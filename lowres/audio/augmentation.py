"""Speech made to sound different: played faster or slower, and with noise. Not in the paper.

Speed: Ko et al. 2015, "Audio augmentation for speech recognition" (factors 0.9, 1 and 1.1; pitch and pace change
together). Noise is made here, so that no collection of recordings is needed.
"""

import numpy as np
import numpy.typing as npt
import soxr

from lowres.audio.constants import SAMPLE_RATE

FloatArray = npt.NDArray[np.float32]

_MOST_NOISE_TILT = 2.0
"""Power falls with the frequency to this power at most: 0 is white noise, 1 pink, 2 brown."""


def change_speed(waveform: FloatArray, factor: float) -> FloatArray:
    """Play a waveform faster or slower, its pitch changing with it.

    Args:
        waveform: (S,) float32 at 16 kHz.
        factor: above 1 is faster and shorter.

    Returns:
        About (S / factor,) float32.
    """
    if factor == 1.0:
        return waveform
    changed: FloatArray = soxr.resample(waveform, SAMPLE_RATE * factor, SAMPLE_RATE, quality="MQ")
    return changed


def add_noise(waveform: FloatArray, snr_db: float, generator: np.random.Generator) -> FloatArray:
    """Add noise of a random colour, between white and brown.

    Args:
        waveform: (S,) float32.
        snr_db: mean power of the waveform over that of the noise, in decibels.
        generator: draws colour and noise.

    Returns:
        (S,) float32; a silent waveform stays silent.
    """
    white = generator.standard_normal(len(waveform), dtype=np.float32)
    spectrum = np.fft.rfft(white)
    tilt = generator.uniform(0.0, _MOST_NOISE_TILT)
    spectrum[1:] *= np.arange(1, len(spectrum), dtype=np.float32) ** (-tilt / 2)
    spectrum[0] = 0.0
    noise = np.fft.irfft(spectrum, len(waveform))
    noise_power, power = float(np.mean(noise**2)), float(np.mean(waveform.astype(np.float64) ** 2))
    if noise_power == 0.0:
        return waveform
    scale = np.sqrt(power / noise_power * 10 ** (-snr_db / 10))
    noisy: FloatArray = (waveform + scale * noise).astype(np.float32)
    return noisy
