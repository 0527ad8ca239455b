"""Stopping politely: the first Ctrl-C saves and stops, the second one stops at once."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

INTERRUPTED_STATUS = 130


class Stop:
    """Whether somebody has asked to stop."""

    is_asked = False


@contextmanager
def stopping_politely(say: Callable[[str], None]) -> Iterator[Stop]:
    """Turn the first Ctrl-C or SIGTERM into a request to save and stop; the second one stops at once.

    Args:
        say: shows a sentence.
    """
    stop = Stop()

    def ask(_signal: int, _frame: FrameType | None) -> None:
        if stop.is_asked:
            raise KeyboardInterrupt
        stop.is_asked = True
        say("Stopping after this update and saving; press Ctrl-C again to stop at once.")

    before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
