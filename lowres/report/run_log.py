"""A training run as its folder tells it: run.json and metrics.jsonl, read as plain JSON and doubted throughout.

A run may be read while it is training or after it was killed: lines may be torn, values missing or not a number, and
names may be anything. What cannot be used is left out of a curve; the page is written all the same.
"""

import json
from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from lowres.errors import ON_NONSENSE, CheckpointError

RECORD_FILE: Final = "run.json"
METRICS_FILE: Final = "metrics.jsonl"
_LARGEST: Final = 1e30

Event = Mapping[str, Any]


@dataclass(frozen=True)
class Point:
    """One place of a curve: `step` updates done, `hours` of audio processed by then."""

    hours: float
    step: int
    value: float


@dataclass(frozen=True)
class Happening:
    """Something a person should know of that happened during the run."""

    hours: float
    step: int
    sentence: str


@dataclass(frozen=True)
class RunLog:
    """Everything the folder says.

    Where a run was begun anew, an attempt's curves follow those of the attempt before it.

    Args:
        record: run.json.
        steps, evaluations: events of their kind, one per update of an attempt at most, in order.
        others: notices, plans and whatever else was reported, in order.
    """

    record: Mapping[str, Any]
    steps: tuple[Event, ...]
    evaluations: tuple[Event, ...]
    others: tuple[Event, ...]

    @property
    def name(self) -> str:
        """The run's name, "" where the folder does not say."""
        return text_of(self.record.get("name"))

    @property
    def status(self) -> str:
        """ "training", "finished", "stopped early", "collapsed" ..., or "" where the folder does not say."""
        return text_of(self.record.get("status"))

    @property
    def warnings(self) -> tuple[str, ...]:
        """Sentences that were said when the run began, each once."""
        return tuple(dict.fromkeys(text_of(found) for found in list_of(self.record.get("warnings")) if found))

    @cached_property
    def _courses(self) -> "Mapping[int, _Course]":
        courses: dict[int, _Course] = {}
        before = 0.0
        for attempt in sorted({attempt_of(event) for event in (*self.steps, *self.evaluations, *self.others)}):
            events = [event for event in self.steps if attempt_of(event) == attempt]
            known = [(step_of(event), number_of(event.get("hours_processed"))) for event in events]
            pairs = [(step, hours) for step, hours in known if hours is not None]
            steps, hours = [0, *(step for step, _ in pairs)], [0.0, *(hours for _, hours in pairs)]
            courses[attempt] = _Course(before, steps, hours)
            before += hours[-1]
        return courses

    def hours_of(self, event: Event) -> float:
        """Say how many hours of audio had been processed at an event, by its own word or from the reports around it."""
        attempt, stated = attempt_of(event), number_of(event.get("hours_processed"))
        if stated is None:
            return self.hours_at(step_of(event), attempt)
        return stated + (self._courses[attempt].before if attempt in self._courses else 0.0)

    def hours_at(self, step: int, attempt: int = 1) -> float:
        """Say how many hours of audio had been processed after `step` updates, between reports and past the last."""
        course = self._courses.get(attempt, _Course(0.0, [0], [0.0]))
        return course.before + course.hours_at(step, number_of(self.record.get("hours_per_update")) or 0.0)

    def training_curve(self, name: str, index: int | None = None) -> list[Point]:
        """Return a field of the step reports over the run; with `index`, that entry of a list."""
        return self.curve(self.steps, lambda event: _entry(event.get(name), index))

    def evaluation_curve(self, name: str, index: int | None = None) -> list[Point]:
        """Return a field of the evaluations over the run; with `index`, that entry of a list."""
        return self.curve(self.evaluations, lambda event: _entry(event.get(name), index))

    def happenings(self) -> list[Happening]:
        """Return notices and changed plans in order, and whatever else bears a sentence, but not the warnings again."""
        found = []
        for event in self.others:
            sentence = text_of(event.get("sentence"))
            total = number_of(event.get("total_updates"))
            if event.get("event") == "plan" and total is not None:
                sentence = f"The speed was measured anew: the run is now planned to make {round(total):,} updates."
            if event.get("event") == "retry":
                remedy = text_of(event.get("remedy"))
                sentence = f"Attempt {attempt_of(event)} collapsed: {sentence}; {remedy}."
            if sentence and sentence not in self.warnings:
                found.append(Happening(self.hours_of(event), step_of(event), sentence[:1].upper() + sentence[1:]))
        return found

    def curve(self, events: Sequence[Event], value_of: Callable[[Event], object]) -> list[Point]:
        """Return what `value_of` finds in events over the run; what is no number leaves a gap."""
        found = []
        for event in events:
            value = number_of(value_of(event))
            if value is not None:
                found.append(Point(self.hours_of(event), step_of(event), value))
        return found


