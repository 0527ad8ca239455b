"""The two places text goes to: `console` for what was asked for, `errors` for what went wrong.

Transcripts hold square brackets and anything else a linguist may write, so they are never read as rich markup: print
them through `rich.text.Text` or with `markup=False`.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar

from rich.console import Console
from rich.table import Table
from rich.text import Text

console = Console(highlight=False)
errors = Console(stderr=True, highlight=False)

_names_next: ContextVar[bool] = ContextVar("names_next", default=True)


def say(sentence: str) -> None:
    """Print a sentence on stdout as it is: one line unless it holds line breaks, however narrow the terminal."""
    console.print(Text(sentence), soft_wrap=True)


def print_answers(answers: Sequence[str]) -> None:
    """Print what a report answers, in words: the first sentence stands out, and all stand apart from what follows."""
    first, *others = answers
    console.print()
    console.print(Text(first, style="bold green"))
    for sentence in others:
        console.print(Text(sentence))
    console.print()


def print_error(message: str, hint: str = "") -> None:
    """Print `error:` and, where there is one, `hint:` on stderr, each on one unwrapped line."""
    errors.print(Text.assemble(("error: ", "bold red"), message), soft_wrap=True)
    if hint:
        errors.print(Text.assemble(("hint: ", "bold cyan"), hint), soft_wrap=True)


def print_warning(message: str) -> None:
    """Print `warning:` and one sentence on stderr; the command goes on."""
    errors.print(Text.assemble(("warning: ", "bold yellow"), message), soft_wrap=True)


def print_next(sentence: str, command: str, *, on: Console = console) -> None:
    """End a command by naming the one to type after it.

    Args:
        sentence: what the next command does, without its final stop, e.g. "To train on it".
        command: the command as it is typed, e.g. "lowres finetune --hours 1".
        on: where to; not on stdout, where that is a file's contents.
    """
    if _names_next.get():
        on.print(Text.assemble(("next: ", "bold green"), sentence, ":  ", (command, "bold")), soft_wrap=True)


@contextmanager
def without_next(*, allowed: bool = False) -> Iterator[None]:
    """Let commands inside a `with` block not name the next one, since somebody goes on to it by themselves.

    Args:
        allowed: lets them name it again, inside such a block.
    """
    token = _names_next.set(allowed)
    try:
        yield
    finally:
        _names_next.reset(token)


def plain_table(*columns: str, title: str = "") -> Table:
    """Make an empty table in the one look that all commands share; cells are given as `Text`, never as markup.

    Args:
        columns: headings from left to right.
        title: a line over the table; none when empty.
    """
    table = Table(title=title or None, title_justify="left", box=None, header_style="bold", pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    return table
