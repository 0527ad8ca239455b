"""What went wrong with one recording of many, as a sentence: the others are still done."""

import errno
from pathlib import Path
from typing import Final

from lowres.errors import LowresError

FULL_DISK: Final = (errno.ENOSPC, errno.EDQUOT)

OF_ONE_RECORDING: Final = (LowresError, OSError, MemoryError, RuntimeError)
"""What to catch; `sentence_of` raises those again that are no fault of a recording."""


def full_disk(error: BaseException | None) -> OSError | None:
    """Return the system's own error where a full disk is behind one: every recording to come would meet it, too."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in FULL_DISK:
            return error
        error = error.__cause__
    return None


def sentence_of(error: Exception, recording: Path, less_memory: str = "") -> str:
    """Say what went wrong with a recording.

    Args:
        error: one of OF_ONE_RECORDING. recording: that was heard.
        less_memory: how to make do with less, a sentence, said where there is too little.

    Raises:
        LowresError, OSError, RuntimeError: the error itself, where a full disk or a defect of ours is behind it.
    """
    if full_disk(error) is not None:
        raise error
    if _is_about_memory(error):
        return f"{recording}: there is too little memory to hear it. {less_memory}".strip()
    if isinstance(error, OSError):
        return f"{error.filename or recording}: {error.strerror or error}."
    if isinstance(error, LowresError):
        return f"{error.message} {error.hint}".strip()
    raise error


def _is_about_memory(error: Exception) -> bool:
    if isinstance(error, MemoryError):
        return True
    # torch's, known by their names: `prepare` imports this file and does without torch. On a processor torch has no
    # error of its own for it.
    return isinstance(error, RuntimeError) and (
        type(error).__name__ == "OutOfMemoryError" or "DefaultCPUAllocator" in str(error)
    )
