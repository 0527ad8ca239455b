"""Recordings that libsndfile would leave before their end: mp3 that do not say their length, and joined files."""

import re
from pathlib import Path

import soundfile

from lowres.audio.diagnosis import ALLOWED_MISSING_SECONDS
from lowres.audio.opening import open_with_av

_HEAD_BYTES = 4096
_TAIL_BYTES = 4096
"""So many bytes behind an mp3 are titles."""
_OGG_HEAD_BYTES, _MOST_OGG_PAGE_BYTES = 27, 65_307
_OGG_STREAM = slice(14, 18)
"""The number of its stream, within a page's head."""


def is_read_to_its_end(path: Path, file: soundfile.SoundFile) -> bool:
    """Return whether libsndfile reads all sound of a file that it has opened.

    It takes the length of an mp3 from the first frame, and guesses by that frame's size where it says nothing; of mp3
    or ogg that were joined (`cat a.mp3 b.mp3`, a web radio) it reads the first alone.
    """
    if file.format == "OGG":
        return not _is_joined_ogg(path)
    if file.format != "MP3":
        return True
    announced_bytes = _announced_bytes(path)
    if announced_bytes and path.stat().st_size - announced_bytes < _TAIL_BYTES:
        return True  # whole, or cut short, which shows in the end
    try:
        beyond: float = _count_seconds(path) - file.frames / file.samplerate
    except Exception:  # whatever PyAV raises for a file that it does not know
        return True
    return beyond <= ALLOWED_MISSING_SECONDS if announced_bytes else abs(beyond) <= ALLOWED_MISSING_SECONDS


def _is_joined_ogg(path: Path) -> bool:
    """Return whether the first and the last page are of different streams."""
    with path.open("rb") as file:
        first = file.read(_OGG_HEAD_BYTES)
        file.seek(max(0, path.stat().st_size - _MOST_OGG_PAGE_BYTES))
        tail = file.read()
    last = tail[tail.rfind(b"OggS") :][:_OGG_HEAD_BYTES]
    return len(last) == _OGG_HEAD_BYTES and first[_OGG_STREAM] != last[_OGG_STREAM]


def _announced_bytes(path: Path) -> int:
    """Return the size of an mp3 as its first frame says it, with what stands before; 0 where it says nothing."""
    with path.open("rb") as file:
        start = _skip_id3(file.read(10))
        file.seek(start)
        head = file.read(_HEAD_BYTES)
    # Flags; because of the lowest two, the number of frames and that of bytes, this frame's own among them.
    said = re.search(rb"(?:Xing|Info)\x00\x00\x00[\x03\x07\x0b\x0f].{4}(.{4})", head, flags=re.DOTALL)
    return start + int.from_bytes(said[1]) if said else 0


def _skip_id3(head: bytes) -> int:
    """Return where the sound begins behind the titles and pictures of an mp3; their length has 7 bits a byte."""
    if not head.startswith(b"ID3"):
        return 0
    return 10 + sum(byte << 7 * place for place, byte in enumerate(reversed(head[6:10])))


def _count_seconds(path: Path) -> float:
    """Return how long the frames of a file are, without decoding them."""
    with open_with_av(path) as container:
        packets = container.demux(container.streams.audio[0])
        return sum(float((packet.duration or 0) * packet.time_base) for packet in packets)
