"""What a terminal shows of fine-tuning."""

import io

from rich.console import Console

from lowres.cli.finetune_view import FinetuneView
from lowres.stages.finetune_latents import LatentsProgress
from lowres.training.monitors import EvaluationReport, RetryReport, StepReport


def test_the_picture_shows_progress_dev_and_examples_and_forgets_a_collapsed_attempt() -> None:
    step = StepReport(50, 1, 0.5, 100, 1e-4, 2.5, 0.7, 0.9, 12, 0, 1.5, 80.0, 0.01, 60.0, True)
    scores = EvaluationReport(50, 1, 0.5, 2.5, 0.4, 0.8, 0.9, 12, True, (("wáa [b]", ""),), 2.0, 62.0)
    retry = RetryReport(60, 1, "silence", ("a bad start",), "starting again", 70.0)
    console = Console(file=io.StringIO(), force_terminal=True, width=110, height=30, no_color=True)
    with FinetuneView(console) as view:
        for event in (step, scores):
            view.show(event)
        recorder = Console(file=io.StringIO(), width=110)
        recorder.print(view._picture())
        view.show(retry)
        recorder.print("after:", view._picture())
    shown, after = recorder.file.getvalue().split("after:")  # type: ignore[attr-defined]
    for expected in ("50 of 100 updates", "1:00 gone", "head only", "CER 40.0%", "best CER 40.0% after 50", "wáa [b]"):
        assert expected in shown
    assert "(nothing)" in shown
    assert "best CER" not in after


def test_the_picture_says_how_many_latents_are_computed_before_training_begins() -> None:
    console = Console(file=io.StringIO(), force_terminal=True, width=110, height=30, no_color=True)
    recorder = Console(file=io.StringIO(), width=110)
    with FinetuneView(console) as view:
        view.show(LatentsProgress(done_seconds=900.0, total_seconds=3600.0))
        recorder.print(view._picture())
    assert "computing latents: 0.25 of 1.00 h of speech" in recorder.file.getvalue()  # type: ignore[attr-defined]
