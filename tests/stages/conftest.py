"""What tests of `transcribe` ask for."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from transcribing import write_archive, write_run


@pytest.fixture
def tiny_project(tmp_path: Path) -> Iterator[Path]:
    """A project with a tiny random recogniser; torch keeps to one thread, which such a one is heard fastest with."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield write_run(tmp_path / "project")
    torch.set_num_threads(before)


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """A folder of three recordings of 12 to 14 s, with three bursts of speech each."""
    return write_archive(tmp_path / "archive")
