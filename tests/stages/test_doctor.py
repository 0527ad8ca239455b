"""The doctor tries things, says what to do, and never falls ill itself."""

import subprocess
from pathlib import Path

import pytest
from typer.testing import CliRunner

from lowres.cli.app import app
from lowres.stages import doctor
from lowres.stages.doctor import Finding, examine_machine, is_usable

runner = CliRunner()


def _finding(findings: list[Finding], subject: str) -> Finding:
    return next(finding for finding in findings if finding.subject == subject)


@pytest.fixture
def healthy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave out the slow checks, each tried once in a test of its own."""
    for name in ("_check_torchaudio", "_check_processor", "_check_espeak"):
        monkeypatch.setattr(doctor, name, list)


@pytest.mark.slow
def test_this_machine_is_usable_and_every_problem_comes_with_a_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    findings = examine_machine(tmp_path)
    monkeypatch.setattr(doctor, "examine_machine", lambda _project: findings)
    result = runner.invoke(app, ["doctor", "--project", str(tmp_path)])
    assert result.exit_code == 0, result.output
    assert is_usable(findings)
    assert all(finding.remedy for finding in findings if finding.verdict != "good")


def test_all_six_formats_are_written_and_read_back() -> None:
    (finding,) = doctor._check_formats()
    assert (finding.verdict, finding.detail) == (
        "good",
        "wav, flac, ogg, opus, mp3, m4a: written and read back without ffmpeg",
    )


def test_a_format_that_fails_is_named_and_wav_alone_is_essential(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path) -> None:
        if path.suffix == failing:
            raise RuntimeError("no decoder")

    monkeypatch.setattr(doctor, "_write_and_read", refuse)
    failing = ".m4a"
    (finding,) = doctor._check_formats()
    assert (finding.verdict, "m4a: no decoder" in finding.detail) == ("note", True)
    failing = ".wav"
    (finding,) = doctor._check_formats()
    assert finding.verdict == "broken"
    assert not is_usable([finding])


def test_a_mismatched_torchaudio_is_explained_and_costs_only_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    def crash(*_arguments: object, **_options: object) -> subprocess.CompletedProcess[str]:
        return subprocess.CompletedProcess([], -6, "", "Traceback ...\nOSError: undefined symbol: _ZN3c10\n")

    monkeypatch.setattr(subprocess, "run", crash)
    (finding,) = doctor._check_torchaudio()
    assert finding.verdict == "note"
    assert "undefined symbol" in finding.detail
    assert "torch 2.11 to 2.13" in finding.remedy


def test_a_check_that_crashes_becomes_a_finding(healthy: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def crash() -> list[Finding]:
        raise ZeroDivisionError("no cores")

    monkeypatch.setattr(doctor, "_check_processor", crash)
    finding = _finding(examine_machine(tmp_path), "processor")
    assert (finding.verdict, finding.detail) == ("note", "ZeroDivisionError: no cores")


def test_the_disk_of_a_project_that_does_not_exist_yet_is_examined(tmp_path: Path) -> None:
    (finding,) = doctor._check_disk(tmp_path / "not" / "there" / "yet")
    assert str(tmp_path.resolve()) in finding.detail


def test_little_memory_is_noted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "machine_memory_gb", lambda: (8.0, 1.5))
    (finding,) = doctor._check_memory()
    assert (finding.verdict, finding.detail) == ("note", "8.0 GB, 1.5 GB free now")


def test_a_missing_espeak_is_noted_with_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lowres.stages.synthesize.espeak_is_installed", lambda: False)
    (finding,) = doctor._check_espeak()
    assert finding.verdict == "note"
    assert "--extra demo" in finding.remedy


def test_a_broken_machine_exits_with_1_and_the_remedy(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    broken = Finding("torch", "broken", "cannot be imported: [no] module", "Install it again.")
    monkeypatch.setattr(doctor, "examine_machine", lambda _project: [broken])
    result = runner.invoke(app, ["doctor", "--project", str(tmp_path)])
    assert result.exit_code == 1
    assert "[no] module" in result.output
    assert "Install it again." in result.output
