"""Recordings of any format, rate, channel count and length as mono 16 kHz waveforms.

soundfile reads wav, flac, ogg, opus, mp3 and aiff; PyAV reads the rest (m4a, mp4, webm, amr, wma ...); soxr resamples.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile
import soxr

from lowres.audio.constants import SAMPLE_RATE
from lowres.audio.containers import block_length, decode_with_av
from lowres.audio.diagnosis import ALLOWED_MISSING_SECONDS, check_complete, describe_unreadable
from lowres.audio.ends import is_read_to_its_end
from lowres.audio.opening import open_with_soundfile
from lowres.errors import AudioError

FloatArray = npt.NDArray[np.float32]

_MOST_VALUE = 2.0**31
"""Some write whole numbers of 32 bits as floats; what goes beyond those is damage."""
_LARGEST_HEADER_BYTES = 8192
"""More than this in a file that announces no samples is sound all the same."""
_UNKNOWN_LENGTH = 2**60
"""libsndfile says "the largest number" for a flac whose header knows no length."""


@dataclass(frozen=True)
class DecodedRecording:
    """A whole recording.

    Attributes:
        waveform: (S,) float32 at 16 kHz, mono, nominally in [-1, 1]; float files may go beyond.
        original_sample_rate: in Hz, as stored in the file.
        num_channels: as stored in the file.
        duration_seconds: S / 16000.
    """

    waveform: FloatArray
    original_sample_rate: int
    num_channels: int
    duration_seconds: float


@dataclass(frozen=True)
class RecordingStream:
    """A recording whose blocks are decoded while they are asked for.

    Attributes:
        original_sample_rate: in Hz, as stored in the file.
        num_channels: as stored in the file.
        blocks: (S_i,) float32 arrays at 16 kHz, mono, in order; each at most about 30 s long, shorter where there are
            many channels.
    """

    original_sample_rate: int
    num_channels: int
    blocks: Iterator[FloatArray]


def decode_recording(path: Path, *, channel: int | None = None) -> DecodedRecording:
    """Decode a whole recording to mono 16 kHz.

    Args:
        path: the file.
        channel: the one to keep, counted from 0; None = the mean of all.

    Raises:
        AudioError: missing, empty, cut short, not sound, without such a channel, or holding values that are no numbers.
    """
    stream = open_recording(path, channel=channel)
    blocks = list(stream.blocks)
    waveform = np.concatenate(blocks) if blocks else np.zeros(0, dtype=np.float32)
    return DecodedRecording(
        waveform, stream.original_sample_rate, stream.num_channels, duration_seconds=waveform.size / SAMPLE_RATE
    )


def open_recording(path: Path, *, channel: int | None = None) -> RecordingStream:
    """Open a recording and return its blocks as a stream; arguments and errors as `decode_recording`'s.

    What is wrong inside the file shows while the blocks are taken.
    """
    if path.is_dir():
        raise describe_unreadable(path)
    if path.exists() and not path.is_file():
        raise AudioError(f"{path} is no ordinary file.", "Put a recording there, or take its row out.")
    try:
        file = open_with_soundfile(path)
    except (soundfile.SoundFileError, OSError, TypeError):
        # TypeError: its name ends in .raw, and nothing says what is in it.
        return _open_with_av(path, channel)
    # A recorder that was switched off, or an encoder that wrote into a pipe, never came to write the length down.
    # libsndfile reads nothing then, or calls the end damage; PyAV reads on to the file's end.
    is_open_ended = not 0 < file.frames < _UNKNOWN_LENGTH and path.stat().st_size > _LARGEST_HEADER_BYTES
    if is_open_ended or not is_read_to_its_end(path, file):
        file.close()
        return _open_with_av(path, channel)
    _check_channel(path, channel, file.channels)
    try:
        check_complete(path, file)
    except AudioError:
        file.close()
        raise
    raw = _soundfile_blocks(path, file, channel)
    return RecordingStream(file.samplerate, file.channels, _resampled(path, raw, file.samplerate))


def _soundfile_blocks(path: Path, file: soundfile.SoundFile, channel: int | None) -> Iterator[FloatArray]:
    announced, read = file.frames, 0
    with file:
        while True:
            try:
                block = file.read(block_length(file.samplerate, file.channels), dtype="float32", always_2d=True)
            except soundfile.SoundFileError as error:
                seconds = max(read, file.tell()) / file.samplerate
                raise AudioError(
                    f"{path} is damaged: decoding stopped somewhere after {seconds:.1f} s of it.",
                    "Copy or export the recording again from its original.",
                ) from error
            if not len(block):
                break
            read += len(block)
            yield _mono(block, channel)
        if announced - read > file.samplerate * ALLOWED_MISSING_SECONDS:
            raise AudioError(
                f"{path} is cut short: its header announces {announced / file.samplerate:.1f} s of sound and it holds "
                f"{read / file.samplerate:.1f} s.",
                "Copy the recording again from its original.",
            )


def _open_with_av(path: Path, channel: int | None) -> RecordingStream:
    try:
        container = decode_with_av(path)
    except Exception as error:
        raise describe_unreadable(path) from error
    _check_channel(path, channel, container.num_channels)
    mono = (_mono(block, channel) for block in container.blocks)
    return RecordingStream(container.sample_rate, container.num_channels, _resampled(path, mono, container.sample_rate))


def _mono(block: npt.NDArray[np.float32], channel: int | None) -> FloatArray:
    if channel is not None:
        return np.ascontiguousarray(block[:, channel])
    if block.shape[1] == 1:
        return block.reshape(-1)
    with np.errstate(over="ignore", invalid="ignore"):  # such values are refused later, in a sentence
        mean: FloatArray = block.mean(axis=1, dtype=np.float32)
    return mean


def _resampled(path: Path, blocks: Iterator[FloatArray], sample_rate: int) -> Iterator[FloatArray]:
    num_samples = 0
    resampler = None if sample_rate == SAMPLE_RATE else soxr.ResampleStream(sample_rate, SAMPLE_RATE, 1, quality="HQ")
    for block in blocks:
        if not (np.abs(block) <= _MOST_VALUE).all():  # also refuses NaN, which compares with nothing
            raise AudioError(
                f"{path} holds samples that are not numbers (NaN, infinite, or far beyond any scale).",
                "Export the recording again, as 16-bit PCM.",
            )
        converted = block if resampler is None else resampler.resample_chunk(block)
        num_samples += converted.size
        yield converted
    if resampler is not None:
        tail = resampler.resample_chunk(np.zeros(0, dtype=np.float32), last=True)
        num_samples += tail.size
        yield tail
    if not num_samples:
        raise AudioError(f"{path} holds no sound: 0 samples.", "Copy the recording again, or take its row out.")


def _check_channel(path: Path, channel: int | None, num_channels: int) -> None:
    if channel is not None and not 0 <= channel < num_channels:
        raise AudioError(
            f"{path} has {num_channels} channel(s), so there is no channel {channel} (the first is 0).",
            "Choose a channel that the recording has, or none for the mean of all.",
        )
