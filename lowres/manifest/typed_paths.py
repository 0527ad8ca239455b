"""Paths as people type them: ~ is the home folder."""

from pathlib import Path


def expand_home(path: str | Path) -> Path:
    """Put the home folder in the place of a leading ~ or ~USER, and leave it where there is no such user."""
    try:
        return Path(path).expanduser()
    except RuntimeError:
        return Path(path)
