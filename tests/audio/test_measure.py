"""Signal measures against values worked out by hand."""

import numpy as np
import pytest
import soxr

from lowres.audio.measure import SILENCE_DBFS, measure_signal
from lowres.audio.shards import to_int16


def noise(seconds: float = 2.0, level: float = 0.1) -> np.ndarray:
    samples = np.random.default_rng(0).standard_normal(int(seconds * 16_000)) * level
    return np.asarray(samples, dtype=np.float32)


def test_a_full_scale_square_wave_is_at_0_db_and_clipped_throughout() -> None:
    measures = measure_signal(np.tile(np.array([32767, -32768], dtype=np.int16), 8000))
    assert measures.peak == pytest.approx(1.0, abs=1e-4)
    assert measures.rms_dbfs == pytest.approx(0.0, abs=0.01)
    assert measures.clipped_share == 1.0


def test_a_sine_at_half_scale_is_9_db_down() -> None:
    sine = 0.5 * np.sin(2 * np.pi * 1000 * np.arange(16_000) / 16_000)
    measures = measure_signal(to_int16(sine.astype(np.float32)))
    assert measures.peak == pytest.approx(0.5, abs=1e-3)
    assert measures.rms_dbfs == pytest.approx(-9.03, abs=0.02)
    assert measures.clipped_share == 0.0


def test_silence_has_the_lowest_level_and_no_bandwidth() -> None:
    measures = measure_signal(np.zeros(16_000, dtype=np.int16))
    assert (measures.rms_dbfs, measures.loudest_dbfs, measures.bandwidth_hz) == (SILENCE_DBFS, SILENCE_DBFS, 0.0)


def test_no_samples_measure_as_silence() -> None:
    assert measure_signal(np.zeros(0, dtype=np.int16)).rms_dbfs == SILENCE_DBFS


def test_a_few_samples_can_be_measured() -> None:
    assert measure_signal(np.array([16384] * 5, dtype=np.int16)).peak == 0.5


def test_the_loudest_moment_counts_even_in_a_long_silence() -> None:
    samples = np.zeros(160_000, dtype=np.int16)
    samples[80_000:81_000] = 8192
    measures = measure_signal(samples)
    assert measures.loudest_dbfs == pytest.approx(-12.04, abs=0.1)
    assert measures.rms_dbfs < -30


def test_wide_band_sound_reaches_8_khz() -> None:
    assert measure_signal(to_int16(noise())).bandwidth_hz == 8000


def test_telephone_sound_ends_at_4_khz() -> None:
    telephone = soxr.resample(soxr.resample(noise(), 16_000, 8_000), 8_000, 16_000)
    assert 3500 <= measure_signal(to_int16(telephone)).bandwidth_hz <= 4250


def test_a_hiss_far_below_the_voice_does_not_widen_telephone_sound() -> None:
    telephone = soxr.resample(soxr.resample(noise(), 16_000, 8_000), 8_000, 16_000)
    hiss = noise() * 10 ** (-80 / 20)
    assert measure_signal(to_int16(telephone + hiss)).bandwidth_hz <= 4250
