"""What the guided walk needs of whoever asks: questions as data, and the two ways of not answering one."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from lowres.errors import LowresError

Progress = Callable[[int, int], None]
"""Told how much is done, of how much (0: not known)."""


class GoBack(Exception):  # noqa: N818 (a turn of the conversation, not an error)
    """The person wants the question before this one again."""


class StopAsking(Exception):  # noqa: N818
    """The person wants to stop; everything answered so far is kept."""


@dataclass(frozen=True)
class Choice:
    """One of several answers."""

    value: str
    label: str
    details: tuple[str, ...] = ()
    """Lines under it, such as five examples."""


def accept(answer: str) -> str:
    """Take any answer, without white space around it."""
    return answer.strip()


@dataclass(frozen=True)
class Question:
    """One question.

    Attributes:
        title: the question, in a few words.
        why: what the answer is for, in a sentence.
        default: the answer that pressing Enter gives; where there are choices, the value of one of them.
        choices: the answers there are; () lets any text be typed.
        check: turns what was typed into the answer, and raises a LowresError that says what is wrong with it; with
            choices, never called.
    """

    title: str
    why: str
    default: str = ""
    choices: tuple[Choice, ...] = ()
    check: Callable[[str], str] = accept


class Ask(Protocol):
    """Whoever asks: a terminal, or a test with its answers ready."""

    def say(self, sentence: str) -> None:
        """Show a sentence."""

    def show_rows(self, heading: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """Show a small table."""

    def show_problem(self, problem: LowresError) -> None:
        """Show what went wrong and what to do; the walk goes on."""

    def ask(self, question: Question) -> str:
        """Ask until there is an answer that fits.

        Raises:
            GoBack, StopAsking: instead of an answer.
        """

    def ask_several(self, question: Question) -> tuple[str, ...]:
        """Ask for one or more of the question's choices; raises as `ask`. Its default may hold several lines."""

    def working(self, on: str) -> AbstractContextManager[Progress]:
        """Show for the time of a `with` block that something takes a while."""


def ask_in_turn(questions: Sequence[Callable[[], str]]) -> list[str]:
    """Ask questions that belong together; going back leads to the one before, and from the first out of them.

    Args:
        questions: each asks one question, and may show something before it.

    Raises:
        GoBack: somebody went back from the first.
    """
    answers: list[str] = []
    while len(answers) < len(questions):
        try:
            answers.append(questions[len(answers)]())
        except GoBack:
            if not answers:
                raise
            answers.pop()
    return answers
