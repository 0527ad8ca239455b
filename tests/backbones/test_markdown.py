"""Foreign text in Markdown stays text: read back, it says what it said and does nothing."""

import re

import pytest

from lowres.backbones.markdown import as_text, facts_table, table


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("CC-BY-4.0", "CC-BY-4.0"),
        ("facebook/wav2vec2-xls-r-300m", "facebook/wav2vec2-xls-r-300m"),
        ("https://example.org/a_b?c=d", "https://example.org/a_b?c=d"),
        ("49.4 %", "49.4 %"),
        ("made | up", "made \\| up"),
        ("two\nlines\r\n\u2028three", "two lines three"),
        ("---", "\\---"),
        ("1. first", "1\\. first"),
        ("- item", "\\- item"),
        ("# title", "\\# title"),
        ("*bold* _it_ a_b `code` [x](y)", "\\*bold\\* \\_it\\_ a_b \\`code\\` \\[x\\](y)"),
        ("<script>&amp;", "&lt;script&gt;&amp;amp;"),
        ("a\u202eb", "aU+202Eb"),
        ("\ud800", "U+D800"),
        ("ɛ́ ب\u200cب", "ɛ́ ب\u200cب"),
    ],
)
def test_what_markdown_would_act_on_is_written_as_text(text: str, written: str) -> None:
    assert as_text(text) == written


def test_a_long_text_is_cut_and_says_so() -> None:
    assert as_text("x" * 10_000).endswith("x… (10,000 characters)")
    assert len(as_text("x" * 10_000)) < 700


@pytest.mark.parametrize("hostile", ["a|b", "a\n---\nb", "\n| x | y |\n", "\\|", "`|`"])
def test_a_row_keeps_its_number_of_cells(hostile: str) -> None:
    for line in [*table(("A", "B"), [(hostile, hostile)])[:3], *facts_table([("A", hostile)])[:3]]:
        assert "\n" not in line
        assert len(re.findall(r"(?<!\\)(?:\\\\)*\|", line)) == 3


def test_facts_without_a_value_are_left_out() -> None:
    assert facts_table([("A", ""), ("B", "b")]) == ["| | |", "|---|---|", "| B | b |", ""]
