"""Counts of pairs as a shaded table: which letter was heard for which, for a template to write as HTML.

A table and not a drawing: a screen reader walks through it cell by cell with the headers read out, and it can be
copied. Shading is logarithmic, because a few pairs are far more frequent than all others.
"""

import math
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from lowres.scoring.marks import is_mark

MOST_NAMES: Final = 30
"""Rows, and columns, that can be read side by side."""

NUM_SHADES: Final = 5
_MOST_IN_WORDS: Final = 3
_LONGEST_COUNT: Final = 10_000


@dataclass(frozen=True)
class HeatMap:
    """What is to be drawn.

    Args:
        key: a short word, unique on the page.
        title, explanation: what it shows, and how to read it.
        row_names, column_names: (R,) and (C,) at most 30 each; "" stands for nothing.
        counts: (R, C) 0 or more.
        row_unit, column_unit: what rows and columns are, e.g. "said" and "heard as".
    """

    key: str
    title: str
    explanation: str
    row_names: Sequence[str]
    column_names: Sequence[str]
    counts: Sequence[Sequence[int]]
    row_unit: str
    column_unit: str


@dataclass(frozen=True)
class HeatCell:
    """A count with its shade, 0 (nothing) to 5; `label` is the count as it fits into the cell.

    `is_same`: row and column have one name. Such cells are framed and have no share in the shading.
    """

    count: int
    shade: int
    label: str
    is_same: bool


@dataclass(frozen=True)
class HeatName:
    """A row's or column's name as it is shown, and whether it is a word about a character rather than one."""

    text: str
    is_said: bool


@dataclass(frozen=True)
class HeatRow:
    """A row of cells with its name."""

    name: HeatName
    cells: Sequence[HeatCell]


@dataclass(frozen=True)
class DrawnHeatMap:
    """A heat map ready to be written; `shades` has each shade with the counts it stands for, `words` its main pairs."""

    heat_map: HeatMap
    columns: Sequence[HeatName]
    rows: Sequence[HeatRow]
    shades: Sequence[tuple[int, str]]
    words: str


def draw_heat_map(heat_map: HeatMap) -> DrawnHeatMap:
    """Shade and name the cells.

    Raises:
        ValueError: there are more than 30 rows or columns, or `counts` is not of that shape.
    """
    rows, columns = heat_map.row_names, heat_map.column_names
    if len(heat_map.counts) != len(rows) or any(len(counts) != len(columns) for counts in heat_map.counts):
        raise ValueError(f"counts of a heat map must be {len(rows)} x {len(columns)}")
    if max(len(rows), len(columns), 0) > MOST_NAMES:
        raise ValueError(
            f"a heat map of {len(rows)} x {len(columns)} cannot be read; at most {MOST_NAMES} x {MOST_NAMES}"
        )
    edges = shade_edges(
        max(
            (
                count
                for row, counts in _rows(heat_map)
                for column, count in zip(columns, counts, strict=True)
                if column != row
            ),
            default=0,
        )
    )
    return DrawnHeatMap(
        heat_map,
        [show_name(name) for name in columns],
        [
            HeatRow(
                show_name(row),
                [_cell(count, edges, column == row) for column, count in zip(columns, counts, strict=True)],
            )
            for row, counts in _rows(heat_map)
        ],
        _shades(edges),
        _describe(heat_map),
    )


def shade_edges(most: int) -> list[int]:
    """Return the least count of every shade that occurs, rising from 1 by a constant factor to `most`."""
    if most < 1:
        return []
    edges = [1, *(math.floor(most ** (shade / NUM_SHADES) + 1e-9) + 1 for shade in range(1, NUM_SHADES))]
    return sorted({min(edge, most) for edge in edges})


def show_name(name: str) -> HeatName:
    """Name nothing and spaces in words, and put a mark that stands alone on a dotted circle."""
    if not name:
        return HeatName("nothing", True)
    if name.isspace():
        return HeatName("space", True)
    stands_alone = is_mark(name[0]) or unicodedata.category(name[0]) in ("Mn", "Me")
    return HeatName(f"\u25cc{name}" if stands_alone else name, False)


def _rows(heat_map: HeatMap) -> Sequence[tuple[str, Sequence[int]]]:
    return list(zip(heat_map.row_names, heat_map.counts, strict=True))


def _cell(count: int, edges: Sequence[int], is_same: bool) -> HeatCell:
    shade = 0 if is_same or count < 1 else sum(count >= edge for edge in edges)
    # The least shades are left out where there are fewer counts than shades: the most frequent is always darkest.
    shade = shade + NUM_SHADES - len(edges) if shade else 0
    return HeatCell(count, shade, f"{count // 1000}k" if count >= _LONGEST_COUNT else str(count), is_same)


def _shades(edges: Sequence[int]) -> list[tuple[int, str]]:
    first = NUM_SHADES - len(edges) + 1
    spans = []
    for number, edge in enumerate(edges):
        last = edges[number + 1] - 1 if number + 1 < len(edges) else None
        words = f"{edge:,} or more" if last is None else f"{edge:,}" if last == edge else f"{edge:,} to {last:,}"
        spans.append((first + number, words))
    return spans


def _describe(heat_map: HeatMap) -> str:
    found = sorted(
        (
            (-count, row, column)
            for row, counts in _rows(heat_map)
            for column, count in zip(heat_map.column_names, counts, strict=True)
            if count > 0 and row != column
        ),
        key=lambda pair: pair[0],
    )[:_MOST_IN_WORDS]
    if not found:
        return "No pair of different names occurred."
    pairs = "; ".join(
        f"{heat_map.row_unit} {_quote(row)}, {heat_map.column_unit} {_quote(column)}: {-count:,}"
        for count, row, column in found
    )
    return f"The most frequent: {pairs}."


def _quote(name: str) -> str:
    shown = show_name(name)
    return shown.text if shown.is_said else f"“{shown.text}”"
