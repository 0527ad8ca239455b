"""What a terminal shows while a recogniser learns; plain lines where there is no terminal."""

from types import TracebackType
from typing import TYPE_CHECKING

from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

from lowres.cli.console import errors
from lowres.cli.training_screen import TimeLeft, TrainingScreen, duration, numbers_row, progress_row, sparkline

if TYPE_CHECKING:
    from lowres.stages.finetune import LatentsProgress, RunStarted
    from lowres.stages.finetune_self_train import SelfTrainEvent, SelfTrainProgress
    from lowres.training.monitors import EvaluationReport, RetryReport, StepReport


class FinetuneView:
    """Shows a run's events; use it in a `with` block and hand `show` to the stage.

    Args:
        screen: where the live view goes, stderr unless a test says otherwise; lines go to stdout.
    """

    def __init__(self, screen: Console = errors) -> None:
        self._screen = TrainingScreen(screen)
        self._started: RunStarted | None = None
        self._preparing = "reading the corpus and building the network ..."
        self._step: StepReport | None = None
        self._evaluation: EvaluationReport | None = None
        self._best: EvaluationReport | None = None
        self._curve: list[float] = []
        self._time_left = TimeLeft()

    def __enter__(self) -> "FinetuneView":
        self._screen.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._screen.__exit__(kind, error, traceback)

    def show(self, event: "SelfTrainEvent") -> None:
        """Take note of an event and show it."""
        # Imported here: by now torch is loaded, which `lowres --help` must not do.
        from lowres.stages.finetune import LatentsProgress, RunStarted
        from lowres.stages.finetune_self_train import SelfTrainNotice, SelfTrainProgress
        from lowres.training.monitors import EvaluationReport, NoticeReport, RetryReport, StepReport

        match event:
            case RunStarted():
                self._begin_anew()
                self._started = event
                self._screen.say(describe_start(event))
            case SelfTrainProgress():
                self._note_self_training(event)
            case SelfTrainNotice():
                self._screen.say(Text(event.sentence))
            case LatentsProgress():
                self._note_latents(event)
            case StepReport():
                self._note_step(event)
            case EvaluationReport():
                self._note_evaluation(event)
            case NoticeReport():
                self._screen.say(Text.assemble(("note: ", "yellow"), event.sentence))
            case RetryReport():
                self._note_retry(event)
            case _:  # a new plan shows itself in the time left
                pass
        self._screen.draw(self._picture())

    def say(self, sentence: str) -> None:
        """Show one sentence of the command's own."""
        self._screen.say(Text(sentence))

    def _note_self_training(self, event: "SelfTrainProgress") -> None:
        self._begin_anew()
        share = f": {event.done / event.total:.0%}" if event.total else ""
        self._preparing = f"{event.task}{share} ..."
        if self._screen.is_line_due():
            self._screen.say(Text(self._preparing))

    def _note_latents(self, event: "LatentsProgress") -> None:
        hours, total_hours = event.done_seconds / 3600, event.total_seconds / 3600
        self._preparing = f"computing latents: {hours:.2f} of {total_hours:.2f} h of speech ..."
        if self._screen.is_line_due():
            self._screen.say(Text(self._preparing))

    def _note_step(self, event: "StepReport") -> None:
        self._step = event
        self._time_left.note(event.step, event.elapsed_seconds)
        if self._screen.is_line_due():
            self._screen.say(Text(step_line(event, self._seconds_left())))

    def _note_evaluation(self, event: "EvaluationReport") -> None:
        self._evaluation = event
        self._curve.append(event.dev_character_error_rate)
        if event.is_best:
            self._best = event
        if not self._screen.is_live:
            self._screen.say(Text(evaluation_line(event)))
            for reference, hypothesis in event.examples[:1]:
                self._screen.say(Text(f"    said  {reference}\n    heard {hypothesis}"))

    def _note_retry(self, event: "RetryReport") -> None:
        self._screen.say(Text.assemble(("collapsed: ", "bold red"), f"{event.sentence}; {event.remedy}."))
        for cause in event.causes:
            self._screen.say(Text(f"    {cause}"))
        step = self._step
        self._begin_anew()
        self._step = step

    def _begin_anew(self) -> None:
        """Forget the run that was shown: another one begins."""
        self._curve, self._best, self._evaluation, self._step = [], None, None, None
        self._time_left.forget()

    def _seconds_left(self) -> float | None:
        if self._step is None or self._started is None:
            return None
        return self._time_left.seconds(self._step.total_updates, self._started.settings.minutes)

    def _picture(self) -> Group:
        rows: list[Text | Table] = []
        if self._step is not None:
            remark = "head only" if self._step.is_head_only else ""
            rows.append(progress_row(self._step, self._seconds_left(), remark))
            rows.append(step_row(self._step))
        if self._evaluation is not None:
            rows.append(dev_row(self._evaluation, self._best, self._curve))
            rows.append(examples_table(self._evaluation))
        if not rows:
            rows.append(Text(self._preparing, style="dim"))
        return Group(*rows)


def describe_start(event: "RunStarted") -> Text:
    """Say in two lines what is about to be trained on what."""
    record, settings = event.record, event.settings
    origin = f"the backbone {record.backbone}" if record.backbone else "random weights"
    length = f"{settings.minutes:g} minutes" if settings.minutes else f"{settings.updates:,} updates"
    resumed = f"  going on after {event.resumed_at:,} updates" if event.resumed_at is not None else ""
    synthetic = "  SYNTHETIC SPEECH" if record.is_synthetic else ""
    pseudo_labelled = (
        f"{record.pseudo_labelled_hours:.2f} h as {record.teacher} heard it in {record.num_pseudo_labelled:,} pieces, "
        if record.num_pseudo_labelled
        else ""
    )
    return Text.assemble(
        (record.name, "bold"),
        f"  {record.num_parameters / 1e6:.1f} M parameters from {origin}, {length}, "
        f"{record.machine['device']} {record.machine['precision']}{resumed}\n",
        f"{record.corpus_name}: {record.hours:.2f} h of training speech in {record.num_utterances:,} utterances, "
        f"{pseudo_labelled}{record.num_dev_utterances:,} dev utterances, {record.vocabulary_size} labels{synthetic}",
    )


def step_row(step: "StepReport") -> Table:
    """Return the numbers of the latest report, names over values."""
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
    return numbers_row(names_and_values)


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
