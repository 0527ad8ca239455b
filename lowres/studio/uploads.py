"""A recording that a browser sends, written into the project as it comes, up to a limit."""

import re
import unicodedata
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final
from uuid import uuid4

from python_multipart import MultipartParser
from python_multipart.exceptions import MultipartParseError
from python_multipart.multipart import parse_options_header
from starlette.requests import ClientDisconnect, Request

from lowres.corpora.settings import AUDIO_SUFFIXES
from lowres.errors import LowresError

if TYPE_CHECKING:
    from python_multipart.multipart import MultipartCallbacks

PARTIAL_SUFFIX: Final = ".partial"
_LONGEST_STEM: Final = 80
_LONGEST_STEM_BYTES: Final = 160
"""Most systems take 255 for a name, and transcripts get longer endings than the recording has."""
_ROOM_FOR_THE_REST: Final = 100_000
"""Bytes of a request that are not the recording."""

_SIGNS_IN_NAMES: Final = "_.()- "
# Windows' devices; and the file that keeps what `lowres transcribe` did, beside which the transcripts would lie.
_RESERVED: Final = re.compile(r"(?i)(con|prn|aux|nul|com\d|lpt\d|transcribed)(\..*)?")


class TooLargeError(LowresError):
    """A recording that is larger than the studio was told to take."""


@dataclass(frozen=True)
class Upload:
    """A recording that has come: where it is now, and a file name for it that no path can be made of."""

    path: Path
    name: str


@dataclass
class _Receiver:
    """Takes the parts of a form as they come; the file of the first one that has a name is written down."""

    path: Path
    largest_bytes: int
    file_name: str = ""
    size: int = 0
    _file: IO[bytes] | None = None
    _header: bytearray = field(default_factory=bytearray)
    _value: bytearray = field(default_factory=bytearray)
    _is_wanted: bool = False

    def callbacks(self) -> "MultipartCallbacks":
        """Return what the parser calls."""
        return {
            "on_header_field": lambda data, start, end: self._header.extend(data[start:end]),
            "on_header_value": lambda data, start, end: self._value.extend(data[start:end]),
            "on_header_end": self._end_header,
            "on_part_data": self._take,
            "on_part_end": self._end_part,
        }

    def _end_header(self) -> None:
        if bytes(self._header).lower() == b"content-disposition":
            _, options = parse_options_header(bytes(self._value))
            name = options.get(b"filename", b"").decode("utf-8", "replace")
            if name and not self.file_name:
                self.file_name, self._is_wanted = safe_name(name), True
                _demand_recording(self.file_name)
                self._file = self.path.open("xb")
        self._header.clear()
        self._value.clear()

    def _take(self, data: bytes, start: int, end: int) -> None:
        if not self._is_wanted or self._file is None:
            return
        self.size += end - start
        if self.size > self.largest_bytes:
            raise too_large(self.largest_bytes)
        self._file.write(data[start:end])

    def _end_part(self) -> None:
        self._is_wanted = False

    def close(self) -> None:
        """Close the file, whole or not."""
        if self._file is not None:
            self._file.close()


async def receive_recording(request: Request, folder: Path, largest_bytes: int) -> Upload:
    """Write the recording of a form into a folder, under a name of its own.

    Args:
        request: whose body is a form with a file. folder: exists. largest_bytes: of the recording; of a larger one
            nothing is read where its size is announced, and nothing is kept where it is not.

    Raises:
        TooLargeError: it is larger.
        LowresError: no recording came, or not all of it, or the disk refused; nothing is left of it.
    """
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and int(announced) > largest_bytes + _ROOM_FOR_THE_REST:
        raise too_large(largest_bytes)
    kind, options = parse_options_header(request.headers.get("content-type", ""))
    if kind != b"multipart/form-data" or not options.get(b"boundary"):
        raise LowresError("No recording came with that.", "Choose a recording and send it again.")
    receiver = _Receiver(folder / f"{uuid4().hex}{PARTIAL_SUFFIX}", largest_bytes)
    is_whole = False
    try:
        parser = MultipartParser(options[b"boundary"], receiver.callbacks())
        async for chunk in request.stream():
            parser.write(chunk)
        parser.finalize()
        if not receiver.size:
            raise LowresError("No recording came with that.", "Choose a recording and send it again.")
        is_whole = True
    except (MultipartParseError, ClientDisconnect) as error:
        raise LowresError("The recording did not come whole.", "Send it again.") from error
    except OSError as error:
        raise not_written(error) from error
    finally:
        receiver.close()
        if not is_whole:
            with suppress(OSError):
                receiver.path.unlink(missing_ok=True)
    return Upload(receiver.path, receiver.file_name)


def safe_name(name: str) -> str:
    """Return a name that is one file in one folder on every system, as much like the given one as can be."""
    last = re.split(r"[/\\]", unicodedata.normalize("NFC", name))[-1]
    kept = "".join(letter if _stands_in_names(letter) else "\0" for letter in last)
    stem, dot, suffix = re.sub("\0+", "_", kept).rpartition(".")
    stem, suffix = (stem, f"{dot}{suffix}") if dot else (suffix, "")
    stem = stem.strip(". ")[:_LONGEST_STEM].encode()[:_LONGEST_STEM_BYTES].decode(errors="ignore") or "recording"
    return f"{'_' if _RESERVED.fullmatch(stem) else ''}{stem}{suffix[:12]}"


def _stands_in_names(letter: str) -> bool:
    # Marks are no letters to Python, and without them words of Hindi, say, are not the same words.
    return letter.isalnum() or letter in _SIGNS_IN_NAMES or unicodedata.category(letter).startswith("M")


def _demand_recording(name: str) -> None:
    if not name.lower().endswith(tuple(AUDIO_SUFFIXES)):
        raise LowresError(
            f"{name} is no recording that lowres can read.",
            f"It reads files that end in {', '.join(sorted(AUDIO_SUFFIXES))}.",
        )


def too_large(largest_bytes: int) -> TooLargeError:
    """Return the error for a recording that is too large."""
    return TooLargeError(
        f"The recording is larger than the {largest_bytes / 1e6:,.0f} MB that the studio takes; nothing was kept.",
        "Give it to `lowres transcribe` in the terminal, or start the studio with a larger --largest-upload.",
    )


def not_written(error: OSError) -> LowresError:
    """Return the error for a recording that the disk refused."""
    return LowresError(
        f"The recording could not be written into the project: {error.strerror or error}.",
        "Free some disk space or check the folder's permissions, then send it again.",
    )
