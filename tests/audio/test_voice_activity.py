"""Detectors hear where speech is, whatever the recording's level, noise and rate, however it is cut into blocks."""

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lowres.audio.decode import decode_recording
from lowres.audio.voice_activity import (
    HOP_SAMPLES,
    EnergyDetector,
    SileroDetector,
    SpeechDetector,
    find_detector,
)
from lowres.errors import LowresError, how_to_install

RATE = 16_000
needs_silero = pytest.mark.skipif(
    importlib.util.find_spec("silero_vad") is None or importlib.util.find_spec("onnxruntime") is None,
    reason="silero-vad and onnxruntime are not installed (extra vad)",
)


def noise(seconds: float, level: float, seed: int = 1) -> np.ndarray:
    generator = np.random.Generator(np.random.PCG64(seed))
    return (level * generator.standard_normal(round(seconds * RATE))).astype(np.float32)


def bursts(seconds: float = 40.0, level: float = 0.1) -> tuple[np.ndarray, np.ndarray]:
    """Return syllables of half a second, 1.5 s apart, and which samples they cover."""
    times = np.arange(round(seconds * RATE)) / RATE
    loud = times % 2 >= 1.5
    voice = sum(np.sin(2 * np.pi * 150 * harmonic * times) / harmonic for harmonic in range(1, 20))
    return (level * voice * loud).astype(np.float32), loud


def heard(detector: SpeechDetector, waveform: np.ndarray) -> np.ndarray:
    """Return (H,) probabilities."""
    return np.concatenate([detector.feed(waveform), detector.finish()])


