"""`lowres align` and `lowres suggest` on a terminal: what they print of names that a terminal would act on."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from lowres.cli.app import app
from lowres.cli.console import console
from lowres.cli.transcribe import INCOMPLETE_STATUS
from lowres.errors import CorpusError
from lowres.manifest.misfits import Misfits
from lowres.stages import align as align_stage
from lowres.stages import align_corpus as corpus_stage
from lowres.stages import suggest as suggest_stage
from lowres.stages.align import AlignedFile, AlignResult
from lowres.stages.align_corpus import CorpusFit
from lowres.stages.suggest import SuggestResult
from lowres.stages.suggest_choice import Candidate, Suggestion

HOSTILE = "[red]a[/red]\x1b[2J\u202eb \udce9.wav"
VISIBLE = "[red]a[/red]<U+001B>[2J<U+202E>b \ufffd.wav"


def call(*arguments: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, list(arguments), env={"COLUMNS": "400", "TERM": "dumb"})
    if result.exit_code == 1 and result.exception is not None:
        raise result.exception
    assert "\x1b" not in result.output
    return result.exit_code, result.stdout, result.stderr


@pytest.fixture(autouse=True)
def wide(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tables as on a wide terminal: rich reads COLUMNS only once, when `console` is made."""
    monkeypatch.setattr(console, "_width", 400)


@pytest.fixture
def project(tmp_path: Path) -> str:
    (tmp_path / "lowres.toml").write_text('name = "little"\n', encoding="utf-8")
    return str(tmp_path)


def test_what_was_aligned_is_told_with_line_numbers_and_problems(project: str, monkeypatch: pytest.MonkeyPatch) -> None:
    many = AlignedFile(HOSTILE, Path("x.eaf"), 75.0, 40, tuple(range(1, 15)), 3, 0.5, 2)
    good = AlignedFile("good.wav", Path("good.eaf"), 60.0, 8, (), 0, 0.75, 0)
    result = AlignResult(Path(HOSTILE), "tiny", (many, good), (("p", f"{HOSTILE} is damaged."),), (HOSTILE,), 1.0)
    monkeypatch.setattr(align_stage, "align", lambda *_: result)
    status, output, error = call("align", "rec", "--project", project)
    assert status == INCOMPLETE_STATUS
    assert f"{VISIBLE}: not said, or not as written: line 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, ..." in output
    assert "2 symbols passed over that the recogniser has no label for" in output
    assert "good.wav: " not in output
    assert f"2 recordings aligned with tiny, in {VISIBLE}" in output
    assert f"not aligned: {VISIBLE} is damaged." in error
    assert f"warning: {VISIBLE}" in error


def test_nothing_to_align_and_files_beside_corpus_are_refused(project: str) -> None:
    for arguments, said in (
        ((), "There is nothing to align"),
        (("--corpus", "a.wav"), "Leave the files and folders out."),
        (("--corpus", "--text", "a.txt", "--channel", "0"), "Leave --text and --channel out."),
    ):
        status, _, error = call("align", *arguments, "--project", project)
        assert (status, said in error) == (2, True)


@pytest.mark.parametrize(("separation", "learned"), [(0.97, 0), (0.7, 12)])
def test_misfits_are_told_with_what_was_written_and_heard(
    project: str, monkeypatch: pytest.MonkeyPatch, separation: float, learned: int
) -> None:
    misfits = Misfits((HOSTILE, "u1"), (HOSTILE, "[b]"), (1.0, 1.0), ("heard\n[i]", ""), (0.001, 0.9), 0.02)
    fit = CorpusFit(Path("misfits.tsv"), "tiny", misfits, learned, separation)
    monkeypatch.setattr(corpus_stage, "align_corpus", lambda *_: fit)
    status, output, error = call("align", "--corpus", "--project", project)
    assert status == 0
    assert "1 transcript of 2 fit what tiny hears no better than a wrong one (fit up to 0.020)" in output
    assert f"{VISIBLE}  (fit 0.001)" in output
    assert "  heard    heard<U+000A>[i]" in output
    assert "u1" not in output
    assert f"lowres prepare --project {project}" in output
    assert ("does not hear well enough" in error) == (separation < 0.9)
    assert ("learned from 12 utterances" in error) == bool(learned)


def suggestion(name: str) -> Suggestion:
    candidate = Candidate(name, 300.0, 600.0, 240.0, 0.25, frozenset(), voice=None)  # type: ignore[arg-type]
    return Suggestion(candidate, 0.25, 1234, 1.5, 0.9)


def test_what_is_suggested_is_told_with_the_reasons(project: str, monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = (suggestion(HOSTILE), *(suggestion(f"r{number}.wav") for number in range(14)))
    result = SuggestResult(Path(HOSTILE), "tiny", chosen, 99, 4, (("p", f"{HOSTILE} is damaged."),), (HOSTILE,), 1.0)
    monkeypatch.setattr(suggest_stage, "suggest", lambda *_, **__: result)
    status, output, error = call("suggest", "rec", "--project", project)
    assert status == INCOMPLETE_STATUS
    row = next(line for line in output.splitlines() if VISIBLE in line and line.startswith("1"))
    assert row.split()[-6:] == ["4", "min", "25", "%", "1,234", "1.50"] or row.split()[-4:] == [
        "25",
        "%",
        "1,234",
        "1.50",
    ]
    assert "and 3 more" in output
    assert "15 passages of 99, heard with tiny" in output
    assert "4 recordings left out: transcribed already (--include-transcribed)" in output
    assert f"not heard: {VISIBLE} is damaged." in error


def test_an_error_of_the_stage_is_one_sentence(project: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise CorpusError(f"{Path(project).name} holds no corpus.", "Run `lowres prepare` first.")

    monkeypatch.setattr(suggest_stage, "suggest", fail)
    status, _, error = call("suggest", "rec", "--project", project)
    assert (status, error.strip().splitlines()[0]) == (2, f"error: {Path(project).name} holds no corpus.")
