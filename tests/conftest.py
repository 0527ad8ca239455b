"""What every test may ask for: the real speech, where this machine has it."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from playwright.sync_api import Browser

REPOSITORY = Path(__file__).resolve().parent.parent

if "PYTEST_XDIST_WORKER" in os.environ:
    # One thread for each of pytest's processes, also in the commands that a test starts: torch and its OpenMP read this
    # when they are imported, which is after this file. More threads than cores make every test slower.
    os.environ.setdefault("OMP_NUM_THREADS", "1")

# How long an example takes says how busy the machine is, and nothing of lowres.
settings.register_profile("busy machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("busy machine")

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # Shells have what they start in the background ignore Ctrl-C, and so would every command that a test starts.
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session", autouse=True)
def disk_that_is_not_waited_for() -> Iterator[None]:
    """Leave out what makes files outlast a power cut: no test cuts the power, and a busy disk takes its time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("os.fsync", lambda _file: None)
        yield


@pytest.fixture(scope="session")
def corpora_folder() -> Path:
    """The folder of real speech: LOWRES_CORPORA, else ../shared/corpora; the test skips where neither exists."""
    named = os.environ.get("LOWRES_CORPORA")
    folder = Path(named) if named else REPOSITORY.parent / "shared" / "corpora"
    if not (folder / "mboshi").is_dir():
        pytest.skip(f"no real speech at {folder}: set LOWRES_CORPORA to the folder that holds mboshi/, yoruba/ ...")
    return folder


@pytest.fixture(scope="module")
def browser() -> Iterator["Browser"]:
    """A headless Chromium for the tests of one file; they skip where this machine has none."""
    from browser import open_browser

    with open_browser() as opened:
        yield opened
