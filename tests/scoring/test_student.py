"""Quantiles of Student's t, as printed in every table of them."""

import pytest

from lowres.scoring.student import student_quantile


@pytest.mark.parametrize(
    ("degrees", "value"),
    [(1, 12.706), (2, 4.303), (3, 3.182), (4, 2.776), (5, 2.571), (9, 2.262), (10, 2.228), (30, 2.042), (120, 1.980)],
)
def test_the_quantile_of_a_95_percent_interval_is_that_of_the_tables(degrees: int, value: float) -> None:
    assert student_quantile(0.975, degrees) == pytest.approx(value, abs=0.0005)


def test_many_degrees_are_the_normal_distribution() -> None:
    assert student_quantile(0.975, 399) == pytest.approx(student_quantile(0.975, 400), abs=0.007)
    assert student_quantile(0.975, 10**6) == pytest.approx(1.95996, abs=1e-5)


def test_half_of_the_values_stay_below_zero() -> None:
    assert student_quantile(0.5, 3) == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize(("probability", "degrees"), [(0.2, 3), (1.0, 3), (0.9, 0)])
def test_what_has_no_quantile_is_refused(probability: float, degrees: int) -> None:
    with pytest.raises(ValueError, match="no quantile"):
        student_quantile(probability, degrees)
