"""download.json beside a downloaded backbone: where it came from and under which licence, wherever it is copied."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from lowres.errors import ON_NONSENSE

ORIGIN_FILE: Final = "download.json"


@dataclass(frozen=True)
class Origin:
    """Where a backbone came from."""

    name: str
    url: str
    revision: str = ""
    """"" where its home has no revisions."""

    licence: str = ""
    """"" where it is not known."""


def write_origin(folder: Path, origin: Origin) -> None:
    """Write a folder's download.json."""
    text = json.dumps(asdict(origin), ensure_ascii=False, indent=2) + "\n"
    (folder / ORIGIN_FILE).write_text(text, encoding="utf-8", newline="\n")


def read_origin(folder: Path) -> Origin | None:
    """Read a folder's download.json; None where there is none that lowres wrote."""
    try:
        return Origin(**json.loads((folder / ORIGIN_FILE).read_text(encoding="utf-8")))
    except (OSError, *ON_NONSENSE):
        return None
