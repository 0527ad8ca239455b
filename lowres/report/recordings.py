"""Recordings of a report: inside the page as data addresses, so that one file holds everything, or beside it as files.

Both are encoded small: MP3 where libsndfile can write it, else WAV; both play everywhere.
"""

import base64
import io
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import soundfile

BUDGET_BYTES = 8_000_000
RECORDINGS_FOLDER: Final = "recordings"
_MP3_COMPRESSION = 0.8
_BATCH = 8

Read = Callable[[int], npt.NDArray[np.int16]]


def encode_recording(samples: npt.NDArray[np.int16], sample_rate: int) -> str:
    """Return one mono recording as a data address.

    Args:
        samples: (S,) 16-bit samples; an empty recording gives an empty WAV.
        sample_rate: samples per second.
    """
    encoded, extension = _encode(samples, sample_rate)
    kind = "audio/mpeg" if extension == "mp3" else "audio/wav"
    return f"data:{kind};base64,{base64.b64encode(encoded).decode('ascii')}"


def _encode(samples: npt.NDArray[np.int16], sample_rate: int) -> tuple[bytes, str]:
    """Return the bytes of a file, and "mp3" or "wav"."""
    memory = io.BytesIO()
    if len(samples) and "MP3" in soundfile.available_formats():
        soundfile.write(
            memory,
            samples,
            sample_rate,
            format="MP3",
            subtype="MPEG_LAYER_III",
            compression_level=_MP3_COMPRESSION,
            bitrate_mode="VARIABLE",
        )
        return memory.getvalue(), "mp3"
    soundfile.write(memory, samples, sample_rate, format="WAV", subtype="PCM_16")
    return memory.getvalue(), "wav"


def embed_recordings(
    wanted: Iterable[int],
    read: Read,
    sample_rate: int,
    *,
    budget_bytes: int = BUDGET_BYTES,
) -> dict[int, str]:
    """Encode the recordings of `wanted` until the page would grow by more than `budget_bytes`.

    Args:
        wanted: utterance numbers, the most wanted first; a number met twice is encoded once.
        read: gives (S,) 16-bit samples of an utterance.
        sample_rate: samples per second of what `read` gives.
        budget_bytes: length of all data addresses together.

    Returns:
        The data address of every utterance whose recording fits, the first ones of `wanted`.
    """
    embedded: dict[int, str] = {}
    used = 0
    with ThreadPoolExecutor(2) as pool:
        numbered = list(dict.fromkeys(wanted))
        for start in range(0, len(numbered), _BATCH):
            numbers = numbered[start : start + _BATCH]
            addresses = pool.map(lambda number: encode_recording(read(number), sample_rate), numbers)
            for number, address in zip(numbers, addresses, strict=True):
                used += len(address)
                if used > budget_bytes:
                    return embedded
                embedded[number] = address
    return embedded


def write_recordings(folder: Path, numbers: Sequence[int], read: Read, sample_rate: int) -> dict[int, str]:
    """Write recordings as files of `recordings/` in a report's folder.

    They are named by number: what an utterance is called may be no name for a file.

    Args:
        folder: of the report.
        numbers: which utterances.
        read: gives (S,) 16-bit samples of an utterance.
        sample_rate: samples per second of what `read` gives.

    Returns:
        The address of each, relative to the page.

    Raises:
        OSError: the folder cannot be written.
    """
    (folder / RECORDINGS_FOLDER).mkdir(exist_ok=True)

    def write(number: int) -> str:
        encoded, extension = _encode(read(number), sample_rate)
        address = f"{RECORDINGS_FOLDER}/{number:05d}.{extension}"
        (folder / address).write_bytes(encoded)
        return address

    with ThreadPoolExecutor(2) as pool:
        return dict(zip(numbers, pool.map(write, numbers), strict=True))
