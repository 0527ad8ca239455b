"""What a terminal shows while a recogniser learns; plain lines where there is no terminal."""

import time
from collections import deque
from types import TracebackType
from typing import TYPE_CHECKING

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from lowres.cli.console import console, errors

if TYPE_CHECKING:
    from lowres.stages.finetune import FinetuneEvent, RunStarted
    from lowres.training.monitors import EvaluationReport, RetryReport, StepReport

SECONDS_BETWEEN_LINES = 15.0
"""Where there is no terminal, reports between evaluations are shown at most this often."""

REPORTS_FOR_SPEED = 30
"""Reports from which the time left is worked out."""

MOST_CURVE_POINTS = 60
_BARS = "▁▂▃▄▅▆▇█"


class FinetuneView:
    """Shows a run's events; use it in a `with` block and hand `show` to the stage.

    Args:
        screen: where the live view goes, stderr unless a test says otherwise; lines go to stdout.
    """

    def __init__(self, screen: Console = errors) -> None:
        self._screen = screen
        self._live = Live(console=screen, refresh_per_second=4, transient=True) if screen.is_terminal else None
        self._started: RunStarted | None = None
        self._step: StepReport | None = None
        self._evaluation: EvaluationReport | None = None
        self._best: EvaluationReport | None = None
        self._curve: list[float] = []
        self._speed: deque[tuple[int, float]] = deque(maxlen=REPORTS_FOR_SPEED)
        self._last_line = 0.0

    def __enter__(self) -> "FinetuneView":
        if self._live:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._live:
            self._live.stop()

    def show(self, event: "FinetuneEvent") -> None:
        """Take note of an event and show it."""
        # Imported here: by now torch is loaded, which `lowres --help` must not do.
        from lowres.stages.finetune import RunStarted
        from lowres.training.monitors import EvaluationReport, NoticeReport, RetryReport, StepReport

        match event:
            case RunStarted():
                self._started = event
                self._say(describe_start(event))
            case StepReport():
                self._note_step(event)
            case EvaluationReport():
                self._note_evaluation(event)
            case NoticeReport():
                self._say(Text.assemble(("note: ", "yellow"), event.sentence))
            case RetryReport():
                self._note_retry(event)
            case _:  # a new plan shows itself in the time left
                pass
        if self._live:
            self._live.update(self._picture())

    def say(self, sentence: str) -> None:
        """Show one sentence of the command's own."""
        self._say(Text(sentence))

    def _say(self, text: Text) -> None:
        (self._screen if self._live else console).print(text, soft_wrap=not self._live)

    def _note_step(self, event: "StepReport") -> None:
        self._step = event
        self._speed.append((event.step, event.elapsed_seconds))
        if not self._live and time.monotonic() - self._last_line >= SECONDS_BETWEEN_LINES:
            self._last_line = time.monotonic()
            self._say(Text(step_line(event, self._seconds_left())))

    def _note_evaluation(self, event: "EvaluationReport") -> None:
        self._evaluation = event
        self._curve.append(event.dev_character_error_rate)
        if event.is_best:
            self._best = event
        if not self._live:
            self._say(Text(evaluation_line(event)))
            for reference, hypothesis in event.examples[:1]:
                self._say(Text(f"    said  {reference}\n    heard {hypothesis}"))

    def _note_retry(self, event: "RetryReport") -> None:
        self._say(Text.assemble(("collapsed: ", "bold red"), f"{event.sentence}; {event.remedy}."))
        for cause in event.causes:
            self._say(Text(f"    {cause}"))
        self._curve, self._best, self._evaluation = [], None, None
        self._speed.clear()

    def _seconds_left(self) -> float | None:
        """Estimate from the latest reports how long the run still takes; None before there are two."""
        if self._step is None or self._started is None:
            return None
        budget = self._started.settings.minutes
        if budget is not None:
            return max(budget * 60 - self._step.elapsed_seconds, 0.0)
        if len(self._speed) < 2:
            return None
        (first, began), (last, ended) = self._speed[0], self._speed[-1]
        updates_left = self._step.total_updates - self._step.step
        return updates_left * (ended - began) / max(last - first, 1)

    def _picture(self) -> Group:
        rows: list[Text | Table] = []
        if self._step is not None:
            rows.append(self._progress_row(self._step))
            rows.append(numbers_row(self._step))
        if self._evaluation is not None:
            rows.append(dev_row(self._evaluation, self._best, self._curve))
            rows.append(examples_table(self._evaluation))
        if not rows:
            rows.append(Text("reading the corpus and building the network ...", style="dim"))
        return Group(*rows)

    def _progress_row(self, step: "StepReport") -> Table:
        row = Table.grid(padding=(0, 2))
        left = self._seconds_left()
        row.add_row(
            ProgressBar(total=1.0, completed=step.progress, width=30),
            Text(f"{step.progress:4.0%}", style="bold"),
            Text(f"{step.step:,} of {step.total_updates:,} updates"),
            Text(f"{duration(step.elapsed_seconds)} gone, {duration(left)} left"),
            Text("head only", style="cyan") if step.is_head_only else Text(""),
        )
        return row


