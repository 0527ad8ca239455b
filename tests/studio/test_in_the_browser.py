"""The studio in a real browser: found, heard, corrected, disputed, transcribed; readable by everybody at any width."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from browser import accessibility_faults, open_page, scrolls_sideways
from listening import write_bursts, write_run
from serving import open_studio
from working import make_project

from lowres.annotation.transcript_json import read_transcript_json
from lowres.manifest.corpus import load_corpus
from lowres.manifest.corrections import read_corrections
from lowres.studio.desk import key_of
from lowres.studio.server import Studio

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

NAME = "train/ana_00"
PAGE = f"/corpus/{key_of(NAME)}"

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def shared(prepared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with a recogniser and a report that tries to get out of its box."""
    project = write_run(make_project(tmp_path_factory.mktemp("browser"), like=prepared))
    page = project / "reports" / "tiny" / "report.html"
    page.parent.mkdir(parents=True)
    page.write_text(
        "<!doctype html><title>report</title><p id=out>no script</p><script>"
        "let found = [window.origin];"
        "try { found.push(document.cookie); } catch { found.push('no cookies'); }"
        "fetch('/corpus').then(() => found.push('fetched'), () => found.push('no fetch'))"
        ".then(() => { document.getElementById('out').textContent = found.join(', '); });"
        "</script>",
        encoding="utf-8",
    )
    return project


@pytest.fixture(scope="module")
def shown(shared: Path) -> Iterator[Studio]:
    """The studio of it."""
    with open_studio(shared) as studio:
        yield studio


def go(page: "Page", studio: Studio, target: str) -> None:
    page.goto(f"http://127.0.0.1:{studio.port}{target}")


def until(page: "Page", expression: str) -> None:
    """Wait until something is true on a page whose policy allows no scripts from text, such as playwright's waiting."""
    for _ in range(300):
        if page.evaluate(expression):
            return
        page.wait_for_timeout(50)
    raise AssertionError(expression)


def test_one_finds_hears_corrects_and_brings_back(browser: "Browser", shared: Path, shown: Studio) -> None:
    with open_page(browser, shown.address.printed) as page:
        assert "token" not in page.url
        page.get_by_role("link", name="Corpus", exact=True).click()
        page.get_by_label("Find in names").fill("MBOTE")
        page.get_by_role("button", name="Find").click()
        assert page.locator("#num-found").inner_text() == "2"
        assert page.get_by_text("<script>alert(1)</script> mbote").is_visible()
        page.get_by_label("Speaker").select_option("ana")
        page.get_by_role("button", name="Find").click()
        assert page.locator("#num-found").inner_text() == "1"
        page.evaluate("document.querySelector('audio').play()")
        until(page, "document.querySelector('audio').currentTime > 0.1")
        assert abs(page.evaluate("document.querySelector('audio').duration") - 1.0) < 0.01
        page.get_by_role("link", name="Correct").click()
        page.get_by_label("Transcript, as").fill("Mbóte na yó.")
        page.get_by_role("button", name="Check only").click()
        assert page.get_by_text("Not saved yet").is_visible()
        assert page.locator("main > .transcript").inner_text() == "mbóte na yó"
        page.get_by_label("Your name").fill("Adèle")
        page.get_by_role("button", name="Save", exact=True).click()
        assert page.get_by_text("Saved.").is_visible()
        assert load_corpus(shared / "corpus").table.set_index("utterance_id").loc[NAME, "text"] == "mbóte na yó"
        assert page.get_by_label("Your name").input_value() == "Adèle"
        page.get_by_role("button", name="Bring this one back").click()
        page.wait_for_selector("text=restored")
        assert page.get_by_label("Transcript, as").input_value() == "Mbote na yo."


def test_two_tabs_lose_nothing(browser: "Browser", shared: Path, shown: Studio) -> None:
    with open_page(browser, shown.address.printed) as first:
        second = first.context.new_page()
        for page in (first, second):
            go(page, shown, PAGE)
        first.get_by_label("Transcript, as").fill("First tab")
        first.get_by_role("button", name="Save", exact=True).click()
        first.wait_for_selector("text=Saved.")
        second.get_by_label("Transcript, as").fill("Second tab")
        second.keyboard.press("Control+Enter")
        second.wait_for_selector("text=Somebody else corrected this meanwhile")
        assert second.locator(".theirs").inner_text() == "First tab"
        assert second.get_by_label("Transcript, as").input_value() == "Second tab"
        assert accessibility_faults(second) == []
        second.get_by_role("button", name="Save", exact=True).click()
        second.wait_for_selector("text=Saved.")
    kept = [(one.kind, one.raw_after) for one in read_corrections(shared)[NAME]][-3:]
    assert kept == [("corrected", "First tab"), ("set aside", "Second tab"), ("corrected", "Second tab")]


