"""The chart kit in a browser: it fits a phone, is read in grey and by axe, and keeps foreign names text."""

from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from browser import accessibility_faults, open_page, scrolls_sideways
from chart_page import HOSTILE, render_charts

if TYPE_CHECKING:
    from playwright.sync_api import Browser

# The luminance of the colours of the shades, from nothing to the most, as grey paper shows them.
_GREYS = """() => [0, 1, 2, 3, 4, 5].map(shade => {
  const cell = document.querySelector(shade ? `.heat td.shade-${shade}` : '.heat tbody td:not([class])');
  const probe = document.createElement('canvas').getContext('2d');
  probe.fillStyle = getComputedStyle(cell).backgroundColor;
  probe.fillRect(0, 0, 1, 1);
  const [r, g, b] = probe.getImageData(0, 0, 1, 1).data;
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
})"""


@pytest.mark.slow
def test_all_charts_are_readable_at_a_phones_width_in_grey_and_without_sight(
    browser: "Browser", tmp_path: Path
) -> None:
    path = tmp_path / "charts.html"
    path.write_text(render_charts(), encoding="utf-8")
    for width, dark in ((400, False), (1400, True)):
        with open_page(browser, path, width=width, dark=dark) as page:
            assert not scrolls_sideways(page)
            assert accessibility_faults(page) == []
            greys = page.evaluate(_GREYS)
            assert greys == sorted(greys, reverse=not dark)
            assert all(abs(a - b) > 5 for a, b in pairwise(greys))
            assert page.locator("text=" + HOSTILE).count() >= 2
            box = page.locator(".heat .scroll")
            assert box.evaluate("box => box.scrollWidth > box.clientWidth")
