"""Recordings of every kind come out as the same mono 16 kHz sound, or as one sentence with the file's name."""

from pathlib import Path

import av
import numpy as np
import pytest
import soundfile

from lowres.audio.decode import decode_recording
from lowres.errors import AudioError


def tone(seconds: float, sample_rate: int, hertz: float = 440.0) -> np.ndarray:
    return (0.5 * np.sin(2 * np.pi * hertz * np.arange(int(seconds * sample_rate)) / sample_rate)).astype(np.float32)


def write_with_av(path: Path, codec: str, sample_rate: int, samples: np.ndarray) -> None:
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=sample_rate, layout="mono")
        # The encoder decides on its sample format; the resampler brings ours to it, in frames of its size.
        resampler = av.AudioResampler(
            format=stream.codec_context.format, layout="mono", rate=sample_rate, frame_size=1024
        )
        frame = av.AudioFrame.from_ndarray(samples.reshape(1, -1), format="flt", layout="mono")
        frame.sample_rate = sample_rate
        for even in [*resampler.resample(frame), *resampler.resample(None)]:
            container.mux(stream.encode(even))
        container.mux(stream.encode(None))


def main_frequency(waveform: np.ndarray) -> float:
    spectrum = np.abs(np.fft.rfft(waveform * np.hanning(waveform.size)))
    return float(np.argmax(spectrum) * 16_000 / waveform.size)


def test_16_bit_samples_at_16_khz_come_through_unchanged(tmp_path: Path) -> None:
    samples = np.array([0, 1, -1, 32767, -32768, 12345], dtype=np.int16)
    soundfile.write(tmp_path / "a.wav", samples, 16_000, subtype="PCM_16")
    decoded = decode_recording(tmp_path / "a.wav")
    assert (decoded.waveform * 32768).tolist() == samples.tolist()
    assert decoded.original_sample_rate == 16_000
    assert decoded.duration_seconds == 6 / 16_000


@pytest.mark.parametrize("name", ["a.wav", "a.flac", "a.ogg", "a.opus", "a.mp3", "a.aiff"])
def test_formats_that_soundfile_reads_keep_length_and_pitch(tmp_path: Path, name: str) -> None:
    kind = {"subtype": "OPUS", "format": "OGG"} if name == "a.opus" else {}
    rate = 48_000 if name == "a.opus" else 44_100
    soundfile.write(tmp_path / name, tone(1.5, rate), rate, **kind)
    decoded = decode_recording(tmp_path / name)
    assert decoded.duration_seconds == pytest.approx(1.5, abs=0.06)
    assert main_frequency(decoded.waveform) == pytest.approx(440, abs=2)


@pytest.mark.parametrize(
    ("name", "codec"), [("a.m4a", "aac"), ("a.mp4", "aac"), ("a.webm", "libopus"), ("a.mka", "ac3")]
)
def test_formats_that_only_pyav_reads_keep_length_and_pitch(tmp_path: Path, name: str, codec: str) -> None:
    write_with_av(tmp_path / name, codec, 48_000, tone(1.5, 48_000))
    decoded = decode_recording(tmp_path / name)
    assert decoded.duration_seconds == pytest.approx(1.5, abs=0.1)
    assert decoded.original_sample_rate == 48_000
    assert main_frequency(decoded.waveform) == pytest.approx(440, abs=2)


def test_eight_channels_of_96_khz_floats_become_their_mean(tmp_path: Path) -> None:
    one = tone(0.5, 96_000)
    channels = np.stack([one * (n < 4) for n in range(8)], axis=1)
    soundfile.write(tmp_path / "a.wav", channels, 96_000, subtype="FLOAT")
    decoded = decode_recording(tmp_path / "a.wav")
    assert decoded.num_channels == 8
    assert decoded.waveform.size == 8_000
    assert np.abs(decoded.waveform[1000:-1000]).max() == pytest.approx(0.25, abs=0.01)


def test_one_channel_can_be_chosen(tmp_path: Path) -> None:
    stereo = np.stack([tone(0.5, 16_000, 300), tone(0.5, 16_000, 1000)], axis=1)
    soundfile.write(tmp_path / "a.wav", stereo, 16_000)
    assert main_frequency(decode_recording(tmp_path / "a.wav", channel=0).waveform) == pytest.approx(300, abs=3)
    assert main_frequency(decode_recording(tmp_path / "a.wav", channel=1).waveform) == pytest.approx(1000, abs=3)


