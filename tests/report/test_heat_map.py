"""Pairs as a shaded table: shades by decades of counts, names that can be read, and nothing that acts."""

import pytest
from chart_page import make_heat_map
from html_pages import Page
from hypothesis import given
from hypothesis import strategies as st

from lowres.report.heat_map import NUM_SHADES, HeatMap, HeatName, draw_heat_map, shade_edges, show_name
from lowres.report.templating import make_environment


def make_pairs(counts: list[list[int]], rows: str = "ab", columns: str = "ab") -> HeatMap:
    return HeatMap("pairs", "Pairs", "How often.", list(rows), list(columns), counts, "said", "heard as")


def render(heat_map: HeatMap) -> str:
    template = make_environment().from_string('{% import "charts.html.jinja" as c %}{{ c.heat_map(drawn) }}')
    return str(template.render(drawn=draw_heat_map(heat_map)))


def test_shades_grow_by_a_constant_factor() -> None:
    assert shade_edges(100_000) == [1, 11, 101, 1001, 10001]
    assert shade_edges(3) == [1, 2, 3]
    assert shade_edges(1) == [1]
    assert shade_edges(0) == []


@given(st.integers(1, 10**7))
def test_the_most_frequent_pair_is_darkest_and_one_occurrence_is_seen(most: int) -> None:
    edges = shade_edges(most)
    assert edges[0] == 1
    assert edges[-1] <= most
    assert len(edges) <= NUM_SHADES
    drawn = draw_heat_map(make_pairs([[0, most], [0, 0]]))
    assert drawn.rows[0].cells[1].shade == NUM_SHADES
    assert drawn.rows[1].cells[0].shade == 0


def test_what_was_heard_right_does_not_set_the_shades() -> None:
    drawn = draw_heat_map(make_pairs([[50_000, 4], [1, 50_000]]))
    assert [(cell.shade, cell.is_same) for row in drawn.rows for cell in row.cells] == [
        (0, True),
        (5, False),
        (2, False),
        (0, True),
    ]
    assert drawn.shades == [(2, "1"), (3, "2"), (4, "3"), (5, "4 or more")]
    assert drawn.words == "The most frequent: said “a”, heard as “b”: 4; said “b”, heard as “a”: 1."


def test_right_to_left_names_in_the_caption_leave_their_counts_alone() -> None:
    source = render(make_pairs([[0, 12, 5], [0, 0, 0]], rows="بت", columns="بتج"))
    assert "said <bdi>“ب”</bdi>, heard as <bdi>“ت”</bdi>: 12; said <bdi>“ب”</bdi>, heard as <bdi>“ج”</bdi>: 5" in source


def test_a_mark_alone_stands_on_a_dotted_circle_and_what_cannot_be_seen_is_named() -> None:
    assert show_name("\u0301") == HeatName("\u25cc\u0301", False)
    assert show_name("a\u0301") == HeatName("a\u0301", False)
    assert show_name("") == HeatName("nothing", True)
    assert show_name(" ") == HeatName("space", True)


def test_long_counts_are_shortened_for_the_eye_and_whole_for_a_screen_reader() -> None:
    page = Page(render(make_pairs([[0, 12_345], [0, 0]])))
    assert "12k (12,345)" in page.text


def test_a_shape_that_does_not_fit_or_cannot_be_read_is_refused() -> None:
    with pytest.raises(ValueError, match="must be 2 x 2"):
        draw_heat_map(make_pairs([[1, 2]]))
    with pytest.raises(ValueError, match="at most 30 x 30"):
        draw_heat_map(make_heat_map([str(i) for i in range(31)]))


def test_every_cell_has_its_headers_and_the_table_scrolls_in_its_own_box() -> None:
    page = Page(render(make_heat_map()))
    assert {values["scope"] for values in page.named("th")} == {"row", "col"}
    assert page.named("div")[0] | {"aria-label": ""} == {
        "class": "scroll",
        "tabindex": "0",
        "role": "region",
        "aria-label": "",
    }


@pytest.mark.parametrize("hostile", ["<script>alert(1)</script>", '"></table><img src=x onerror=alert(1)>', "a\u202eb"])
def test_hostile_names_are_shown_as_text(hostile: str) -> None:
    source = render(make_pairs([[0, 3]], rows=[hostile], columns=[hostile, "b"]))  # type: ignore[arg-type]
    page = Page(source)
    assert not page.named("script")
    assert not page.named("img")
    assert "\u202e" not in source


def test_an_empty_map_says_so() -> None:
    assert "Nothing to show." in render(make_pairs([], rows="", columns=""))
    assert draw_heat_map(make_pairs([[3, 0], [0, 1]])).words == "No pair of different names occurred."
