import numpy as np
import pytest

from lowres.audio.augmentation import add_noise, change_speed

TONE = np.sin(2 * np.pi * 1_000 * np.arange(16_000) / 16_000).astype(np.float32)


def loudest_hertz(waveform: np.ndarray) -> float:
    spectrum = np.abs(np.fft.rfft(waveform * np.hanning(len(waveform))))
    return float(np.argmax(spectrum)) * 16_000 / len(waveform)


@pytest.mark.parametrize("factor", [0.9, 1.1])
def test_faster_speech_is_shorter_and_higher_by_the_same_factor(factor: float) -> None:
    changed = change_speed(TONE, factor)
    assert len(changed) == pytest.approx(16_000 / factor, abs=2)
    assert loudest_hertz(changed) == pytest.approx(1_000 * factor, abs=2)


def test_speech_at_its_own_speed_is_untouched() -> None:
    assert change_speed(TONE, 1.0) is TONE


@pytest.mark.parametrize("snr_db", [0.0, 15.0])
def test_noise_has_the_power_that_was_asked_for(snr_db: float) -> None:
    noise = add_noise(TONE, snr_db, np.random.default_rng(3)).astype(np.float64) - TONE
    assert 10 * np.log10(np.mean(TONE.astype(np.float64) ** 2) / np.mean(noise**2)) == pytest.approx(snr_db, abs=0.01)


def test_noise_has_many_colours() -> None:
    falls = []
    for seed in range(8):
        noise = add_noise(TONE, 0.0, np.random.default_rng(seed)) - TONE
        power = np.abs(np.fft.rfft(noise)) ** 2
        falls.append(10 * np.log10(power[100:400].mean() / power[6_000:].mean()))
    assert min(falls) < 5
    assert max(falls) > 15


def test_silence_stays_silent() -> None:
    assert not add_noise(np.zeros(400, dtype=np.float32), 10.0, np.random.default_rng(0)).any()