@dataclass(frozen=True)
class _Course:
    """Hours of audio over the updates of one attempt, (N,) each; `before` are those of the attempts before it."""

    before: float
    steps: Sequence[int]
    hours: Sequence[float]

    def hours_at(self, step: int, per_update: float) -> float:
        steps, hours = self.steps, self.hours
        place = bisect_right(steps, step) - 1
        if steps[place] == step or len(steps) == 1:
            return hours[place] + (step - steps[place]) * per_update
        after = min(place + 1, len(steps) - 1)
        before = after - 1
        slope = (hours[after] - hours[before]) / max(steps[after] - steps[before], 1)
        return hours[place] + slope * (step - steps[place])


def read_run_log(folder: Path) -> RunLog:
    """Read a run folder.

    Args:
        folder: holds run.json and, once something was reported, metrics.jsonl.

    Raises:
        CheckpointError: there is no run.json, or it is not a JSON object.
    """
    try:
        record = json.loads((folder / RECORD_FILE).read_text(encoding="utf-8"))
    except (OSError, *ON_NONSENSE) as error:
        raise CheckpointError(
            f"{folder / RECORD_FILE} cannot be read: {error}.", "A report needs the folder of a run, e.g. runs/NAME."
        ) from error
    if not isinstance(record, dict):
        raise CheckpointError(f"{folder / RECORD_FILE} is not a JSON object.", "Was it edited? Start the run anew.")
    events = _read_events(folder / METRICS_FILE)
    return RunLog(
        record=record,
        steps=_one_per_step(events, "step"),
        evaluations=_one_per_step(events, "evaluation"),
        others=tuple(event for event in events if event.get("event") not in ("step", "evaluation")),
    )


def _read_events(path: Path) -> list[Event]:
    if not path.exists():
        return []
    events: list[Event] = []
    # Not splitlines(): it also cuts at U+2028 and others, which a name may hold.
    for line in path.read_text(encoding="utf-8", errors="replace").split("\n"):
        try:
            event = json.loads(line)
        except ON_NONSENSE:
            continue
        if isinstance(event, dict):
            events.append(event)
    return events


def _one_per_step(events: Sequence[Event], kind: str) -> tuple[Event, ...]:
    # A run killed and resumed may have reported some updates twice; what it did last counts.
    latest = {(attempt_of(event), step_of(event)): event for event in events if event.get("event") == kind}
    return tuple(latest[place] for place in sorted(latest))


def attempt_of(event: Event) -> int:
    """Return which attempt of a run reported an event, from 1; 1 where it does not say."""
    return max(int(number_of(event.get("attempt")) or 1), 1)


def step_of(event: Event) -> int:
    """Return the updates done when an event was reported; 0 where it does not say."""
    return max(int(number_of(event.get("step")) or 0), 0)


def number_of(value: object) -> float | None:
    """Return a number that can be drawn (finite, up to 1e30 either way), and None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if abs(number) <= _LARGEST else None


def text_of(value: object) -> str:
    """Return a text as it is, "" for null, and anything else as it would be printed."""
    return value if isinstance(value, str) else "" if value is None else str(value)


def mapping_of(value: object) -> Mapping[str, Any]:
    """Return an object of JSON as it is, and an empty one for anything else."""
    return value if isinstance(value, dict) else {}


def list_of(value: object) -> Sequence[Any]:
    """Return a list of JSON as it is, and an empty one for anything else."""
    return value if isinstance(value, list) else ()


def _entry(value: object, index: int | None) -> object:
    if index is None:
        return value
    entries = list_of(value)
    return entries[index] if index < len(entries) else None
