"""The report page in a real browser: sorted, searched, filtered, played, by keyboard, in dark and light, on paper.

One page holds something of everything: tone and length errors, IPA with tie bars, Hebrew and Arabic, transcripts that
try to act, and recordings inside the page and beside it.
"""

import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from browser import accessibility_faults, open_page, scrolls_sideways

from lowres.report.contents import ReportContents
from lowres.report.files import write_report
from lowres.report.recordings import encode_recording, write_recordings
from lowres.text.graphemes import split_graphemes

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.slow

HOSTILE = (
    "<script>alert(1)</script> </script><!-- \"'><img src=x onerror=alert(1)> a\u202eb \u2066c nul\x00 \udc80 "
    + "x" * 10_000
)
PAIRS = [
    ("wáa dzé la mwána", "wáa dze la mwána"),
    ("wáa dze\u0301 la", "wáa dze\u0301 la"),
    ("baa la nga", "ba la nga"),
    ("t͡ʃa k͡pa ʃa", "t͡sa k͡pa ʃa"),
    ("שָׁלוֹם עולם", "שלום עולם"),
    ("مرحبا بالعالم", "مرحبا العالم"),
    (HOSTILE, "a"),
    ("", "yé"),
    ("ómbósi adi", ""),
    *[(f"mbía {number} ámba la ndzé {number}", f"mbía {number} ámba la {number}") for number in range(200)],
]


def tone(number: int) -> np.ndarray:
    seconds = np.arange(16_000) / 16_000
    return (8000 * np.sin(2 * np.pi * (220 + number) * seconds)).astype(np.int16)


POSITIONS = """box => {
  const place = {};
  const walker = document.createTreeWalker(box, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    for (const found of walker.currentNode.data.matchAll(/[بتج]|\\d+/g)) {
      const range = document.createRange();
      range.setStart(walker.currentNode, found.index);
      range.setEnd(walker.currentNode, found.index + found[0].length);
      place[found[0]] = range.getBoundingClientRect().left;
    }
  }
  return Object.keys(place).sort((one, other) => place[one] - place[other]);
}"""
"""Letters and numbers of an element in the order they are seen in, from the left."""


def test_counts_stand_behind_their_right_to_left_letters(
    browser: "Browser", tmp_path: Path, make_contents: Callable[..., ReportContents]
) -> None:
    contents = make_contents(unwritable={"ب": 12, "ت": 7, "ج": 5})
    write_report(tmp_path / "report", contents, split=split_graphemes, recordings={})
    with open_page(browser, tmp_path / "report" / "report.html") as page:
        box = page.locator("#cautions li", has_text="only be wrong")
        assert box.evaluate(POSITIONS) == ["ب", "12", "ت", "7", "ج", "5"]


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory, make_contents: Callable[..., ReportContents]) -> Path:
    speakers = ["ana", "ben", 'c"><b>'] * 70
    contents = make_contents(
        [(said, heard, said) for said, heard in PAIRS], speakers=speakers[: len(PAIRS)], language_code=""
    )
    folder = tmp_path_factory.mktemp("reports") / "finetune-1h-seed1-test"
    write_report(
        folder,
        contents,
        split=split_graphemes,
        recordings={number: encode_recording(tone(number), 16_000) for number in (0, 1, 7, 8, 60)},
        write_beside=lambda writing: write_recordings(writing, [2, 3], tone, 16_000),
    )
    return folder / "report.html"


@pytest.fixture
def opened(browser: "Browser", report: Path) -> Iterator["Page"]:
    with open_page(browser, report) as page:
        yield page


def listed(page: "Page") -> list[str]:
    """The names of the utterances that are drawn, in their order."""
    return page.eval_on_selector_all("#listed article", "rows => rows.map(row => row.querySelector('.id').textContent)")


def found(page: "Page") -> str:
    return page.inner_text("#found")


def wait_until(page: "Page", claim: str) -> None:
    """Wait until something holds; Playwright's own way would have the page evaluate text, which its policy forbids."""
    deadline = time.monotonic() + 10
    while not page.evaluate(claim):
        assert time.monotonic() < deadline, claim
        page.wait_for_timeout(20)


