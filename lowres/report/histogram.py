"""Histograms as plain geometry: how many utterances have which duration or pace, for a template to write as SVG."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final

import numpy as np
import numpy.typing as npt

from lowres.report.axes import LARGE, Axis, Frame, Size, Tick, inner_ticks, make_frame, nice_ticks, tick_labels

_ABOUT_BINS: Final = 22
_FEW: Final = 100
_TOP: Final = 20
"""Room for the median's name over the field."""

_GAP: Final = 1.0


@dataclass(frozen=True)
class Bins:
    """Values counted by their size.

    Attributes:
        edges: (B + 1,) rising; bin b holds values from edges[b] up to, not including, edges[b + 1].
        counts: (B,) of the bins, and behind them, where `has_rest`, of all larger values.
        median, least, greatest: of all values.
    """

    edges: tuple[float, ...]
    counts: tuple[int, ...]
    has_rest: bool
    median: float
    least: float
    greatest: float


@dataclass(frozen=True)
class Histogram:
    """What is to be drawn.

    Attributes:
        key: a short word, unique on the page.
        title, explanation: what it shows, and how to read it.
        unit: of the values, written under the axis.
        bins: the counts.
    """

    key: str
    title: str
    explanation: str
    unit: str
    bins: Bins


@dataclass(frozen=True)
class Bar:
    """One bar: its box in the drawing, its range and its count, and both in words."""

    x: float
    y: float
    width: float
    height: float
    range_words: str
    count: int


@dataclass(frozen=True)
class HistogramDrawing:
    """A histogram laid out in its frame; `rows` has the range of every bar and its count."""

    histogram: Histogram
    frame: Frame
    bars: Sequence[Bar]
    median_at: float
    words: str

    @property
    def rows(self) -> list[tuple[str, int]]:
        """The ranges of all bins in words, each with its count."""
        return list(zip(range_words(self.histogram.bins), self.histogram.bins.counts, strict=True))


def count_bins(values: npt.NDArray[np.float64]) -> Bins | None:
    """Count (N,) values, 0 or more, in bins of a round width; of a hundred values or more the unusual ones in one.

    Returns:
        None of no values.
    """
    if not len(values):
        return None
    low, high = float(values.min()), float(values.max())
    usual = high if len(values) < _FEW else min(high, _usual_limit(values))
    edges = nice_ticks(0.0, max(usual, 1e-3), _ABOUT_BINS)
    if high >= edges[-1] and usual == high:
        edges.append(edges[-1] + (edges[-1] - edges[-2]))
    counts = np.histogram(values[values < edges[-1]], edges)[0].tolist()
    num_rest = int((values >= edges[-1]).sum())
    return Bins(
        tuple(edges),
        (*counts, num_rest) if num_rest else tuple(counts),
        bool(num_rest),
        float(np.median(values)),
        low,
        high,
    )


def draw_histogram(histogram: Histogram, size: Size = LARGE) -> HistogramDrawing:
    """Lay a histogram out; the larger values of the last bar stand one bar's width behind the others."""
    bins = histogram.bins
    ticks = [tick for tick in nice_ticks(0.0, max(bins.counts), 5) if tick == int(tick)]
    labels = tick_labels(ticks)
    frame = make_frame(size, labels, _TOP)
    step = (frame.right - frame.left) / (len(bins.counts) + bins.has_rest)
    x_axis = Axis(bins.edges[0], bins.edges[-1], frame.left, frame.left + (len(bins.edges) - 1) * step)
    y_axis = Axis(0.0, ticks[-1], frame.bottom, frame.top)
    return HistogramDrawing(
        histogram=histogram,
        frame=replace(
            frame, x_ticks=_x_ticks(bins, x_axis, frame.right - step / 2), y_ticks=y_axis.ticks(ticks, labels)
        ),
        bars=_bars(bins, x_axis, y_axis, step),
        median_at=x_axis.place(bins.median),
        words=describe_bins(histogram),
    )


def describe_bins(histogram: Histogram) -> str:
    """Say in words what a histogram shows, for those who cannot see it."""
    bins, unit = histogram.bins, histogram.unit
    return (
        f"Half of the utterances have less than {bins.median:.3g} {unit}; the least is {bins.least:.3g}, "
        f"the most {bins.greatest:.3g}. The table below has all counts."
    )


def range_words(bins: Bins) -> list[str]:
    """Write the range of every bin: "2 to 4", and of the largest values "40 and more"."""
    labels = tick_labels(bins.edges)
    ranges = [f"{low} to {high}" for low, high in pairwise(labels)]
    return [*ranges, f"{labels[-1]} and more"] if bins.has_rest else ranges


def _usual_limit(values: npt.NDArray[np.float64]) -> float:
    """Return what hardly any value passes, so that a few long ones do not press all others into one bar."""
    quarter, three_quarters, nearly_all = np.percentile(values, (25, 75, 99))
    return float(min(nearly_all, three_quarters + 4 * (three_quarters - quarter) + 1e-3))


def _bars(bins: Bins, x_axis: Axis, y_axis: Axis, step: float) -> list[Bar]:
    bars = []
    for index, (words, count) in enumerate(zip(range_words(bins), bins.counts, strict=True)):
        behind = bins.has_rest and index == len(bins.counts) - 1
        height = round(max(y_axis.start - y_axis.place(count), 1.5 if count else 0.0), 1)
        x = x_axis.start + (index + behind) * step + _GAP / 2
        bars.append(Bar(round(x, 1), round(y_axis.start - height, 1), round(step - _GAP, 1), height, words, count))
    return bars


def _x_ticks(bins: Bins, axis: Axis, rest_at: float) -> list[Tick]:
    ticks = inner_ticks(bins.edges[0], bins.edges[-1], "linear")
    drawn = axis.ticks(ticks, tick_labels(ticks))
    return [*drawn, Tick(round(rest_at, 1), "more")] if bins.has_rest else drawn
