"""`lowres studio`: an address with a token, an end by Ctrl-C, and sentences where it cannot be."""

import importlib.util
import os
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from http.cookiejar import CookieJar
from pathlib import Path

import pytest
from tone_corpus import write_project
from typer.testing import CliRunner

from lowres.cli.app import app


def test_without_its_libraries_a_sentence_says_how_to_install_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    result = CliRunner().invoke(app, ["studio"])
    assert result.exit_code == 2
    assert "python-multipart is not installed" in result.stderr
    assert "--extra studio" in result.stderr


def test_a_taken_port_is_a_sentence(tmp_path: Path) -> None:
    project = write_project(tmp_path, num_train=2)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        result = CliRunner().invoke(app, ["studio", "--project", str(project), "--no-browser", "--port", port])
    assert result.exit_code == 2
    assert f"cannot listen on port {port}" in result.stderr
    assert "--port" in result.stderr


def test_without_a_recipe_a_sentence_says_how_to_get_one(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["studio", "--project", str(tmp_path), "--no-browser"])
    assert result.exit_code == 2
    assert "There is no recipe" in result.stderr


@pytest.mark.slow
def test_it_prints_its_address_answers_there_and_ends_by_an_interrupt(tmp_path: Path) -> None:
    project = write_project(tmp_path, num_train=2)
    command = [sys.executable, "-m", "lowres", "studio", "--project", str(project), "--no-browser"]
    environment = os.environ | {"PYTHONUNBUFFERED": "1", "OMP_NUM_THREADS": "1"}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    ) as process:
        assert process.stdout is not None
        lines = []
        while not (found := re.search(r"http://127\.0\.0\.1:\d+/\?token=[\w-]{43}", "".join(lines))):
            lines.append(process.stdout.readline())
            assert lines[-1], process.stderr and process.stderr.read()
        opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))
        with opener.open(found.group(), timeout=300) as answer:
            assert "lowres studio" in answer.read().decode()
        process.send_signal(signal.SIGINT)
        rest, errors = process.communicate(timeout=300)
    assert process.returncode == 0
    assert "The studio is closed" in rest
    assert errors == ""
