"""Curves as geometry."""

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lowres.report.axes import LARGE, decade_ticks, inner_ticks, nice_ticks, tick_labels
from lowres.report.line_chart import Chart, Line, Place, draw
from lowres.report.sentences import percent


def make_chart(*lines: list[tuple[float, float]], **changes: object) -> Chart:
    made = [Line(f"line {i}", [Place(x, y, f"at {x:g} h") for x, y in line], i) for i, line in enumerate(lines)]
    values = {"key": "k", "title": "T", "explanation": "E", "unit": "nats", "x_unit": "hours", "lines": made}
    return Chart(**values | changes)  # type: ignore[arg-type]


def numbers(path: str) -> list[tuple[float, float]]:
    pairs = path.removesuffix("Z")[1:].split("L")
    return [(float(x), float(y)) for x, y in (pair.split(",") for pair in pairs)]


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [
        (0.0, 1.0, [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]),
        (2.83, 4.65, [2.5, 3.0, 3.5, 4.0, 4.5, 5.0]),
        (0.0, 320.0, [0.0, 100.0, 200.0, 300.0, 400.0]),
        (-0.3, 0.3, [-0.4, -0.2, 0.0, 0.2, 0.4]),
    ],
)
def test_ticks_are_round_and_hold_the_values(low: float, high: float, ticks: list[float]) -> None:
    assert nice_ticks(low, high, 6) == pytest.approx(ticks)


numbers_drawn = st.floats(-1e30, 1e30).filter(lambda value: value == 0 or abs(value) > 1e-30)


@given(numbers_drawn, numbers_drawn)
def test_ticks_rise_and_are_few_whatever_the_values(first: float, second: float) -> None:
    low, high = min(first, second), max(first, second)
    ticks = nice_ticks(low, high, 6)
    slack = 1e-6 * max(abs(low), abs(high), 1.0)
    assert all(a < b for a, b in pairwise(ticks))
    assert 2 <= len(ticks) <= 12
    assert ticks[0] <= low + slack
    assert ticks[-1] >= high - slack
    assert len(tick_labels(ticks)) == len(ticks)


def test_decades_hold_the_values() -> None:
    assert decade_ticks(0.03, 40.0) == pytest.approx([0.01, 0.1, 1.0, 10.0, 100.0])
    assert len(decade_ticks(1e-20, 1e20)) <= 9


def test_labels_have_the_decimals_that_their_steps_need() -> None:
    assert tick_labels([0.0, 0.5, 1.0]) == ["0.0", "0.5", "1.0"]
    assert tick_labels([0.0, 1000.0, 2000.0]) == ["0", "1,000", "2,000"]
    assert tick_labels([0.0, 0.005, 0.01], lambda value: percent(value, 1)) == [
        "0.0\u00a0%",
        "0.5\u00a0%",
        "1.0\u00a0%",
    ]


def test_values_lie_where_the_ticks_say() -> None:
    drawing = draw(make_chart([(0.0, 1.0), (5.0, 2.0), (10.0, 3.0)]))
    assert drawing is not None
    assert numbers(drawing.lines[0].path) == [
        (drawing.frame.left, drawing.frame.bottom),
        (
            pytest.approx((drawing.frame.left + drawing.frame.right) / 2, abs=0.1),
            (drawing.frame.top + drawing.frame.bottom) / 2,
        ),
        (drawing.frame.right, drawing.frame.top),
    ]
    at = {tick.label: tick.at for tick in drawing.frame.y_ticks}
    assert at["1.0"] == drawing.frame.bottom
    assert at["3.0"] == drawing.frame.top


def test_a_logarithmic_axis_gives_each_decade_the_same_room() -> None:
    drawing = draw(make_chart([(0.0, 0.1), (1.0, 1.0), (2.0, 10.0)], scale="logarithmic"))
    assert drawing is not None
    heights = [y for _, y in numbers(drawing.lines[0].path)]
    assert heights[0] - heights[1] == pytest.approx(heights[1] - heights[2])
    assert [tick.label for tick in drawing.frame.y_ticks] == ["0.1", "1", "10"]


def test_many_reports_are_drawn_as_means_with_their_range_behind() -> None:
    places = [(float(i), 5.0 if i == 777 else 1.0) for i in range(1_000)]
    drawing = draw(make_chart(places))
    assert drawing is not None
    (line,) = drawing.lines
    assert len(numbers(line.path)) == 200
    highest = min(y for _, y in numbers(line.range_path))
    assert highest == pytest.approx(min(tick.at for tick in drawing.frame.y_ticks), abs=0.1)
    assert min(y for _, y in numbers(line.path)) > highest


