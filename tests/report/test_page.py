"""The page: what it says, that nothing in a transcript can act, and that it needs nothing from outside."""

import base64
import hashlib
import html
import json
import re
from collections.abc import Callable
from html.parser import HTMLParser

import pytest

from lowres.report.contents import ReportContents
from lowres.report.lines import direction
from lowres.report.page import render_page
from lowres.report.templating import unit, visible

MakeContents = Callable[..., ReportContents]
Split = Callable[[str], list[str]]

VOID = {"meta", "br", "img", "hr", "link", "input"}


class Checker(HTMLParser):
    """Reads a page strictly: every element closes, ids are unique; keeps the text and every address."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.ids: list[str] = []
        self.addresses: list[str] = []
        self.text = ""
        self.data: dict[str, str] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        if tag not in VOID:
            self.open.append(tag)
        self.element_id = dict(attrs).get("id") or ""
        for name, value in attrs:
            assert not name.startswith("on"), f"<{tag} {name}>"
            if name == "id":
                self.ids.append(value or "")
            if name in ("src", "href"):
                self.addresses.append(value or "")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] == "script":
            self.data[self.element_id] = self.data.get(self.element_id, "") + data
        elif self.open and self.open[-1] != "style":
            self.text += data


def read(page: str) -> Checker:
    checker = Checker()
    checker.feed(page)
    checker.close()
    assert checker.open == []
    assert len(checker.ids) == len(set(checker.ids))
    return checker


def test_the_page_is_whole_and_asks_for_nothing_outside(make_contents: MakeContents, split_letters: Split) -> None:
    page = render_page(make_contents(), split=split_letters, recordings={0: "data:audio/wav;base64,UklGRg=="})
    checker = read(page)
    assert page.count("<script") == 3
    (allowed,) = re.findall("script-src ([^;]*);", html.unescape(page))
    script = page.split("<script>")[1].split("</script>")[0]
    assert allowed == "'sha256-" + base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() + "'"
    assert all(address.startswith(("#", "data:audio/")) for address in checker.addresses)
    assert {address[1:] for address in checker.addresses if address.startswith("#")} <= set(checker.ids)
    assert "default-src 'none'" in page
    assert "url(" not in page
    assert "@import" not in page


def test_the_answer_comes_first_and_in_words(make_contents: MakeContents, split_letters: Split) -> None:
    text = read(render_page(make_contents(), split=split_letters, recordings={})).text
    assert "Of 100 words about 73 need correcting; of 100 letters about" in text
    assert text.index("need correcting") < text.index("Before you quote this figure")
    assert "Measured on 6 utterances" in text


def test_the_rules_are_named_and_both_scores_shown(make_contents: MakeContents, split_letters: Split) -> None:
    text = read(render_page(make_contents(), split=split_letters, recordings={})).text
    assert "punctuation removed, but not ' and -" in text
    assert "Against the transcripts exactly as they were written" in text


@pytest.mark.parametrize(
    "hostile",
    [
        "<script>alert(1)</script>",
        "</bdi></li></ol><img src=x onerror=alert(1)>",
        '"\'><b onclick="alert(1)">',
        "{{ 7 * 7 }}{% raw %}",
        "&lt;&amp;amp;",
        "a\u202egnp.exe\u202c",
        "\u2066\u2067\u200f",
        "nul\x00 bell\x07",
        "x" * 10_000,
        "]]><!--",
    ],
)
def test_hostile_transcripts_are_shown_as_text(make_contents: MakeContents, split_letters: Split, hostile: str) -> None:
    contents = make_contents(
        [(hostile, "a", hostile), ("a", hostile, "a")],
        speakers=[hostile, hostile],
        language=hostile,
        corpus_name=hostile,
        facts=(("Seed", hostile),),
    )
    page = render_page(contents, split=split_letters, recordings={})
    checker = read(page)
    assert "img" not in checker.tags
    assert page.count("<script") == page.count("</script>") == 3
    assert json.loads(checker.data["utterance-data"])["speakers"] == [hostile]
    assert not re.search("[\u202a-\u202e\u2066-\u2069\u200e\u200f\x00\x07]", page)
    if "\u202e" not in hostile and "\u2066" not in hostile and "\x00" not in hostile:
        assert hostile in checker.text


def test_control_characters_are_named_and_joiners_kept() -> None:
    assert visible("a\u202eb") == 'a<span class="control">U+202E</span>b'
    assert visible("क\u200dष") == "क\u200dष"


def test_lone_marks_and_spaces_can_be_seen() -> None:
    assert unit("\u0301") == "\u25cc\u0301"
    assert "space" in unit(" ")
    assert unit("x" * 5000) == "x" * 40 + "… (5,000 characters)"


def test_transcripts_carry_their_language_and_find_their_direction(
    make_contents: MakeContents, split_letters: Split
) -> None:
    page = render_page(
        make_contents([("שלום עולם", "שלום", "שלום עולם")], language_code="heb"), split=split_letters, recordings={}
    )
    assert '<div class="gloss" dir="rtl" lang="heb"' in page
    assert '<bdi dir="auto" lang="heb">שלום עולם</bdi>' in page


@pytest.mark.parametrize(
    ("text", "found"), [("wáa", "ltr"), ("שלום abc", "rtl"), ("12 - سلام", "rtl"), ("", "ltr"), ("123", "ltr")]
)
def test_words_run_in_the_direction_of_the_first_letter(text: str, found: str) -> None:
    assert direction(text) == found


def test_without_scripts_the_worst_and_the_first_utterances_are_there(
    make_contents: MakeContents, split_letters: Split
) -> None:
    contents = make_contents([("a b", "a b", "a b")] * 60 + [("a b", "x", "a b")])
    page = render_page(contents, split=split_letters, recordings={})
    assert "The first 50 of 61" in page
    assert 'id="worst60"' in page
    assert 'id="first49"' in page
    assert 'id="first50"' not in page


def test_all_utterances_are_in_the_data_with_their_kinds_of_errors(
    make_contents: MakeContents, split_letters: Split
) -> None:
    contents = make_contents([("wáa dzé la", "wáa dze", "x"), ("", "yé", ""), ("שלום", "", "")])
    data = json.loads(read(render_page(contents, split=split_letters, recordings={})).data["utterance-data"])
    assert data["lines"] == [
        ["wáa", [["dz", "é"], ["dz", "e"]], ["la"]],
        [[0, "yé"]],
        [["שלום"]],
    ]
    assert data["kinds"][0] == "tone"
    assert [bool(bits & 1) for bits in data["kind_bits"]] == [True, False, False]
    assert data["right_to_left"] == [2]
    assert (data["num_words"], data["word_errors"]) == ([3, 0, 1], [2, 1, 1])


def test_each_recording_is_embedded_once(make_contents: MakeContents, split_letters: Split) -> None:
    recordings = {number: f"data:audio/mpeg;base64,{number:04d}" for number in range(80)}
    page = render_page(make_contents([("a b", "a c", "a b")] * 80), split=split_letters, recordings=recordings)
    assert all(page.count(address) == 1 for address in recordings.values())
    assert "All recordings can be played here." in page


def test_recordings_left_out_are_said_to_be(make_contents: MakeContents, split_letters: Split) -> None:
    some = render_page(make_contents(), split=split_letters, recordings={0: "data:audio/mpeg;base64,AA"})
    none = render_page(make_contents(), split=split_letters, recordings={})
    assert "1 of 6 recordings can be played here; the others are left out" in some
    assert "The recordings are left out of this file." in none


def test_a_faultless_recogniser_has_a_report_too(make_contents: MakeContents, split_letters: Split) -> None:
    text = read(render_page(make_contents([("a b", "a b", "a b")]), split=split_letters, recordings={})).text
    assert "Not one of the 2 words needs correcting." in text


def test_a_recogniser_that_wrote_nothing_has_a_report_too(make_contents: MakeContents, split_letters: Split) -> None:
    text = read(render_page(make_contents([("a b", "", "a b")] * 3), split=split_letters, recordings={})).text
    assert "wrote nothing at all for 3 of 3 utterances" in text
