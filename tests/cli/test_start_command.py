"""`lowres start` at its two ends: the questions as a terminal shows them, and what it says where there is none."""

from pathlib import Path

import pytest
from typer.testing import CliRunner
from walks import write_paired

from lowres.cli import start as start_command
from lowres.cli.app import app
from lowres.cli.console import print_next, without_next
from lowres.cli.start_terminal import TerminalAsk
from lowres.errors import CorpusError
from lowres.stages.start_answers import ANSWERS_FILE, Answers, write_answers
from lowres.stages.start_asking import Choice, GoBack, Question, StopAsking
from lowres.stages.start_progress import ProjectState

COLOURS = Question(
    "Which colour?", "It is painted so.", "red", (Choice("red", "red", ("like blood",)), Choice("1", "blue"))
)


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    lines: list[str] = []

    def read() -> str:
        if not lines:
            raise EOFError
        return lines.pop(0)

    monkeypatch.setattr("builtins.input", read)
    return lines


def test_without_a_terminal_the_commands_are_printed(tmp_path: Path) -> None:
    folder = write_paired(tmp_path / "my recordings")
    result = CliRunner().invoke(app, ["start", "--project", str(folder)])
    assert result.exit_code == 0
    assert f"lowres init --project '{folder}' --recordings '{folder}' --language NAME" in result.stdout
    assert f"lowres finetune --project '{folder}'" in result.stdout
    assert not (folder / ".lowres").exists()


def test_plain_lowres_without_a_terminal_names_the_walk_at_the_end_of_its_help() -> None:
    result = CliRunner().invoke(app, [], prog_name="lowres")
    assert result.exit_code == 2
    assert result.output.rstrip().endswith("lowres start")


def test_plain_lowres_on_a_terminal_is_the_walk(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, typed: list[str]
) -> None:
    monkeypatch.setattr("lowres.cli.app.is_terminal", lambda: True)
    monkeypatch.setattr(start_command, "is_terminal", lambda: True)
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(app, [])
    assert "Where are the recordings?" in result.stdout
    assert result.stdout.rstrip().endswith("next: To go on:  lowres start")


def test_going_back_from_the_first_question_asks_it_again(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, typed: list[str]
) -> None:
    monkeypatch.setattr(start_command, "is_terminal", lambda: True)
    typed += ["b", "q"]
    result = CliRunner().invoke(app, ["start", "--project", str(tmp_path)])
    assert "There is no question before this one." in result.stdout
    assert result.stdout.count("Where are the recordings?") == 2


