"""A page with one chart of every kind, for the tests that look at the chart kit in a browser."""

import random
import unicodedata

import numpy as np

from lowres.report.axes import LARGE
from lowres.report.heat_map import HeatMap, draw_heat_map
from lowres.report.histogram import Histogram, count_bins, draw_histogram
from lowres.report.line_chart import Chart, Line, Place, draw
from lowres.report.templating import make_environment, style_sheet

HOSTILE = "<script>alert(1)</script>"
LETTERS = [*"abcdefghijklmnopqrstɛɔŋ", "\u0301", "\u0302", "á", "ɛ\u0301", "ش", "", " "]

_TEMPLATE = """{% import "charts.html.jinja" as charts %}{% import "parts.html.jinja" as parts %}<!DOCTYPE html>
<html lang="en"><head>{{ parts.head("Charts", "all of them", style) }}</head>
<body><main><h1>Charts</h1><h2>Curves</h2>{{ charts.figures(curves, "large") }}
<h2>Counts</h2><div class="charts large">{{ charts.histogram(histogram) }}</div>
<h2>Pairs</h2>{{ charts.heat_map(heat_map) }}</main></body></html>"""


def make_heat_map(names: list[str] = LETTERS, key: str = "confusions") -> HeatMap:
    """Make up confusions: right ones by far the most frequent, and of the others few often and most never."""
    chance = random.Random(7)
    counts = [
        [2_000 if row == column else int(chance.paretovariate(0.6)) - 2 for column in range(len(names))]
        for row in range(len(names))
    ]
    counts = [[max(min(count, 12_400), 0) for count in row] for row in counts]
    return HeatMap(key, "Letters taken for others", "Rows were said.", names, names, counts, "said", "heard as")


def render_charts(hostile: str = HOSTILE) -> str:
    """Write the page; `hostile` is among the names of each chart."""
    hours = [1 / 6, 0.5, 1.0, 2.0]
    measured = [Place(x, 0.6 * x**-0.35, f"at {x:.3g} h") for x in hours]
    fitted = [0.1 * 10 ** (i / 20) for i in range(45)]
    curve = Chart(
        key="curve",
        title="Error over hours",
        explanation="The shaded interval holds the curve in 95 of 100 cases.",
        unit="character error rate",
        x_unit="hours of transcribed speech",
        lines=[
            Line(hostile, measured, 0, has_line=False),
            Line(
                "fitted",
                [Place(x, 0.6 * x**-0.35, f"at {x:.3g} h") for x in fitted],
                2,
                band=[(x, 0.5 * x**-0.4, 0.7 * x**-0.3) for x in fitted],
                is_dashed=True,
            ),
        ],
        level=("target", 0.2),
        floor=0.0,
        x_scale="logarithmic",
        moments=[(2.0, "best")],
    )
    many = [
        Line(f"line {i}", [Place(float(x), 1.0 + i + np.sin(x / 3), f"at {x}") for x in range(12)], i, has_markers=True)
        for i in range(8)
    ]
    bins = count_bins(np.random.default_rng(1).gamma(3.0, 2.0, 900))
    assert bins is not None
    letters = [unicodedata.normalize("NFC", letter) for letter in LETTERS[:-1]]
    environment = make_environment()
    curves = [curve, Chart(key="many", title="Many", explanation="Eight.", unit="loss", x_unit="hours", lines=many)]
    return environment.from_string(_TEMPLATE).render(
        curves=[(chart, draw(chart, LARGE)) for chart in curves],
        histogram=draw_histogram(Histogram("durations", "Durations", hostile, "seconds", bins)),
        heat_map=draw_heat_map(make_heat_map([*letters, hostile])),
        style=style_sheet("style.css", "charts.css"),
    )
