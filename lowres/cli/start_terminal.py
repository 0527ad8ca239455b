"""Asking in a terminal: a question, why it is asked, numbered answers, and always a default."""

import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.padding import Padding
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn
from rich.text import Text

from lowres.cli.console import console, plain_table, print_error
from lowres.cli.evaluate import shown
from lowres.errors import LowresError

if TYPE_CHECKING:
    from lowres.stages.start_asking import Choice, Question

WIDEST = 100
"""Columns that are used at the most: longer lines are hard to read."""


class TerminalAsk:
    """Asks on stdin and stdout; see `lowres.stages.start_asking.Ask`."""

    def say(self, sentence: str) -> None:
        """Show a sentence; nothing, where it is empty."""
        if sentence:
            self._print(Text(shown(sentence)), hanging=2 if sentence.startswith(("- ", "  ")) else 0)

    def show_rows(self, heading: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """Show a small table."""
        table = plain_table(*heading)
        for row in rows:
            table.add_row(*(Text(shown(cell)) for cell in row))
        console.print(Padding(table, (0, 0, 0, 2)), width=_width())

    def show_problem(self, problem: LowresError) -> None:
        """Show what went wrong and what to do."""
        console.print()
        print_error(problem.message, problem.hint)

    def ask(self, question: "Question") -> str:
        """Ask until there is an answer that fits."""
        self._show_question(question)
        while True:
            typed = self._read(question, _default_text(question))
            try:
                if not question.choices:
                    return question.check(typed or question.default)
                (number,) = _read_numbers(typed or _default_text(question), question.choices, most=1)
                return question.choices[number].value
            except LowresError as problem:
                self.show_problem(problem)

    def ask_several(self, question: "Question") -> tuple[str, ...]:
        """Ask for one or more of the choices."""
        self._show_question(question)
        while True:
            typed = self._read(question, _default_text(question))
            try:
                numbers = _read_numbers(typed or _default_text(question), question.choices, most=len(question.choices))
                return tuple(question.choices[number].value for number in numbers)
            except LowresError as problem:
                self.show_problem(problem)

    @contextmanager
    def working(self, on: str) -> Iterator[Callable[[int, int], None]]:
        """Show that something takes a while, with a bar once it is known how long."""
        columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), BarColumn(bar_width=16))
        with Progress(*columns, console=console, transient=True) as progress:
            task = progress.add_task(on, total=None)
            yield lambda done, total: progress.update(task, completed=done, total=total or None)

    def _show_question(self, question: "Question") -> None:
        console.print()
        self._print(Text(shown(question.title), style="bold magenta"))
        self._print(Text(shown(question.why), style="dim"))
        for number, choice in enumerate(question.choices, start=1):
            label = Text.assemble((f"{number:>3}  ", "bold cyan"), shown(choice.label))
            self._print(label, hanging=5)
            for line in choice.details:
                self._print(Text(_cut(shown(" ".join(line.split())), _width() - 9), style="dim"), left=7)

    def _read(self, question: "Question", default: str) -> str:
        """Read a line; an empty one is the default.

        Raises:
            GoBack, StopAsking: what was typed asks for that.
        """
        from lowres.stages.start_asking import GoBack, StopAsking

        what = "number" if question.choices else "answer"
        hint = f" [{default}]" if default else " [nothing]"
        try:  # from before the prompt is shown: who sees it and presses Ctrl-C is obeyed the same way
            console.print(Text(f"{what}{hint}: ", style="bold"), end="", soft_wrap=True)
            typed = input().strip()
        except (EOFError, KeyboardInterrupt) as stop:
            console.print()
            raise StopAsking from stop
        if typed.lower() == "b":
            raise GoBack
        if typed.lower() == "q":
            raise StopAsking
        return typed

    def _print(self, text: Text, *, left: int = 0, hanging: int = 0) -> None:
        """Print a text within the width that reads well, its further lines set in."""
        lines = text.wrap(console, _width() - left - hanging) if hanging else [text]
        for number, line in enumerate(lines):
            indent = left + (hanging if number else 0)
            console.print(Padding(line, (0, 0, 0, indent), expand=False), width=_width())


def _width() -> int:
    return min(shutil.get_terminal_size().columns, WIDEST)


def _cut(line: str, width: int) -> str:
    return line if len(line) <= width else f"{line[: max(width - 1, 1)]}…"


def _default_text(question: "Question") -> str:
    """Write the default as it would be typed."""
    if not question.choices:
        return question.default
    values = [choice.value for choice in question.choices]
    chosen = [value for value in question.default.split("\n") if value in values] or values[:1]
    return " ".join(str(values.index(value) + 1) for value in chosen)


def _read_numbers(typed: str, choices: "Sequence[Choice]", *, most: int) -> list[int]:
    """Read which choices were typed: their numbers, or what they are called.

    Raises:
        LowresError: it is something else.
    """
    by_name = {choice.value.casefold(): number for number, choice in enumerate(choices)}
    by_number = {str(number): number - 1 for number in range(1, len(choices) + 1)}
    pieces = typed.replace(",", " ").split()
    numbers = list(dict.fromkeys(by_number.get(piece, -1) for piece in pieces))
    if numbers and len(numbers) <= most and -1 not in numbers:
        return numbers
    if typed.casefold() in by_name:
        return [by_name[typed.casefold()]]
    several = " or several, with spaces between" if most > 1 else ""
    raise LowresError(f"{typed!r} is none of the answers.", f"Type a number from 1 to {len(choices)}{several}.")