def test_a_broken_file_of_answers_is_one_sentence_and_exit_2(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(start_command, "is_terminal", lambda: True)
    (tmp_path / ANSWERS_FILE).parent.mkdir()
    (tmp_path / ANSWERS_FILE).write_text("{", encoding="utf-8")
    result = CliRunner().invoke(app, ["start", "--project", str(tmp_path)])
    assert result.exit_code == 2
    assert "Delete that file" in result.stderr


def test_a_recipe_that_is_there_is_not_overwritten_unasked(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, typed: list[str]
) -> None:
    monkeypatch.setattr(start_command, "is_terminal", lambda: True)
    (tmp_path / "lowres.toml").write_text("name = 'mine'", encoding="utf-8")
    result = CliRunner().invoke(app, ["start", "--project", str(tmp_path)])
    assert "Shall the recipe that is here be used?" in result.stdout
    assert (tmp_path / "lowres.toml").read_text(encoding="utf-8") == "name = 'mine'"


def test_once_the_recipe_was_deleted_everything_is_asked_again_with_the_answers_as_defaults(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, typed: list[str]
) -> None:
    monkeypatch.setattr(start_command, "is_terminal", lambda: True)
    project = tmp_path / "project"
    write_paired(tmp_path / "recordings")
    known = Answers(recordings="../recordings", layout={"reader": "paired_files"}, transcripts={}, speakers={})
    write_answers(project, known.updated(recipe_is_written=True))
    typed += ["", "q"]
    result = CliRunner().invoke(app, ["start", "--project", str(project)])
    assert f"answer [{project / '../recordings'}]" in result.stdout
    assert "everything is asked again" in result.stdout
    assert "Who speaks?" in result.stdout
    assert "Going on where you stopped" not in result.stdout


@pytest.mark.parametrize(("line", "answer"), [("", "red"), ("1", "red"), ("2", "1"), ("RED", "red")])
def test_a_choice_is_made_by_its_number_or_its_name(line: str, answer: str, typed: list[str]) -> None:
    typed.append(line)
    assert TerminalAsk().ask(COLOURS) == answer


def test_what_is_no_choice_is_asked_for_again(typed: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    typed += ["3", "1 2", "2"]
    assert TerminalAsk().ask(COLOURS) == "1"
    assert capsys.readouterr().err.count("Type a number from 1 to 2.") == 2


def test_several_choices_are_typed_with_spaces_or_commas(typed: list[str]) -> None:
    typed += ["2, 1 2"]
    assert TerminalAsk().ask_several(COLOURS) == ("1", "red")


def test_a_typed_answer_is_checked_and_asked_for_again(typed: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    def check(answer: str) -> str:
        if answer != "right":
            raise CorpusError(f"{answer!r} is wrong.", "Type right.")
        return "checked"

    typed += ["left", "right"]
    assert TerminalAsk().ask(Question("Where?", "To know.", check=check)) == "checked"
    assert "'left' is wrong." in capsys.readouterr().err


def test_b_goes_back_and_q_or_the_end_of_input_stops(typed: list[str]) -> None:
    typed += ["b", "q"]
    with pytest.raises(GoBack):
        TerminalAsk().ask(COLOURS)
    for _ in range(2):
        with pytest.raises(StopAsking):
            TerminalAsk().ask(COLOURS)


def test_signs_that_a_terminal_would_act_on_are_shown_by_number(
    typed: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    TerminalAsk().say("a\x1b[31mb \u202e c [bold]d[/bold]")
    assert capsys.readouterr().out == "a<U+001B>[31mb <U+202E> c [bold]d[/bold]\n"


def test_a_page_is_opened_only_where_there_is_a_display(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    opened: list[str] = []
    monkeypatch.setattr("webbrowser.open", lambda address: opened.append(address) or True)
    monkeypatch.setattr("sys.platform", "linux")
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    assert not start_command.open_page(tmp_path / "report.html")
    assert opened == []
    monkeypatch.setenv("DISPLAY", ":0")
    assert start_command.open_page(tmp_path / "report.html")
    assert opened == [(tmp_path / "report.html").as_uri()]


def test_inside_a_walk_commands_do_not_name_the_next(capsys: pytest.CaptureFixture[str]) -> None:
    with without_next():
        print_next("To train", "lowres finetune")
        with without_next(allowed=True):
            print_next("To go on", "lowres start")
    assert capsys.readouterr().out == "next: To go on:  lowres start\n"


def test_transcripts_beside_the_wrong_recordings_are_not_trained_on(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(start_command, "is_terminal", lambda: True)
    state = ProjectState(True, "They are shifted by a row.", 1, "finetune-all-seed1", "", None)
    monkeypatch.setattr("lowres.stages.start_progress.look_at_project", lambda _project: state)
    (tmp_path / "lowres.toml").write_text("name = 'mine'", encoding="utf-8")
    write_answers(tmp_path, Answers(recipe_is_written=True))
    result = CliRunner().invoke(app, ["start", "--project", str(tmp_path)])
    assert result.exit_code == 2
    assert "error: They are shifted by a row.\nhint: Put the transcripts right" in result.stderr


@pytest.mark.parametrize(
    "arguments", [["doctor"], ["recipe", "--recipe", "mboshi"], ["recipe", "--list"], ["backbones"], ["init"]]
)
def test_a_command_ends_by_naming_the_next_one(
    arguments: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("lowres.stages.doctor.examine_machine", lambda _project: [])
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    (last,) = [line for line in result.output.splitlines() if line.startswith("next: ")]
    assert "lowres " in last
