"""What a terminal shows while a backbone is pretrained; plain lines where there is no terminal."""

import os
from collections.abc import Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Final

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from lowres.cli.console import errors, plain_table
from lowres.cli.training_screen import TimeLeft, TrainingScreen, duration, numbers_row, progress_row, sparkline
from lowres.report.pretraining_verdict import (
    ALIKE,
    HARDLY_USED,
    PAPER_HOURS_PER_UPDATE,
    WELL_USED,
    chance_accuracy,
    is_small_update,
    judge_learning,
)

if TYPE_CHECKING:
    from lowres.stages.pretrain import PretrainStarted
    from lowres.stages.pretrain_run import PretrainRecord
    from lowres.training.monitors import NoticeReport, PlanReport
    from lowres.training.pretraining_monitors import HeldOutReport, PretrainStepReport

    PretrainEvent = PretrainStarted | PretrainStepReport | HeldOutReport | NoticeReport | PlanReport

_LINES_ABOVE_LANGUAGES: Final = 12
_FEWEST_LANGUAGES: Final = 4


class PretrainView:
    """Shows a run's events; use it in a `with` block and hand `show` to the stage.

    Of the processes that torchrun starts, only the first one shows anything.

    Args:
        screen: where the live view goes, stderr unless a test says otherwise; lines go to stdout.
    """

    def __init__(self, screen: Console = errors) -> None:
        self._screen = TrainingScreen(screen, is_silent=os.environ.get("RANK", "0") != "0")
        self._started: PretrainStarted | None = None
        self._step: PretrainStepReport | None = None
        self._held_out: HeldOutReport | None = None
        self._best: HeldOutReport | None = None
        self._losses: list[float] = []
        self._time_left = TimeLeft()

    def __enter__(self) -> "PretrainView":
        self._screen.__enter__()
        self._screen.draw(self._picture())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._screen.__exit__(kind, error, traceback)

    def show(self, event: "PretrainEvent") -> None:
        """Take note of an event and show it."""
        # Imported here: by now torch is loaded, which `lowres --help` must not do.
        from lowres.stages.pretrain import PretrainStarted
        from lowres.training.monitors import NoticeReport
        from lowres.training.pretraining_monitors import HeldOutReport, PretrainStepReport

        match event:
            case PretrainStarted():
                self._started = event
                self._screen.say(describe_start(event))
            case PretrainStepReport():
                self._note_step(event)
            case HeldOutReport():
                self._note_held_out(event)
            case NoticeReport():
                self._screen.say(Text.assemble(("note: ", "yellow"), event.sentence))
            case _:  # a new plan shows itself in the time left
                pass
        self._screen.draw(self._picture())

    def say(self, sentence: str) -> None:
        """Show one sentence of the command's own."""
        self._screen.say(Text(sentence))

    def _note_step(self, event: "PretrainStepReport") -> None:
        self._step = event
        self._time_left.note(event.step, event.elapsed_seconds)
        if self._screen.is_line_due():
            self._screen.say(Text(step_line(event, self._seconds_left())))

    def _note_held_out(self, event: "HeldOutReport") -> None:
        self._held_out = event
        self._losses.append(event.contrastive_loss)
        if event.is_best:
            self._best = event
        if not self._screen.is_live:
            self._screen.say(Text(held_out_line(event)))
            self._screen.say(Text(languages_line(event, self._step)))

    def _seconds_left(self) -> float | None:
        if self._step is None or self._started is None:
            return None
        return self._time_left.seconds(self._step.total_updates, self._started.settings.minutes)

    def _picture(self) -> Group:
        rows: list[RenderableType] = []
        record = self._started.record if self._started else None
        if self._step is not None and record is not None:
            rows += [
                progress_row(self._step, self._seconds_left()),
                loss_row(self._step),
                pace_row(self._step),
                codes_row(self._step, record),
            ]
        if self._held_out is not None:
            rows.append(held_out_row(self._held_out, self._best, self._losses))
        if record is not None and (self._step or self._held_out):
            room = max(self._screen.size[1] - _LINES_ABOVE_LANGUAGES, _FEWEST_LANGUAGES)
            rows.append(languages_table(record, self._step, self._held_out, most=room))
        if not rows:
            waits = "reading the corpora" if record is None else "making the first updates"
            rows.append(Text(f"{waits} ...", style="dim"))
        return Group(*rows)


def describe_start(event: "PretrainStarted") -> Text:
    """Say in three lines what is about to be trained, on what, and how much audio an update learns from."""
    record, settings = event.record, event.settings
    origin = f"the backbone {record.backbone}" if record.backbone else "random weights"
    length = f"{settings.minutes:g} minutes" if settings.minutes else f"{settings.updates:,} updates"
    resumed = f"  going on after {event.resumed_at:,} updates" if event.resumed_at is not None else ""
    languages = dict.fromkeys(source["language"] for source in record.languages)
    processes = f", {record.num_processes} processes" if record.num_processes > 1 else ""
    is_small = is_small_update(record.hours_per_update)
    return Text.assemble(
        (record.name, "bold"),
        f"  {record.num_parameters / 1e6:.1f} M parameters from {origin}, {length}, "
        f"{record.machine['device']} {record.machine['precision']}{processes}{resumed}\n",
        f"{record.hours:.2f} h of speech in {_counted(len(languages), 'language')} "
        f"({_counted(len(record.languages), 'source')}){'  SYNTHETIC SPEECH' if record.is_synthetic else ''}\n",
        (f"{record.hours_per_update:.3f} h of audio in an update", "yellow" if is_small else ""),
        f" (the paper: {PAPER_HOURS_PER_UPDATE:g} h)",
    )


