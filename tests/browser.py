"""A real browser for the tests of pages: Chromium, driven by Playwright, and axe-core's rules on what it shows.

Playwright's own browsers are not downloaded: the system's Chromium is used (Debian: `apt-get install chromium`), and
a test that asks for it skips, saying so, where there is none.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

SERIOUS = ("serious", "critical")


def find_chromium() -> str | None:
    """Return the path of the system's Chromium or Chrome; LOWRES_CHROMIUM names another."""
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    return os.environ.get("LOWRES_CHROMIUM") or next(filter(None, map(shutil.which, names)), None)


@contextmanager
def open_browser() -> Iterator[Browser]:
    """Start a headless Chromium; the test skips where there is none."""
    path = find_chromium()
    if path is None:
        pytest.skip("no Chromium on this machine: install it, or name it in LOWRES_CHROMIUM")
    quiet = ["--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-component-update"]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        quiet.append("--no-sandbox")  # Chromium refuses to run as root otherwise
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=quiet)
        yield browser
        browser.close()


@contextmanager
def open_page(
    browser: Browser, address: str | Path, *, width: int = 1400, height: int = 900, dark: bool = False
) -> Iterator[Page]:
    """Open a file or address; whatever its scripts throw, or write as errors to the console, fails the test."""
    context = browser.new_context(
        viewport={"width": width, "height": height}, color_scheme="dark" if dark else "light", reduced_motion="reduce"
    )
    page = context.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
    page.goto(address.resolve().as_uri() if isinstance(address, Path) else address)
    yield page
    context.close()
    assert faults == []


def accessibility_faults(page: Page) -> list[str]:
    """Return what axe-core finds serious or critical on the page as it is now, a line each with the first element."""
    found = Axe().run(page).response["violations"]
    return [
        f"{one['id']}: {one['help']} ({len(one['nodes'])}, the first: {one['nodes'][0]['html'][:200]})"
        for one in found
        if one["impact"] in SERIOUS
    ]


def scrolls_sideways(page: Page) -> bool:
    """Tell whether the page is wider than its window."""
    return bool(page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"))
