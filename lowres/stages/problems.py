"""What went wrong with one recording of many, as a sentence: the others are still done."""

from pathlib import Path

from lowres.errors import LowresError
from lowres.stages.transcribe_work import FULL_DISK


def sentence_of(error: LowresError | OSError, recording: Path) -> str:
    """Say what went wrong with a recording.

    Raises:
        LowresError, OSError: the error itself, where it is a full disk, which every recording to come would meet, too.
    """
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, OSError) and cause.errno in FULL_DISK:
            raise error
        cause = cause.__cause__
    if isinstance(error, OSError):
        return f"{error.filename or recording}: {error.strerror or error}."
    return f"{error.message} {error.hint}".strip()