@contextmanager
def after_update(page: "Page") -> Iterator[None]:
    """What is done inside changes the list; go on when it has."""
    page.evaluate("for (const block of document.querySelectorAll('#listed > *')) block.dataset.old = '1'")
    yield
    wait_until(page, "!document.querySelector('#listed [data-old]')")


def search(page: "Page", text: str, **choices: str) -> str:
    with after_update(page):
        page.fill("#find-text", text)
    for name, value in choices.items():
        with after_update(page):
            page.select_option(f"[name={name}]", value)
    return found(page)


def test_utterances_are_sorted(opened: "Page") -> None:
    assert found(opened) == "209 utterances"
    assert listed(opened)[:2] == ["utterance-000", "utterance-001"]
    with after_update(opened):
        opened.select_option("[name=order]", "worst")
    assert listed(opened)[0] in ("utterance-006", "utterance-007", "utterance-008")
    with after_update(opened):
        opened.select_option("[name=order]", "longest")
    assert listed(opened)[0] == "utterance-004"
    with after_update(opened):
        opened.select_option("[name=order]", "speaker")
    assert listed(opened)[:2] == ["utterance-000", "utterance-003"]


def test_text_is_found_with_its_marks_however_they_are_encoded(opened: "Page") -> None:
    assert search(opened, "dzé") == "202 of 209 utterances"
    assert search(opened, "dze\u0301 la") == "2 of 209 utterances"
    assert search(opened, "dze\u0301 la", how="exact") == "1 of 209 utterances"
    assert search(opened, "DZE LA", how="letters") == "2 of 209 utterances"
    assert search(opened, "dze", how="marks") == "1 of 209 utterances"
    assert search(opened, "ʃa") == "1 of 209 utterances"
    assert search(opened, "שלום") == "1 of 209 utterances"
    assert search(opened, "שלום", where="said") == "No utterance is like that."
    opened.click("#finder [type=reset]")
    wait_until(opened, "document.querySelector('#found').textContent === '209 utterances'")
    assert search(opened, " nga ", where="both") == "1 of 209 utterances"
    assert search(opened, "ance-01", where="name") == "10 of 209 utterances"
    assert search(opened, "(", where="both") == "1 of 209 utterances"


def test_utterances_are_filtered_by_kind_of_error_and_speaker(opened: "Page") -> None:
    with after_update(opened):
        opened.select_option("[name=kind]", label="tone marks alone")
    assert listed(opened) == ["utterance-000"]
    assert opened.inner_text("#listed .kind") == "tone"
    with after_update(opened):
        opened.click("[data-kind='1']")
    assert listed(opened) == ["utterance-002"]
    with after_update(opened):
        opened.select_option("[name=kind]", "none")
    assert found(opened) == "1 of 209 utterances"
    with after_update(opened):
        opened.click("#finder [type=reset]")
    with after_update(opened):
        opened.select_option("[name=speaker]", label='c"><b>')
    assert found(opened) == "69 of 209 utterances"


def test_a_confusion_lists_utterances_in_which_it_happened(opened: "Page") -> None:
    with after_update(opened):
        opened.click("button[data-words='é heard as e']")
    assert listed(opened) == ["utterance-000"]
    assert "é heard as e" in opened.inner_text("#only")
    with after_update(opened):
        opened.click("#only button")
    assert found(opened) == "209 utterances"


@pytest.mark.parametrize("number", [0, 2, 60])
def test_recordings_play_from_the_page_and_from_beside_it(browser: "Browser", report: Path, number: int) -> None:
    with open_page(browser, report) as page:
        page.evaluate(f"location.hash = '#u{number}'")
        button = page.locator(f"#listed [data-play='{number}']")
        button.click()
        wait_until(page, "document.querySelector('#player audio').currentTime > 0.05")
        assert button.get_attribute("aria-label") == f"Pause utterance-{number:03d}"
        button.click()
        assert page.evaluate("document.querySelector('#player audio').paused")
        page.click("#player button")
        assert page.is_hidden("#player")


