"""Recordings in the page: small, whole, and never more than the budget."""

import base64
import io
from pathlib import Path

import numpy as np
import pytest
import soundfile

from lowres.report.recordings import embed_recordings, encode_recording, write_recordings


def tone(seconds: float) -> np.ndarray:
    time = np.arange(int(16_000 * seconds)) / 16_000
    return (8000 * np.sin(2 * np.pi * 220 * time)).astype(np.int16)


def decode(address: str) -> tuple[np.ndarray, int]:
    return soundfile.read(io.BytesIO(base64.b64decode(address.split(",", 1)[1])))


def test_a_recording_comes_back_as_it_sounded() -> None:
    samples, sample_rate = decode(encode_recording(tone(1.5), 16_000))
    assert sample_rate == 16_000
    assert abs(len(samples) - 24_000) < 3_000
    assert np.argmax(np.abs(np.fft.rfft(samples[4000:20000]))) == pytest.approx(220, abs=2)


def test_an_empty_recording_is_a_valid_file() -> None:
    address = encode_recording(np.zeros(0, np.int16), 16_000)
    assert len(decode(address)[0]) == 0


def test_wav_is_used_where_mp3_cannot_be_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(soundfile, "available_formats", lambda: {"WAV": ""})
    address = encode_recording(tone(0.1), 16_000)
    assert address.startswith("data:audio/wav;base64,")
    assert len(decode(address)[0]) == 1_600


def test_the_most_wanted_recordings_are_taken_until_the_budget_is_spent() -> None:
    asked: list[int] = []

    def read(number: int) -> np.ndarray:
        asked.append(number)
        return tone(0.2)

    every = embed_recordings([5, 3, 5, *range(30)], read, 16_000)
    assert sorted(asked) == sorted(range(30))
    size = len(every[5])
    some = embed_recordings([5, 3, 5, *range(30)], read, 16_000, budget_bytes=4 * size)
    assert list(some)[:2] == [5, 3]
    assert 2 <= len(some) <= 5
    assert sum(map(len, some.values())) <= 4 * size
    assert embed_recordings([1], read, 16_000, budget_bytes=0) == {}


def test_recordings_beside_the_page_are_named_by_number(tmp_path: Path) -> None:
    addresses = write_recordings(tmp_path, [3, 12_345], lambda number: tone(0.2), 16_000)
    assert addresses == {3: "recordings/00003.mp3", 12_345: "recordings/12345.mp3"}
    assert sorted(path.name for path in (tmp_path / "recordings").iterdir()) == ["00003.mp3", "12345.mp3"]
    assert soundfile.info(tmp_path / "recordings" / "00003.mp3").samplerate == 16_000
