"""The sketch of a voice: the same for the same sound however loud it is, another one for another microphone."""

import numpy as np
import pytest

from lowres.audio.constants import SAMPLE_RATE
from lowres.audio.voice_sketch import VoiceSketch, sketch_voice

Samples = np.ndarray


def speak(seconds: float, seed: int, pitch: float = 120.0, formant: float = 700.0) -> Samples:
    """Return (S,) float32 that is a little like speech: a hum whose pitch and loudness change, with pauses."""
    chance = np.random.default_rng(seed)
    num = int(seconds * SAMPLE_RATE)
    syllables = np.repeat(chance.uniform(0.2, 1.0, num // 3200 + 1), 3200)[:num]
    phase = 2 * np.pi * np.cumsum(pitch * (0.8 + 0.4 * syllables)) / SAMPLE_RATE
    hum = sum(np.sin(k * phase) * np.exp(-(((k * pitch - formant) / 900) ** 2)) for k in range(1, 16))
    spoken = hum * syllables * (np.repeat(chance.random(num // 8000 + 1) > 0.3, 8000)[:num])
    return np.asarray(0.1 * spoken + 1e-3 * chance.standard_normal(num), dtype=np.float32)


def sketch(samples: Samples) -> VoiceSketch:
    found = sketch_voice([samples])
    assert found is not None
    return found


def distance(first: VoiceSketch, second: VoiceSketch) -> float:
    return float(np.sqrt(((first - second) ** 2).mean()))


def through_a_telephone(samples: Samples) -> Samples:
    spectrum = np.fft.rfft(samples)
    spectrum[np.fft.rfftfreq(samples.size, 1 / SAMPLE_RATE) > 3400] *= 0.001
    return np.fft.irfft(spectrum, samples.size).astype(np.float32)


@pytest.mark.parametrize("gain", [0.05, 0.3, 8.0])
def test_how_loud_it_is_makes_no_difference(gain: float) -> None:
    samples = speak(8.0, 1)
    assert distance(sketch(samples), sketch(gain * samples)) < 0.05


def test_the_same_voice_is_near_another_one_farther_and_a_telephone_farthest() -> None:
    first, second = sketch(speak(8.0, 1)), sketch(speak(8.0, 2))
    other = sketch(speak(8.0, 3, pitch=210.0, formant=1100.0))
    telephone = sketch(through_a_telephone(speak(8.0, 2)))
    assert distance(first, second) < 0.5 * distance(first, other)
    assert distance(first, other) < distance(first, telephone)


@pytest.mark.parametrize("length", [100, 511, 512, 513, 5000, 16_000])
def test_blocks_of_any_length_are_one_recording(length: int) -> None:
    samples = speak(3.0, 1)
    blocks = [samples[start : start + length] for start in range(0, samples.size, length)]
    found = sketch_voice(blocks)
    assert found is not None
    np.testing.assert_allclose(found, sketch(samples), atol=1e-5)


def test_less_than_a_window_has_no_sketch() -> None:
    assert sketch_voice([]) is None
    assert sketch_voice([speak(1.0, 1)[:511]]) is None
    assert sketch_voice([np.zeros(0, dtype=np.float32)]) is None
    assert sketch_voice([speak(1.0, 1)[:512]]) is not None


def test_silence_has_a_sketch_without_infinities() -> None:
    assert np.isfinite(sketch(np.zeros(SAMPLE_RATE, dtype=np.float32))).all()
    assert sketch(speak(1.0, 1)).shape == (48,)
