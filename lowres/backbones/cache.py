"""Where downloaded backbones lie: LOWRES_CACHE, else where this operating system keeps caches; and Hugging Face's."""

import os
import re
import sys
from pathlib import Path
from typing import Final

from lowres.backbones.hub_listing import WEIGHTS_FILES
from lowres.manifest.typed_paths import expand_home as expand_home

CACHE_VARIABLE: Final = "LOWRES_CACHE"
_WORD: Final = r"(?a:\w[\w.-]{0,99})"
_NAME: Final = re.compile(rf"{_WORD}(/{_WORD})?")
_CACHED: Final = "models--"
HUB_NAME: Final = re.compile(rf"{_WORD}/{_WORD}")
"""A name of Hugging Face, which has no letters but English ones."""


def cache_folder() -> Path:
    """Return lowres's cache folder, which need not exist."""
    named = os.environ.get(CACHE_VARIABLE)
    if named:
        return expand_home(named)
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


def cached_folder(name: str) -> Path | None:
    """Return where Hugging Face keeps the newest download of `name`; None where it has no weights, or it is no name.

    As documented under "Understand caching": models--OWNER--NAME/refs/main names a folder of snapshots/.
    """
    if not HUB_NAME.fullmatch(name):
        return None
    home = Path(os.environ.get("XDG_CACHE_HOME", "~/.cache")) / "huggingface"
    home = Path(os.environ.get("HF_HOME", home))
    folder = expand_home(os.environ.get("HF_HUB_CACHE", home / "hub")) / (_CACHED + name.replace("/", "--"))
    try:
        revision = (folder / "refs" / "main").read_text(encoding="utf-8").strip()
    except OSError:
        return None
    snapshot = folder / "snapshots" / revision
    has_weights = any((snapshot / file).is_file() for file in WEIGHTS_FILES)
    return snapshot if revision and has_weights else None


def cached_name(folder: Path) -> str:
    """Return the name whose download by Hugging Face lies in `folder`; "" where it is none of its cache's."""
    snapshots = folder.parent
    is_cached = snapshots.name == "snapshots" and snapshots.parent.name.startswith(_CACHED)
    return snapshots.parent.name.removeprefix(_CACHED).replace("--", "/", 1) if is_cached else ""