def loss_row(step: "PretrainStepReport") -> Table:
    """Return the parts of the loss and what drives them, names over values."""
    return numbers_row(
        (
            ("contrastive loss", f"{step.contrastive_loss:.3f}"),
            ("diversity", f"{step.diversity_loss:.3f}"),
            ("penalty", f"{step.latent_penalty:.3g}"),
            ("gradient", f"{step.gradient_norm:.2f}"),
            ("rate", f"{step.learning_rate:.1e}"),
            ("gumbel", f"{step.gumbel_temperature:.2f}"),
        )
    )


def pace_row(step: "PretrainStepReport") -> Table:
    """Return speed, audio so far, waiting and what was left out, names over values."""
    return numbers_row(
        (
            ("speed", f"{step.hours_per_hour:,.0f} h/h"),
            ("heard", f"{step.hours_processed:,.1f} h"),
            ("waiting", f"{step.waited_share:.1%}"),
            ("masked frames", f"{step.masked_frames:,}"),
            ("left out", f"{step.left_out:,}"),
        )
    )


def codes_row(step: "PretrainStepReport", record: "PretrainRecord") -> Text:
    """Return accuracy against guessing, code use and similarity, coloured by the rules of the report."""
    learning = judge_learning(step.contrastive_accuracy, record.num_distractors)
    used = step.used_codes_share
    perplexities = " / ".join(f"{value:.0f}" for value in step.chosen_perplexity)
    return Text.assemble(
        ("accuracy ", "dim"),
        (f"{step.contrastive_accuracy:.1%}", "bold green" if learning == "learns" else "bold yellow"),
        (f" (guessing {chance_accuracy(record.num_distractors):.1%})   codes used ", "dim"),
        (f"{used:.0%}", "green" if used >= WELL_USED else "red" if used < HARDLY_USED else "yellow"),
        ("   perplexity ", "dim"),
        f"{perplexities} of {record.quantizer_config['num_entries']}",
        ("   similarity ", "dim"),
        (f"{step.latent_similarity:.2f}", "red" if step.latent_similarity >= ALIKE else ""),
    )


def held_out_row(latest: "HeldOutReport", best: "HeldOutReport | None", losses: Sequence[float]) -> Text:
    """Return the latest and the best figures of held-out speech and the course of its loss."""
    text = Text.assemble(
        "held out  ",
        ("loss ", "dim"),
        (f"{latest.contrastive_loss:.3f}", "bold"),
        ("  accuracy ", "dim"),
        (f"{latest.contrastive_accuracy:.1%}", "bold"),
        ("  codes used ", "dim"),
        f"{latest.used_codes_share:.0%}",
    )
    if best is not None:
        text.append(f"   best {best.contrastive_loss:.3f} after {best.step:,}", style="green")
    text.append(f"   {sparkline(losses)}", style="cyan")
    return text


def languages_table(
    record: "PretrainRecord", step: "PretrainStepReport | None", held_out: "HeldOutReport | None", *, most: int
) -> Table:
    """Return what was drawn of every language and how its held-out speech does; `most` rows, those drawn most."""
    drawn = dict(step.hours_per_language) if step else {}
    aimed: dict[str, float] = {}
    for source in record.languages:
        aimed[source["language"]] = aimed.get(source["language"], 0.0) + source["share"]
    total = sum(drawn.values())
    table = plain_table("language", "drawn", "share", "aimed at", "held-out loss", "accuracy")
    for column in table.columns[1:]:
        column.justify = "right"
    names = sorted(aimed | drawn, key=lambda name: -drawn.get(name, 0.0))
    for name in names[:most]:
        score = held_out.held_out.get(name) if held_out else None
        hours = drawn.get(name, 0.0)
        table.add_row(
            Text(name),
            Text(f"{hours:,.2f} h"),
            Text(f"{hours / total:.1%}" if total > 0 else "–"),
            Text(f"{aimed[name]:.1%}" if name in aimed else "–"),
            Text(f"{score.contrastive_loss:.3f}" if score else "–"),
            Text(f"{score.contrastive_accuracy:.1%}" if score else "–"),
        )
    if len(names) > most:
        table.add_row(Text(f"and {len(names) - most} more", style="dim"))
    return table


def step_line(step: "PretrainStepReport", seconds_left: float | None) -> str:
    """Write a report as one line."""
    return (
        f"{step.progress:4.0%}  update {step.step:,} of {step.total_updates:,}  loss {step.contrastive_loss:.3f}  "
        f"accuracy {step.contrastive_accuracy:.1%}  codes {step.used_codes_share:.0%}  "
        f"similarity {step.latent_similarity:.2f}  rate {step.learning_rate:.1e}  {step.hours_per_hour:,.0f} h/h  "
        f"waiting {step.waited_share:.1%}  {duration(seconds_left)} left"
    )


def held_out_line(event: "HeldOutReport") -> str:
    """Write an evaluation as one line."""
    best = "  (best so far)" if event.is_best else ""
    return (
        f"{event.progress:4.0%}  update {event.step:,}  held-out loss {event.contrastive_loss:.3f}  "
        f"accuracy {event.contrastive_accuracy:.1%}  codes {event.used_codes_share:.0%}{best}"
    )


def languages_line(event: "HeldOutReport", step: "PretrainStepReport | None") -> str:
    """Write the held-out loss of every language, and the hours drawn of it, as one line."""
    drawn = step.hours_per_language if step else {}
    said = (
        f"{name} {score.contrastive_loss:.3f}" + (f" ({drawn[name]:.2f} h)" if name in drawn else "")
        for name, score in event.held_out.items()
    )
    return f"      {'  '.join(said)}"


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
