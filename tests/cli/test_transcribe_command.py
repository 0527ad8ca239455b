"""What `lowres transcribe` says, and with which exit status."""

from pathlib import Path

import pytest
import torch
from recognizers import make_recognizer
from typer.testing import CliRunner, Result

from lowres.backbones.checkpoint_folder import write_checkpoint
from lowres.cli.app import app
from lowres.stages import transcribe_work, transcribe_writing
from lowres.stages.evaluate_run import best_checkpoint


@pytest.fixture
def project(tmp_path: Path) -> Path:
    recognizer = make_recognizer("xs")
    folder = best_checkpoint(tmp_path / "project" / "runs" / "tiny")
    write_checkpoint(folder, recognizer.model.state_dict(), recognizer.metadata)
    return tmp_path / "project"


@pytest.fixture
def recordings(tmp_path: Path) -> Path:
    import numpy as np
    import soundfile

    (tmp_path / "rec").mkdir()
    generator = np.random.default_rng(1)
    for name in ("[red]a.wav", "b.wav"):
        samples = generator.standard_normal(64_000) * np.repeat([1e-5, 0.1, 1e-5, 0.1], 16_000)
        soundfile.write(tmp_path / "rec" / name, samples, 16_000)
    return tmp_path / "rec"


def run(project: Path, *arguments: object) -> Result:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    words = ["transcribe", "--project", str(project), "--precision", "fp32", "--vad", "energy", "--workers", "1"]
    done = CliRunner().invoke(app, [*words, *map(str, arguments)])
    torch.set_num_threads(before)
    return done


def test_it_says_what_was_done_where_and_what_next(project: Path, recordings: Path) -> None:
    done = run(project, recordings, "--to", "json", "--to", "elan")
    assert done.exit_code == 0, done.output
    for said in ("[red]a.wav", "b.wav", "2 recordings", "transcribed with tiny", "not calibrated", "next: ", "words"):
        assert said in done.output
    assert str(project / "transcripts" / "tiny") in done.output
    assert sorted(path.name for path in (project / "transcripts" / "tiny").iterdir()) == [
        ".heard-by-lowres", "[red]a.eaf", "[red]a.json", "b.eaf", "b.json", "transcribed.json"
    ]  # fmt: skip


def test_the_second_time_it_says_that_all_is_done(project: Path, recordings: Path) -> None:
    run(project, recordings)
    done = run(project, recordings)
    assert done.exit_code == 0, done.output
    assert "2 recordings left alone: transcribed before in the same way" in done.output
    assert "0 recordings" not in done.output


def test_what_was_not_transcribed_is_named_and_the_status_says_so(project: Path, recordings: Path) -> None:
    (recordings / "[link=x]c.wav").write_text("no sound", encoding="utf-8")
    (recordings / "b.mp3").write_bytes(b"the same as mp3")
    done = run(project, recordings)
    assert done.exit_code == 2
    assert "not transcribed: " in done.output
    assert "[link=x]c.wav" in done.output
    assert "Left out" in done.output
    assert "b.mp3" in done.output
    assert "2 recordings" in done.output


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--to", "[bold]docx"], "--to [bold]docx: there is no such format."),
        (["--channel", "0", "--each-channel"], "--channel hears one channel"),
        (["--into-elan", "--to", "srt"], "--into-elan writes ELAN files"),
        (["--run", "[red]none"], "There is no run called '[red]none'"),
        (["--lm", "word"], "no language model"),
    ],
)
def test_what_cannot_be_is_refused_in_two_lines(
    project: Path, recordings: Path, arguments: list[str], said: str
) -> None:
    done = run(project, recordings, *arguments)
    assert done.exit_code == 2
    assert said in done.output
    assert "hint: " in done.output
    assert "Traceback" not in done.output


def test_a_folder_that_is_not_there_is_named(project: Path, tmp_path: Path) -> None:
    done = run(project, tmp_path / "[red]nowhere")
    assert (done.exit_code, "[red]nowhere is not there." in done.output) == (2, True)


@pytest.mark.parametrize("longest", ["1", "3", "5", "60"])
def test_any_length_of_pieces_from_a_second_on_will_do(project: Path, recordings: Path, longest: str) -> None:
    done = run(project, recordings / "b.wav", "--longest", longest)
    assert done.exit_code == 0, done.output


@pytest.mark.parametrize("longest", ["0.5", "nan", "inf"])
def test_pieces_of_no_length_are_refused(project: Path, recordings: Path, longest: str) -> None:
    done = run(project, recordings / "b.wav", "--longest", longest)
    assert done.exit_code == 2
    assert "Traceback" not in done.output


def test_ctrl_c_ends_with_130(project: Path, recordings: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(transcribe_work, "transcribe_recording", interrupt)
    done = run(project, recordings)
    assert done.exit_code == 130
    assert "What was finished is kept" in done.output


def test_a_full_disk_is_said(project: Path, recordings: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(transcribe_writing, "write_transcript", refuse)
    done = run(project, recordings)
    assert done.exit_code == 2
    assert "is full (No space left on device); 0 of 2 recordings" in done.output
