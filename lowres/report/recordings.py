"""Recordings inside the page: encoded small, as data addresses, so that one file holds everything and plays offline."""

import base64
import io
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import numpy.typing as npt
import soundfile

BUDGET_BYTES = 8_000_000
_MP3_COMPRESSION = 0.8
_BATCH = 8


def encode_recording(samples: npt.NDArray[np.int16], sample_rate: int) -> str:
    """Return one mono recording as a data address: MP3 where libsndfile can write it, else WAV; both play everywhere.

    Args:
        samples: (S,) 16-bit samples; an empty recording gives an empty WAV.
        sample_rate: samples per second.
    """
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
        return "data:audio/mpeg;base64," + base64.b64encode(memory.getvalue()).decode("ascii")
    soundfile.write(memory, samples, sample_rate, format="WAV", subtype="PCM_16")
    return "data:audio/wav;base64," + base64.b64encode(memory.getvalue()).decode("ascii")


def embed_recordings(
    wanted: Iterable[int],
    read: Callable[[int], npt.NDArray[np.int16]],
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
