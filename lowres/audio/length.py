"""How long a recording is, as its header says: quick, and enough to plan with."""

from pathlib import Path

import soundfile

from lowres.audio.opening import open_with_av, open_with_soundfile

_LONGEST_SECONDS = 10**8
"""Three years: what announces more knows no length, as flac and wav that were written into a pipe."""


def announced_seconds(path: Path) -> float | None:
    """Return the length that a recording's header announces, in seconds; None where it cannot be told.

    Nothing is decoded, so a file that is damaged further on is not noticed.
    """
    if not path.is_file():  # A pipe would be waited for.
        return None
    try:
        with open_with_soundfile(path) as file:
            seconds = float(file.frames / file.samplerate)
    except (soundfile.SoundFileError, OSError, TypeError):  # TypeError: its name ends in .raw
        return _ask_av(path)
    return seconds if seconds < _LONGEST_SECONDS else None


def _ask_av(path: Path) -> float | None:
    import av  # slow to import, and most corpora never need it

    try:
        with open_with_av(path) as container:
            duration = container.duration if container.streams.audio else None
    except Exception:  # whatever PyAV raises for a file that it does not know
        return None
    return None if duration is None or duration < 0 else float(duration / av.time_base)
