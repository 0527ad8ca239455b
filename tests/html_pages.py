"""Reads a page strictly, for the tests of the pages: what closes, what is named, what could act."""

from html.parser import HTMLParser
from itertools import pairwise

VOID = {"meta", "br", "img", "hr", "link", "input", "path", "rect", "circle"}


class Page(HTMLParser):
    """The elements, ids, addresses, headings and text of a page; what does not close, or could act, is an error."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.addresses: list[str] = []
        self.text = ""
        self.feed(source)
        self.close()
        assert self.open == []
        ids = self.all("id")
        assert len(ids) == len(set(ids))
        assert {address[1:] for address in self.addresses if address.startswith("#")} <= set(ids)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep an element."""
        values = {name: value or "" for name, value in attrs}
        self.elements.append((tag, values))
        self.addresses += [values[name] for name in ("src", "href") if name in values]
        assert not any(name.startswith("on") for name in values)
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """Close an element."""
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        """Keep text that people see."""
        if self.open and self.open[-1] not in ("style", "title"):
            self.text += data

    def named(self, tag: str) -> list[dict[str, str]]:
        """Return the attributes of all elements of a kind."""
        return [values for name, values in self.elements if name == tag]

    def all(self, attribute: str) -> list[str]:
        """Return all values of an attribute."""
        return [values[attribute] for _, values in self.elements if attribute in values]


def check_accessible(page: Page) -> None:
    """Assert what people who use a keyboard or a screen reader need."""
    levels = [int(tag[1]) for tag, _ in page.elements if tag in ("h1", "h2", "h3", "h4")]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    assert page.named("html")[0]["lang"] == "en"
    assert [len(page.named(tag)) for tag in ("header", "main", "footer", "nav")] == [1, 1, 1, 1]
    assert all(values.get("scope") in ("col", "row", "rowgroup") for values in page.named("th"))
    assert len(page.named("caption")) == len(page.named("table"))
    assert all(values.get("aria-label") for values in page.named("audio"))
    regions = [values for values in page.named("div") if values.get("class") == "scroll"]
    assert all(values["tabindex"] == "0" and values["role"] == "region" and values["aria-label"] for values in regions)
    labels = {values["for"] for values in page.named("label")}
    assert {values["id"] for values in page.named("textarea")} <= labels


def check_alone(page: Page, source: str) -> None:
    """Assert that a page runs nothing and asks for nothing outside, but for another page of lowres beside it."""
    assert not page.named("script")
    assert all(address.startswith(("#", "data:audio/", "../")) for address in page.addresses)
    assert "default-src 'none'" in source
    assert "url(" not in source
    assert "@import" not in source
