"""Histograms: every value is counted once, and a few long ones do not press the others into one bar."""

import numpy as np
import pytest

from lowres.report.histogram import Bins, Histogram, count_bins, draw_histogram, range_words


def bins_of(values: list[float]) -> Bins:
    bins = count_bins(np.array(values))
    assert bins is not None
    return bins


@pytest.mark.parametrize("values", [[1.0], [0.0, 0.0], [0.2, 20.0, 7.5], [3.0] * 250, [*np.linspace(0, 9, 300), 500.0]])
def test_every_value_is_in_one_bin(values: list[float]) -> None:
    bins = bins_of(values)
    assert sum(bins.counts) == len(values)
    assert len(bins.counts) == len(bins.edges) - 1 + bins.has_rest
    assert len(range_words(bins)) == len(bins.counts)


def test_a_few_far_values_share_the_last_bar() -> None:
    bins = bins_of([*np.linspace(1, 4.9, 200), 80.0, 90.0])
    assert bins.edges[-1] < 30
    assert bins.has_rest
    assert bins.counts[-1] == 2
    assert range_words(bins)[-1].endswith("and more")
    assert (bins.least, bins.greatest) == (1.0, 90.0)


def test_of_no_values_there_is_no_histogram() -> None:
    assert count_bins(np.zeros(0)) is None


def test_bars_stand_inside_the_field_and_are_as_high_as_their_counts() -> None:
    drawing = draw_histogram(Histogram("k", "Title", "", "seconds", bins_of([1.05, 1.1, 1.15, 4.0])))
    counted = [bar for bar in drawing.bars if bar.count]
    assert [bar.count for bar in counted] == [3, 1]
    assert counted[0].height == pytest.approx(3 * counted[1].height, abs=0.2)
    assert all(drawing.frame.left <= bar.x and bar.x + bar.width <= drawing.frame.right + 0.5 for bar in drawing.bars)
    assert all(bar.y >= drawing.frame.top - 0.1 for bar in drawing.bars)
    assert drawing.frame.left <= drawing.median_at <= drawing.frame.right
    assert [tick.label for tick in drawing.frame.y_ticks] == ["0", "1", "2", "3"]
