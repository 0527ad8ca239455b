"""Where downloaded backbones lie: LOWRES_CACHE, else where this operating system keeps caches."""

import os
import re
import sys
from pathlib import Path
from typing import Final

CACHE_VARIABLE: Final = "LOWRES_CACHE"
_NAME: Final = re.compile(r"\w[\w.-]{0,99}(/\w[\w.-]{0,99})?")


def cache_folder() -> Path:
    """Return lowres's cache folder, which need not exist."""
    named = os.environ.get(CACHE_VARIABLE)
    if named:
        return Path(named).expanduser()
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "lowres"
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local")) / "lowres" / "cache"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "lowres"


def backbone_folder(name: str) -> Path:
    """Return the folder that the backbone called `name` goes to."""
    return cache_folder() / "backbones" / name.replace("/", "--")


def downloaded_folder(name: str) -> Path | None:
    """Return the folder of the backbone called `name`; None where it was not downloaded, or is no name."""
    folder = backbone_folder(name)
    return folder if _NAME.fullmatch(name) and folder.is_dir() else None
