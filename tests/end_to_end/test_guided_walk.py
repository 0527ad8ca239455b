"""`lowres start` on a terminal, as a person goes through it: from an empty folder to a report, with detours."""

import json
import os
import re
import select
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from walks import write_paired

from lowres.recipe import load_recipe

pty = pytest.importorskip("pty", reason="there are no pseudo-terminals on this system")

ENTER, CTRL_C = "", b"\x03"
LONGEST_SECONDS = 600.0  # a busy machine takes its time; only a fault is waited for as long
# Makes the pseudo-terminal the one that Ctrl-C comes from.
TAKE_TERMINAL = (
    "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execv(sys.argv[1], sys.argv[1:])"
)
_COLOURS = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


class Terminal:
    """A program on a terminal of 80 columns, and what it has shown."""

    def __init__(self, project: Path, *arguments: str) -> None:
        self._master, slave = pty.openpty()
        environment = {key: value for key, value in os.environ.items() if key not in ("DISPLAY", "WAYLAND_DISPLAY")}
        environment |= {"TERM": "xterm", "COLUMNS": "80", "LINES": "50", "OMP_NUM_THREADS": "1"}
        command = [sys.executable, "-c", TAKE_TERMINAL, sys.executable, "-m", "lowres", *arguments]
        self.process = subprocess.Popen(
            command, stdin=slave, stdout=slave, stderr=slave, cwd=project, env=environment, start_new_session=True
        )
        os.close(slave)
        self.shown = ""
        self._seen = 0

    def expect(self, words: str) -> str:
        """Wait until something new holds `words`, and return what was shown until then."""
        deadline = time.monotonic() + LONGEST_SECONDS
        while (place := self.shown.find(words, self._seen)) < 0:
            assert time.monotonic() < deadline, f"{words!r} did not come:\n{self.shown[self._seen :]}"
            assert self._read(), f"it ended before {words!r} came:\n{self.shown[self._seen :]}"
        new = self.shown[self._seen : place + len(words)]
        self._seen = place + len(words)
        return new

    def answer(self, question: str, typed: str) -> str:
        """Wait for a question and its prompt, and type an answer; return what was shown."""
        shown = self.expect(question) + self.expect("]: ")
        os.write(self._master, f"{typed}\n".encode())
        return shown

    def interrupt(self, question: str) -> None:
        """Wait for a question and press Ctrl-C, as a person does: again where nothing happens.

        Python loses one that comes after it last looked and before it waits for the line: on a busy machine, half a
        second.
        """
        self.expect(question)
        self.expect("]: ")
        deadline = time.monotonic() + LONGEST_SECONDS
        while "Stopped" not in self.shown[self._seen :] and time.monotonic() < deadline:
            os.write(self._master, CTRL_C)
            # The echo of the key comes at once, the answer to it a little later. A second one that comes while the
            # first is obeyed would be taken for impatience, and change the exit status.
            again = time.monotonic() + 5.0
            while "Stopped" not in self.shown[self._seen :] and time.monotonic() < again:
                if select.select([self._master], [], [], 0.2)[0] and not self._read():
                    return

    def end(self) -> int:
        """Wait for the end and return the exit status."""
        while self._read():
            pass
        return self.process.wait(timeout=LONGEST_SECONDS)

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        os.close(self._master)

    def _read(self) -> bool:
        """Read what there is; say whether there may be more."""
        ready, _, _ = select.select([self._master], [], [], LONGEST_SECONDS)
        try:
            piece = os.read(self._master, 65536) if ready else b""
        except OSError:  # Linux's way of saying that the other end is closed
            piece = b""
        self.shown = _COLOURS.sub("", self.shown + piece.decode(errors="replace")).replace("\r\n", "\n")
        return bool(piece)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    write_paired(tmp_path / "recordings")
    folder = tmp_path / "project"
    folder.mkdir()
    return folder


@pytest.fixture
def open_terminal(project: Path) -> Iterator[Callable[..., Terminal]]:
    opened: list[Terminal] = []

    def open_one(*arguments: str) -> Terminal:
        opened.append(Terminal(project, *arguments))
        return opened[-1]

    yield open_one
    for terminal in opened:
        terminal.close()


@pytest.mark.slow
def test_the_walk_leads_from_an_empty_folder_to_a_report(project: Path, open_terminal: Callable[..., Terminal]) -> None:
    first = open_terminal()
    first.answer("Where are the recordings?", "../nowhere")
    first.answer("There is no folder", "../recordings")
    assert "36 recordings (36 .wav)" in first.answer("Who speaks?", ENTER)
    first.answer("Which language is it?", "Swahili")
    first.answer("Which of these?", "b")
    first.answer("Which language is it?", "mdw")
    first.answer("Is it this one?", ENTER)
    first.interrupt("Small letters only")
    first.expect("next: To go on:  lowres start")
    assert first.end() == 0
    assert not (project / "lowres.toml").exists()

    second = open_terminal("start")
    second.expect("Going on where you stopped: recordings in ../recordings, Mbosi.")
    second.answer("Small letters only", ENTER)
    second.answer("Take out punctuation", ENTER)
    assert "a b d e i k" in second.answer("Which letters does the orthography have?", ENTER)
    second.answer("Under which licence", "CC0-1.0")
    second.answer("What did the speakers agree to?", ENTER)
    second.answer("How shall it be divided?", ENTER)
    speed = second.answer("What does training start from?", ENTER)
    assert re.search(r"measured here: [\d,]+ hours of speech learnt from in an hour", speed)
    second.answer("How many minutes may training take?", "0.05")
    second.answer("Shall it be written, and the work begin?", ENTER)
    for command in ("prepare", "finetune", "lm", "evaluate"):
        second.expect(f"$ lowres {command}")
    second.expect("Open it in any browser:")
    assert second.end() == 0
    assert second.shown.count("next: ") == 1

    recipe = load_recipe(project=project)
    assert (recipe.language.name, recipe.corpus.licence, recipe.finetune.minutes) == ("Mbosi", "CC0-1.0", 0.05)
    (report,) = project.glob("reports/finetune-all-seed1-test/report.json")
    assert json.loads(report.read_text(encoding="utf-8"))

    third = open_terminal("start")
    third.expect("The recordings are prepared already.")
    third.expect("Trained already")
    assert third.end() == 0
    assert "lowres evaluate" not in third.shown
