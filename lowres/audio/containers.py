"""PyAV's part: the formats that soundfile does not read (m4a, mp4, webm, amr, wma ...)."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from lowres.audio.constants import BLOCK_SECONDS, BLOCK_VALUES
from lowres.audio.opening import open_with_av
from lowres.errors import AudioError

_LEAST_MISSING_SECONDS = 1.0
"""A sound track that ends this much before what its container announces was cut short: announcements are rounded."""


@dataclass(frozen=True)
class AvStream:
    """The first sound track of a container; blocks are (S_i, channels) float32 at `sample_rate` Hz."""

    sample_rate: int
    num_channels: int
    blocks: Iterator[npt.NDArray[np.float32]]


def block_length(sample_rate: int, num_channels: int) -> int:
    """Return how many samples of every channel are decoded at a time; at least 1."""
    return max(1, min(BLOCK_SECONDS * sample_rate, BLOCK_VALUES // num_channels))


def decode_with_av(path: Path) -> AvStream:
    """Open the first sound track of a container.

    Raises:
        AudioError: the file holds no sound track, or (while blocks are taken) is damaged or cut short.
        Exception: whatever PyAV raises for a file that it does not know.
    """
    container = open_with_av(path)
    if not container.streams.audio:
        container.close()
        raise AudioError(f"{path} has no sound track.", "Choose the file that holds the sound.")
    track = container.streams.audio[0]
    rate, num_channels = track.codec_context.sample_rate, track.codec_context.channels
    if not (rate and num_channels):
        container.close()
        raise AudioError(f"{path} has a sound track of {rate} Hz and {num_channels} channels.", "Export it as WAV.")
    return AvStream(rate, num_channels, _blocks(path, container, track))


def _blocks(path: Path, container: Any, track: Any) -> Iterator[npt.NDArray[np.float32]]:
    import av

    rate, num_channels = track.codec_context.sample_rate, track.codec_context.channels
    longest, seconds = block_length(rate, num_channels), 0.0
    times, waiting = _Times(), []
    with container:
        try:
            for samples in _even_frames(container, track, times):
                waiting.append(samples)
                seconds += len(samples) / rate
                if sum(map(len, waiting)) >= longest:
                    yield np.concatenate(waiting)
                    waiting = []
        except av.FFmpegError as error:
            raise AudioError(
                f"{path} is damaged: decoding stopped after about {seconds:.1f} s of it.",
                "Copy or export the recording again from its original.",
            ) from error
        if waiting:
            yield np.concatenate(waiting)
        _check_announced(path, container, times.end_seconds)


@dataclass
class _Times:
    """When the last of the frames decoded so far ends, by its time stamp, in seconds."""

    end_seconds: float = 0.0


def _even_frames(container: Any, track: Any, times: _Times) -> Iterator[npt.NDArray[np.float32]]:
    """Yield (S_i, channels) samples of the rate and the channels that the track announces."""
    import av

    rate, layout, num_channels = (getattr(track.codec_context, name) for name in ("sample_rate", "layout", "channels"))
    resampler: Any = None
    source: tuple[Any, ...] = ()
    for frame in container.decode(track):
        times.end_seconds = max(times.end_seconds, (frame.time or 0.0) + frame.samples / frame.sample_rate)
        frame.pts = None  # gaps in the time stamps are not filled: what was recorded is what counts
        kind = (frame.sample_rate, frame.layout.name, frame.format.name)
        held_back: list[Any] = []
        if kind != source:  # joined recordings, and AAC whose upper band comes apart, change in the middle
            held_back = _held_back(resampler)
            resampler, source = av.AudioResampler(format="flt", layout=layout, rate=rate), kind
        for even in [*held_back, *resampler.resample(frame)]:
            yield even.to_ndarray().reshape(-1, num_channels)
    for even in _held_back(resampler):
        yield even.to_ndarray().reshape(-1, num_channels)


def _held_back(resampler: Any) -> list[Any]:
    """Return what a resampler still holds; one that has nothing to do gives back the None it is flushed with."""
    return [] if resampler is None else [frame for frame in resampler.resample(None) if frame is not None]


def _check_announced(path: Path, container: Any, end_seconds: float) -> None:
    """Refuse a Matroska or WebM that ends before it says: the other containers cannot be decoded when they are cut."""
    import av

    if not container.format.name.startswith("matroska") or len(container.streams) > 1 or not container.duration:
        return
    announced = container.duration / av.time_base
    if announced - end_seconds > _LEAST_MISSING_SECONDS:
        raise AudioError(
            f"{path} is cut short: its header announces {announced:.1f} s of sound and it holds {end_seconds:.1f} s.",
            "Copy the recording again from its original.",
        )