def test_nothing_to_show_draws_nothing() -> None:
    assert draw(make_chart()) is None
    assert draw(make_chart([])) is None


def test_one_value_is_a_dot_inside_the_field() -> None:
    drawing = draw(make_chart([(0.0, 0.0)]))
    assert drawing is not None
    (marker,) = drawing.lines[0].markers
    assert 0 < marker.x < LARGE.width
    assert 0 < marker.y < LARGE.height
    assert marker.words == "line 0: 0 at 0 h"


def test_the_level_is_on_the_axis_and_the_words_tell_the_course() -> None:
    drawing = draw(make_chart([(1.0, 4.0), (2.0, 3.0)], level=("guessing", math.log(101)), print_value="{:.3g}".format))
    assert drawing is not None
    assert drawing.level_at is not None
    assert drawing.frame.top <= drawing.level_at < min(y for _, y in numbers(drawing.lines[0].path))
    assert drawing.words == "line 0: from 4 at 1 h to 3 at 2 h, lowest 3, highest 4. guessing: 4.62."


def test_strips_cover_the_field_and_tell_every_line() -> None:
    drawing = draw(make_chart([(0.0, 1.0), (1.0, 2.0)], [(1.0, 7.0)]))
    assert drawing is not None
    assert [strip.words for strip in drawing.strips] == ["at 0 h: line 0 1", "at 1 h: line 0 2; line 1 7"]
    assert sum(strip.width for strip in drawing.strips) == pytest.approx(
        drawing.frame.right - drawing.frame.left, abs=0.2
    )


def test_a_logarithmic_x_axis_gives_each_doubling_the_same_room_and_leaves_out_0() -> None:
    drawing = draw(make_chart([(0.0, 9.0), (0.25, 1.0), (0.5, 2.0), (1.0, 3.0), (2.0, 4.0)], x_scale="logarithmic"))
    assert drawing is not None
    across = [x for x, _ in numbers(drawing.lines[0].path)]
    assert len(across) == 4
    steps = [b - a for a, b in pairwise(across)]
    assert steps == pytest.approx([steps[0]] * 3, abs=0.2)
    assert [tick.label for tick in drawing.frame.x_ticks] == ["0.5", "1", "2"]
    assert drawing.frame.left < across[0]
    assert across[-1] < drawing.frame.right


def test_a_band_is_shaded_and_the_axis_holds_it() -> None:
    line = Line("fit", [Place(1.0, 2.0, ""), Place(2.0, 2.0, "")], 0, band=[(1.0, 0.0, 5.0), (2.0, 1.0, 9.0)])
    drawing = draw(make_chart(lines=[line]))
    assert drawing is not None
    frame = drawing.frame
    assert float(drawing.frame.y_ticks[-1].label) >= 9
    corners = numbers(drawing.lines[0].band_path)
    middle = (frame.left + frame.right) / 2
    assert [x for x, _ in corners] == [middle, frame.right, frame.right, middle]
    assert corners[-1][1] == frame.bottom


def test_points_without_a_line_are_all_markers() -> None:
    places = [Place(float(i), 1.0, f"at {i}") for i in range(300)]
    drawing = draw(make_chart(lines=[Line("runs", places, 0, has_line=False)]))
    assert drawing is not None
    (line,) = drawing.lines
    assert (line.path, line.range_path, len(line.markers)) == ("", "", 300)


def test_a_moment_stands_upright_with_its_name_where_there_is_room() -> None:
    drawing = draw(make_chart([(0.0, 1.0), (10.0, 2.0)], moments=[(1.0, "begun"), (9.0, "best")]))
    assert drawing is not None
    assert [(moment.name, moment.is_left) for moment in drawing.moments] == [("begun", False), ("best", True)]
    width = drawing.frame.right - drawing.frame.left
    assert drawing.moments[0].at == pytest.approx(drawing.frame.left + 0.1 * width, abs=0.1)


@given(st.floats(1e-9, 1e9), st.floats(1.0, 1e9))
def test_ticks_of_a_logarithmic_x_axis_lie_within_it(low: float, factor: float) -> None:
    ticks = inner_ticks(low, low * factor * 1.1, "logarithmic")
    assert all(a < b for a, b in pairwise(ticks))
    assert 1 <= len(ticks) <= 13
    assert low * 0.999 <= ticks[0]
    assert ticks[-1] <= low * factor * 1.1 * 1.001
