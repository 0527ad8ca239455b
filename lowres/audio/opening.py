"""Opens a recording with libsndfile or PyAV, whatever its name."""

import os
from pathlib import Path
from typing import Any

import soundfile


def open_with_soundfile(path: Path) -> soundfile.SoundFile:
    """Open a recording; errors are soundfile's own.

    The package takes no name that is not UTF-8, as old archives have them, but it takes its bytes.
    """
    try:
        str(path).encode()
    except UnicodeEncodeError:
        return soundfile.SoundFile(os.fsencode(path))
    return soundfile.SoundFile(path)


def open_with_av(path: Path) -> Any:
    """Open a recording as PyAV's container; errors are PyAV's own.

    A title in another encoding than UTF-8 is no reason to refuse the sound, and a colon in a name ("10:15.m4a") makes
    no address of it.
    """
    import av  # slow to import, and most corpora never need it

    return av.open(str(path.absolute()), metadata_errors="replace")
