"""Opens a recording with libsndfile, whatever its name."""

import os
from pathlib import Path

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
