"""What goes wrong ends as one sentence and a remedy; what is our fault keeps its traceback."""

import errno
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from lowres import __version__
from lowres.cli.app import COMMANDS, ErrorHandlingGroup, app
from lowres.cli.console import print_next
from lowres.cli.options import with_project
from lowres.errors import CorpusError

runner = CliRunner()


def _app_that_raises(problem: BaseException) -> typer.Typer:
    failing = typer.Typer(cls=ErrorHandlingGroup, pretty_exceptions_enable=False)

    @failing.callback()
    def _root() -> None:
        pass

    @failing.command()
    def work() -> None:
        raise problem

    return failing


def test_a_users_error_is_two_lines_on_stderr_and_status_2() -> None:
    problem = CorpusError("transcripts.tsv, line 3: no audio [b]x[/b].", "Name the file in the first column.")
    result = runner.invoke(_app_that_raises(problem), ["work"])
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr == (
        "error: transcripts.tsv, line 3: no audio [b]x[/b].\nhint: Name the file in the first column.\n"
    )


def test_an_error_without_a_hint_is_one_line() -> None:
    result = runner.invoke(_app_that_raises(CorpusError("Nothing here.")), ["work"])
    assert result.stderr == "error: Nothing here.\n"


def test_a_traceback_is_shown_when_it_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOWRES_DEBUG", "1")
    result = runner.invoke(_app_that_raises(CorpusError("Nothing here.")), ["work"])
    assert "Traceback" in result.stderr
    assert result.exit_code == 2


def test_a_defect_of_ours_keeps_its_traceback() -> None:
    result = runner.invoke(_app_that_raises(ZeroDivisionError("ours")), ["work"])
    assert result.exit_code == 1
    assert isinstance(result.exception, ZeroDivisionError)


def test_an_interruption_is_one_sentence_and_status_130() -> None:
    result = runner.invoke(_app_that_raises(KeyboardInterrupt()), ["work"])
    assert result.exit_code == 130
    assert result.stderr.startswith("error: interrupted.\n")


def test_a_full_disk_is_the_users_to_mend() -> None:
    problem = OSError(errno.ENOSPC, "No space left on device", "corpus/manifest.tsv")
    result = runner.invoke(_app_that_raises(problem), ["work"])
    assert result.exit_code == 2
    assert "No space left on device: corpus/manifest.tsv" in result.stderr
    assert "hint: Free some disk space" in result.stderr


@pytest.mark.parametrize("number", [errno.ENOTDIR, errno.EEXIST, errno.ENAMETOOLONG])
def test_a_path_that_cannot_be_is_the_users_to_mend(number: int) -> None:
    result = runner.invoke(_app_that_raises(OSError(number, "Not there", "a/b")), ["work"])
    assert result.exit_code == 2
    assert result.stderr.startswith("error: Not there: a/b.\nhint: ")


def test_any_other_system_error_keeps_its_traceback() -> None:
    result = runner.invoke(_app_that_raises(OSError(errno.EBADF, "Bad file descriptor")), ["work"])
    assert result.exit_code == 1
    assert isinstance(result.exception, OSError)


def test_the_version_is_printed() -> None:
    result = runner.invoke(app, ["--version"])
    assert (result.exit_code, result.stdout) == (0, f"lowres {__version__}\n")


def test_help_lists_every_command_with_a_whole_line() -> None:
    result = runner.invoke(app, ["--help"])
    listed = result.stdout.split("Commands:")[1]
    assert [line.split()[0] for line in listed.splitlines() if line.startswith("  ") and line[2] != " "] == [
        command.__name__.replace("_", "-") for command in COMMANDS
    ]
    assert "..." not in listed


def test_lowres_alone_shows_its_help() -> None:
    assert "Usage: lowres" in runner.invoke(app, [], prog_name="lowres").output


def test_an_unknown_command_names_the_nearest() -> None:
    result = runner.invoke(app, ["docter"])
    assert result.exit_code == 2
    assert "doctor" in result.output


def test_the_next_command_is_on_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    folder = Path("a-folder-with-a-long-name") / ("x" * 200)
    print_next("To train on it", f"lowres finetune --project {folder}")
    assert len(capsys.readouterr().out.splitlines()) == 1


def test_a_command_to_go_on_with_repeats_project_recipe_and_overrides() -> None:
    command = with_project("lowres finetune --resume", Path("a b"), "mboshi", ["x.y=1", "m=[1, 2]"])
    assert command == "lowres finetune --resume --recipe mboshi --set x.y=1 --set 'm=[1, 2]' --project 'a b'"
