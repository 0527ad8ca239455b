"""The guided walk: which questions there are, in which order, and how one goes on, back, and on again another day."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from lowres.errors import CorpusError, RecipeError
from lowres.stages.start_answers import write_answers
from lowres.stages.start_asking import Ask, GoBack, Question
from lowres.stages.start_language import ask_consent, ask_language, ask_licence
from lowres.stages.start_recordings import ask_recordings, ask_speakers, ask_transcripts
from lowres.stages.start_text import ask_alphabet, ask_text
from lowres.stages.start_training import ask_backbone, ask_minutes, ask_splits
from lowres.stages.start_walk import Walk


@dataclass(frozen=True)
class Step:
    """One step of the walk.

    Attributes:
        field: of `Answers`, that this step answers; it may answer others besides.
        ask: asks, and returns the answers by their fields.
        rests_on: steps whose answers this one's would be another with.
    """

    field: str
    ask: Callable[[Walk, Ask], dict[str, Any]]
    rests_on: tuple[str, ...] = ()


STEPS: Final = (
    Step("recordings", ask_recordings),
    Step("transcripts", ask_transcripts, ("recordings",)),
    Step("speakers", ask_speakers, ("transcripts",)),
    Step("language", ask_language),
    Step("text", ask_text, ("transcripts",)),
    Step("alphabet", ask_alphabet, ("text",)),
    Step("licence", ask_licence),
    Step("consent", ask_consent),
    Step("splits", ask_splits, ("speakers", "text")),
    Step("backbone", ask_backbone, ("splits", "text")),
    Step("minutes", ask_minutes, ("backbone",)),
)


def is_answered(walk: Walk) -> bool:
    """Say whether no question is left."""
    return _first_open(walk) == len(STEPS)


def ask_everything(walk: Walk, ask: Ask, *, begin_at: str = "") -> None:
    """Ask what was not answered yet, and write down every answer at once.

    Args:
        walk: its answers are changed.
        ask: whoever asks.
        begin_at: a step to ask again although it was answered; "" for the first that was not.

    Raises:
        StopAsking: somebody wants to stop; what was answered is kept.
        GoBack: somebody went back from the first question.
    """
    place = next((number for number, step in enumerate(STEPS) if step.field == begin_at), _first_open(walk))
    silent: set[int] = set()
    while place < len(STEPS):
        counting = _CountingAsk(ask)
        try:
            answer(walk, STEPS[place], STEPS[place].ask(walk, counting))
        except GoBack:
            # A step that has nothing to ask would only lead here again.
            place = max((earlier for earlier in range(place) if earlier not in silent), default=-1)
            if place < 0:
                raise
        except (CorpusError, RecipeError) as problem:
            if place == 0:
                raise
            # All that is asked rests on recordings that can be read.
            ask.show_problem(problem)
            place = 0
        else:
            silent = silent - {place} if counting.num_questions else silent | {place}
            place += 1


class _CountingAsk:
    """Passes everything on, and counts the questions."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        self.num_questions = 0
        self.say, self.show_rows, self.show_problem = ask.say, ask.show_rows, ask.show_problem
        self.working = ask.working

    def ask(self, question: Question) -> str:
        self.num_questions += 1
        return self._ask.ask(question)

    def ask_several(self, question: Question) -> tuple[str, ...]:
        self.num_questions += 1
        return self._ask.ask_several(question)


def answer(walk: Walk, step: Step, given: dict[str, Any]) -> None:
    """Put a step's answers into the walk, forget what rested on other ones, and write all of it down.

    Raises:
        OSError: the disk is full or refuses.
    """
    before = walk.answers
    after = before.updated(**given)
    told = {step.field, "layout"} & given.keys()  # the same folder may be read another way
    if any(_plain(getattr(before, field)) not in (None, _plain(getattr(after, field))) for field in told):
        after = after.updated(**dict.fromkeys(_resting_on(step.field)))
        if step.field in ("recordings", "transcripts"):  # other speech; other rules or splits hardly change the speed
            after = after.updated(speeds=None)
    walk.answers = after
    write_answers(walk.project, after)


def _plain(value: Any) -> Any:
    """Bring an answer into the form that it has when it was read from the file."""
    return json.loads(json.dumps(value, default=lambda one: one.model_dump(mode="json")))


def _resting_on(field: str) -> list[str]:
    """List the steps that rest on one, directly or through others."""
    found = [field]
    for step in STEPS:
        if any(name in found for name in step.rests_on):
            found.append(step.field)
    return found[1:]


def _first_open(walk: Walk) -> int:
    unanswered = (number for number, step in enumerate(STEPS) if getattr(walk.answers, step.field) is None)
    return next(unanswered, len(STEPS))
