"""Foreign text in Markdown: names, licences and citations stay text, whatever they hold."""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Final

_LONGEST: Final = 600
# Bidi marks, embeddings and isolates, invisible characters and tags; joiners are orthography and stay.
_HIDING = re.compile(
    "[\u00ad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\U000e0000-\U000e007f\ud800-\udfff]"
)
_ACTIVE = re.compile(r"[\\`*\[\]|~#]|(?<![^\W_])_|_(?![^\W_])")
"""What Markdown reads as markup; an underscore inside a word is none."""

_OPENS_BLOCK = re.compile(r"^(\d{0,9})([-+=.)])(?=\s|$|[-=])")
"""What would begin a list, or a line across the page."""


def as_text(text: str, limit: int = _LONGEST) -> str:
    """Write a foreign text as it is read: on one line, without markup, with what hides or reorders others named.

    Args:
        text: anything; a lone surrogate, which no file can hold, is named too.
        limit: characters shown of a longer one.
    """
    shown = text if len(text) <= limit else f"{text[:limit]}… ({len(text):,} characters)"
    shown = "".join(" " if unicodedata.category(one) in ("Cc", "Zl", "Zp") else one for one in shown)
    shown = _HIDING.sub(lambda match: f"U+{ord(match.group()):04X}", " ".join(shown.split(" ")))
    shown = shown.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _OPENS_BLOCK.sub(r"\1\\\2", _ACTIVE.sub(lambda match: f"\\{match.group()}", " ".join(shown.split())))


def facts_table(facts: Iterable[tuple[str, str]]) -> list[str]:
    """Write names and foreign values as the lines of a table without a head; what has no value is left out."""
    return ["| | |", "|---|---|", *(f"| {name} | {as_text(value)} |" for name, value in facts if value), ""]


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Write the lines of a table; all cells are foreign text."""
    lines = [f"| {' | '.join(heads)} |", f"|{'---|' * len(heads)}"]
    return [*lines, *(f"| {' | '.join(map(as_text, row))} |" for row in rows), ""]
