"""Curves as plain geometry: where axes, ticks and lines lie in a drawing, for a template to write as SVG.

A curve of many reports is thinned to the mean of neighbours with the range they span behind it, so that a page stays
small and a spike stays visible.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from lowres.report.axes import (
    LARGE,
    Axis,
    Frame,
    Print,
    Scale,
    Size,
    decade_ticks,
    inner_ticks,
    make_frame,
    nice_ticks,
    tick_labels,
)

_MOST_POINTS: Final = 200
_MOST_MARKERS: Final = 40
_MOST_STRIPS: Final = 50
_LOG_ROOM: Final = 1.08
"""Room left and right of the values on a logarithmic x axis, as a factor."""


@dataclass(frozen=True)
class Place:
    """A value at x; `note` says in words where on the run that is."""

    x: float
    y: float
    note: str


@dataclass(frozen=True)
class Line:
    """One curve. `look` chooses its colour, dashes and markers, so that one thing looks alike in all charts.

    Args:
        has_markers: dots with words to point at, where there are not too many.
        band: (N,) of x, low, high: an interval, shaded behind the curve.
        is_dashed: dashed whatever its look: what was reckoned and not measured.
        has_line: False draws the places as markers alone.
    """

    name: str
    places: Sequence[Place]
    look: int
    has_markers: bool = False
    band: Sequence[tuple[float, float, float]] = ()
    is_dashed: bool = False
    has_line: bool = True


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
        scale, x_scale: of the y axis, which begins at a power of ten where it is logarithmic, and of the x axis.
            On a logarithmic x axis what lies at or below 0 has no place and is left out.
        moments: upright lines with their names: (x, name).
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
    x_scale: Scale = "linear"
    moments: Sequence[tuple[float, str]] = ()


@dataclass(frozen=True)
class Marker:
    """A dot with what it says when pointed at."""

    x: float
    y: float
    words: str


@dataclass(frozen=True)
class DrawnLine:
    """A line's paths (SVG path data).

    `band_path` is its interval and `range_path` the range of thinned values; "" where there is none.
    """

    line: Line
    path: str
    range_path: str
    band_path: str
    markers: Sequence[Marker]


@dataclass(frozen=True)
class Strip:
    """An upright stretch of the drawing that tells its values when pointed at."""

    x: float
    width: float
    words: str


@dataclass(frozen=True)
class Moment:
    """An upright line: its place in the drawing, its name, and whether the name stands left of it for want of room."""

    at: float
    name: str
    is_left: bool


@dataclass(frozen=True)
class Drawing:
    """A chart laid out in its frame; `words` tell its course."""

    chart: Chart
    frame: Frame
    lines: Sequence[DrawnLine]
    strips: Sequence[Strip]
    level_at: float | None
    words: str
    moments: Sequence[Moment] = field(default=())


def draw(chart: Chart, size: Size = LARGE) -> Drawing | None:
    """Lay a chart out; None where there is no value to show."""
    if chart.x_scale == "logarithmic":
        chart = replace(chart, lines=[_above_zero(line) for line in chart.lines])
    if not any(line.places or line.band for line in chart.lines):
        return None
    thinned = [_thin(line.places) for line in chart.lines]
    ticks = _value_ticks(chart, thinned)
    labels = tick_labels(ticks, chart.print_value, chart.scale)
    frame = make_frame(size, labels)
    x_axis = _x_axis(chart, frame)
    x_ticks = inner_ticks(x_axis.low, x_axis.high, chart.x_scale)
    y_axis = Axis(ticks[0], ticks[-1], frame.bottom, frame.top, chart.scale)
    return Drawing(
        chart=chart,
        frame=replace(
            frame,
            x_ticks=x_axis.ticks(x_ticks, tick_labels(x_ticks, None, chart.x_scale)),
            y_ticks=y_axis.ticks(ticks, labels),
        ),
        lines=[
            _draw_line(line, groups, x_axis, y_axis, chart.print_value)
            for line, groups in zip(chart.lines, thinned, strict=True)
        ],
        strips=_strips(chart, x_axis),
        level_at=y_axis.place(chart.level[1]) if chart.level else None,
        words=describe(chart),
        moments=[_moment(x_axis, x, name) for x, name in chart.moments],
    )


def draw_all(charts: Sequence[Chart], size: Size) -> list[tuple[Chart, Drawing | None]]:
    """Lay several charts out, each with its drawing."""
    return [(chart, draw(chart, size)) for chart in charts]


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


def _above_zero(line: Line) -> Line:
    return replace(
        line,
        places=[place for place in line.places if place.x > 0],
        band=[corner for corner in line.band if corner[0] > 0],
    )


def _x_axis(chart: Chart, frame: Frame) -> Axis:
    across = [place.x for line in chart.lines for place in line.places]
    across += [x for line in chart.lines for x, _, _ in line.band]
    if chart.x_scale == "linear":
        return Axis(0.0, max(across) or 1.0, frame.left, frame.right)
    return Axis(min(across) / _LOG_ROOM, max(across) * _LOG_ROOM, frame.left, frame.right, "logarithmic")


def _moment(axis: Axis, x: float, name: str) -> Moment:
    at = axis.place(x)
    return Moment(at, name, at > (axis.start + axis.end) / 2)


def _value_ticks(chart: Chart, thinned: "Sequence[Sequence[_Group]]") -> list[float]:
    values = [value for groups in thinned for group in groups for value in (group.lowest, group.highest)]
    values += [value for line in chart.lines for _, low, high in line.band for value in (low, high)]
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


def _draw_line(line: Line, groups: Sequence[_Group], x_axis: Axis, y_axis: Axis, show: Print) -> DrawnLine:
    ranges = [(group.x, group.lowest, group.highest) for group in groups]
    was_thinned = line.has_line and len(groups) < len(line.places)
    few = len(line.places) == 1 or (line.has_markers and len(line.places) <= _MOST_MARKERS)
    return DrawnLine(
        line=line,
        path=_path([(x_axis.place(group.x), y_axis.place(group.mean)) for group in groups] if line.has_line else ()),
        range_path=_area(ranges, x_axis, y_axis) if was_thinned else "",
        band_path=_area(line.band, x_axis, y_axis),
        markers=[
            Marker(x_axis.place(place.x), y_axis.place(place.y), f"{line.name}: {show(place.y)} {place.note}")
            for place in (line.places if few or not line.has_line else ())
        ],
    )


def _area(corners: Sequence[tuple[float, float, float]], x_axis: Axis, y_axis: Axis) -> str:
    if not corners:
        return ""
    over = [(x_axis.place(x), y_axis.place(high)) for x, _, high in corners]
    under = [(x_axis.place(x), y_axis.place(low)) for x, low, _ in corners]
    return f"{_path([*over, *reversed(under)])}Z"


def _path(places: Sequence[tuple[float, float]]) -> str:
    return "M" + "L".join(f"{x:g},{y:g}" for x, y in places) if places else ""


def _strips(chart: Chart, axis: Axis) -> list[Strip]:
    """Cut the field into upright stretches, each telling the latest value of every line that has one in it."""
    num_strips = min(_MOST_STRIPS, len({place.x for line in chart.lines for place in line.places}))
    if not num_strips:
        return []
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
