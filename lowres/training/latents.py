"""Latents kept on disk: what a frozen feature encoder made of every utterance, computed once and read by memory map.

    rows.bin     N frames of C channels, bfloat16 or float32 in this machine's byte order, utterance after utterance
    index.json   of what they are the latents, and how many frames each utterance has

They are kept in the numbers they were computed in, so that training from them is the same to the bit. The folder is
written under another name and then renamed: one that was not finished does not count.
"""

import json
import os
import shutil
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lowres.errors import ON_NONSENSE
from lowres.model.wav2vec2 import Encoded

LATENTS_FORMAT_VERSION: Final = 1
_ROWS_FILE: Final = "rows.bin"
_INDEX_FILE: Final = "index.json"

# numpy has no bfloat16: its bits travel as integers.
_BITS: Final[dict[str, np.dtype[Any]]] = {"bfloat16": np.dtype(np.int16), "float32": np.dtype(np.float32)}


@dataclass(frozen=True)
class LatentsIndex:
    """The contents of index.json."""

    identity: str
    """Hash of everything that the latents follow from."""

    dtype: str
    """"bfloat16" or "float32"."""

    width: int
    """C."""

    num_frames: tuple[int, ...]
    """Frames of each utterance, in the order of the rows."""

    format_version: int = LATENTS_FORMAT_VERSION


class LatentStore:
    """Latents of many utterances on disk, mapped into memory.

    Args:
        rows: (N, C) the file; see `open_latents`.
        index: what lies where in it.
    """

    def __init__(self, rows: NDArray[Any], index: LatentsIndex) -> None:
        self.index = index
        self._rows: NDArray[Any] | None = rows
        self._ends = np.cumsum(index.num_frames)

    def read(self, utterance: int) -> Tensor:
        """Return a copy of the latents (T, C) of utterance n, counted from 0.

        Raises:
            ValueError: the store is closed.
        """
        if self._rows is None:
            raise ValueError("the latents are closed")
        end = int(self._ends[utterance])
        bits = np.array(self._rows[end - self.index.num_frames[utterance] : end])
        return torch.from_numpy(bits).view(getattr(torch, self.index.dtype))

    def close(self) -> None:
        """Let go of the file, so that it can be deleted everywhere."""
        self._rows = None


def open_latents(folder: Path, identity: str) -> LatentStore | None:
    """Open a store; None where there is none, or one of other latents, or one that is not whole."""
    try:
        found = json.loads((folder / _INDEX_FILE).read_text(encoding="utf-8"))
        index = LatentsIndex(**found | {"num_frames": tuple(found["num_frames"])})
        if (index.identity, index.format_version) != (identity, LATENTS_FORMAT_VERSION):
            return None
        shape = (sum(index.num_frames), index.width)
        bits = _BITS[index.dtype]
        if (folder / _ROWS_FILE).stat().st_size != shape[0] * shape[1] * bits.itemsize:
            return None
        return LatentStore(np.memmap(folder / _ROWS_FILE, dtype=bits, mode="r", shape=shape), index)
    except (OSError, *ON_NONSENSE):
        return None


def write_latents(folder: Path, identity: str, batches: Iterable[Encoded]) -> None:
    """Write a store, replacing what lies there; nothing is left of one that could not be finished.

    Args:
        folder: where to; its parent exists.
        identity: hash of everything that the latents follow from.
        batches: latents of one utterance after the other, at least one, all in the same numbers.

    Raises:
        OSError: the disk is full or refuses.
        Whatever computing the batches raised.
    """
    forget_latents(folder)
    writing = _writing(folder)
    try:
        writing.mkdir()
        with (writing / _ROWS_FILE).open("wb") as file:
            index = _write_rows(file, identity, batches)
            _bring_to_disk(file)
        with (writing / _INDEX_FILE).open("w", encoding="utf-8", newline="\n") as text:
            text.write(json.dumps(asdict(index)) + "\n")
            _bring_to_disk(text)
        writing.rename(folder)
    except BaseException:
        shutil.rmtree(writing, ignore_errors=True)
        raise


def forget_latents(folder: Path) -> None:
    """Delete a store, finished or not, if there is one."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.rmtree(_writing(folder), ignore_errors=True)


def _write_rows(file: IO[bytes], identity: str, batches: Iterable[Encoded]) -> LatentsIndex:
    dtype, width, num_frames = "", 0, list[int]()
    for batch in batches:
        dtype, width = str(batch.rows.dtype).removeprefix("torch."), batch.rows.shape[1]
        rows = batch.rows.detach().cpu().contiguous()
        file.write((rows.view(torch.int16) if dtype == "bfloat16" else rows).numpy().data)
        num_frames.extend(batch.num_frames)
    return LatentsIndex(identity, dtype, width, tuple(num_frames))


def _writing(folder: Path) -> Path:
    return folder.with_name(f".{folder.name}.writing")


def _bring_to_disk(file: IO[Any]) -> None:
    file.flush()
    os.fsync(file.fileno())
