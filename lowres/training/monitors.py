"""What is watched while training: sums over updates, the events the loop reports, and the lines of metrics.jsonl."""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, Literal

from lowres.audio.constants import SAMPLE_RATE
from lowres.errors import ON_NONSENSE

SAMPLES_PER_HOUR: Final = SAMPLE_RATE * 3600


@dataclass(frozen=True)
class Window:
    """Sums over the updates since something last happened; all zero at first."""

    updates: int = 0
    loss: float = 0.0
    """Sum over updates of the loss per token."""

    gradient_norm: float = 0.0
    samples: int = 0
    infinite: int = 0
    """Utterances too short for their transcript: their loss was infinite and counted as 0."""

    seconds: float = 0.0
    waited_seconds: float = 0.0
    """Seconds of these in which training waited for audio."""

    def plus(self, update: "Window") -> "Window":
        """Return the sums with another window's added."""
        mine, others = asdict(self), asdict(update)
        return Window(**{name: mine[name] + others[name] for name in mine})

    @property
    def mean_loss(self) -> float:
        """Mean loss per token; 0 when there were no updates."""
        return self.loss / max(self.updates, 1)

    @property
    def mean_gradient_norm(self) -> float:
        """Mean norm of the gradient before clipping; 0 when there were no updates."""
        return self.gradient_norm / max(self.updates, 1)

    @property
    def hours_per_hour(self) -> float:
        """Hours of audio learnt from per hour of work."""
        return self.samples / SAMPLES_PER_HOUR / (self.seconds / 3600) if self.seconds > 0 else 0.0

    @property
    def waited_share(self) -> float:
        """Share of the time spent waiting for audio, 0-1."""
        return self.waited_seconds / self.seconds if self.seconds > 0 else 0.0


@dataclass(frozen=True)
class StepReport:
    """Some updates were done."""

    step: int
    attempt: int
    progress: float
    total_updates: int
    learning_rate: float
    loss: float
    """Mean loss per token since the report before."""

    gradient_norm: float
    blank_share: float
    """Share of frames of the latest micro batch whose best label is the blank, 0-1."""

    distinct_tokens: int
    """Different tokens among the best labels of the latest micro batch."""

    infinite_losses: int
    hours_processed: float
    hours_per_hour: float
    waited_share: float
    elapsed_seconds: float
    is_head_only: bool
    event: Literal["step"] = "step"


@dataclass(frozen=True)
class DevScores:
    """What one pass over dev showed, without its place in the run."""

    character_error_rate: float
    word_error_rate: float
    blank_share: float
    distinct_tokens: int
    examples: tuple[tuple[str, str], ...] = ()
    """Some (reference, hypothesis) pairs, the same utterances every time."""


@dataclass(frozen=True)
class EvaluationReport:
    """Dev was decoded."""

    step: int
    attempt: int
    progress: float
    train_loss: float
    dev_character_error_rate: float
    dev_word_error_rate: float
    blank_share: float
    distinct_tokens: int
    is_best: bool
    examples: tuple[tuple[str, str], ...]
    seconds: float
    elapsed_seconds: float
    event: Literal["evaluation"] = "evaluation"


@dataclass(frozen=True)
class PlanReport:
    """A timed run has measured its speed and decided anew how many updates it makes."""

    step: int
    attempt: int
    progress: float
    total_updates: int
    elapsed_seconds: float
    event: Literal["plan"] = "plan"


@dataclass(frozen=True)
class RetryReport:
    """The recogniser had collapsed and training begins anew."""

    step: int
    """Updates done when it was noticed."""

    attempt: int
    """The attempt that collapsed."""

    sentence: str
    causes: tuple[str, ...]
    remedy: str
    elapsed_seconds: float
    event: Literal["retry"] = "retry"


@dataclass(frozen=True)
class NoticeReport:
    """Something worth a line: no dev split, an early stop, smaller micro batches."""

    step: int
    attempt: int
    sentence: str
    event: Literal["notice"] = "notice"


TrainingEvent = StepReport | EvaluationReport | PlanReport | RetryReport | NoticeReport

TIMING_FIELDS: Final = ("hours_per_hour", "waited_share", "elapsed_seconds", "seconds")
"""Fields that differ between two otherwise equal runs."""


class MetricsFile:
    """Appends events to metrics.jsonl, one line each, and takes back those that a resumed run will write again.

    Args:
        path: the file; its folder exists.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def append(self, event: Any) -> None:
        """Write one event, a dataclass with the fields `event`, `attempt` and `step`.

        Raises:
            OSError: the disk is full or refuses; a torn line is dropped at the next resume.
        """
        line = json.dumps(asdict(event), ensure_ascii=False)
        with self.path.open("a", encoding="utf-8", newline="\n") as file:
            file.write(line + "\n")

    def flush(self) -> None:
        """Bring what was written onto the disk, before a checkpoint counts on it."""
        if self.path.exists():
            with self.path.open("r+b") as file:
                os.fsync(file.fileno())

    def read(self) -> list[dict[str, Any]]:
        """Return the events written so far; a torn last line is left out."""
        if not self.path.exists():
            return []
        events = []
        for line in self.path.read_text(encoding="utf-8", errors="replace").split("\n"):
            try:
                events.append(json.loads(line))
            except ON_NONSENSE:
                break
        return events

    def forget_after(self, attempt: int, step: int) -> None:
        """Drop the events that come after a checkpoint, because training repeats them.

        Args:
            attempt: attempt of the checkpoint.
            step: updates done at the checkpoint.
        """
        kept = [event for event in self.read() if is_before(event, attempt, step)]
        text = "".join(json.dumps(event, ensure_ascii=False) + "\n" for event in kept)
        writing = self.path.with_name(f".{self.path.name}.writing")
        with writing.open("w", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        writing.replace(self.path)


def is_before(event: Mapping[str, Any], attempt: int, step: int) -> bool:
    """Tell whether an event was written before the checkpoint at `step` of `attempt`.

    At one step, reports and evaluations come before the checkpoint; notices and the end of an attempt after it.
    """
    place = (int(event["attempt"]), int(event["step"]))
    return place < (attempt, step) or (place == (attempt, step) and event["event"] not in ("retry", "notice"))


def without_timings(event: Mapping[str, Any]) -> dict[str, Any]:
    """Return a line of metrics without its times, to compare two runs."""
    return {name: value for name, value in event.items() if name not in TIMING_FIELDS}
