"""A pretraining run as its folder tells it: run.json and metrics.jsonl, read as plain JSON and doubted throughout.

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

from lowres.errors import CheckpointError

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
class TrainedCorpus:
    """One corpus of the mixture; `share` is the share aimed at of all hours drawn, 0-1, or None."""

    language: str
    corpus: str
    hours: float
    num_utterances: int
    share: float | None
    licence: str


@dataclass(frozen=True)
class PretrainingRun:
    """Everything the folder says.

    Args:
        record: run.json.
        steps, evaluations: events of their kind, one per update at most, in order of updates.
        others: notices, plans and whatever else was reported, in order.
    """

    record: Mapping[str, Any]
    steps: tuple[Event, ...]
    evaluations: tuple[Event, ...]
    others: tuple[Event, ...]

    @property
    def name(self) -> str:
        """The run's name."""
        return text_of(self.record.get("name")) or "pretraining"

    @property
    def status(self) -> str:
        """ "training", "finished", "stopped early", "collapsed" ..., or "" where the folder does not say."""
        return text_of(self.record.get("status"))

    @property
    def num_distractors(self) -> int:
        """K; the paper's 100 where the folder does not say."""
        return max(round(number_of(self.record.get("num_distractors")) or 100), 1)

    @property
    def quantizer(self) -> Mapping[str, Any]:
        """Settings of the quantiser."""
        return mapping_of(self.record.get("quantizer_config"))

    @property
    def num_codebooks(self) -> int:
        """G; what the reports show, or 2, where the folder does not say."""
        stated = number_of(self.quantizer.get("num_codebooks"))
        return int(stated) if stated else max((len(list_of(e.get("code_perplexity"))) for e in self.steps), default=2)

    @property
    def num_entries(self) -> int:
        """V; the paper's 320 where the folder does not say."""
        return max(round(number_of(self.quantizer.get("num_entries")) or 320), 1)

    @property
    def corpora(self) -> tuple[TrainedCorpus, ...]:
        """What was trained on, in the order of run.json."""
        return tuple(
            TrainedCorpus(
                language=text_of(row.get("language")),
                corpus=text_of(row.get("corpus")),
                hours=number_of(row.get("hours")) or 0.0,
                num_utterances=round(number_of(row.get("num_utterances")) or 0),
                share=number_of(row.get("share")),
                licence=text_of(row.get("licence")),
            )
            for row in map(mapping_of, list_of(self.record.get("languages")))
        )

    @property
    def warnings(self) -> tuple[str, ...]:
        """Sentences that were said when the run began, each once."""
        return tuple(dict.fromkeys(text_of(found) for found in list_of(self.record.get("warnings")) if found))

    @cached_property
    def hours_drawn(self) -> dict[str, float]:
        """Hours each language was drawn for, by the latest report that says so."""
        for event in reversed(self.steps):
            drawn = mapping_of(event.get("hours_per_language"))
            if drawn:
                return {str(language): number_of(hours) or 0.0 for language, hours in drawn.items()}
        return {}

    @cached_property
    def held_out_languages(self) -> list[str]:
        """Languages that were evaluated, those with most speech to train on first."""
        found = dict.fromkeys(str(name) for event in self.evaluations for name in mapping_of(event.get("held_out")))
        hours: dict[str, float] = {}
        for corpus in self.corpora:
            hours[corpus.language] = hours.get(corpus.language, 0.0) + corpus.hours
        return sorted(found, key=lambda language: -hours.get(language, 0.0))

    @cached_property
    def _steps_and_hours(self) -> tuple[list[int], list[float]]:
        known = [(step_of(e), number_of(e.get("hours_processed"))) for e in self.steps]
        pairs = [(step, hours) for step, hours in known if hours is not None]
        return [0, *(step for step, _ in pairs)], [0.0, *(hours for _, hours in pairs)]

    def hours_of(self, event: Event) -> float:
        """Say how many hours of audio had been processed at an event, by its own word or from the reports around it."""
        stated = number_of(event.get("hours_processed"))
        return self.hours_at(step_of(event)) if stated is None else stated

    def hours_at(self, step: int) -> float:
        """Say how many hours of audio had been processed after `step` updates, between reports and past the last."""
        steps, hours = self._steps_and_hours
        place = bisect_right(steps, step) - 1
        if steps[place] == step or len(steps) == 1:
            per_update = number_of(self.record.get("hours_per_update")) or 0.0
            return hours[place] + (step - steps[place]) * per_update
        after = min(place + 1, len(steps) - 1)
        before = after - 1
        slope = (hours[after] - hours[before]) / max(steps[after] - steps[before], 1)
        return hours[place] + slope * (step - steps[place])

    def training_curve(self, name: str, index: int | None = None) -> list[Point]:
        """Return a field of the step reports over the run; with `index`, that entry of a list."""
        return self._curve(self.steps, lambda event: _entry(event.get(name), index))

    def evaluation_curve(self, name: str, index: int | None = None) -> list[Point]:
        """Return a field of the evaluations over the run; with `index`, that entry of a list."""
        return self._curve(self.evaluations, lambda event: _entry(event.get(name), index))

    def held_out_curve(self, language: str, name: str) -> list[Point]:
        """Return a figure of one language's held-out speech over the run."""
        return self._curve(
            self.evaluations, lambda event: mapping_of(mapping_of(event.get("held_out")).get(language)).get(name)
        )

    def happenings(self) -> list[Happening]:
        """Return notices and changed plans in order, and whatever else bears a sentence, but not the warnings again."""
        found = []
        for event in self.others:
            sentence = text_of(event.get("sentence"))
            total = number_of(event.get("total_updates"))
            if event.get("event") == "plan" and total is not None:
                sentence = f"The speed was measured anew: the run is now planned to make {round(total):,} updates."
            if sentence and sentence not in self.warnings:
                found.append(Happening(self.hours_of(event), step_of(event), sentence[:1].upper() + sentence[1:]))
        return found

    def _curve(self, events: Sequence[Event], value_of: Callable[[Event], object]) -> list[Point]:
        found = []
        for event in events:
            value = number_of(value_of(event))
            if value is not None:
                found.append(Point(self.hours_of(event), step_of(event), value))
        return found


def read_pretraining_run(folder: Path) -> PretrainingRun:
    """Read a run folder.

    Args:
        folder: holds run.json and, once something was reported, metrics.jsonl.

    Raises:
        CheckpointError: there is no run.json, or it is not a JSON object.
    """
    try:
        record = json.loads((folder / RECORD_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise CheckpointError(
            f"{folder / RECORD_FILE} cannot be read: {error}.", "A report needs the folder of a run, e.g. runs/NAME."
        ) from error
    if not isinstance(record, dict):
        raise CheckpointError(f"{folder / RECORD_FILE} is not a JSON object.", "Was it edited? Start the run anew.")
    events = _read_events(folder / METRICS_FILE)
    return PretrainingRun(
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
        except (ValueError, RecursionError):
            continue
        if isinstance(event, dict):
            events.append(event)
    return events


def _one_per_step(events: Sequence[Event], kind: str) -> tuple[Event, ...]:
    # A run killed and resumed may have reported some updates twice; what it did last counts.
    latest = {step_of(event): event for event in events if event.get("event") == kind}
    return tuple(latest[step] for step in sorted(latest))


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
