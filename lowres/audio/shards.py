"""Shards: files of 16-bit 16 kHz PCM that hold many utterances, written once and read by memory map.

A shard is nothing but samples (little-endian int16, mono); which utterance lies where is the manifest's to say.
"""

import hashlib
import os
import shutil
from pathlib import Path
from types import TracebackType
from typing import Any, Final
from uuid import uuid4

import numpy as np
import numpy.typing as npt

from lowres.audio.constants import BYTES_PER_SAMPLE, FULL_SCALE
from lowres.errors import AudioError

SHARDS_FOLDER: Final = "shards"
_SAMPLE_TYPE: Final = np.dtype("<i2")

Int16Array = npt.NDArray[np.int16]


def to_int16(waveform: npt.NDArray[np.float32]) -> Int16Array:
    """Round (S,) float32 in [-1, 1) to int16; what goes beyond is clipped. Samples read from 16 bits are unchanged."""
    scaled = waveform * np.float32(FULL_SCALE)
    np.rint(scaled, out=scaled)
    np.clip(scaled, -FULL_SCALE, FULL_SCALE - 1, out=scaled)
    return scaled.astype(_SAMPLE_TYPE)


def share_shard(source: Path, target: Path) -> None:
    """Give a finished shard a second place: linked, or copied where the disk has no links.

    Args:
        source: the shard, which nobody writes to any more.
        target: its other place, where nothing is yet; its folder exists.

    Raises:
        OSError: the disk refused.
    """
    try:
        os.link(source, target)
    except OSError:  # another file system, or one without links
        shutil.copyfile(source, target)


class ShardWriter:
    """Writes one shard under a temporary name and renames it once it is whole and on disk.

    Used as a context manager; leaving it without `finish()` deletes what was written.

    Args:
        path: where the finished shard will be; its folder exists.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.num_samples = 0
        self._temporary = path.with_name(f".{path.name}.{uuid4().hex}.partial")
        self._file: Any = None

    def __enter__(self) -> "ShardWriter":
        self._file = self._temporary.open("w+b")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._file.close()
        self._temporary.unlink(missing_ok=True)

    def append(self, samples: Int16Array) -> int:
        """Add (S,) samples at the end and return the offset, in samples, where they start."""
        offset = self.num_samples
        self._file.write(samples.astype(_SAMPLE_TYPE, copy=False).tobytes())
        self.num_samples += samples.size
        return offset

    def read(self, offset_samples: int, num_samples: int) -> Int16Array:
        """Return (num_samples,) of what was written so far."""
        self._file.seek(offset_samples * BYTES_PER_SAMPLE)
        contents = np.frombuffer(self._file.read(num_samples * BYTES_PER_SAMPLE), dtype=_SAMPLE_TYPE)
        self._file.seek(self.num_samples * BYTES_PER_SAMPLE)
        return contents

    def take_back(self, num_samples: int) -> None:
        """Shorten the shard to `num_samples`: a recording turned out to be damaged half-way."""
        self._file.seek(num_samples * BYTES_PER_SAMPLE)
        self._file.truncate()
        self.num_samples = num_samples

    def finish(self) -> str:
        """Bring the shard to disk under its own name and return its sha256 in hex.

        Raises:
            OSError: the disk is full or failing; nothing bears the shard's name then.
        """
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.seek(0)
        digest = hashlib.file_digest(self._file, "sha256").hexdigest()
        self._file.close()
        self._temporary.replace(self.path)
        return digest


class ShardReader:
    """Reads utterances out of the shards of a prepared corpus; a shard is mapped when first asked for.

    May be pickled to data-loading processes: each maps for itself.

    Args:
        corpus_folder: the folder that holds `shards/`.
    """

    def __init__(self, corpus_folder: Path) -> None:
        self._folder = corpus_folder / SHARDS_FOLDER
        self._maps: dict[str, Int16Array] = {}

    def read(self, shard: str, offset_samples: int, num_samples: int) -> Int16Array:
        """Return (num_samples,) int16 as a read-only view of the file: nothing is copied until it is computed with.

        Args:
            shard: the file's name, as the manifest's column `shard` has it.
            offset_samples: where the utterance starts in the shard.
            num_samples: its length.

        Raises:
            AudioError: no such shard, or it ends before the utterance does.
        """
        samples = self._maps.get(shard)
        if samples is None:
            samples = self._maps[shard] = self._map(shard)
        if not 0 <= offset_samples <= offset_samples + num_samples <= samples.size:
            raise AudioError(
                f"{self._folder / shard} holds {samples.size} samples, but the manifest asks for "
                f"{offset_samples} to {offset_samples + num_samples}.",
                "The shard is not the one that was prepared: run `lowres prepare` again.",
            )
        return samples[offset_samples : offset_samples + num_samples]

    def _map(self, shard: str) -> Int16Array:
        path = self._folder / shard
        try:
            if path.stat().st_size == 0:
                return np.zeros(0, dtype=np.int16)
            return np.memmap(path, dtype=_SAMPLE_TYPE, mode="r")
        except (OSError, ValueError) as error:
            raise AudioError(f"{path} cannot be read: {error}.", "Run `lowres prepare` again.") from error

    def __getstate__(self) -> dict[str, Any]:
        """Leave the maps behind: they belong to this process."""
        return {"_folder": self._folder, "_maps": {}}
