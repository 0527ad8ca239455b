"""Names and texts as other programs, and every file system, can have them."""

import re
import unicodedata

_LONGEST_NAME_BYTES = 120
_WINDOWS_DEVICE = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\.|$)", re.IGNORECASE)


def whole_text(text: str) -> str:
    """Return a text with bytes that were no UTF-8 when it was read marked as such: no program could read them."""
    return text.encode(errors="surrogateescape").decode(errors="replace")


class FileNames:
    """Names for files, each once, even where capitals and the form of accents make no difference."""

    def __init__(self) -> None:
        self._used: set[str] = set()

    def choose(self, utterance_id: str) -> str:
        """Return a name without suffix that says which utterance it is and that every system can have."""
        stem = file_name(utterance_id) or "utterance"
        name, number = stem, 1
        while name.casefold() in self._used:
            number += 1
            name = f"{stem}_{number}"
        self._used.add(name.casefold())
        return name


def file_name(text: str) -> str:
    """Keep letters with their marks, digits, dots and hyphens; anything else becomes `_`."""
    normal = unicodedata.normalize("NFC", text)
    kept = "".join(one if one in ".-_" or unicodedata.category(one)[0] in "LMN" else "_" for one in normal)
    short = re.sub(r"_+", "_", kept).encode()[:_LONGEST_NAME_BYTES].decode(errors="ignore")
    # A hidden file is no part of a corpus, and Windows has no name that ends in a dot, or is a device's.
    name = short.strip("._-")
    return f"_{name}" if _WINDOWS_DEVICE.match(name) else name
