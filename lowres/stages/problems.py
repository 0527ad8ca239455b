"""What went wrong with one recording of many, as a sentence: the others are still done."""

import errno
from pathlib import Path
from typing import Final

from lowres.errors import LowresError

FULL_DISK: Final = (errno.ENOSPC, errno.EDQUOT)


def full_disk(error: BaseException | None) -> OSError | None:
    """Return the system's own error where a full disk is behind one: every recording to come would meet it, too."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in FULL_DISK:
            return error
        error = error.__cause__
    return None


def sentence_of(error: LowresError | OSError, recording: Path) -> str:
    """Say what went wrong with a recording.

    Raises:
        LowresError, OSError: the error itself, where a full disk is behind it.
    """
    if full_disk(error) is not None:
        raise error
    if isinstance(error, OSError):
        return f"{error.filename or recording}: {error.strerror or error}."
    return f"{error.message} {error.hint}".strip()
