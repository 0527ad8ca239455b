"""PyAV's part: the formats that soundfile does not read (m4a, mp4, webm, amr, wma ...)."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from lowres.audio.constants import BLOCK_SECONDS
from lowres.errors import AudioError


@dataclass(frozen=True)
class AvStream:
    """The first sound track of a container; blocks are (S_i, channels) float32 at `sample_rate` Hz."""

    sample_rate: int
    num_channels: int
    blocks: Iterator[npt.NDArray[np.float32]]


def decode_with_av(path: Path) -> AvStream:
    """Open the first sound track of a container.

    Raises:
        AudioError: the file holds no sound track, or (while blocks are taken) is damaged.
        Exception: whatever PyAV raises for a file that it does not know.
    """
    import av  # slow to import, and most corpora never need it

    container = av.open(str(path))
    if not container.streams.audio:
        container.close()
        raise AudioError(f"{path} has no sound track.", "Choose the file that holds the sound.")
    track = container.streams.audio[0]
    return AvStream(track.codec_context.sample_rate, track.codec_context.channels, _blocks(path, container, track))


def _blocks(path: Path, container: Any, track: Any) -> Iterator[npt.NDArray[np.float32]]:
    import av

    rate, layout = track.codec_context.sample_rate, track.codec_context.layout
    resampler = av.AudioResampler(format="flt", layout=layout, rate=rate)
    num_channels = track.codec_context.channels
    waiting: list[npt.NDArray[np.float32]] = []
    seconds = 0.0
    with container:
        try:
            for frame in container.decode(track):
                frame.pts = None  # gaps in the time stamps are not filled: what was recorded is what counts
                for even in resampler.resample(frame):
                    waiting.append(even.to_ndarray().reshape(-1, num_channels))
                    seconds += len(waiting[-1]) / rate
                if sum(map(len, waiting)) >= BLOCK_SECONDS * rate:
                    yield np.concatenate(waiting)
                    waiting = []
        except av.FFmpegError as error:
            raise AudioError(
                f"{path} is damaged: decoding stopped after {seconds:.1f} s of it.",
                "Copy or export the recording again from its original.",
            ) from error
        if waiting:
            yield np.concatenate(waiting)
