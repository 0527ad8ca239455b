"""Writes a page beside its JSON, and lets the pages about one corpus name each other once both are there."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from markupsafe import Markup

from lowres.errors import LowresError
from lowres.manifest.whole_files import replace_file

PAGE_FILE: Final = "report.html"
DATA_FILE: Final = "report.json"
OTHER_PAGE: Final = Markup("<!--other page-->")
"""Where a page has room for a link to the other one; a transcript cannot hold it, since its < is escaped."""

_AGAIN: Final = "Free some disk space or check the folder's permissions, then give the same command again."


def address_beside(folder_name: str) -> str:
    """Return the address of the page in a folder as a page in the folder beside it links to it, whatever its name."""
    return f"../{quote(os.fsencode(folder_name))}/{PAGE_FILE}"


def write_file(path: Path, content: str, *, hint: str = _AGAIN) -> int:
    """Write a file under a temporary name and rename it, so that an earlier one is replaced only by a whole one.

    Args:
        path: of the file.
        content: a lone surrogate, which UTF-8 cannot hold, is written as its escape.
        hint: what to do where it cannot be written.

    Returns:
        Its size in bytes.

    Raises:
        LowresError: it cannot be written.
    """
    try:
        return replace_file(path, [content.encode("utf-8", "backslashreplace")])
    except OSError as error:
        raise LowresError(f"The report {path} could not be written: {error.strerror or error}.", hint) from error


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


def write_page_and_data(folder: Path, data: Mapping[str, Any], page: str, *, hint: str = _AGAIN) -> int:
    """Write report.json and report.html into a folder and return the page's size in bytes.

    Args:
        folder: e.g. reports/curve.
        data, page: the contents of the two.
        hint: what to do where they cannot be written.

    Raises:
        LowresError: the folder cannot be written.
    """
    write_file(folder / DATA_FILE, data_text(data), hint=hint)
    return write_file(folder / PAGE_FILE, page, hint=hint)


def data_text(data: Mapping[str, Any]) -> str:
    """Return what report.json holds: JSON with letters as they are; numbers that JSON does not know are refused."""
    return json.dumps(data, ensure_ascii=False, indent=1, allow_nan=False) + "\n"
