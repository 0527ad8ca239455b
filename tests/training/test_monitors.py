from pathlib import Path

from lowres.training.monitors import EvaluationReport, MetricsFile, NoticeReport, RetryReport, Window


def evaluation(step: int, attempt: int = 1) -> EvaluationReport:
    return EvaluationReport(
        step=step,
        attempt=attempt,
        progress=0.1,
        train_loss=1.0,
        dev_character_error_rate=0.5,
        dev_word_error_rate=0.9,
        blank_share=0.5,
        distinct_tokens=3,
        is_best=True,
        examples=(("[bold]á", "a\nb"),),
        seconds=1.0,
        elapsed_seconds=2.0,
    )


def steps(metrics: MetricsFile) -> list[tuple[str, int, int]]:
    return [(event["event"], event["attempt"], event["step"]) for event in metrics.read()]


def test_what_was_written_is_read_again(tmp_path: Path) -> None:
    metrics = MetricsFile(tmp_path / "metrics.jsonl")
    metrics.append(evaluation(4))
    assert metrics.read()[0]["examples"] == [["[bold]á", "a\nb"]]


def test_a_torn_last_line_is_left_out(tmp_path: Path) -> None:
    metrics = MetricsFile(tmp_path / "metrics.jsonl")
    metrics.append(evaluation(4))
    with metrics.path.open("a", encoding="utf-8") as file:
        file.write('{"event": "evaluation", "st')
    assert steps(metrics) == [("evaluation", 1, 4)]


def test_what_comes_after_a_checkpoint_is_forgotten(tmp_path: Path) -> None:
    metrics = MetricsFile(tmp_path / "metrics.jsonl")
    for step in (2, 4, 6):
        metrics.append(evaluation(step))
    metrics.append(NoticeReport(step=4, attempt=1, sentence="said after the checkpoint"))
    metrics.forget_after(attempt=1, step=4)
    assert steps(metrics) == [("evaluation", 1, 2), ("evaluation", 1, 4)]


def test_the_end_of_an_attempt_is_kept_by_the_next_one_only(tmp_path: Path) -> None:
    metrics = MetricsFile(tmp_path / "metrics.jsonl")
    metrics.append(evaluation(6))
    metrics.append(RetryReport(step=6, attempt=1, sentence="", causes=(), remedy="", elapsed_seconds=0.0))
    metrics.forget_after(attempt=2, step=0)
    assert steps(metrics) == [("evaluation", 1, 6), ("retry", 1, 6)]
    metrics.forget_after(attempt=1, step=6)
    assert steps(metrics) == [("evaluation", 1, 6)]


def test_a_window_adds_up_to_means_and_shares() -> None:
    half = Window(updates=1, loss=2.0, gradient_norm=1.0, samples=16_000 * 1800, seconds=9.0, waited_seconds=0.9)
    both = half.plus(half)
    assert (both.mean_loss, both.mean_gradient_norm) == (2.0, 1.0)
    assert both.hours_per_hour == 200.0
    assert both.waited_share == 0.1


def test_an_empty_window_divides_by_nothing() -> None:
    assert (Window().mean_loss, Window().hours_per_hour, Window().waited_share) == (0.0, 0.0, 0.0)
