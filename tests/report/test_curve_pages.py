"""The pages of curves and cross-validations: hostile names stay text, and a browser finds them sound."""

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from browser import accessibility_faults, open_page, scrolls_sideways
from curves import make_cross_validation, make_curve

from lowres.report.cross_validation_page import render_cross_validation_page, write_cross_validation_report
from lowres.report.curve_contents import CurveContents
from lowres.report.curve_page import curve_json, render_curve_page, write_curve_report

if TYPE_CHECKING:
    from playwright.sync_api import Browser


def test_runs_that_somebody_chose_are_not_said_to_nest() -> None:
    page = render_curve_page(make_curve())
    assert "One recogniser for each amount" in page
    assert "The amounts nest" in page
    page = render_curve_page(replace(make_curve(), nests=False))
    assert "One recogniser for each amount" not in page
    assert "The amounts nest" not in page


def test_hostile_names_are_text_on_both_pages() -> None:
    for page in (render_curve_page(make_curve()), render_cross_validation_page(make_cross_validation())):
        assert "<script" not in page
        assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
        assert "\u202e" not in page
        assert "script-src" not in page


def test_the_answer_comes_first_and_the_chart_is_logarithmic() -> None:
    page = render_curve_page(make_curve())
    assert page.index("About 6.1 hours more") < page.index("Before you believe it") < page.index("<svg")
    assert "a guess: too far from what was measured" in page


@pytest.mark.parametrize("contents", [make_curve(2), make_curve(1)])
def test_too_few_points_still_have_a_page(contents: CurveContents) -> None:
    page = render_curve_page(contents)
    assert "it takes 3." in page
    assert "What the curve predicts" not in page
    assert curve_json(contents)["curves"] == {"letters": None, "words": None}


def test_both_reports_are_a_page_and_a_json(tmp_path: Path) -> None:
    assert write_curve_report(tmp_path / "curve", make_curve()) > 5_000
    data = json.loads((tmp_path / "curve/report.json").read_text(encoding="utf-8"))
    letters = data["curves"]["letters"]
    assert letters["exponent"] == pytest.approx(0.3)
    assert [one["hours"] for one in letters["predictions"]] == [4.0, 8.0, 16.0, 32.0]
    assert [one["is_guess"] for one in letters["predictions"]] == [False, False, False, True]
    assert letters["hours_until_target"]["hours"] == pytest.approx(10.08, abs=0.01)
    assert data["usefulness"]["verdict"] == "slower"
    assert write_cross_validation_report(tmp_path / "cv", make_cross_validation()) > 5_000
    assert (tmp_path / "cv/report.json").is_file()


@pytest.mark.slow
def test_browsers_show_both_pages_without_fault(tmp_path: Path, browser: "Browser") -> None:
    write_curve_report(tmp_path / "curve", make_curve())
    write_cross_validation_report(tmp_path / "cv", make_cross_validation())
    for name in ("curve", "cv"):
        for width, dark in ((1400, False), (400, True)):
            with open_page(browser, tmp_path / name / "report.html", width=width, dark=dark) as page:
                assert accessibility_faults(page) == []
                assert not scrolls_sideways(page)
                for link in page.locator("nav a").all():
                    assert page.locator(str(link.get_attribute("href"))).count() == 1
                page.keyboard.press("Tab")
                assert page.evaluate("document.activeElement.className") == "skip"