def describe_start(event: "RunStarted") -> Text:
    """Say in two lines what is about to be trained on what."""
    record, settings = event.record, event.settings
    origin = f"the backbone {record.backbone}" if record.backbone else "random weights"
    length = f"{settings.minutes:g} minutes" if settings.minutes else f"{settings.updates:,} updates"
    resumed = f"  going on after {event.resumed_at:,} updates" if event.resumed_at is not None else ""
    synthetic = "  SYNTHETIC SPEECH" if record.is_synthetic else ""
    return Text.assemble(
        (record.name, "bold"),
        f"  {record.num_parameters / 1e6:.1f} M parameters from {origin}, {length}, "
        f"{record.machine['device']} {record.machine['precision']}{resumed}\n",
        f"{record.corpus_name}: {record.hours:.2f} h of training speech in {record.num_utterances:,} utterances, "
        f"{record.num_dev_utterances:,} dev utterances, {record.vocabulary_size} labels{synthetic}",
    )


def numbers_row(step: "StepReport") -> Table:
    """Return the numbers of the latest report, names over values."""
    row = Table.grid(padding=(0, 3))
    names_and_values = (
        ("loss per label", f"{step.loss:.3f}"),
        ("blank", f"{step.blank_share:.0%}"),
        ("labels used", str(step.distinct_tokens)),
        ("rate", f"{step.learning_rate:.1e}"),
        ("gradient", f"{step.gradient_norm:.2f}"),
        ("speed", f"{step.hours_per_hour:,.0f} h/h"),
        ("heard", f"{step.hours_processed:.1f} h"),
        ("waiting", f"{step.waited_share:.1%}"),
    )
    row.add_row(*(Text(name, style="dim") for name, _ in names_and_values))
    row.add_row(*(Text(value) for _, value in names_and_values))
    return row


def dev_row(latest: "EvaluationReport", best: "EvaluationReport | None", curve: list[float]) -> Text:
    """Return the latest and the best error rates on dev and their course."""
    text = Text.assemble(
        "dev  ",
        ("CER ", "dim"),
        (f"{latest.dev_character_error_rate:.1%}", "bold"),
        ("  WER ", "dim"),
        (f"{latest.dev_word_error_rate:.1%}", "bold"),
        ("  blank ", "dim"),
        f"{latest.blank_share:.0%}",
        ("  labels used ", "dim"),
        str(latest.distinct_tokens),
    )
    if best is not None:
        text.append(f"   best CER {best.dev_character_error_rate:.1%} after {best.step:,}", style="green")
    text.append(f"   {sparkline(curve)}", style="cyan")
    return text


def examples_table(event: "EvaluationReport") -> Table:
    """Return dev lines as they are and as they were heard; transcripts are never read as markup."""
    table = Table.grid(padding=(0, 2))
    for reference, hypothesis in event.examples:
        table.add_row(Text("said", style="dim"), Text(reference, overflow="ellipsis", no_wrap=True))
        table.add_row(Text("heard", style="dim"), Text(hypothesis or "(nothing)", overflow="ellipsis", no_wrap=True))
    return table


def step_line(step: "StepReport", seconds_left: float | None) -> str:
    """Write a report as one line."""
    return (
        f"{step.progress:4.0%}  update {step.step:,} of {step.total_updates:,}  loss {step.loss:.3f}  "
        f"blank {step.blank_share:.0%}  labels {step.distinct_tokens}  rate {step.learning_rate:.1e}  "
        f"{step.hours_per_hour:,.0f} h/h  {duration(seconds_left)} left"
    )


def evaluation_line(event: "EvaluationReport") -> str:
    """Write an evaluation as one line."""
    best = "  (best so far)" if event.is_best else ""
    return (
        f"{event.progress:4.0%}  update {event.step:,}  dev CER {event.dev_character_error_rate:.1%}  "
        f"WER {event.dev_word_error_rate:.1%}  blank {event.blank_share:.0%}  labels {event.distinct_tokens}{best}"
    )


def sparkline(values: list[float]) -> str:
    """Draw error rates as bars of one character, 0 to the highest of them; long courses are thinned out."""
    if not values:
        return ""
    stride = -(-len(values) // MOST_CURVE_POINTS)
    top = max(max(values), 1e-9)
    return "".join(_BARS[min(int(value / top * len(_BARS)), len(_BARS) - 1)] for value in values[::-stride][::-1])


def duration(seconds: float | None) -> str:
    """Write a time as `1:02:03` or `2:03`; `-:--` when it is not known."""
    if seconds is None:
        return "-:--"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
