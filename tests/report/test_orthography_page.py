"""The page of the orthography audit: every grapheme named, words to hear, rules to copy, and nothing that acts."""

import tomllib
from pathlib import Path

import pytest
from html_pages import Page, check_accessible, check_alone

from lowres.report.orthography_page import AuditPage, example_ids, letter, render_orthography_page, wanted_clips
from lowres.report.writing import OTHER_PAGE, link_pages
from lowres.text.audit import audit_orthography
from lowres.text.audit_findings import FINDING_TITLES

TEXTS = [
    ("u1", "Twεrε mwásí, 13 \u2018na\u2019."),
    ("u2", "Ba [na] “to” X.Y. \\x1D"),
    ("u3", "\u0301ba e\u0301 é \u202e ba\u200bna"),
    ("u4", "<script>alert(1)</script> </textarea><img src=x onerror=alert(1)>"),
]
SOUND = "data:audio/wav;base64,UklGRg=="


def make_page(**changes: object) -> AuditPage:
    audit = audit_orthography(TEXTS, alphabet=("a", "b", "q"))
    values: dict[str, object] = {
        "audit": audit,
        "name": "tiny",
        "language": "Tiny",
        "language_code": "xyz",
        "source": "/corpus",
        "from_prepared": True,
        "notes": ("guessed <b>",),
        "snippet": ["[text]", "rules = [", '    "nfc",  # </textarea><script>', "]"],
        "transcripts": dict(TEXTS),
    }
    return AuditPage(**(values | changes))  # type: ignore[arg-type]


def test_the_page_is_whole_alone_and_accessible() -> None:
    source = render_orthography_page(make_page(), dict.fromkeys(["u1", "u2", "u3", "u4"], SOUND))
    page = Page(source)
    check_alone(page, source)
    check_accessible(page)
    assert not page.named("img")
    assert "\u202e" not in source


def test_every_grapheme_stands_there_with_name_code_points_and_script() -> None:
    text = Page(render_orthography_page(make_page(), {})).text
    for expected in ("GREEK SMALL LETTER EPSILON", "U+03B5", "Greek", "LATIN SMALL LETTER A WITH ACUTE", "U+00E1"):
        assert expected in text


def test_every_finding_has_its_title_and_its_place() -> None:
    page = make_page()
    source = render_orthography_page(page, {})
    ids = Page(source).all("id")
    assert {finding.kind for finding in page.audit.findings} <= set(ids)
    assert set(FINDING_TITLES) >= {finding.kind for finding in page.audit.findings}
    assert len(page.audit.findings) > 6


def test_tone_marks_are_told_to_be_orthography() -> None:
    text = Page(render_orthography_page(make_page(), {})).text
    assert "acute: usually high tone" in text
    assert "usually write tone" in text


def test_an_utterance_is_embedded_once_and_linked_to_afterwards() -> None:
    source = render_orthography_page(make_page(), {"u1": SOUND})
    page = Page(source)
    assert len(page.named("audio")) == 1
    assert source.count("Hear it") > 3
    assert "1 utterance can be heard here" in " ".join(page.text.split())


def test_the_snippet_can_be_copied_as_it_is() -> None:
    lines = ["[text]", "rules = [", '    { map = { "<&>" = "é" } },', "]"]
    source = render_orthography_page(make_page(snippet=lines), {})
    box = source[source.index("<textarea") : source.index("</textarea>")]
    copied = box[box.index(">") + 1 :].replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    copied = copied.replace("&#34;", '"')
    assert tomllib.loads(copied) == {"text": {"rules": [{"map": {"<&>": "é"}}]}}


def test_findings_are_heard_first_and_short_utterances_are_preferred() -> None:
    audit = audit_orthography([("long", "aε a"), ("short", "bε b"), *((f"u{i}", "aba") for i in range(20))])
    assert audit.findings[0].kind == "mixed-scripts"
    assert wanted_clips(audit, {"long": 20.0, "short": 1.0})[0] == "short"
    assert {"long", "short"} <= example_ids(audit)


def test_of_no_marks_and_no_findings_there_is_a_page() -> None:
    audit = audit_orthography([(f"u{i}", "ba na") for i in range(30)])
    page = Page(render_orthography_page(make_page(audit=audit, notes=(), from_prepared=False), {}))
    check_accessible(page)
    assert "after “lowres prepare” there will be" in page.text


@pytest.mark.parametrize(("shown", "expected"), [(" ", "space"), ("\u0301", "\u25cc\u0301"), ("\u200b", "U+200B")])
def test_what_cannot_be_seen_is_named(shown: str, expected: str) -> None:
    assert expected in letter(shown)


def test_the_two_pages_name_each_other_once_both_are_there(tmp_path: Path) -> None:
    one, other = tmp_path / "data" / "report.html", tmp_path / "orthography" / "report.html"
    for page in (one, other):
        page.parent.mkdir()
    one.write_text(f"<p>{OTHER_PAGE}</p>", encoding="utf-8")
    link_pages((one, "data"), (other, "letters & marks"))
    assert OTHER_PAGE in one.read_text(encoding="utf-8")
    other.write_text(f"<p>{OTHER_PAGE}</p>", encoding="utf-8")
    link_pages((one, "data"), (other, "letters & marks"))
    expected = '<p><a class="other" href="../orthography/report.html">letters &amp; marks</a></p>'
    assert one.read_text(encoding="utf-8") == expected
    assert 'href="../data/report.html"' in other.read_text(encoding="utf-8")
    link_pages((one, "data"), (other, "letters & marks"))
    assert one.read_text(encoding="utf-8") == expected
