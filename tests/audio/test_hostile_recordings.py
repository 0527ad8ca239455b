"""Recordings that are odd, broken or no recordings: each is read, or refused in one sentence that names it."""

import os
import resource
import struct
import subprocess
import sys
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile

from lowres.audio.decode import decode_recording, open_recording
from lowres.audio.length import announced_seconds
from lowres.audio.stretches import find_stretches
from lowres.audio.voice_activity import EnergyDetector
from lowres.errors import AudioError

RATE = 16_000


def noise(num_samples: int, num_channels: int = 1, level: float = 0.1) -> np.ndarray:
    generator = np.random.Generator(np.random.PCG64(7))
    return (level * generator.standard_normal((num_samples, num_channels))).astype(np.float32)


def wav(sample_rate: int, contents: bytes, announced: int | None = None) -> bytes:
    """Return a mono 16-bit wav whose header may lie."""
    size = len(contents) if announced is None else announced
    head = struct.pack("<4sI4s4sIHHIIHH4sI", b"RIFF", (36 + size) & 0xFFFFFFFF, b"WAVE", b"fmt ", 16, 1, 1,
                       sample_rate, 2 * sample_rate & 0xFFFFFFFF, 2, 16, b"data", size)  # fmt: skip
    return head + contents


def refused(path: Path, *, channel: int | None = None) -> str:
    """Return the sentence with which a recording is refused."""
    with pytest.raises(AudioError) as caught:
        decode_recording(path, channel=channel)
    assert path.name in caught.value.message
    assert caught.value.message.endswith(".")
    assert caught.value.hint.endswith(".")
    return caught.value.message.replace(str(path), path.name)


def encode(path: Path, codec: str, samples: np.ndarray, sample_rate: int = 48_000, title: str = "") -> None:
    """Write mono samples with PyAV."""
    with av.open(str(path), "w") as container:
        if title:
            container.metadata["title"] = title
        track = container.add_stream(codec, rate=sample_rate, layout="mono")
        resampler = av.AudioResampler(track.codec_context.format, "mono", sample_rate, frame_size=960)
        if codec == "aac":
            resampler = av.AudioResampler(track.codec_context.format, "mono", sample_rate, frame_size=1024)
        frame = av.AudioFrame.from_ndarray(samples.reshape(1, -1), "flt", "mono")
        frame.sample_rate = sample_rate
        for even in [*resampler.resample(frame), *resampler.resample(None)]:
            container.mux(track.encode(even))
        container.mux(track.encode(None))


def test_a_recording_that_grows_while_it_is_read_is_read_as_far_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    soundfile.write(path, noise(70 * RATE), RATE)
    blocks = open_recording(path).blocks
    num_samples = next(blocks).size
    with path.open("ab") as file:
        file.write(bytes(10 * RATE))
    assert num_samples + sum(block.size for block in blocks) == 70 * RATE


@pytest.mark.parametrize("announced", [0, 0xFFFFFFFF])
def test_a_recorder_that_was_switched_off_left_what_it_had_recorded(tmp_path: Path, announced: int) -> None:
    (tmp_path / "a.wav").write_bytes(wav(RATE, bytes(2 * RATE), announced))
    assert decode_recording(tmp_path / "a.wav").waveform.size == RATE


@pytest.mark.parametrize("too_much", [1, 36, 3000])
def test_a_header_that_counts_some_bytes_too_many_is_no_cut(tmp_path: Path, too_much: int) -> None:
    """Some programs count the header itself; 3000 bytes are less than a tenth of a second."""
    (tmp_path / "a.wav").write_bytes(wav(RATE, bytes(2 * RATE), 2 * RATE + too_much))
    assert decode_recording(tmp_path / "a.wav").waveform.size == RATE