def test_what_was_checked_or_refused_is_not_left_without_a_question(browser: "Browser", shown: Studio) -> None:
    with open_page(browser, shown.address.printed) as first:
        page = first.context.new_page()  # where the browser may write to the console that a page was refused
        asked: list[str] = []
        page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.dismiss()))
        for text, button in (("Not saved", "Check only"), ("\x1b", "Save")):
            go(page, shown, PAGE)
            asked.clear()
            page.get_by_label("Transcript, as").fill(text)
            page.get_by_role("button", name=button, exact=True).click()
            page.wait_for_selector("[role=status]")
            assert asked == []
            page.get_by_role("link", name="Next").click()
            assert asked == ["beforeunload"]
            page.get_by_label("Transcript, as").fill("Saved in the end")
            page.get_by_role("button", name="Save", exact=True).click()
            page.wait_for_selector("text=Saved.")
        page.get_by_role("link", name="Next").click()
        until(page, f"location.pathname !== '{PAGE}'")
        assert asked == ["beforeunload"]


def test_a_dropped_recording_is_transcribed_read_along_and_taken_away(
    browser: "Browser", shared: Path, shown: Studio, tmp_path: Path
) -> None:
    recording = write_bursts(tmp_path / "mokɔ́ bursts.wav")
    with open_page(browser, shown.address.printed) as page:
        page.get_by_role("link", name="Transcribe", exact=True).click()
        handle = page.evaluate_handle(
            "bytes => { const data = new DataTransfer();"
            "data.items.add(new File([new Uint8Array(bytes)], 'mokɔ́ bursts.wav')); return data; }",
            list(recording.read_bytes()),
        )
        page.dispatch_event("#drop", "drop", {"dataTransfer": handle})
        page.wait_for_selector("#waiting")
        page.wait_for_selector("#heard, .refusal", timeout=90_000)
        (written,) = _transcripts(shared)
        heard = read_transcript_json(written)
        assert page.locator(".word").all_inner_texts() == [w.text for u in heard.utterances for w in u.words]
        word = page.locator(".word").nth(2)
        word.click()
        page.wait_for_selector(".word.now")
        assert page.locator(".word.now").inner_text() == word.inner_text()
        with page.expect_download() as download:
            page.get_by_role("link", name="ELAN").click()
        assert download.value.suggested_filename == written.with_suffix(".eaf").name
        assert Path(download.value.path()).read_bytes() == written.with_suffix(".eaf").read_bytes()
        for width, dark in ((400, True), (1400, False)):
            page.set_viewport_size({"width": width, "height": 900})
            page.emulate_media(color_scheme="dark" if dark else "light")
            assert accessibility_faults(page) == []
            assert not scrolls_sideways(page)
        page.get_by_role("button", name="Delete from the studio").click()
        page.wait_for_selector("#drop")
    assert not written.parent.exists()


def _transcripts(project: Path) -> list[Path]:
    return [path for path in (project / "studio").glob("*/*.json") if path.name.endswith("bursts.json")]


def test_a_recording_that_is_too_large_is_not_even_sent(browser: "Browser", shared: Path) -> None:
    with open_studio(shared, largest_upload_bytes=1_000) as studio, open_page(browser, studio.address.printed) as page:
        go(page, studio, "/transcribe")
        large = {"name": "long.wav", "mimeType": "audio/wav", "buffer": bytes(5_000_000)}
        page.locator("input[type=file]").set_input_files(large)  # type: ignore[arg-type]
        page.get_by_role("button", name="Transcribe").click()
        page.wait_for_selector("text=long.wav has 5 MB")


def test_a_report_runs_its_script_in_a_box(browser: "Browser", shown: Studio) -> None:
    context = browser.new_context()
    page = context.new_page()
    page.goto(shown.address.printed)
    with context.expect_page() as opened:
        page.locator("section[aria-labelledby=reports] a").first.click()
    report = opened.value
    until(report, "document.getElementById('out').textContent !== 'no script'")
    assert report.locator("#out").inner_text() == "null, no cookies, no fetch"
    context.close()


def test_everybody_can_read_every_page(browser: "Browser", shown: Studio) -> None:
    with open_page(browser, shown.address.printed) as page:
        for width, dark, targets in (
            (400, True, ("/", "/corpus", PAGE, "/transcribe")),
            (1400, False, ("/", "/corpus", PAGE, "/transcribe")),
            (400, False, (PAGE,)),
            (1400, True, ("/corpus",)),
        ):
            page.set_viewport_size({"width": width, "height": 900})
            page.emulate_media(color_scheme="dark" if dark else "light")
            for target in targets:
                go(page, shown, target)
                assert accessibility_faults(page) == [], (target, width, dark)
                assert not scrolls_sideways(page), (target, width, dark)
