"""The lines of lhotse manifests (.jsonl, .jsonl.gz): one JSON object a line; whatever is not one is named."""

import gzip
import json
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from io import BufferedReader
from math import isfinite
from pathlib import Path
from typing import Any

from lowres.corpora.files import CorpusFiles, demand_file
from lowres.corpora.reading import RowCollector
from lowres.errors import CorpusError

LHOTSE_SUFFIXES = (".jsonl.gz", ".jsonl")
_LONGEST_LINE = 16 << 20
_MOST_BROKEN_LINES = 1000
_MOST_EXPANSION = 200  # manifests unpack to some ten times their size; what is made to fill a disk or an hour to 1,000


@dataclass(frozen=True)
class JsonLine:
    """One line: its object and the place where it stands."""

    values: Mapping[str, Any]
    place: str

    def text(self, key: str) -> str:
        """Return a text; "" where there is none, or something else, or halves of letters that no file can hold."""
        value = self.values.get(key)
        return value if isinstance(value, str) and _is_unicode(value) else ""

    def seconds(self, key: str) -> float | None:
        """Return a number of at least 0; None where there is none."""
        value = self.values.get(key)
        if isinstance(value, bool) or not isinstance(value, int | float):
            return None
        return float(value) if 0 <= value < 1e7 and isfinite(value) else None


def read_json_lines(folder: Path, name: str, collector: RowCollector) -> Iterator[JsonLine]:
    """Yield the objects of a manifest; a line that is none is skipped and named.

    Args:
        folder: the corpus folder.
        name: the manifest, relative to it; compressed where it ends in .gz.
        collector: told of broken lines.

    Raises:
        CorpusError: the file lies outside the folder, cannot be read, is cut short, or is no such manifest at all.
    """
    CorpusFiles(folder).check_inside(name, name)
    num_broken = 0
    for number, line in enumerate(_lines(folder / name), start=1):
        place = f"{name} line {number}"
        try:
            values = json.loads(line)
        except (ValueError, RecursionError):
            values = None
        if isinstance(values, dict):
            yield JsonLine(values, place)
            continue
        if line.strip():
            collector.skip(place, "is not a JSON object")
        num_broken += 1
        if num_broken > _MOST_BROKEN_LINES:
            raise CorpusError(
                f"{folder / name} is no lhotse manifest: more than {_MOST_BROKEN_LINES} lines are not JSON objects.",
                "Write it again with lhotse, as JSON lines.",
            )


def _lines(path: Path) -> Iterator[bytes]:
    demand_file(path)
    try:
        left = _MOST_EXPANSION * path.stat().st_size + _LONGEST_LINE
        with _open(path) as file:
            while line := file.readline(_LONGEST_LINE):
                if len(line) == _LONGEST_LINE:
                    raise CorpusError(f"{path} holds a line of more than {_LONGEST_LINE >> 20} MiB: it is no manifest.")
                left -= len(line)
                if left < 0:
                    raise CorpusError(
                        f"{path} unpacks to more than {_MOST_EXPANSION} times its size: it is no manifest.",
                        "Write it again with lhotse.",
                    )
                yield line
    except (OSError, EOFError, zlib.error) as error:
        raise CorpusError(
            f"{path} cannot be read: {error}.", "It is damaged or was cut short: copy it again from its original."
        ) from error


def _open(path: Path) -> gzip.GzipFile | BufferedReader:
    return gzip.open(path, "rb") if path.name.endswith(".gz") else path.open("rb")


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
