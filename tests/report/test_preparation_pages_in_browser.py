"""The pages of the data and of the orthography in a browser: on a phone and a desk, in both looks, by keyboard."""

import base64
import io
import wave
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from browser import accessibility_faults, open_page, scrolls_sideways
from test_data_page import make_contents
from test_orthography_page import make_page

from lowres.report.data_page import render_data_page
from lowres.report.orthography_page import render_orthography_page

if TYPE_CHECKING:
    from playwright.sync_api import Browser


def sound() -> str:
    """Return a tenth of a second of silence as a data URL."""
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setparams((1, 2, 16_000, 0, "NONE", ""))
        writer.writeframes(bytes(3_200))
    return f"data:audio/wav;base64,{base64.b64encode(file.getvalue()).decode()}"


PAGES = {
    "data": lambda: render_data_page(make_contents(), {"f11/tx/11": sound()}),
    "orthography": lambda: render_orthography_page(
        make_page(language_code="mdw"), dict.fromkeys(["u1", "u2", "u3", "u4"], sound())
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", PAGES)
def test_it_is_read_on_a_phone_and_a_desk_in_both_looks_and_heard_by_keyboard(
    name: str, browser: "Browser", tmp_path: Path
) -> None:
    path = tmp_path / "report.html"
    path.write_text(PAGES[name](), encoding="utf-8")
    for width, dark in ((400, False), (1400, True)):
        with open_page(browser, path, width=width, dark=dark) as page:
            assert not scrolls_sideways(page)
            assert accessibility_faults(page) == []
    with open_page(browser, path) as page:
        for _ in range(60):
            page.keyboard.press("Tab")
            if page.evaluate("document.activeElement.tagName") == "AUDIO":
                return
    pytest.fail("no recording can be reached with the Tab key")
