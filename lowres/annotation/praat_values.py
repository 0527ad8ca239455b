"""The numbers, texts and flags that a Praat file is made of, one after another, from its text or its binary form.

Both forms hold the same values in the same order, so that one reader (`lowres.annotation.textgrid`) does for both.
In text, only numbers, quoted texts and <flags> count. The words around them ("xmin =", "intervals [1]:") are for
people, and so is what follows a `!` (Praat manual, "TextGrid file formats"). A number begins with a digit or a sign.
"""

import re
import struct
from pathlib import Path
from typing import NoReturn, Protocol

from lowres.errors import CorpusError

BINARY_MARK = b"ooBinaryFile"

# First all that is ignored, then a value. Possessive quantifiers (*+) keep hostile input linear: nothing that matched
# is ever tried again.
_TOKEN = re.compile(
    r"""(?:\s++ | ![^\r\n]*+ | [^\s"<!+\-0-9]\S*+ | [+\-](?!\.?[0-9])\S*+)*+
        (?: (?P<number>[+\-]?+(?:[0-9]++(?:\.[0-9]*+)?+|\.[0-9]++)(?:[eE][+\-]?[0-9]++)?+)(?P<unit>\S*+)
          | "(?P<text>(?:[^"]++|"")*+)"(?=\s|\Z)
          | <(?P<flag>[a-z]++)>
          | (?P<end>\Z)
          | (?P<other>.) )""",
    re.VERBOSE | re.DOTALL,
)
_UNIT = re.compile(r"[^\W\d_]|[:;)\]]|\Z")
_KINDS = {"number": "a number", "text": "a text", "flag": "a flag", "end": "the end of the file"}


class PraatValues(Protocol):
    """What a file holds, read from its start to its end; each method takes the next value.

    Every method raises CorpusError where the file has something else there, with the place.
    """

    within: str
    """What is being read, for errors: "" or such as ", in tier 'words', which says that it has 12 intervals"."""

    def real(self) -> float:
        """Take a number, which may be infinite or, in binary, none at all."""

    def count(self) -> int:
        """Take a number of things that follow; it is never more than the file has room for."""

    def flag(self) -> bool:
        """Take a flag: whether what follows exists."""

    def class_name(self) -> str:
        """Take the name of a kind of object, such as "IntervalTier"."""

    def text(self) -> str:
        """Take a text, exactly as it was typed."""

    def finish(self) -> None:
        """Make sure that nothing is left."""

    def place(self) -> str:
        """Return where the last value stands, such as "line 12"."""


class TextValues:
    """The values of a Praat text file, long, short or free.

    Args:
        contents: the decoded file.
        path: for errors.
    """

    def __init__(self, contents: str, path: Path) -> None:
        self.within = ""
        self._contents = contents
        self._path = path
        self._position = self._start = self._counted = 0
        self._line = 1
        self._line_end = "\n" if "\n" in contents else "\r"

    def real(self) -> float:
        """Take a number."""
        token = self._take("number", "a number")
        unit = token["unit"]
        if unit and not _UNIT.match(unit):
            self._fail(f"has {token['number'] + unit[:20]!r}, which is no number", "Write it with a decimal point.")
        return float(token["number"])

    def count(self) -> int:
        """Take a number of things that follow."""
        number = self.real()
        if not (number.is_integer() and 0 <= number <= len(self._contents)):
            self._fail(f"says that {number:g} things follow, which cannot be", "Correct that count.")
        return int(number)

    def flag(self) -> bool:
        """Take a flag."""
        return self._take("flag", "<exists> or <absent>")["flag"] == "exists"

    def class_name(self) -> str:
        """Take the name of a kind of object."""
        return self.text()

    def text(self) -> str:
        """Take a text."""
        quoted = self._take("text", "a text between quotation marks")["text"]
        return quoted.replace('""', '"') if '"' in quoted else quoted

    def finish(self) -> None:
        """Make sure that nothing is left."""
        self._take("end", "the end of the file")

    def place(self) -> str:
        """Say where the last value stands."""
        # From the last place asked for: a file that is wrong in every line takes no quadratic time.
        self._line += self._contents.count(self._line_end, self._counted, self._start)
        self._counted = self._start
        return f"line {self._line}"

    def _take(self, kind: str, wanted: str) -> "re.Match[str]":
        # The pattern ends in "any character" and "the end": it always matches.
        token = _TOKEN.match(self._contents, self._position)
        assert token is not None
        found = token.lastgroup or "other"
        found = "number" if found == "unit" else found
        self._position, self._start = token.end(), token.start(found)
        if found != kind:
            self._complain(found, wanted)
        return token

    def _complain(self, found: str, wanted: str) -> NoReturn:
        if found == "other" and self._contents[self._start] == '"':
            self._fail(
                "opens a quotation mark that does not close, or closes it in the middle of a word",
                'Write a quotation mark inside a text twice ("").',
            )
        what = _KINDS.get(found) or repr(self._contents[self._start])
        self._fail(f"has {what} where {wanted} should be", "Correct that line, or a count further up that is wrong.")

    def _fail(self, what: str, hint: str) -> NoReturn:
        raise CorpusError(f"{self._path}: {self.place()} {what}{self.within}.", hint)


