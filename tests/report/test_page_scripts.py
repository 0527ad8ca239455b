"""Scripts and data in a page: allowed by hash, and nothing in the data can end it early."""

import base64
import hashlib
import json
import re

import pytest

from lowres.report.scripts import page_data, page_script


@pytest.mark.parametrize(
    "text",
    [
        "</script>",
        "<!--<script>",
        "]]>&amp;",
        "a\u202eb\u2066",
        "\u2028\u2029",
        "nul\x00\x7f\x85",
        "\U000e0041",
        "t͡ʃɛ́",
        '"\\',
    ],
)
def test_data_holds_nothing_that_could_end_it_and_reads_back(text: str) -> None:
    written = page_data({"line": [text]})
    assert json.loads(written) == {"line": [text]}
    assert not re.search("[<>&\u2028-\u202e\u2066-\u2069\x00-\x1f\x7f-\x9f]", written)


def test_a_lone_surrogate_reaches_the_page_as_its_escape() -> None:
    written = page_data(["a\udc80"]).encode("utf-8", "backslashreplace")
    assert written == rb'["a\udc80"]'


def test_a_script_is_allowed_by_the_hash_of_its_text() -> None:
    script = page_script("report_player.js", "report.js")
    digest = base64.b64encode(hashlib.sha256(script.text.encode()).digest()).decode()
    assert script.policy_source == f"'sha256-{digest}'"
    assert "</" not in script.text
