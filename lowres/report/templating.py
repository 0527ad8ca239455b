"""What all report pages share: how templates are set up, how foreign text is shown, and the style sheets.

Names and transcripts are text and stay text: jinja2 escapes them, and control characters that could hide or reorder
what stands around them are named.
"""

import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from lowres.report.sentences import duration_text, interval_text, percent
from lowres.scoring.marks import is_mark

_TEMPLATES = Path(__file__).parent / "templates"
_LONGEST_WORD = 400
LONGEST_UNIT: Final = 40
"""How many characters of a letter or word stand in a table or on a button."""

# C0 and C1 controls, bidi marks, embeddings and isolates, line separators, BOM, tags; joiners are orthography and stay.
CONTROLS: Final = re.compile(
    "[\x00-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\U000e0000-\U000e007f]"
)

_QUOTATION: Final = re.compile("(“[^”]*”)")


def make_environment() -> Environment:
    """Set up the templates: everything is escaped, and an unknown name is an error."""
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES, encoding="utf-8"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(visible=visible, quoted=quoted, plain=plain, clipped=clipped, unit=unit)
    environment.filters.update(number="{:,}".format, percent=percent, interval=interval_text, duration=duration_text)
    return environment


@cache
def page_environment(**filters: Callable[..., object]) -> Environment:
    """Return the environment of a page with filters of its own: made once, since compiling templates takes a while."""
    environment = make_environment()
    environment.filters.update(filters)
    return environment


def read_template(name: str) -> str:
    """Return a file of the templates folder as it is."""
    return (_TEMPLATES / name).read_text(encoding="utf-8")


def style_sheet(*names: str) -> Markup:
    """Return style sheets of the templates folder, one after the other, to stand in a page's `<style>`."""
    return Markup("\n").join(Markup(read_template(name)) for name in names)


def visible(text: str) -> Markup:
    """Escape a text and name, in a span of their own, the control characters that would hide or reorder others."""
    pieces = []
    end = 0
    for match in CONTROLS.finditer(text):
        pieces += [
            escape(text[end : match.start()]),
            Markup('<span class="control">{}</span>').format(_name(match)),
        ]
        end = match.end()
    return Markup("").join([*pieces, escape(text[end:])])


def quoted(text: str) -> Markup:
    """Show a sentence as `visible` does, and set apart in `<bdi>` what it quotes between “ and ”.

    A count after right-to-left letters would otherwise join their run and stand beside another letter's.
    """
    pieces = [visible(piece) for piece in _QUOTATION.split(text)]
    pieces[1::2] = [Markup("<bdi>{}</bdi>").format(piece) for piece in pieces[1::2]]
    return Markup("").join(pieces)


def plain(text: str) -> str:
    """Name control characters as `visible` does, without markup: for titles, descriptions and attributes."""
    return CONTROLS.sub(_name, text)


def _name(match: re.Match[str]) -> str:
    return f"U+{ord(match.group()):04X}"


def clipped(text: str, limit: int = _LONGEST_WORD) -> Markup:
    """Show a word; of one longer than `limit` only the beginning, and how long it is."""
    if len(text) <= limit:
        return visible(text)
    return visible(text[:limit]) + Markup("… ({:,} characters)").format(len(text))


def unit(text: str) -> Markup:
    """Show a letter or word of a confusion table: a space is named, marks alone stand on a dotted circle."""
    if text == " ":
        return Markup('<span class="control">space</span>')
    if text and all(is_mark(character) for character in text):
        return visible("\u25cc" + text)
    return clipped(text, LONGEST_UNIT)
