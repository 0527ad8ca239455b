"""Where in a TOML file a key stands, so that an error can name the line."""

import re
from collections.abc import Sequence

_HEADER = re.compile(r"\s*\[\[?([^\[\]]+)\]\]?\s*(?:#.*)?")
_KEY = re.compile(r"""\s*((?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*')(?:\s*\.\s*(?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*'))*)\s*=""")
_PART = re.compile(r"""[A-Za-z0-9_-]+|"[^"]*"|'[^']*'""")


def find_line(toml: str, path: Sequence[str | int]) -> int | None:
    """Give the line, counted from 1, on which the key `path` is set, or the nearest enclosing key or table.

    Args:
        toml: the file's text; lines inside long strings or lists are taken for keys if they look like one.
        path: names from the top, such as `("finetune", "learning_rate")`; numbers (list positions) are passed over.

    Returns:
        The line, or None where not even the enclosing table is written.
    """
    wanted = tuple(str(part) for part in path if not isinstance(part, int))
    header: tuple[str, ...] = ()
    best: tuple[int, int] | None = None
    for number, line in enumerate(toml.splitlines(), start=1):
        if found := _HEADER.fullmatch(line):
            here = header = _parts(found.group(1))
        elif found := _KEY.match(line):
            here = header + _parts(found.group(1))
        else:
            continue
        if here == wanted[: len(here)] and (best is None or len(here) > best[0]):
            best = (len(here), number)
    return best[1] if best else None


def _parts(dotted: str) -> tuple[str, ...]:
    return tuple(part.strip("\"'") for part in _PART.findall(dotted))
