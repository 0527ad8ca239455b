"""The page of a comparison: the answer first, nothing in a transcript can act, and its files say the same."""

import csv
import io
import json
import re
from pathlib import Path

import pytest
from browser import accessibility_faults, open_page, scrolls_sideways
from comparisons import REFERENCES, garble, make_contents
from html_pages import Page, check_accessible, check_alone
from playwright.sync_api import Browser

from lowres.report.compare_cautions import compare_cautions
from lowres.report.compare_contents import Setting
from lowres.report.compare_files import comparison_json, differences_table, write_comparison
from lowres.report.compare_page import render_comparison, utterances_shown

HOSTILE = [
    "<script>alert(1)</script>",
    "</bdi></li></ol><img src=x onerror=alert(1)>",
    '"\'><b onclick="alert(1)">',
    "{{ 7 * 7 }}{% raw %}",
    "a\u202egnp.exe\u202c b",
    "\u2066\u2067\u200f",
    "x" * 10_000,
    "שלום עולם",
    "]]><!--",
    "nul\x00 bell\x07",
]
OLD, NEW, OTHER = garble(REFERENCES, 0.7, 1), garble(REFERENCES, 0.3, 2), garble(REFERENCES, 0.6, 3)
SETTINGS = (Setting("finetune.learning_rate", ("0.001", "0.002")),)


def test_the_answer_comes_first_and_what_differs_is_named() -> None:
    contents = make_contents(REFERENCES, {"old": OLD, "new": NEW}, settings=SETTINGS)
    source = render_comparison(contents, split=list, recordings={"u000": "data:audio/mpeg;base64,AA"})
    page = Page(source)
    check_alone(page, source)
    check_accessible(page)
    assert page.text.index("fewer word errors than old") < page.text.index("Measure")
    assert "finetune.learning_rate" in page.text
    assert "Became worse" in page.text
    assert source.count("data:audio/mpeg;base64,AA") == 1


def test_several_runs_are_each_compared_with_the_first() -> None:
    contents = make_contents(REFERENCES, {"old": OLD, "new": NEW, "other": OTHER})
    source = render_comparison(contents, split=list, recordings={})
    page = Page(source)
    check_accessible(page)
    assert "2 runs against old" in page.text
    assert "Holm 1979" in page.text
    assert {"run-1", "run-2"} <= set(page.all("id"))


@pytest.mark.parametrize("hostile", HOSTILE)
def test_hostile_names_and_transcripts_are_shown_as_text(hostile: str) -> None:
    references, lines = [hostile, "a b"], [f"a {hostile}", hostile]
    contents = make_contents(
        references,
        {hostile + "1": lines, hostile + "2": references, hostile + "3": ["", ""]},
        speakers=[hostile, ""],
        language=hostile,
        corpus_name=hostile,
        settings=[Setting(hostile, (hostile, "b", "c"))],
    )
    source = render_comparison(contents, split=list, recordings={})
    page = Page(source)
    assert {tag for tag, _ in page.elements}.isdisjoint({"script", "img"})
    assert not re.search("[\u202a-\u202e\u2066-\u2069\u200e\u200f\x00\x07]", source)
    assert len(source) < 400_000


def test_words_run_in_the_direction_of_the_transcript() -> None:
    contents = make_contents(["שלום עולם", "a"], {"old": ["שלום", "a"], "new": ["שלום עולם", "a"]})
    source = render_comparison(contents, split=list, recordings={})
    assert '<div class="gloss double" dir="rtl" lang="mdw"' in source


def test_runs_that_never_differ_have_a_page_too() -> None:
    contents = make_contents(REFERENCES, {"old": OLD, "new": OLD})
    page = Page(render_comparison(contents, split=list, recordings={}))
    assert "make the same number of word errors" in page.text
    assert utterances_shown(contents) == []


def test_a_page_lists_what_changed_most_and_says_how_much_there_is() -> None:
    references = [f"w{i} a b c" for i in range(200)]
    contents = make_contents(references, {"old": references, "new": [f"w{i}" + " x" * (i % 3 + 1) for i in range(200)]})
    source = render_comparison(contents, split=list, recordings={})
    assert "The 60 of 200 that became worse by most" in source
    assert len(utterances_shown(contents)) == 60


def test_the_table_holds_every_utterance_the_worst_change_first() -> None:
    contents = make_contents(["a b", "c d", "e\tf"], {"old": ["a x", "c d", "e f"], "new": ["a b", "xx yy", "e f"]})
    rows = list(csv.DictReader(io.StringIO(differences_table(contents)), delimiter="\t"))
    assert [row["outcome"] for row in rows] == ["worse", "equal", "better"]
    assert (rows[0]["word_errors_before"], rows[0]["word_errors"], rows[0]["num_words"]) == ("0", "2", "2")
    assert rows[1]["reference"] == "e\tf"
    assert {(row["compared_with"], row["run"]) for row in rows} == {("old", "new")}