def test_a_channel_that_is_not_there_is_named(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", tone(0.1, 16_000), 16_000)
    with pytest.raises(AudioError, match=r"a\.wav has 1 channel\(s\), so there is no channel 1"):
        decode_recording(tmp_path / "a.wav", channel=1)


def test_blocks_join_without_a_seam(tmp_path: Path) -> None:
    samples = tone(65, 22_050)
    soundfile.write(tmp_path / "long.wav", samples, 22_050, subtype="FLOAT")
    waveform = decode_recording(tmp_path / "long.wav").waveform
    expected = tone(65, 16_000)
    assert abs(waveform.size - expected.size) <= 1
    inside = slice(1000, expected.size - 1000)
    assert np.abs(waveform[inside] - expected[inside]).max() < 1e-3


def test_resampling_leaves_nothing_folded_back_below_8_khz(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", tone(1, 44_100, 12_000), 44_100, subtype="FLOAT")
    assert np.abs(decode_recording(tmp_path / "a.wav").waveform[500:-500]).max() < 1e-4


def test_a_missing_recording_is_named(tmp_path: Path) -> None:
    with pytest.raises(AudioError, match=r"There is no recording at .*gone\.wav"):
        decode_recording(tmp_path / "gone.wav")


def test_an_empty_file_is_called_empty(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(b"")
    with pytest.raises(AudioError, match=r"a\.wav is empty \(0 bytes\)"):
        decode_recording(tmp_path / "a.wav")


@pytest.mark.parametrize(
    ("contents", "said"),
    [
        (b"mbote na yo, ndeko", "is a text file, not sound"),
        ("ɛ́ wapi".encode("utf-16"), "is a text file, not sound"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:00\n", "is a Git LFS pointer"),
        (b"<!DOCTYPE html><html>404</html>", "is a web page, not sound"),
        (bytes(range(256)) * 20, "in no sound format that can be decoded"),
    ],
)
def test_what_is_no_sound_is_called_what_it_is(tmp_path: Path, contents: bytes, said: str) -> None:
    (tmp_path / "a.wav").write_bytes(contents)
    with pytest.raises(AudioError, match=said) as caught:
        decode_recording(tmp_path / "a.wav")
    assert "a.wav" in caught.value.message
    assert caught.value.hint


@pytest.mark.parametrize("name", ["a.wav", "a.aiff", "a.au", "a.flac", "a.mp3"])
def test_a_recording_that_was_cut_short_is_refused(tmp_path: Path, name: str) -> None:
    soundfile.write(tmp_path / name, tone(4, 44_100), 44_100)
    contents = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(contents[: len(contents) // 2])
    with pytest.raises(AudioError, match=rf"{name} is (cut short|damaged)"):
        decode_recording(tmp_path / name)


def write_mp3_without_a_length(path: Path, levels: tuple[float, float]) -> None:
    """Write 5 s and 10 s of noise in a bit rate that changes, as a pipe gets it: without the frame of the length."""
    noise = np.random.Generator(np.random.PCG64(7)).standard_normal(15 * 44_100)
    noise[: 5 * 44_100] *= levels[0]
    noise[5 * 44_100 :] *= levels[1]
    soundfile.write(path, noise, 44_100, bitrate_mode="VARIABLE", compression_level=0.5)
    contents = path.read_bytes()
    path.write_bytes(contents[contents.index(b"\xff\xfb", contents.index(b"Xing")) :])


@pytest.mark.parametrize("levels", [(0.2, 0.0), (0.0, 0.2)])
def test_mp3_that_does_not_say_its_length_is_read_to_its_end(tmp_path: Path, levels: tuple[float, float]) -> None:
    """libsndfile guesses 6 s, or 18 s, by the first frame."""
    write_mp3_without_a_length(tmp_path / "a.mp3", levels)
    decoded = decode_recording(tmp_path / "a.mp3")
    assert decoded.duration_seconds == pytest.approx(15, abs=0.1)
    loud = np.abs(decoded.waveform) > 0.05
    assert [bool(loud[:64_000].any()), bool(loud[96_000:].any())] == [level > 0 for level in levels]


@pytest.mark.parametrize("between", [b"", b"TAG" + bytes(125)])
def test_mp3_that_were_joined_are_read_to_the_end_of_the_last(tmp_path: Path, between: bytes) -> None:
    for name, hertz in (("1.mp3", 440.0), ("2.mp3", 660.0)):
        soundfile.write(tmp_path / name, tone(4, 44_100, hertz), 44_100)
    both = (tmp_path / "1.mp3").read_bytes() + between + (tmp_path / "2.mp3").read_bytes()
    (tmp_path / "both.mp3").write_bytes(both)
    decoded = decode_recording(tmp_path / "both.mp3")
    assert decoded.duration_seconds == pytest.approx(8, abs=0.2)
    assert main_frequency(decoded.waveform[-48_000:]) == pytest.approx(660, abs=2)


@pytest.mark.parametrize(("name", "subtype"), [("a.ogg", "VORBIS"), ("a.opus", "OPUS")])
def test_ogg_that_were_joined_are_read_to_the_end_of_the_last(tmp_path: Path, name: str, subtype: str) -> None:
    """As web radios send them: each title is an ogg of its own."""
    both = b""
    for hertz in (440.0, 660.0):
        soundfile.write(tmp_path / name, tone(4, 48_000, hertz), 48_000, format="OGG", subtype=subtype)
        both += (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(both)
    decoded = decode_recording(tmp_path / name)
    assert decoded.duration_seconds == pytest.approx(8, abs=0.1)
    assert main_frequency(decoded.waveform[-48_000:]) == pytest.approx(660, abs=2)


@pytest.mark.parametrize("behind", [b"", b"TAG" + bytes(125)])
def test_mp3_of_one_bit_rate_without_a_length_is_read_as_before(tmp_path: Path, behind: bytes) -> None:
    soundfile.write(tmp_path / "a.mp3", tone(4, 44_100), 44_100, bitrate_mode="CONSTANT", compression_level=0.5)
    contents = (tmp_path / "a.mp3").read_bytes()
    contents = contents[contents.index(b"\xff\xfb", contents.index(b"Info")) :]
    (tmp_path / "a.mp3").write_bytes(contents + behind)
    decoded = decode_recording(tmp_path / "a.mp3")
    assert decoded.duration_seconds == pytest.approx(4, abs=0.2)
    assert main_frequency(decoded.waveform) == pytest.approx(440, abs=2)


def test_a_recording_without_samples_is_refused(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", np.zeros(0, dtype=np.float32), 16_000)
    with pytest.raises(AudioError, match=r"a\.wav holds no sound"):
        decode_recording(tmp_path / "a.wav")


def test_samples_that_are_not_numbers_are_refused(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", np.array([0.1, np.nan, 0.2], dtype=np.float32), 16_000, subtype="FLOAT")
    with pytest.raises(AudioError, match="samples that are not numbers"):
        decode_recording(tmp_path / "a.wav")
