"""Scripts and data inside a page: a script is allowed by its hash alone, and no transcript can end the data early.

A page that needs a script (to sort, search, play) holds it in one `<script>` whose sha256 its content security policy
names; nothing else runs. What the script shows stands in a `<script type="application/json">`, which no browser runs.
"""

import base64
import hashlib
import json
import re
from dataclasses import dataclass
from typing import Any, Final

from markupsafe import Markup

from lowres.report.templating import CONTROLS, read_template

# "<", ">" and "&" could end the element or open a comment; controls of direction could mislead who reads the source.
_ESCAPED: Final = re.compile(f"[<>&]|{CONTROLS.pattern}")


@dataclass(frozen=True)
class PageScript:
    """A script as it stands in a page, and the source that the page's content security policy allows it by."""

    text: Markup
    policy_source: str


def page_script(*names: str) -> PageScript:
    """Join script files of the templates folder, in this order, into one script.

    Args:
        names: e.g. "report_player.js"; what one declares at its top the next can use.
    """
    text = "".join(read_template(name) for name in names)
    if "</" in text:
        raise ValueError("a script in a page must not hold '</', which could end its element")
    # A browser hashes the text between the tags, line breaks as LF.
    digest = base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode("ascii")
    return PageScript(Markup(text), f"'sha256-{digest}'")


def page_data(value: Any) -> Markup:
    """Write a value as JSON that can stand in a `<script type="application/json">` whatever text is in it.

    Args:
        value: lists, dicts, strings, numbers; a lone surrogate is kept as its escape.

    Raises:
        ValueError: a number is not finite, which JSON cannot say.
    """
    written = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return Markup(_ESCAPED.sub(_escape, written))


def _escape(match: re.Match[str]) -> str:
    units = match.group().encode("utf-16-be")
    return "".join(f"\\u{units[i]:02x}{units[i + 1]:02x}" for i in range(0, len(units), 2))
