"""Writes a page beside its JSON, and lets the pages about one corpus name each other once both are there."""

import os
from pathlib import Path
from typing import Final

from markupsafe import Markup

from lowres.errors import LowresError

PAGE_FILE: Final = "report.html"
OTHER_PAGE: Final = Markup("<!--other page-->")
"""Where a page has room for a link to the other one; a transcript cannot hold it, since its < is escaped."""


def write_file(path: Path, content: str) -> int:
    """Write a file under a temporary name and rename it, so that an earlier one is replaced only by a whole one.

    Returns:
        Its size in bytes.

    Raises:
        LowresError: it cannot be written.
    """
    data = content.encode("utf-8", "backslashreplace")
    writing = path.with_name(f".{path.name}.writing-{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        writing.write_bytes(data)
        writing.replace(path)
    except OSError as error:
        raise LowresError(
            f"The report {path} could not be written: {error.strerror or error}.",
            "Free some disk space or check the folder's permissions, then give the same command again.",
        ) from error
    finally:
        writing.unlink(missing_ok=True)
    return len(data)


def link_pages(one: tuple[Path, str], other: tuple[Path, str]) -> None:
    """Let two pages name each other, where both are there; what is linked already stays as it is.

    Args:
        one, other: each a page and what a link to it says.

    Raises:
        LowresError: a page cannot be written.
    """
    if not (one[0].is_file() and other[0].is_file()):
        return
    for (page, _), (target, title) in ((one, other), (other, one)):
        content = page.read_text(encoding="utf-8")
        if OTHER_PAGE in content:
            address = Path(os.path.relpath(target, page.parent)).as_posix()
            link = Markup('<a class="other" href="{}">{}</a>').format(address, title)
            write_file(page, content.replace(OTHER_PAGE, link, 1))
