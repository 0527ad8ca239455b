"""What phones, recorders and cameras make is read: their formats, their video, their odd rates, their two channels."""

from pathlib import Path

import av
import numpy as np
import pytest
import soundfile

from lowres.audio.decode import decode_recording
from lowres.errors import AudioError

LEFT_HERTZ, RIGHT_HERTZ, SECONDS = 300.0, 1000.0, 1.5


def voices(sample_rate: int, channels: int) -> np.ndarray:
    """Return (S, channels) float32: one voice on the left, another on the right (both, where there is one channel)."""
    times = np.arange(int(SECONDS * sample_rate)) / sample_rate
    left, right = (0.3 * np.sin(2 * np.pi * hertz * times) for hertz in (LEFT_HERTZ, RIGHT_HERTZ))
    both = np.stack([left, right], axis=1) if channels == 2 else (left + right)[:, None]
    return both.astype(np.float32)


def film(path: Path, codec: str, sample_rate: int, channels: int, video: str = "") -> None:
    """Write a recording as a device would, with a few grey pictures where it is a film."""
    layout = "stereo" if channels == 2 else "mono"
    try:
        av.codec.Codec(codec, "w")
    except av.codec.codec.UnknownCodecError:
        pytest.skip(f"this PyAV cannot write {codec}")
    with av.open(str(path), "w") as container:
        pictures = container.add_stream(video, rate=10) if video else None
        sound = container.add_stream(codec, rate=sample_rate, layout=layout)
        if pictures is not None:
            pictures.width, pictures.height, pictures.pix_fmt = 64, 48, "yuv420p"
            for _ in range(int(10 * SECONDS)):
                picture = av.VideoFrame.from_ndarray(np.full((72, 64), 128, dtype=np.uint8), format="yuv420p")
                container.mux(pictures.encode(picture))
            container.mux(pictures.encode(None))
        if codec == "wmav2":
            sound.bit_rate = 128_000
        size = {"libopencore_amrnb": 160, "wmav2": 2048}.get(codec, 1024)
        resampler = av.AudioResampler(sound.codec_context.format, layout, sample_rate, frame_size=size)
        frame = av.AudioFrame.from_ndarray(voices(sample_rate, channels).reshape(1, -1), "flt", layout)
        frame.sample_rate = sample_rate
        for even in [*resampler.resample(frame), *resampler.resample(None)]:
            container.mux(sound.encode(even))
        container.mux(sound.encode(None))


def loudness_at(waveform: np.ndarray, hertz: float) -> float:
    """Return how loud a frequency is, against all of the sound."""
    spectrum = np.abs(np.fft.rfft(waveform * np.hanning(waveform.size))) ** 2
    frequencies = np.fft.rfftfreq(waveform.size, 1 / 16_000)
    return float(spectrum[np.abs(frequencies - hertz) < 15].sum() / spectrum.sum())


def heard(path: Path, channel: int | None = None) -> str:
    """Say whose voices are heard on a channel."""
    decoded = decode_recording(path, channel=channel)
    assert decoded.duration_seconds == pytest.approx(SECONDS, abs=0.15)
    shares = {"left": loudness_at(decoded.waveform, LEFT_HERTZ), "right": loudness_at(decoded.waveform, RIGHT_HERTZ)}
    return " and ".join(name for name, share in shares.items() if share > 0.2)


@pytest.mark.parametrize(
    ("name", "codec", "sample_rate", "video"),
    [
        ("voice memo.m4a", "aac", 44_100, ""),
        ("lossless memo.m4a", "alac", 48_000, ""),
        ("camera.mp4", "aac", 48_000, "mpeg4"),
        ("camera.mov", "pcm_s16le", 48_000, "mpeg4"),
        ("browser.webm", "libopus", 48_000, "libvpx"),
        ("windows.wma", "wmav2", 44_100, ""),
        ("old camera.mkv", "mp2", 48_000, "mpeg4"),
    ],
)
def test_stereo_of_a_device_is_mixed_or_one_speaker_chosen(
    tmp_path: Path, name: str, codec: str, sample_rate: int, video: str
) -> None:
    film(tmp_path / name, codec, sample_rate, 2, video)
    assert [heard(tmp_path / name, channel) for channel in (None, 0, 1)] == ["left and right", "left", "right"]


@pytest.mark.parametrize(
    ("name", "codec", "sample_rate"),
    [
        ("old phone.amr", "libopencore_amrnb", 8_000),
        ("old phone.3gp", "libopencore_amrnb", 8_000),
        ("answering machine.wav", "pcm_mulaw", 8_000),
        ("minidisc.wav", "adpcm_ima_wav", 22_050),
    ],
)
def test_mono_of_a_device_is_read(tmp_path: Path, name: str, codec: str, sample_rate: int) -> None:
    film(tmp_path / name, codec, sample_rate, 1)
    assert heard(tmp_path / name) == "left and right"
    assert decode_recording(tmp_path / name).original_sample_rate == sample_rate


@pytest.mark.parametrize("subtype", ["PCM_24", "PCM_32", "FLOAT", "PCM_U8"])
@pytest.mark.parametrize("sample_rate", [8_000, 11_025, 48_000, 96_000])
def test_wav_of_any_depth_and_rate_is_read(tmp_path: Path, subtype: str, sample_rate: int) -> None:
    soundfile.write(tmp_path / "a.wav", voices(sample_rate, 2), sample_rate, subtype=subtype)
    assert [heard(tmp_path / "a.wav", channel) for channel in (None, 0, 1)] == ["left and right", "left", "right"]


def test_a_film_without_sound_is_refused_in_a_sentence(tmp_path: Path) -> None:
    with av.open(str(tmp_path / "silent.mp4"), "w") as container:
        pictures = container.add_stream("mpeg4", rate=10)
        pictures.width, pictures.height, pictures.pix_fmt = 64, 48, "yuv420p"
        picture = av.VideoFrame.from_ndarray(np.full((72, 64), 128, dtype=np.uint8), format="yuv420p")
        container.mux([*pictures.encode(picture), *pictures.encode(None)])
    with pytest.raises(AudioError, match=r"silent\.mp4"):
        decode_recording(tmp_path / "silent.mp4")