def test_flac_that_was_written_into_a_pipe_and_knows_no_length_is_read(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.flac", noise(3 * RATE), RATE)
    contents = bytearray((tmp_path / "a.flac").read_bytes())
    contents[21] &= 0xF0  # the 36 bits of STREAMINFO that count the samples
    contents[22:26] = bytes(4)
    (tmp_path / "a.flac").write_bytes(contents)
    assert decode_recording(tmp_path / "a.flac").waveform.size == 3 * RATE


def test_a_recording_that_shrinks_while_it_is_read_is_called_cut_short(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    soundfile.write(path, noise(70 * RATE), RATE)
    blocks = open_recording(path).blocks
    next(blocks)
    os.truncate(path, 100 * RATE)
    with pytest.raises(AudioError, match=r"a\.wav is cut short: its header announces 70\.0 s of sound and it holds 50"):
        list(blocks)


@pytest.mark.parametrize("name", ["a.webm", "a.mka"])
def test_a_container_that_was_cut_is_called_cut_short(tmp_path: Path, name: str) -> None:
    encode(tmp_path / name, "libopus", noise(10 * 48_000))
    contents = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(contents[: len(contents) // 2])
    assert f"{name} is cut short: its header announces 10.0 s of sound and it holds" in refused(tmp_path / name)


@pytest.mark.parametrize(("name", "codec"), [("a.m4a", "aac"), ("a.mka", "libopus"), ("a.mov", "pcm_s16le")])
def test_titles_that_are_not_utf_8_are_no_damage(tmp_path: Path, name: str, codec: str) -> None:
    encode(tmp_path / name, codec, noise(48_000), title="Qaf\u00e9Q")
    contents = (tmp_path / name).read_bytes()
    assert contents.count("Qaf\u00e9Q".encode()) == 1
    (tmp_path / name).write_bytes(contents.replace("Qaf\u00e9Q".encode(), b"Qaf\xe9_Q"))
    assert decode_recording(tmp_path / name).duration_seconds == pytest.approx(1, abs=0.1)
    assert announced_seconds(tmp_path / name) == pytest.approx(1, abs=0.1)


def test_a_time_as_the_name_of_a_recording_is_no_address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    encode(tmp_path / "10:15.m4a", "aac", noise(48_000))
    monkeypatch.chdir(tmp_path)
    assert decode_recording(Path("10:15.m4a")).duration_seconds == pytest.approx(1, abs=0.1)
    assert announced_seconds(Path("10:15.m4a")) == pytest.approx(1, abs=0.1)


@pytest.mark.parametrize("name", ["a.m4a", "a.flac", "a.mp3"])
def test_damage_in_the_middle_is_named_with_its_place(tmp_path: Path, name: str) -> None:
    if name == "a.m4a":
        encode(tmp_path / name, "aac", noise(20 * 48_000))
    else:
        soundfile.write(tmp_path / name, noise(20 * RATE), RATE)
    contents = bytearray((tmp_path / name).read_bytes())
    middle = len(contents) // 2
    contents[middle : middle + 3000] = bytes(3000)
    (tmp_path / name).write_bytes(contents)
    assert "is damaged: decoding stopped" in refused(tmp_path / name)


@pytest.mark.parametrize("name", ["a.wav", "a.ogg"])
def test_damage_that_a_format_cannot_know_of_hides_no_more_than_itself(tmp_path: Path, name: str) -> None:
    soundfile.write(tmp_path / name, noise(20 * RATE), RATE)
    contents = bytearray((tmp_path / name).read_bytes())
    middle = len(contents) // 2
    contents[middle : middle + 500] = bytes(500)
    (tmp_path / name).write_bytes(contents)
    assert decode_recording(tmp_path / name).duration_seconds == pytest.approx(20, abs=1)


def test_damage_to_the_number_of_channels_is_named_and_spares_the_other_recordings(tmp_path: Path) -> None:
    encode(tmp_path / "a.avi", "pcm_s16le", noise(48_000))
    contents = bytearray((tmp_path / "a.avi").read_bytes())
    contents[contents.index(b"strf") + 10] = 0
    (tmp_path / "a.avi").write_bytes(contents)
    assert refused(tmp_path / "a.avi").startswith("a.avi is in no sound format that can be decoded, or is damaged")


def test_recordings_of_two_rates_joined_in_one_file_are_read_to_the_end(tmp_path: Path) -> None:
    for name, rate in (("1.aac", 44_100), ("2.aac", 22_050)):
        encode(tmp_path / name, "aac", noise(4 * rate), rate)
    (tmp_path / "both.aac").write_bytes((tmp_path / "1.aac").read_bytes() + (tmp_path / "2.aac").read_bytes())
    assert decode_recording(tmp_path / "both.aac").duration_seconds == pytest.approx(8, abs=0.3)


def test_a_hundred_channels_become_their_mean(tmp_path: Path) -> None:
    samples = noise(RATE, 100)
    soundfile.write(tmp_path / "a.wav", samples, RATE, subtype="FLOAT")
    decoded = decode_recording(tmp_path / "a.wav")
    assert decoded.num_channels == 100
    assert np.abs(decoded.waveform - samples.mean(axis=1)).max() < 1e-6
    assert np.array_equal(decode_recording(tmp_path / "a.wav", channel=99).waveform, samples[:, 99])


def test_a_hundred_channels_of_192_khz_need_little_memory(tmp_path: Path) -> None:
    """30 s of them at once would be 2.3 GB."""
    with soundfile.SoundFile(tmp_path / "a.wav", "w", 192_000, 100, "PCM_U8") as file:
        for _ in range(6):
            file.write(np.zeros((96_000, 100), np.float32))
    program = (
        "import resource, sys; from pathlib import Path; from lowres.audio.decode import open_recording;"
        "print(sum(block.size for block in open_recording(Path(sys.argv[1])).blocks),"
        " resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
    )
    run = [sys.executable, "-c", program, str(tmp_path / "a.wav")]
    num_samples, kilobytes = map(int, subprocess.run(run, check=True, capture_output=True, text=True).stdout.split())
    assert num_samples == 3 * RATE
    # What a child starts with is what its parent held at the time, on Linux; the rest is its own.
    assert kilobytes < max(200_000, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss + 100_000)


def test_192_khz_is_brought_down_to_16(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", noise(192_000), 192_000, subtype="PCM_24")
    assert decode_recording(tmp_path / "a.wav").waveform.size == RATE


@pytest.mark.parametrize("sample_rate", [0, 1, 7, 2**31 - 1, 2**32 - 1])
def test_rates_that_no_recorder_has_are_read_in_blocks_or_refused(tmp_path: Path, sample_rate: int) -> None:
    (tmp_path / "a.wav").write_bytes(wav(sample_rate, bytes(2000)))
    if sample_rate in (1, 7):
        blocks = open_recording(tmp_path / "a.wav").blocks
        assert max(block.size for block in blocks) < 15_000_000  # samples, of 16 million and 2 million
    else:
        refused(tmp_path / "a.wav")


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e30, -3e38])
@pytest.mark.parametrize("num_channels", [1, 2])
def test_floats_that_are_no_sound_are_refused(tmp_path: Path, value: float, num_channels: int) -> None:
    samples = noise(44_100, num_channels)
    samples[20_000:20_010] = value
    soundfile.write(tmp_path / "a.wav", samples, 44_100, subtype="FLOAT")
    assert "a.wav holds samples that are not numbers" in refused(tmp_path / "a.wav")


def test_floats_beyond_full_scale_are_sound(tmp_path: Path) -> None:
    samples = 32_768 * noise(RATE)
    soundfile.write(tmp_path / "a.wav", samples, RATE, subtype="FLOAT")
    assert np.array_equal(decode_recording(tmp_path / "a.wav").waveform, samples[:, 0])


def test_a_text_named_wav_is_called_a_text(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_text("mbote\n" * 1000)
    assert refused(tmp_path / "a.wav") == "a.wav is a text file, not sound."


def test_an_empty_file_and_one_without_samples_are_told_apart(tmp_path: Path) -> None:
    (tmp_path / "empty.wav").touch()
    (tmp_path / "none.wav").write_bytes(wav(RATE, b""))
    assert refused(tmp_path / "empty.wav") == "empty.wav is empty (0 bytes)."
    assert refused(tmp_path / "none.wav") == "none.wav holds no sound: 0 samples."


def test_a_folder_is_called_a_folder(tmp_path: Path) -> None:
    (tmp_path / "a.wav").mkdir()
    assert refused(tmp_path / "a.wav") == "a.wav is a folder, not a recording."


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_named_pipe_is_refused_without_waiting_for_it(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.wav")
    assert refused(tmp_path / "a.wav") == "a.wav is no ordinary file."


def test_samples_without_a_header_are_refused_though_their_name_says_so(tmp_path: Path) -> None:
    (tmp_path / "a.raw").write_bytes(np.random.Generator(np.random.PCG64(1)).bytes(4000))
    assert "in no sound format that can be decoded" in refused(tmp_path / "a.raw")


def test_digital_silence_is_a_recording_without_speech(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.flac", np.zeros(40 * RATE, np.float32), RATE)
    assert list(find_stretches(open_recording(tmp_path / "a.flac").blocks, EnergyDetector())) == []


def test_nothing_but_music_is_read_in_pieces_of_allowed_length(tmp_path: Path) -> None:
    times = np.arange(70 * RATE) / RATE
    chords = sum(np.sin(2 * np.pi * pitch * times) for pitch in (220, 277, 330)) * (1.1 + np.sin(2 * np.pi * 2 * times))
    soundfile.write(tmp_path / "a.flac", 0.1 * chords, RATE)
    stretches = list(find_stretches(open_recording(tmp_path / "a.flac").blocks, EnergyDetector()))
    assert all(one.kept_end_samples - one.kept_start_samples <= 30 * RATE for one in stretches)
