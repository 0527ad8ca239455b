"""What the terminal views of training share: a live picture on a terminal, plain lines elsewhere, and the time left."""

import time
from collections import deque
from collections.abc import Sequence
from types import TracebackType
from typing import Protocol

from rich.console import Console, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from lowres.cli.console import console

SECONDS_BETWEEN_LINES = 15.0
"""Where there is no terminal, reports between evaluations are shown at most this often."""

REPORTS_FOR_SPEED = 30
"""Reports from which the time left is worked out."""

MOST_CURVE_POINTS = 60
_BARS = "▁▂▃▄▅▆▇█"


class Progress(Protocol):
    """What a report of any kind of training says of its place in the run."""

    @property
    def progress(self) -> float:
        """How far the run is, 0-1."""

    @property
    def step(self) -> int:
        """Updates done."""

    @property
    def total_updates(self) -> int:
        """Updates planned."""

    @property
    def elapsed_seconds(self) -> float:
        """Seconds of training so far."""


class TrainingScreen:
    """A live picture where there is a terminal that can draw one; use it in a `with` block.

    Args:
        screen: where the picture goes, and on a terminal the lines above it; elsewhere lines go to stdout.
        is_silent: shows nothing at all.
    """

    def __init__(self, screen: Console, *, is_silent: bool = False) -> None:
        can_draw = screen.is_terminal and not screen.is_dumb_terminal and not is_silent
        self._screen = screen
        self._live = Live(console=screen, refresh_per_second=4, transient=True) if can_draw else None
        self._is_silent = is_silent
        self._last_line = float("-inf")

    def __enter__(self) -> "TrainingScreen":
        if self._live:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._live:
            self._live.stop()

    @property
    def is_live(self) -> bool:
        """Whether there is a picture; without one, lines are wanted."""
        return self._live is not None

    @property
    def size(self) -> tuple[int, int]:
        """Columns and rows of the terminal."""
        return self._screen.size.width, self._screen.size.height

    def say(self, text: Text) -> None:
        """Print a text, above the picture where there is one."""
        if not self._is_silent:
            (self._screen if self._live else console).print(text, soft_wrap=not self._live)

    def draw(self, picture: RenderableType) -> None:
        """Show the picture in place of the one before."""
        if self._live:
            self._live.update(picture)

    def is_line_due(self) -> bool:
        """Tell whether a report should be printed as a line now; if so, the next is due only after a while."""
        if self._live or self._is_silent or time.monotonic() - self._last_line < SECONDS_BETWEEN_LINES:
            return False
        self._last_line = time.monotonic()
        return True


class TimeLeft:
    """Estimates from the latest reports how long a run still takes."""

    def __init__(self) -> None:
        self._reports: deque[tuple[int, float]] = deque(maxlen=REPORTS_FOR_SPEED)

    def note(self, step: int, elapsed_seconds: float) -> None:
        """Take note of a report after `step` updates."""
        self._reports.append((step, elapsed_seconds))

    def forget(self) -> None:
        """Begin anew."""
        self._reports.clear()

    def seconds(self, total_updates: int, budget_minutes: float | None) -> float | None:
        """Return the seconds left of a run of so many updates, or of a time budget; None before it can be known."""
        if not self._reports:
            return None
        (first, began), (last, ended) = self._reports[0], self._reports[-1]
        if budget_minutes is not None:
            return max(budget_minutes * 60 - ended, 0.0)
        if len(self._reports) < 2:
            return None
        return max(total_updates - last, 0) * (ended - began) / max(last - first, 1)


def progress_row(report: Progress, seconds_left: float | None, remark: str = "") -> Table:
    """Return a bar, the updates, the time gone and left, and a remark."""
    row = Table.grid(padding=(0, 2))
    row.add_row(
        ProgressBar(total=1.0, completed=report.progress, width=30),
        Text(f"{report.progress:4.0%}", style="bold"),
        Text(f"{report.step:,} of {report.total_updates:,} updates"),
        Text(f"{duration(report.elapsed_seconds)} gone, {duration(seconds_left)} left"),
        Text(remark, style="cyan"),
    )
    return row


def numbers_row(names_and_values: Sequence[tuple[str, str]]) -> Table:
    """Return numbers beside each other, names over values."""
    row = Table.grid(padding=(0, 3))
    row.add_row(*(Text(name, style="dim") for name, _ in names_and_values))
    row.add_row(*(Text(value) for _, value in names_and_values))
    return row


def sparkline(values: Sequence[float]) -> str:
    """Draw a course as bars of one character, 0 to the highest value; long courses are thinned out."""
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