def test_the_json_holds_the_figures_of_the_page() -> None:
    contents = make_contents(REFERENCES, {"old": OLD, "new": NEW}, settings=SETTINGS)
    data = json.loads(json.dumps(comparison_json(contents), allow_nan=False))
    (one,) = data["comparisons"]
    assert one["words"]["verdict"] == "better"
    assert one["words"]["num_errors_before"] == contents.comparisons[0].words.difference.num_errors_before
    assert one["num_better"] + one["num_worse"] + one["num_equal"] == len(REFERENCES)
    assert sum(kind["count_before"] for kind in one["kinds"]) == one["words"]["num_errors_before"]
    assert {speaker["name"] for speaker in one["speakers"]} == {"ana", "ben"}
    assert data["settings"] == [{"key": "finetune.learning_rate", "values": ["0.001", "0.002"]}]


def test_rates_that_are_infinite_are_null_in_the_json() -> None:
    contents = make_contents(["", ""], {"old": ["", ""], "new": ["a", "b"]})
    data = comparison_json(contents)
    assert data["comparisons"][0]["words"]["rate"] is None
    Page(render_comparison(contents, split=list, recordings={}))


def test_cautions_name_seeds_decoding_and_few_utterances() -> None:
    contents = make_contents(
        ["a b"] * 4,
        {"old": ["a b"] * 4, "new": ["a c"] * 4},
        split="dev",
        outcomes=[Setting("Decoding", ("greedy, without a language model", "beam search (50)"))],
        num_left_out=3,
        speakers=["ana"] * 4,
    )
    found = compare_cautions(contents, unfinished=["new"], out_of_date=["old"])
    assert [caution.badge for caution in found] == [
        "not trained to its end",
        "report of earlier weights",
        "utterances left out",
        "decoded in different ways",
        "few utterances",
        "scored on dev",
        "one seed",
        "one speaker",
    ]


def test_one_utterance_that_is_compared_or_not_is_spoken_of_as_one() -> None:
    contents = make_contents(["a b"], {"old": ["a b"], "new": ["a c"]}, num_left_out=1)
    sentences = " ".join(caution.sentence for caution in compare_cautions(contents))
    assert "Only 1 utterance was compared:" in sentences
    assert "1 utterance is not compared:" in sentences


@pytest.mark.parametrize(
    ("speakers", "sentence"),
    [
        (["ana"] * 30, "Everything was said by one person; with others it may be different."),
        (["ana", *[""] * 29], "Only 1 person is named as a speaker: whether it holds for others is a rough guess."),
        (["ana", "ben"] * 15, "Only 2 people are named as speakers: whether it holds for others is a rough guess."),
    ],
)
def test_one_person_said_everything_only_where_all_speakers_are_named(speakers: list[str], sentence: str) -> None:
    found = compare_cautions(make_contents(REFERENCES, {"old": OLD, "new": NEW}, speakers=speakers))
    assert [caution.sentence for caution in found if "speaker" in caution.badge] == [sentence]


@pytest.mark.slow
def test_the_page_in_a_browser(browser: Browser, tmp_path: Path) -> None:
    references = [*REFERENCES[:6], *HOSTILE]
    heard = {
        "old": [*OLD[:6], *["a b c"] * len(HOSTILE)],
        "<b>new</b> with a name that is so long that it would not fit anywhere": [*NEW[:6], *HOSTILE],
        "other": [*OTHER[:6], *HOSTILE[::-1]],
    }
    contents = make_contents(references, heard, settings=[Setting("finetune.seed", ("1", "2", "x" * 300))])
    contents = make_contents(
        references, heard, settings=contents.settings, cautions=compare_cautions(contents, unfinished=["other"])
    )
    write_comparison(tmp_path, contents, split=list, recordings={"u000": "data:audio/mpeg;base64,AA"})
    for width, dark in ((1400, False), (400, True)):
        with open_page(browser, tmp_path / "report.html", width=width, dark=dark) as page:
            assert not scrolls_sideways(page)
            assert not dark or accessibility_faults(page) == []  # both looks take their colours from one sheet
            page.get_by_text("What these words mean").click()
            assert page.get_by_text("Holm", exact=False).first.is_visible()
            page.locator(".utterances > li").last.scroll_into_view_if_needed()
            assert page.locator(".utterances .gloss").last.is_visible()
            assert page.evaluate("document.querySelectorAll('b > b, main script').length") == 0
