"""An utterance as an interlinear line: said above, heard below, word by word, the letters that differ marked."""

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from lowres.scoring.alignment import Alignment, Operation, SplitText, align_units


@dataclass(frozen=True)
class Letters:
    """Neighbouring letters of a word that all do, or all do not, differ from the other line."""

    text: str
    differ: bool


@dataclass(frozen=True)
class Column:
    """One word of the alignment; `said` is empty for an inserted word, `heard` for one left out."""

    operation: Operation
    said: tuple[Letters, ...]
    heard: tuple[Letters, ...]


def interlinear(alignments: Sequence[Alignment], split: SplitText) -> list[list[Column]]:
    """Lay out each word alignment as columns; inside a substituted word the letters that differ are told apart.

    Args:
        alignments: word alignments, one per utterance.
        split: cuts a word into letters with their marks.
    """
    pairs = [
        (unit.reference or "", unit.hypothesis or "")
        for alignment in alignments
        for unit in alignment.units()
        if unit.operation == "substitute"
    ]
    inner = iter(align_units([said for said, _ in pairs], [heard for _, heard in pairs], split))
    return [[_column(unit.operation, unit.reference, unit.hypothesis, inner) for unit in a.units()] for a in alignments]


def direction(text: str) -> str:
    """Return "rtl" or "ltr" by the first letter that has a direction.

    `dir="auto"` would do the same, were it not that it looks past `<bdi>`, in which every word stands.
    """
    kinds = (unicodedata.bidirectional(character) for character in text)
    return "rtl" if next((kind for kind in kinds if kind in ("L", "R", "AL")), "L") != "L" else "ltr"


def _column(operation: Operation, said: str | None, heard: str | None, inner: Iterator[Alignment]) -> Column:
    if operation == "substitute":
        units = list(next(inner).units())
        return Column(
            operation,
            _runs([(unit.reference, unit.operation != "equal") for unit in units if unit.reference is not None]),
            _runs([(unit.hypothesis, unit.operation != "equal") for unit in units if unit.hypothesis is not None]),
        )
    differ = operation != "equal"
    return Column(
        operation,
        () if said is None else (Letters(said, differ),),
        () if heard is None else (Letters(heard, differ),),
    )


def _runs(letters: Sequence[tuple[str, bool]]) -> tuple[Letters, ...]:
    runs: list[Letters] = []
    for text, differ in letters:
        if runs and runs[-1].differ == differ:
            runs[-1] = Letters(runs[-1].text + text, differ)
        else:
            runs.append(Letters(text, differ))
    return tuple(runs)
