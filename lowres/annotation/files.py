"""Files of annotations as bytes and text: read whole, decoded whatever program wrote them, and written all at once."""

import codecs
import os
import re
from contextlib import suppress
from pathlib import Path

from lowres.errors import CorpusError

_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_LINE_BREAK = re.compile(r"\r\n|\n|\r")


def read_bytes(path: Path) -> bytes:
    """Return everything in a file.

    Raises:
        CorpusError: there is no ordinary file (a folder, a pipe or a device is none), or it cannot be read.
    """
    if not path.is_file():
        raise CorpusError(f"There is no file at {path}.", "Correct the path.")
    try:
        return path.read_bytes()
    except OSError as error:
        raise CorpusError(f"{path} cannot be read: {error.strerror or error}.") from error


def decode_text(contents: bytes, path: Path) -> tuple[str, tuple[str, ...]]:
    """Return a file's bytes as text, and the notes on what had to be guessed (none where it is Unicode).

    A byte order mark decides, then UTF-16 without one (it shows in the zero bytes of the first letter), then UTF-8 if
    every byte fits; else Latin-1, which Praat and others wrote for long, or Windows-1252, its usual extension, if
    there are bytes that Latin-1 has no letters for.

    Raises:
        CorpusError: a marked file that is damaged, or UTF-8 with a few damaged bytes, with the line.
    """
    encoding = next((name for mark, name in _MARKS if contents.startswith(mark)), "")
    if not encoding and len(contents) > 1 and 0 in contents[:2]:
        encoding = "utf-16-be" if contents[0] == 0 else "utf-16-le"
    try:
        return contents.decode(encoding or "utf-8"), ()
    except UnicodeDecodeError as error:
        line = contents.count(b"\n", 0, error.start) + 1
        if encoding:
            raise CorpusError(
                f"{path} begins as {encoding.removesuffix('-sig').upper()} and is damaged on line {line}.",
                "Save the file again, as UTF-8, with the program that wrote it.",
            ) from error
        return _decode_western(contents, path, line)


def split_lines(text: str) -> list[str]:
    """Return the lines of a text without their ends, be they those of Unix, Windows or an old Macintosh."""
    return _LINE_BREAK.split(text)


def write_text(path: Path, text: str) -> None:
    """Write a text as UTF-8, as it is; a file of that name is replaced only once the new one is whole.

    Raises:
        CorpusError: the file cannot be written, or the text holds half a letter (a lone surrogate).
    """
    writing = path.with_name(f".{path.name}.writing-{os.getpid()}")
    try:
        writing.write_bytes(text.encode("utf-8"))
        writing.replace(path)
    except UnicodeEncodeError as error:
        raise CorpusError(
            f"{path} cannot be written: the text holds {text[error.start]!r}, which is half a letter.",
            "Correct that text; it was damaged where it was read.",
        ) from error
    except OSError as error:
        raise CorpusError(
            f"{path} cannot be written: {error.strerror or error}.",
            "Give a folder that exists and that you may write to.",
        ) from error
    finally:
        with suppress(OSError):
            writing.unlink(missing_ok=True)


def _decode_western(contents: bytes, path: Path, line: int) -> tuple[str, tuple[str, ...]]:
    lenient = contents.decode("utf-8", errors="replace")
    fitting = sum(map(len, re.findall(r"[^\x00-\x7f\ufffd]+", lenient)))
    # Text of one byte a letter hardly ever holds two letters in a row that happen to be valid UTF-8.
    if fitting >= lenient.count("\ufffd"):
        raise CorpusError(
            f"{path}: line {line} holds bytes that are not UTF-8, although the rest of the file is.",
            "Correct that line, and save the file as UTF-8.",
        )
    name, text = "Latin-1", contents.decode("latin-1")
    if re.search("[\x80-\x9f]", text):
        with suppress(UnicodeDecodeError):
            name, text = "Windows-1252", contents.decode("cp1252")
    return text, (f"The encoding was guessed to be {name}: line {line} is not UTF-8, and nothing in the file says.",)