def agreement(waveform: np.ndarray, loud: np.ndarray) -> tuple[float, float]:
    """Return which share of speech, and which share of the rest, the loudness detector calls speech."""
    speech = heard(EnergyDetector(), waveform.astype(np.float32)) >= 0.5
    hops = loud[: len(loud) // HOP_SAMPLES * HOP_SAMPLES].reshape(-1, HOP_SAMPLES)
    speech = speech[: len(hops)]
    return float(speech[hops.all(axis=1)].mean()), float(speech[~hops.any(axis=1)].mean())


@pytest.mark.parametrize("gain", [1.0, 0.1, 0.01])
def test_speech_is_told_from_hiss_at_any_gain(gain: float) -> None:
    voice, loud = bursts()
    assert agreement(gain * (voice + noise(40, 0.005)), loud) == (1.0, 0.0)


def test_mains_hum_and_an_offset_are_no_speech_and_hide_none() -> None:
    voice, loud = bursts(level=0.05)
    times = np.arange(voice.size) / RATE
    hum = 0.2 * np.sin(2 * np.pi * 50 * times) + 0.05 * np.sin(2 * np.pi * 100 * times)
    assert agreement(voice + hum + 0.3 + noise(40, 0.002), loud) == (1.0, 0.0)


def test_speech_of_a_telephone_is_heard() -> None:
    voice, loud = bursts()
    spectrum = np.fft.rfft(voice + noise(40, 0.005))
    spectrum[len(spectrum) // 2 :] = 0  # nothing above 4 kHz
    found, wrong = agreement(np.fft.irfft(spectrum, voice.size), loud)
    assert found == 1.0
    assert wrong < 0.02  # the filter rings around the bursts


def test_speech_between_digital_silence_is_heard() -> None:
    assert agreement(*bursts()) == (1.0, 0.0)


@pytest.mark.parametrize("waveform", [np.zeros(5 * RATE, np.float32), noise(40, 0.05), np.full(RATE, 0.5, np.float32)])
def test_silence_and_steady_noise_and_an_offset_hold_no_speech(waveform: np.ndarray) -> None:
    assert not (heard(EnergyDetector(), waveform) >= 0.5).any()


def test_noise_that_rises_slowly_is_background_all_the_way() -> None:
    rising = noise(200, 1.0) * np.geomspace(0.0005, 0.05, 200 * RATE).astype(np.float32)
    assert (heard(EnergyDetector(), rising) >= 0.5).mean() < 0.01


def test_a_recording_that_begins_in_mid_word_is_heard_from_its_first_hop() -> None:
    waveform = (bursts()[0] + noise(40, 0.005))[int(1.6 * RATE) :]
    assert (heard(EnergyDetector(), waveform)[:10] >= 0.5).all()


@pytest.mark.parametrize("num_samples", [0, 1, 511, 512, 513, 16_384, 100_001])
@pytest.mark.parametrize("name", ["energy", pytest.param("silero", marks=needs_silero)])
def test_every_hop_gets_one_probability(name: str, num_samples: int) -> None:
    detector = find_detector(name).detector  # type: ignore[arg-type]
    probabilities = heard(detector, noise(7, 0.1)[:num_samples])
    assert probabilities.dtype == np.float32
    assert len(probabilities) == -(-num_samples // HOP_SAMPLES)
    assert ((probabilities >= 0) & (probabilities <= 1)).all()


def test_whole_numbers_of_32_bits_as_floats_overflow_nothing() -> None:
    assert np.isfinite(heard(EnergyDetector(), 2.0**31 * np.sign(noise(3, 1.0)))).all()


VOICE = (bursts(60)[0] + noise(60, 0.005)).astype(np.float32)
CUTS = st.lists(st.integers(0, VOICE.size), max_size=12).map(sorted)


@given(CUTS, st.integers(0, VOICE.size))
@settings(max_examples=15, deadline=None)
def test_how_a_recording_is_cut_into_blocks_changes_nothing(cuts: list[int], length: int) -> None:
    detector = EnergyDetector()
    detector.feed(noise(3, 1.0))
    detector.reset()
    pieces = [detector.feed(block) for block in np.split(VOICE[:length], [min(cut, length) for cut in cuts])]
    pieces.append(detector.finish())
    assert np.array_equal(np.concatenate(pieces), heard(EnergyDetector(), VOICE[:length]))


@needs_silero
def test_how_a_recording_is_cut_into_blocks_changes_nothing_for_silero() -> None:
    detector = SileroDetector()
    whole = heard(detector, VOICE[: 10 * RATE])
    for length in (1000, 512, 77_777):
        blocks = np.split(VOICE[: 10 * RATE], range(length, 10 * RATE, length))
        pieces = [*map(detector.feed, blocks), detector.finish()]
        assert np.array_equal(np.concatenate(pieces), whole)


@needs_silero
def test_many_hops_at_a_time_give_what_silero_gives_for_one() -> None:
    import onnxruntime

    package = importlib.util.find_spec("silero_vad")
    assert package is not None
    assert package.origin is not None
    model = Path(package.origin).parent / "data" / "silero_vad.onnx"
    session = onnxruntime.InferenceSession(str(model), providers=["CPUExecutionProvider"])
    state, context, expected = np.zeros((2, 1, 128), np.float32), np.zeros(64, np.float32), []
    for hop in VOICE[: 100 * HOP_SAMPLES].reshape(-1, HOP_SAMPLES):
        inputs = {"input": np.concatenate([context, hop])[None], "state": state, "sr": np.array(RATE)}
        (probability,), state = session.run(None, inputs)
        expected.append(float(probability[0]))
        context = hop[-64:]
    assert heard(SileroDetector(), VOICE[: 100 * HOP_SAMPLES]) == pytest.approx(expected, abs=1e-5)


@pytest.mark.corpora
@pytest.mark.parametrize("name", ["energy", pytest.param("silero", marks=needs_silero)])
def test_people_are_heard_and_the_room_is_not(corpora_folder: Path, name: str) -> None:
    clip = min((corpora_folder / "yoruba" / "yo" / "clips").iterdir())
    speech = decode_recording(clip).waveform
    room = noise(3, float(np.percentile(np.abs(speech), 5)))
    waveform = np.concatenate([room, speech, room])
    probabilities = heard(find_detector(name).detector, waveform)  # type: ignore[arg-type]
    first, last = 3 * RATE // HOP_SAMPLES, (waveform.size - 3 * RATE) // HOP_SAMPLES
    assert (probabilities[first:last] >= 0.5).mean() > 0.4
    assert (np.delete(probabilities, np.arange(first - 1, last + 2)) >= 0.5).mean() < 0.05


def without(monkeypatch: pytest.MonkeyPatch, package: str) -> None:
    find_spec = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == package else find_spec(name))


def test_where_silero_is_missing_loudness_serves_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    without(monkeypatch, "silero_vad")
    found = find_detector("auto")
    assert isinstance(found.detector, EnergyDetector)
    assert found.note == (
        f"Speech is told from silence by loudness alone: silero-vad is not installed. {how_to_install('vad')}"
    )


def test_silero_asked_for_and_missing_is_an_error_with_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    without(monkeypatch, "silero_vad")
    with pytest.raises(LowresError, match="silero-vad is not installed") as caught:
        find_detector("silero")
    assert caught.value.hint == how_to_install("vad")


def fake_package(monkeypatch: pytest.MonkeyPatch, folder: Path, model: bytes | None) -> None:
    """Put a silero_vad first on the path that must not be imported."""
    data = folder / "silero_vad" / "data"
    data.mkdir(parents=True)
    (folder / "silero_vad" / "__init__.py").write_text("raise AssertionError('imported')\n")
    if model is not None:
        (data / "silero_vad_16k_sequence.onnx").write_bytes(model)
    monkeypatch.syspath_prepend(str(folder))


def test_an_old_silero_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    fake_package(monkeypatch, tmp_path, None)
    with pytest.raises(LowresError, match=r"older than 6\.2\.3"):
        find_detector("silero")


def test_without_onnxruntime_silero_says_what_it_needs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    fake_package(monkeypatch, tmp_path, b"")
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(LowresError, match="needs onnxruntime"):
        find_detector("silero")
    assert "needs onnxruntime" in find_detector("auto").note
    assert find_detector("energy").note == ""


def test_a_damaged_network_is_an_error_with_the_remedy(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    fake_package(monkeypatch, tmp_path, b"not a network")
    with pytest.raises(LowresError, match="cannot be loaded") as caught:
        find_detector("silero")
    assert caught.value.hint == "Run `pip install --force-reinstall --no-deps silero-vad onnxruntime`."
    assert "cannot be loaded" in find_detector("auto").note


def test_blocks_with_channels_are_refused() -> None:
    with pytest.raises(ValueError, match="one axis"):
        EnergyDetector().feed(np.zeros((10, 2), np.float32))