class BinaryValues:
    """The values of a Praat binary file.

    All numbers have their high byte first. A text is its length in two bytes and one byte a letter; or the
    length 65535, the true number of letters in two bytes, and the letters as UTF-16. Praat's source,
    melder/abcio.cpp, is the only description.

    Args:
        contents: the file, from its first byte on.
        path: for errors.
    """

    def __init__(self, contents: bytes, path: Path) -> None:
        self.within = ""
        self._contents = contents
        self._path = path
        self._position = len(BINARY_MARK)
        self._start = self._position

    def real(self) -> float:
        """Take a number."""
        return float(struct.unpack(">d", self._take(8))[0])

    def count(self) -> int:
        """Take a number of things that follow."""
        number = int.from_bytes(self._take(4), "big", signed=True)
        if not 0 <= number <= len(self._contents):
            self._fail(f"says that {number} things follow, which cannot be")
        return number

    def flag(self) -> bool:
        """Take a flag."""
        return self._take(1) != b"\x00"

    def class_name(self) -> str:
        """Take the name of a kind of object."""
        return self._take(self._take(1)[0]).decode("latin-1")

    def text(self) -> str:
        """Take a text."""
        length = int.from_bytes(self._take(2), "big")
        if length != 0xFFFF:
            return self._take(length).decode("latin-1")
        letters = int.from_bytes(self._take(2), "big")
        try:
            return self._take(2 * self._num_units(letters)).decode("utf-16-be")
        except UnicodeDecodeError:
            self._fail("has a text that is not UTF-16")

    def finish(self) -> None:
        """Make sure that nothing is left."""
        self._start = self._position
        if self._position != len(self._contents):
            self._fail("has more than the counts of this file say")

    def place(self) -> str:
        """Say where the last value stands."""
        return f"byte {self._start}"

    def _num_units(self, letters: int) -> int:
        """Return how many 16-bit units the next letters take: Praat counts letters, and rare ones take two units."""
        start, units = self._position, 0
        if max(self._contents[start : start + 2 * letters : 2], default=0) < 0xD8:
            return letters
        for _ in range(letters):
            high = self._contents[start + 2 * units : start + 2 * units + 1]
            units += 2 if high and 0xD8 <= high[0] <= 0xDB else 1
        return units

    def _take(self, num_bytes: int) -> bytes:
        self._start = self._position
        self._position += num_bytes
        if self._position > len(self._contents):
            self._fail("is where the file ends too early")
        return self._contents[self._start : self._position]

    def _fail(self, what: str) -> NoReturn:
        raise CorpusError(
            f"{self._path}: {self.place()} {what}{self.within}.",
            "The file is damaged: open it in Praat and save it again, or take a copy that is whole.",
        )