def test_the_list_is_walked_through_with_the_keyboard_alone(opened: "Page") -> None:
    opened.focus("#finder [type=reset]")
    opened.keyboard.press("Tab")
    for _ in range(2):
        opened.keyboard.press("ArrowDown")
    assert opened.evaluate("document.activeElement.id") == "u2"
    assert opened.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    opened.keyboard.press("Enter")
    wait_until(opened, "!document.querySelector('#player audio').paused")
    opened.keyboard.press("End")
    assert opened.evaluate("document.activeElement.id") == "u208"
    assert opened.evaluate("document.activeElement.getAttribute('aria-setsize')") == "209"
    opened.keyboard.press("Home")
    assert opened.evaluate("document.activeElement.id") == "u0"


def test_what_is_far_from_the_window_is_not_drawn(opened: "Page") -> None:
    num_drawn = "document.querySelectorAll('#listed article').length"
    opened.evaluate("document.querySelector('#all').scrollIntoView()")
    wait_until(opened, f"{num_drawn} < 120")
    opened.evaluate("document.querySelector('#made').scrollIntoView()")
    opened.wait_for_selector("#u208")
    assert opened.evaluate(num_drawn) < 160


def test_hostile_transcripts_are_shown_as_text(opened: "Page") -> None:
    for row in ("#u6", "#worst6"):
        shown = opened.text_content(f"{row} .gloss .said") or ""
        whole = opened.text_content(f"{row} .gloss") or ""
        assert shown == "<script>alert(1)</script>"
        assert "<img" in whole
        assert "aU+202Eb" in whole
        assert "nulU+0000" in whole
        assert "… (10,000 characters)" in whole
    assert opened.locator("img").count() == 0
    assert opened.locator("#speaker b").count() == 0


def test_each_script_runs_in_its_own_direction(opened: "Page") -> None:
    directions = opened.eval_on_selector_all(
        "#listed article .gloss", "lines => lines.slice(0, 7).map(line => line.dir)"
    )
    assert directions == ["ltr"] * 4 + ["rtl"] * 2 + ["ltr"]
    places = opened.eval_on_selector_all("#u5 .w", "words => words.map(word => word.getBoundingClientRect().left)")
    assert places[0] > places[1]
    letters = opened.eval_on_selector_all("#u3 .w .said", "words => words[0].innerHTML")
    assert letters == "<b>t͡ʃ</b>a"


@pytest.mark.parametrize(("width", "dark"), [(400, False), (1400, True)], ids=["small and light", "large and dark"])
def test_the_page_is_accessible_and_fits(browser: "Browser", report: Path, width: int, dark: bool) -> None:
    with open_page(browser, report, width=width, dark=dark) as page:
        page.click("#listed .play")
        search(page, "ʃa")  # few rows: axe looks at every element
        assert not scrolls_sideways(page)
        assert accessibility_faults(page) == []


def test_a_search_that_finds_nothing_is_accessible_too(opened: "Page") -> None:
    assert search(opened, "this is nowhere") == "No utterance is like that."
    assert opened.is_hidden("#listed")
    assert opened.get_attribute("#found", "role") == "status"


def test_on_paper_there_is_the_answer_and_the_worst_and_no_list(opened: "Page") -> None:
    size = opened.evaluate("document.documentElement.scrollHeight")
    opened.emulate_media(media="print")
    assert opened.is_visible("text=Before you quote this figure")
    assert opened.locator("#worst li >> visible=true").count() == 20
    for hidden in ("#listed", "#finder", "#found", ".play >> nth=0", "nav"):
        assert opened.is_hidden(hidden)
    assert opened.evaluate("document.documentElement.scrollHeight") < size
    pdf = opened.pdf(format="A4")
    assert 4 <= len(re.findall(rb"/Type\s*/Page\b", pdf)) <= 14


def test_without_scripts_the_page_answers_and_plays(browser: "Browser", report: Path) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(report.as_uri())
    assert page.is_visible("text=The first 50 of 209")
    assert page.is_hidden("#finder")
    assert page.locator("audio[data-utterance='0']").is_visible()
    context.close()
