"""Files that are whole or not there at all: written under another name beside their own, then renamed."""

import os
from collections.abc import Iterable
from pathlib import Path
from uuid import uuid4


def replace_file(path: Path, pieces: Iterable[bytes]) -> int:
    """Write a file; one that was there before is replaced only once the new one is whole and safely on disk.

    Args:
        path: of the file; its folder is made if it is not there.
        pieces: of what is in it, written one after the other.

    Returns:
        Its size in bytes.

    Raises:
        OSError: the disk refused; whatever was at `path` is still there, as it is when `pieces` raise anything.
    """
    temporary = path.with_name(f".{path.name}.{uuid4().hex[:8]}.partial")
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with temporary.open("wb") as file:
            size = sum(map(file.write, pieces))
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    return size
