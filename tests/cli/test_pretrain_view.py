"""What a terminal shows of pretraining, and what a log file gets."""

import io
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from pretraining_runs import make_evaluation, make_record, make_step
from rich.console import Console

from lowres.cli.pretrain_view import PretrainView
from lowres.stages.pretrain import PretrainStarted
from lowres.stages.pretrain_run import PretrainRecord
from lowres.training.monitors import NoticeReport, PlanReport
from lowres.training.pretraining_monitors import HeldOutReport, HeldOutScore, PretrainStepReport


def started(resumed_at: int | None = None, minutes: float | None = None, **changes: Any) -> PretrainStarted:
    settings = SimpleNamespace(minutes=minutes, updates=4_000)
    return PretrainStarted(PretrainRecord(**make_record(**changes)), settings, Path("runs/x"), resumed_at)  # type: ignore[arg-type]


def step(number: int, **changes: Any) -> PretrainStepReport:
    return PretrainStepReport(**make_step(number, **changes))


def held_out(number: int, **changes: Any) -> HeldOutReport:
    event = make_evaluation(number, **changes)
    return HeldOutReport(**event | {"held_out": {name: HeldOutScore(**s) for name, s in event["held_out"].items()}})


def picture(*events: Any, width: int = 110, height: int = 40) -> str:
    """Show events on a terminal and return what the live picture and the lines above it say."""
    console = Console(file=io.StringIO(), force_terminal=True, width=width, height=height, no_color=True)
    with PretrainView(console) as view:
        for event in events:
            view.show(event)
        recorder = Console(file=io.StringIO(), width=width, height=height)
        recorder.print(view._picture())
    return recorder.file.getvalue()  # type: ignore[attr-defined]


def test_the_picture_tells_whether_it_learns_and_uses_its_codes() -> None:
    shown = picture(started(), step(1_995), step(2_000), held_out(1_900), held_out(2_000))
    assert "50%" in shown
    assert "2,000 of 4,000 updates" in shown
    assert "2:36:40 gone, 2:36:40 left" in shown
    assert "(guessing 1.0%)" in shown
    assert "of 320" in shown
    assert "similarity 0.22" in shown
    assert "31 h/h" in shown or "30 h/h" in shown or "32 h/h" in shown
    assert "held out  loss 2.9" in shown
    assert "after 2,000" in shown


def test_the_languages_are_listed_by_the_hours_drawn_with_both_shares() -> None:
    shown = picture(started(), step(2_000), held_out(2_000))
    rows = [line.split() for line in shown.splitlines()]
    names = [row[0] for row in rows if row and row[0] in ("Yoruba", "Xhosa", "Fongbe", "Wolof")]
    assert names == ["Fongbe", "Yoruba", "Xhosa", "Wolof"]
    (xhosa,) = (row for row in rows if row and row[0] == "Xhosa")
    assert xhosa[1:5] == ["18.32", "h", "22.9%", "23.0%"]


def test_many_languages_leave_room_for_the_rest() -> None:
    drawn = {f"language{number:03d}": float(number) for number in range(120)}
    shown = picture(started(languages=[]), step(2_000, hours_per_language=drawn), height=24)
    assert "language119" in shown
    assert "and 108 more" in shown
    assert len(shown.splitlines()) <= 24


@pytest.mark.parametrize("width", [40, 80])
def test_a_narrow_terminal_is_enough(width: int) -> None:
    shown = picture(started(), step(2_000), held_out(2_000), width=width)
    assert all(len(line) <= width for line in shown.splitlines())


def test_before_the_first_report_it_says_what_it_waits_for() -> None:
    assert "reading the corpora" in picture()
    assert "making the first updates" in picture(started())


def lines(capsys: pytest.CaptureFixture[str], *events: Any) -> str:
    with PretrainView(Console(file=io.StringIO(), force_terminal=False)) as view:
        for event in events:
            view.show(event)
        view.say("Stopping after this update.")
    return capsys.readouterr().out


def test_a_log_file_gets_plain_lines_now_and_then(capsys: pytest.CaptureFixture[str]) -> None:
    said = lines(capsys, started(), step(5), step(10), step(15), held_out(100))
    assert said.count("update 5 of 4,000") == 1
    assert "update 10 of" not in said
    assert "held-out loss 4.547" in said
    assert "(best so far)" in said
    assert "Wolof <b>& 4.652 (0.05 h)" in said
    assert "Stopping after this update." in said
    assert "\x1b" not in said


def test_the_start_says_how_much_audio_an_update_learns_from(capsys: pytest.CaptureFixture[str]) -> None:
    said = lines(capsys, started())
    assert "6.9 M parameters from random weights, 4,000 updates, cpu bf16" in said
    assert "11.10 h of speech in 4 languages (5 sources)" in said
    assert "0.040 h of audio in an update (the paper: 1.6 h)" in said


def test_the_start_says_where_it_comes_from(capsys: pytest.CaptureFixture[str]) -> None:
    said = lines(capsys, started(resumed_at=500, minutes=30, backbone="runs/a", num_processes=4, is_synthetic=True))
    assert "from the backbone runs/a, 30 minutes" in said
    assert "4 processes  going on after 500 updates" in said
    assert "SYNTHETIC SPEECH" in said


def test_notices_are_printed_and_never_read_as_markup(capsys: pytest.CaptureFixture[str]) -> None:
    said = lines(capsys, NoticeReport(3, 1, "left out: [bold]a[/bold]"), PlanReport(3, 1, 0.1, 900, 5.0))
    assert "note: left out: [bold]a[/bold]" in said


def test_only_the_first_of_many_processes_shows_anything(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RANK", "1")
    assert lines(capsys, started(), step(5), held_out(5)) == ""
