"""One program at a time writes a project's corpus: a lock that the operating system lets go of when a program ends."""

import errno
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final

from lowres.errors import CorpusError

LOCK_FILE: Final = ".lowres.lock"
_SECONDS_BETWEEN_TRIES: Final = 0.05
_BUSY: Final = (errno.EACCES, errno.EAGAIN, errno.EDEADLK)


@contextmanager
def writing_alone(project: Path, *, patience_seconds: float) -> Iterator[None]:
    """Keep other programs (and other threads) from writing the project's corpus during a `with` block.

    Where the file system knows no locks, as some of networks do not, nothing is kept from anybody.

    Args:
        project: the folder; an empty hidden file in it is what is locked.
        patience_seconds: how long to wait for another one.

    Raises:
        CorpusError: another program is still writing after that time, or the project cannot be written to.
    """
    path = project / LOCK_FILE
    try:
        file = path.open("ab")
    except OSError as error:
        raise CorpusError(
            f"{path} could not be written: {error.strerror or error}.", "Check the permissions of the project folder."
        ) from error
    with file:
        deadline = time.monotonic() + patience_seconds
        while not _try_to_lock(file):
            if time.monotonic() >= deadline:
                raise CorpusError(
                    f"Another lowres is writing the corpus of {project} at this moment.",
                    "Wait until it has finished, then try again; nothing is lost.",
                )
            time.sleep(_SECONDS_BETWEEN_TRIES)
        yield


def _try_to_lock(file: IO[bytes]) -> bool:
    """Lock an open file, which unlocks it when it is closed; say whether nobody else has it."""
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        return error.errno not in _BUSY
    return True
