"""What the pages of all runs have: numbers to read first, rows of evaluations, machine and settings."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from lowres.report.run_log import Event, RunLog, mapping_of, number_of, text_of

_MOST_ROWS: Final = 60
_DEEPEST: Final = 5
_LONGEST_VALUE: Final = 500


@dataclass(frozen=True)
class Figure:
    """One number to read before the curves, and what to read it against."""

    name: str
    value: str
    remark: str


@dataclass(frozen=True)
class EvaluationRow:
    """One line of the table of evaluations, ready to print."""

    step: int
    hours: float
    is_best: bool
    cells: tuple[str, ...]


@dataclass(frozen=True)
class Head:
    """The head of a column of evaluations: our words, and a foreign name after them."""

    text: str
    name: str = ""


def rows_to_show(evaluations: Sequence[Event]) -> tuple[list[int], int]:
    """Choose the evaluations of a table: of very many every n-th, the best one and the last.

    Returns:
        Their numbers, and that of the best; -1 where none was called so.
    """
    stride = -(-len(evaluations) // _MOST_ROWS) or 1
    last = len(evaluations) - 1
    best = max((number for number, event in enumerate(evaluations) if event.get("is_best") is True), default=-1)
    return [number for number in range(len(evaluations)) if not number % stride or number in (last, best)], best


def machine_fact(log: RunLog) -> list[tuple[str, str]]:
    """Return what a run was computed on, as one fact; none where the folder does not say."""
    machine = ", ".join(f"{name} {_scalar(value)}" for name, value in mapping_of(log.record.get("machine")).items())
    return [("Machine", machine)] if machine else []


def settings_of(record: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return everything that run.json says beside languages and warnings, nested names joined by dots."""
    return _flattened({name: value for name, value in record.items() if name not in ("languages", "warnings")}, "", 0)


def _flattened(value: Mapping[str, Any], prefix: str, depth: int) -> list[tuple[str, str]]:
    found = []
    for name, inner in value.items():
        if isinstance(inner, dict) and inner and depth < _DEEPEST:
            found += _flattened(inner, f"{prefix}{name}.", depth + 1)
        else:
            found.append((f"{prefix}{name}", _scalar(inner)))
    return found


def _scalar(value: object) -> str:
    if isinstance(value, dict | list):
        value = json.dumps(value, ensure_ascii=False)
    text = {True: "yes", False: "no"}[value] if isinstance(value, bool) else text_of(value) or "–"
    return text if len(text) <= _LONGEST_VALUE else f"{text[:_LONGEST_VALUE]} …"


def decimals(value: object) -> str:
    """Print a number with three decimals; "–" where there is none."""
    number = number_of(value)
    return "–" if number is None else f"{number:.3f}"
