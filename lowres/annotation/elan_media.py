"""The recordings that an ELAN file names: ELAN's way of writing a path as an address, there and back."""

import os
import re
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from urllib.parse import unquote

from lowres.annotation.tiers import MediaLink
from lowres.errors import CorpusError

_DRIVE = re.compile(r"[A-Za-z][:|](?=[/\\]|$)")
_REMOTE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:")
_LOOKS_ENCODED = re.compile(r"%(?=[0-9A-Fa-f]{2})")
_MOST_SECONDS = 10**9
_MILLISECONDS = re.compile(r"[+-]?[0-9]{1,12}(?:\.[0-9]{1,9})?")

# The types that ELAN itself writes; it looks only at whether there is sound, or a picture, or both.
_MIME_TYPES = {
    ".wav": "audio/x-wav",
    ".mpg": "video/mpeg",
    ".mpeg": "video/mpeg",
    ".mov": "video/quicktime",
    ".mp4": "video/mp4",
    **dict.fromkeys((".aac", ".aif", ".aiff", ".amr", ".flac", ".m4a", ".mp3", ".ogg", ".opus", ".wma"), "audio/*"),
    **dict.fromkeys((".avi", ".flv", ".m4v", ".mkv", ".mts", ".webm", ".wmv"), "video/*"),
}


def read_media_link(attributes: Mapping[str, str]) -> tuple[MediaLink, bool]:
    """Read the attributes of a MEDIA_DESCRIPTOR.

    Returns:
        The link, and whether its TIME_ORIGIN (milliseconds) is a number; where it is not, the offset is 0.
    """
    written = attributes.get("TIME_ORIGIN", "0").strip()
    understood = _MILLISECONDS.fullmatch(written) is not None
    relative = attributes.get("RELATIVE_MEDIA_URL", "")
    link = MediaLink(
        path=path_from_url(attributes.get("MEDIA_URL", "")),
        relative_path=path_from_url(relative) if relative.startswith("file:") else _decode(relative),
        offset_seconds=float(written) / 1000 if understood else 0.0,
    )
    return link, understood


def path_from_url(url: str) -> str:
    """Return the path that a file: address stands for, drive letters and servers included; anything else as it is."""
    if url[:5].lower() != "file:":
        return url
    decoded = _decode(url[5:])
    path = decoded.lstrip("/")
    num_slashes = len(decoded) - len(path)
    if num_slashes == 2 and path.lower().startswith("localhost/"):
        path, num_slashes = path[len("localhost/") :], 3
    if _DRIVE.match(path):
        return f"{path[0]}:{path[2:]}"
    if num_slashes == 0 or path.startswith(("./", "../", "\\\\")):
        return path
    # Two slashes, or Java's four and five, begin the name of a server.
    return f"//{path}" if num_slashes == 2 or num_slashes > 3 else f"/{path}"


def write_media_link(link: MediaLink, folder: Path) -> dict[str, str]:
    """Return the attributes of a MEDIA_DESCRIPTOR.

    Args:
        folder: where the ELAN file will be; the relative path starts there, where the link has none.

    Raises:
        CorpusError: the offset is not a time.
    """
    if not abs(link.offset_seconds) <= _MOST_SECONDS:  # nor NaN
        raise CorpusError(
            f"The offset of the recording {link.path!r} is {link.offset_seconds}, which is no time.",
            "Give the offset in seconds, or 0.",
        )
    relative = _LOOKS_ENCODED.sub("%25", link.relative_path or _relative_path(link.path, folder))
    attributes = {"MEDIA_URL": _url_from_path(link.path) or relative, "MIME_TYPE": _mime_type(link)}
    if relative:
        attributes["RELATIVE_MEDIA_URL"] = relative
    if origin := round(link.offset_seconds * 1000):
        attributes["TIME_ORIGIN"] = str(origin)
    return attributes


def _decode(text: str) -> str:
    """Turn %20 and the like back; a text that they do not fit in was never encoded, and stays."""
    try:
        decoded = unquote(text, errors="strict")
    except UnicodeDecodeError:
        return text
    return text if "\0" in decoded else decoded


def _url_from_path(path: str) -> str:
    """Write a path as ELAN does: it takes spaces and letters of any script as they are and decodes nothing."""
    if _REMOTE.match(path):
        return path
    drive = _DRIVE.match(path) is not None
    if drive or path.startswith("\\\\"):
        path = path.replace("\\", "/")
    if not drive and not path.startswith("/"):
        return path
    # A percent sign that could be taken for an encoded letter is the one thing that has to be encoded.
    path = _LOOKS_ENCODED.sub("%25", path)
    if drive:
        return f"file:///{path}"
    return f"file:{path}" if path.startswith("//") else f"file://{path}"


def _relative_path(path: str, folder: Path) -> str:
    """Name a path from the folder of the ELAN file, which is what finds a recording after both have moved."""
    if not path or _REMOTE.match(path) or _DRIVE.match(path) or path.startswith(("//", "\\\\")):
        return ""
    if not path.startswith("/"):
        return path if path.startswith(("./", "../")) else f"./{path}"
    try:
        relative = os.path.relpath(path, folder.absolute()).replace(os.sep, "/")
    except ValueError:  # another drive
        return ""
    return relative if relative.startswith("../") else f"./{relative}"


def _mime_type(link: MediaLink) -> str:
    suffix = PurePosixPath((link.path or link.relative_path).replace("\\", "/")).suffix.lower()
    return _MIME_TYPES.get(suffix, "unknown")
