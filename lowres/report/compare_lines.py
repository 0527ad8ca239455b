"""An utterance heard twice as an interlinear line: said, heard before, heard now, word by word under each other."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from lowres.report.lines import Column, Letters, interlinear
from lowres.scoring.alignment import Alignment, Operation, SplitText

ColumnChange = Literal["better", "worse", ""]


@dataclass(frozen=True)
class HeardWord:
    """What stands under a word; `letters` is empty where nothing was heard."""

    operation: Operation
    letters: tuple[Letters, ...]


@dataclass(frozen=True)
class DoubleColumn:
    """One place of two alignments with the same reference.

    Attributes:
        said: the reference word; "" between words, where something was added.
        before, now: what was heard; None where only the other one added a word here.
    """

    said: str
    before: HeardWord | None
    now: HeardWord | None

    @property
    def change(self) -> ColumnChange:
        """Whether a right word became wrong, an added word came or went, or the other way round; "" for neither."""
        was_right, is_right = (one is None or one.operation == "equal" for one in (self.before, self.now))
        return "" if was_right == is_right else "better" if is_right else "worse"


def double_lines(before: Sequence[Alignment], now: Sequence[Alignment], split: SplitText) -> list[list[DoubleColumn]]:
    """Lay two hearings of each utterance under its reference.

    Args:
        before, now: N word alignments each, with the same references.
        split: cuts a word into letters with their marks.
    """
    return [
        _merge(first, second) for first, second in zip(interlinear(before, split), interlinear(now, split), strict=True)
    ]


def _merge(before: Sequence[Column], now: Sequence[Column]) -> list[DoubleColumn]:
    """Walk through both lines from one reference word to the next; words added at one place stand in one column."""
    merged: list[DoubleColumn] = []
    added_before, said_before = _by_word(before)
    added_now, said_now = _by_word(now)
    for place, (first, second) in enumerate(zip(added_before, added_now, strict=True)):
        for number in range(max(len(first), len(second))):
            merged.append(DoubleColumn("", _heard(first, number), _heard(second, number)))
        if place < len(said_before):
            word = "".join(part.text for part in said_before[place].said)
            merged.append(DoubleColumn(word, _heard(said_before, place), _heard(said_now, place)))
    return merged


def _by_word(columns: Sequence[Column]) -> tuple[list[list[Column]], list[Column]]:
    """Return the words added before each of W reference words and after the last, (W + 1), and the W words."""
    added: list[list[Column]] = [[]]
    words: list[Column] = []
    for column in columns:
        if column.operation == "insert":
            added[-1].append(column)
        else:
            words.append(column)
            added.append([])
    return added, words


def _heard(columns: Sequence[Column], number: int) -> HeardWord | None:
    return HeardWord(columns[number].operation, columns[number].heard) if number < len(columns) else None
