"""Curves as plain geometry: where axes, ticks and lines lie in a drawing, for a template to write as SVG.

A curve of many reports is thinned to the mean of neighbours with the range they span behind it, so that a page stays
small and a spike stays visible.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, Literal


@dataclass(frozen=True)
class Size:
    """Width and height of a drawing in its own units, in which tick labels are about 12 high."""

    width: int
    height: int


LARGE: Final = Size(400, 236)
SMALL: Final = Size(300, 190)
_TOP: Final = 12
_RIGHT: Final = 14
_BOTTOM: Final = 38
_TICK_CHARACTER: Final = 6.6
"""Width of a figure in the drawing's units, for the room that labels take."""

_MOST_POINTS: Final = 200
_MOST_MARKERS: Final = 40
_MOST_STRIPS: Final = 50

Scale = Literal["linear", "logarithmic"]
Print = Callable[[float], str]


@dataclass(frozen=True)
class Place:
    """A value at x; `note` says in words where on the run that is."""

    x: float
    y: float
    note: str


@dataclass(frozen=True)
class Line:
    """One curve. `look` chooses its colour and dashes, so that one thing looks alike in all charts."""

    name: str
    places: Sequence[Place]
    look: int
    has_markers: bool = False


@dataclass(frozen=True, kw_only=True)
class Chart:
    """What is to be drawn.

    Args:
        key: a short word, unique on the page.
        title, explanation: what it shows, and how to read it.
        unit: of the values, written over the y axis.
        x_unit: written under the x axis.
        level: a horizontal line with a name: chance, a target, a greatest value.
        floor, ceiling: values the y axis always reaches.
        print_value: how a value is written in words.
    """

    key: str
    title: str
    explanation: str
    unit: str
    lines: Sequence[Line]
    x_unit: str
    level: tuple[str, float] | None = None
    floor: float | None = None
    ceiling: float | None = None
    scale: Scale = "linear"
    print_value: Print = "{:.4g}".format


@dataclass(frozen=True)
class Tick:
    """A mark on an axis: its place in the drawing and what stands beside it."""

    at: float
    label: str


@dataclass(frozen=True)
class Marker:
    """A dot with what it says when pointed at."""

    x: float
    y: float
    words: str


@dataclass(frozen=True)
class DrawnLine:
    """A line's paths (SVG path data); `range_path` is the range of thinned values, "" where nothing was thinned."""

    name: str
    look: int
    path: str
    range_path: str
    markers: Sequence[Marker]


@dataclass(frozen=True)
class Strip:
    """An upright stretch of the drawing that tells its values when pointed at."""

    x: float
    width: float
    words: str


@dataclass(frozen=True)
class Drawing:
    """A chart laid out in a box of `size`; `left`, `right`, `top`, `bottom` bound its field."""

    chart: Chart
    left: float
    right: float
    top: float
    bottom: float
    x_ticks: Sequence[Tick]
    y_ticks: Sequence[Tick]
    lines: Sequence[DrawnLine]
    strips: Sequence[Strip]
    level_at: float | None
    words: str
    size: Size


@dataclass(frozen=True)
class _Axis:
    """Maps values from `low` to `high` onto places from `start` to `end`."""

    low: float
    high: float
    start: float
    end: float
    scale: Scale = "linear"

    def place(self, value: float) -> float:
        share = (_scaled(value, self.scale) - _scaled(self.low, self.scale)) / (
            _scaled(self.high, self.scale) - _scaled(self.low, self.scale)
        )
        return round(self.start + (self.end - self.start) * min(max(share, 0.0), 1.0), 1)


def draw(chart: Chart, size: Size = LARGE) -> Drawing | None:
    """Lay a chart out; None where there is no value to show."""
    if not any(line.places for line in chart.lines):
        return None
    thinned = [_thin(line.places) for line in chart.lines]
    ticks = _value_ticks(chart, thinned)
    labels = tick_labels(ticks, chart.print_value) if chart.scale == "linear" else [f"{tick:g}" for tick in ticks]
    left = 10 + _TICK_CHARACTER * max(map(len, labels))
    right, bottom = size.width - _RIGHT, size.height - _BOTTOM
    last = max(place.x for line in chart.lines for place in line.places) or 1.0
    x_ticks = [tick for tick in nice_ticks(0.0, last, 6) if tick <= last * 1.0001]
    x_axis = _Axis(0.0, last, left, right)
    y_axis = _Axis(ticks[0], ticks[-1], bottom, _TOP, chart.scale)
    return Drawing(
        chart=chart,
        left=round(left, 1),
        right=right,
        top=_TOP,
        bottom=bottom,
        x_ticks=[Tick(x_axis.place(v), label) for v, label in zip(x_ticks, tick_labels(x_ticks), strict=True)],
        y_ticks=[Tick(y_axis.place(v), label) for v, label in zip(ticks, labels, strict=True)],
        lines=[
            _draw_line(line, groups, x_axis, y_axis, chart.print_value)
            for line, groups in zip(chart.lines, thinned, strict=True)
        ],
        strips=_strips(chart, x_axis),
        level_at=y_axis.place(chart.level[1]) if chart.level else None,
        words=describe(chart),
        size=size,
    )


