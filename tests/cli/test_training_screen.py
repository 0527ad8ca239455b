"""What the terminal views of training share."""

import io

import pytest
from rich.console import Console
from rich.text import Text

from lowres.cli.training_screen import TimeLeft, TrainingScreen, duration, sparkline


def make_console(*, terminal: bool, kind: str = "xterm-256color") -> Console:
    return Console(file=io.StringIO(), force_terminal=terminal, width=100, height=30, _environ={"TERM": kind})


@pytest.mark.parametrize(
    ("terminal", "kind", "is_live"),
    [(True, "xterm-256color", True), (True, "dumb", False), (False, "xterm-256color", False)],
)
def test_a_picture_is_drawn_only_where_a_terminal_can(terminal: bool, kind: str, is_live: bool) -> None:
    assert TrainingScreen(make_console(terminal=terminal, kind=kind)).is_live is is_live


def test_without_a_picture_lines_go_to_stdout_and_come_now_and_then(capsys: pytest.CaptureFixture[str]) -> None:
    screen = TrainingScreen(make_console(terminal=False))
    assert screen.is_line_due()
    assert not screen.is_line_due()
    screen.say(Text("a [b] line"))
    assert capsys.readouterr().out == "a [b] line\n"


def test_a_silent_screen_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    console = make_console(terminal=True)
    with TrainingScreen(console, is_silent=True) as screen:
        screen.say(Text("a"))
        screen.draw(Text("b"))
        assert not screen.is_live
        assert not screen.is_line_due()
    assert capsys.readouterr().out == ""
    assert console.file.getvalue() == ""  # type: ignore[attr-defined]


def test_the_time_left_follows_from_the_latest_reports_or_the_budget() -> None:
    left = TimeLeft()
    assert left.seconds(100, None) is None
    left.note(10, 50.0)
    assert left.seconds(100, None) is None
    assert left.seconds(100, 1.0) == 10.0
    left.note(20, 70.0)
    assert left.seconds(100, None) == 160.0
    assert left.seconds(10, None) == 0.0
    left.forget()
    assert left.seconds(100, None) is None


def test_courses_and_times_are_written_short() -> None:
    assert sparkline([]) == ""
    assert sparkline([0.0, 0.5, 1.0]) == "▁▅█"
    assert len(sparkline([1.0] * 1_000)) <= 60
    assert [duration(seconds) for seconds in (None, 5.0, 125.4, 3_723.0)] == ["-:--", "0:05", "2:05", "1:02:03"]
