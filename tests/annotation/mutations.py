"""Files damaged at random: what a reader must answer with an error of ours, or read."""

import random
from collections.abc import Callable
from pathlib import Path

from hypothesis import strategies as st

from lowres.annotation.tiers import AnnotationFile
from lowres.errors import CorpusError

_PIECES = (
    b"",
    b"\x00",
    b'"',
    b"<",
    b"&",
    b"\n",
    b"-->",
    b"\xff\xfe",
    b"-1",
    b"1e999",
    b"9" * 400,
    b"<!DOCTYPE a [",
    b"\t",
)


def damaged(valid: bytes) -> st.SearchStrategy[bytes]:
    """Return files that differ from a valid one in a few places: bytes changed, taken out, doubled or put in."""
    return st.tuples(st.integers(0, 2**32), st.integers(1, 6)).map(lambda chosen: _damage(valid, *chosen))


def reads_or_refuses(read: Callable[[Path], AnnotationFile], path: Path, contents: bytes) -> None:
    """Read a file; anything but a good result or a CorpusError with a sentence fails the test."""
    path.write_bytes(contents)
    file, refusal = None, ""
    try:
        file = read(path)
    except CorpusError as error:
        refusal = error.message
    if file is None:
        assert str(path) in refusal
        return
    for tier in file.tiers:
        starts = [annotation.start_seconds for annotation in tier.annotations]
        assert starts == sorted(starts)
        assert all(0 <= note.start_seconds <= note.end_seconds < float("inf") for note in tier.annotations)


def _damage(valid: bytes, seed: int, num_places: int) -> bytes:
    chance = random.Random(seed)
    contents = bytearray(valid)
    for _ in range(num_places):
        start = chance.randrange(len(contents) + 1)
        end = min(len(contents), start + chance.choice((0, 1, 1, 2, 9, 60)))
        piece = chance.choice((*_PIECES, bytes([chance.randrange(256)]), bytes(contents[start:end] * 2)))
        contents[start:end] = piece
    return bytes(contents)