def describe(chart: Chart) -> str:
    """Say in words what the curves show, for those who cannot see them."""
    said = []
    for line in chart.lines:
        if not line.places:
            continue
        first, last = line.places[0], line.places[-1]
        values = [place.y for place in line.places]
        show = chart.print_value
        if len(values) == 1:
            said.append(f"{line.name}: {show(first.y)} {first.note}.")
        else:
            said.append(
                f"{line.name}: from {show(first.y)} {first.note} to {show(last.y)} {last.note}, "
                f"lowest {show(min(values))}, highest {show(max(values))}."
            )
    if chart.level:
        said.append(f"{chart.level[0]}: {chart.print_value(chart.level[1])}.")
    return " ".join(said)


def nice_ticks(low: float, high: float, about: int) -> list[float]:
    """Return round values (steps of 1, 2 or 5 times a power of ten) from at or below `low` to at or above `high`."""
    if high - low <= 1e-9 * max(abs(low), abs(high), 1e-9):
        room = abs(low) / 2
        low, high = low - room, low + room if room > 1e-9 else low + 1.0
    rough = (high - low) / max(about - 1, 1)
    power = 10.0 ** math.floor(math.log10(rough))
    step = next((factor * power for factor in (1, 2, 5, 10) if factor * power >= rough * 0.999), 10 * power)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [round(number * step, 12) if step > 1e-9 else number * step for number in range(first, last + 1)]


def decade_ticks(low: float, high: float) -> list[float]:
    """Return powers of ten from at or below `low` (above 0) to at or above `high`."""
    first, last = math.floor(math.log10(low) + 1e-9), math.ceil(math.log10(high) - 1e-9)
    stride = max(-(-(last - first) // 6), 1)
    return [10.0**power for power in range(first, max(last, first + 1) + stride, stride)]


def tick_labels(ticks: Sequence[float], show: Print | None = None) -> list[str]:
    """Write the values of an axis with as many decimals as its steps need; percent where values are so written."""
    if show is not None and show(0.5).endswith("%"):
        return [f"{label}{show(0.5)[-2:]}" for label in tick_labels([tick * 100 for tick in ticks])]
    largest = max(map(abs, ticks))
    if largest < 0.001 or largest >= 1e6:
        return [f"{tick:.2g}" for tick in ticks]
    step = min((b - a for a, b in pairwise(ticks)), default=1.0)
    decimals = max(-math.floor(math.log10(step) + 1e-9), 0)
    return [f"{tick:,.{decimals}f}" for tick in ticks]


def _scaled(value: float, scale: Scale) -> float:
    return math.log10(max(value, 1e-30)) if scale == "logarithmic" else value


def _value_ticks(chart: Chart, thinned: "Sequence[Sequence[_Group]]") -> list[float]:
    values = [value for groups in thinned for group in groups for value in (group.lowest, group.highest)]
    values += [chart.level[1]] if chart.level else []
    values += [bound for bound in (chart.floor, chart.ceiling) if bound is not None]
    if chart.scale == "logarithmic":
        above = [value for value in values if value > 0] or [1.0]
        return decade_ticks(min(above), max(above))
    return nice_ticks(min(values), max(values), 6)


@dataclass(frozen=True)
class _Group:
    """Neighbouring places drawn as one."""

    x: float
    mean: float
    lowest: float
    highest: float


def _thin(places: Sequence[Place]) -> list[_Group]:
    size = max(-(-len(places) // _MOST_POINTS), 1)
    groups = []
    for begin in range(0, len(places), size):
        group = places[begin : begin + size]
        values = [place.y for place in group]
        mean_x = sum(place.x for place in group) / len(group)
        groups.append(_Group(mean_x, sum(values) / len(values), min(values), max(values)))
    return groups


def _draw_line(line: Line, groups: Sequence[_Group], x_axis: _Axis, y_axis: _Axis, show: Print) -> DrawnLine:
    along = [(x_axis.place(group.x), y_axis.place(group.mean)) for group in groups]
    has_range = len(groups) < len(line.places)
    over = [(x_axis.place(group.x), y_axis.place(group.highest)) for group in groups]
    under = [(x_axis.place(group.x), y_axis.place(group.lowest)) for group in groups]
    shows_markers = len(line.places) == 1 or (line.has_markers and len(line.places) <= _MOST_MARKERS)
    return DrawnLine(
        name=line.name,
        look=line.look,
        path=_path(along),
        range_path=f"{_path([*over, *reversed(under)])}Z" if has_range else "",
        markers=[
            Marker(x_axis.place(place.x), y_axis.place(place.y), f"{line.name}: {show(place.y)} {place.note}")
            for place in (line.places if shows_markers else ())
        ],
    )


def _path(places: Sequence[tuple[float, float]]) -> str:
    return "M" + "L".join(f"{x:g},{y:g}" for x, y in places) if places else ""


def _strips(chart: Chart, axis: _Axis) -> list[Strip]:
    """Cut the field into upright stretches, each telling the latest value of every line that has one in it."""
    num_strips = min(_MOST_STRIPS, len({place.x for line in chart.lines for place in line.places}))
    width = (axis.end - axis.start) / num_strips
    latest: list[dict[str, Place]] = [{} for _ in range(num_strips)]
    for line in chart.lines:
        for place in line.places:
            index = int((axis.place(place.x) - axis.start) / width)
            latest[min(max(index, 0), num_strips - 1)][line.name] = place
    strips = []
    for index, places in enumerate(latest):
        if places:
            note = next(iter(places.values())).note
            said = "; ".join(f"{name} {chart.print_value(place.y)}" for name, place in places.items())
            strips.append(Strip(round(axis.start + index * width, 1), round(width, 1), f"{note}: {said}"))
    return strips
