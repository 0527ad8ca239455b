"""The tag of a language that browsers, screen readers and fonts understand."""

import re
from typing import Final

_TAG: Final = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")


def language_tag(language: str, script: str = "") -> str:
    """Return a tag of BCP 47, which takes the two letters of ISO 639-1 where a language has them (RFC 5646, 2.2.1).

    Args:
        language: a code of ISO 639-3, or a tag; anything else, such as a name, gives "".
        script: a code of ISO 15924, or "".
    """
    if not _TAG.fullmatch(language):
        return ""
    code, *rest = language.split("-")
    return "-".join(filter(None, (_shortest(code), script, *rest)))


def _shortest(code: str) -> str:
    import iso639  # a third of a second: only for pages

    try:
        return iso639.Language.from_part3(code).part1 or code
    except iso639.LanguageNotFoundError:
        return code
