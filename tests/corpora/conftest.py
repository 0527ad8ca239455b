"""Small corpora, made of the shortest recordings that readers accept: they look at names, not at sound."""

from collections.abc import Callable
from pathlib import Path

import pytest

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Return a function that writes text or bytes to a path inside an empty corpus folder, and returns the folder."""
    folder = tmp_path / "corpus"
    folder.mkdir()

    def write_file(name: str = "", contents: str | bytes = b"sound") -> Path:
        if name:
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(contents.encode() if isinstance(contents, str) else contents)
        return folder

    return write_file
