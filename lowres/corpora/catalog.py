"""The public corpora that lowres knows: one TOML file each, and where they lie on this machine."""

import difflib
import json
import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from lowres.corpora.settings import ReaderSettings
from lowres.errors import CorpusError
from lowres.manifest.typed_paths import expand_home

CORPORA_VARIABLE = "LOWRES_CORPORA"
_PACKAGE = Path(__file__).resolve().parent.parent


class Download(BaseModel):
    """One file to fetch from a corpus's public home."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    url: str = Field(pattern=r"^https?://")
    sha256: str = Field(default="", pattern=r"^([0-9a-f]{64})?$")
    """"" where the publisher's file is generated anew at every request (GitHub's zip of a branch)."""
    bytes: int | None = Field(default=None, ge=1)
    archive: Literal["tar", "tar.gz", "tar.bz2", "tar.xz", "zip", "none"] = "none"
    subfolder: str = ""
    """Only what lies under this folder of the archive is unpacked, and the prefix is dropped."""
    into: str = ""
    """The folder inside the corpus folder that it goes to; "" = the top."""


class CorpusManifest(BaseModel):
    """What is known of one public corpus: its home, its licence, its layout. Never audio."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    name: str = Field(pattern=r"^[a-z0-9_]+$")
    title: str
    languages: tuple[str, ...] = ()
    """ISO 639-3 codes."""
    homepage: str = ""
    licence: str
    consent: str = ""
    """What is known of the speakers' consent, or of what the community asks of users."""
    citation: str = ""
    notes: str = ""
    folder: str
    """The corpus's folder inside LOWRES_CORPORA."""
    hours: float | None = Field(default=None, gt=0)
    num_speakers: int | None = Field(default=None, ge=1)
    given_splits: tuple[Literal["train", "dev", "test", "other"], ...] = ()
    how_to_get: str = ""
    """What to fetch by hand and where to put it, for corpora that cannot be downloaded without an account."""
    reader: ReaderSettings | None = None
    """None for a layout that lowres cannot read yet; `notes` says which."""
    downloads: tuple[Download, ...] = ()
    subset_hashes: Mapping[str, str] = Field(default_factory=dict)
    """Subset label ("train-1h") to the sha256 of its utterance ids."""


def manifests_folder() -> Path:
    """Return the folder of corpus manifests: inside the wheel, else beside the package in a checkout."""
    shipped = _PACKAGE / "_shipped" / "corpora_manifests"
    return shipped if shipped.is_dir() else _PACKAGE.parent / "corpora_manifests"


def list_corpus_manifests() -> list[str]:
    """Return the names of all known corpora, sorted."""
    return sorted(path.stem for path in manifests_folder().glob("*.toml"))


def load_corpus_manifest(name: str) -> CorpusManifest:
    """Read one corpus manifest by its name.

    Raises:
        CorpusError: no such name (the nearest one is named), or a file that is not a valid manifest.
    """
    path = manifests_folder() / f"{name}.toml"
    if name not in list_corpus_manifests():
        nearest = difflib.get_close_matches(name, list_corpus_manifests(), n=1, cutoff=0.5)
        guess = f"Did you mean {nearest[0]!r}? " if nearest else ""
        raise CorpusError(
            f"No corpus called {name!r} is known.", f"{guess}Known: {', '.join(list_corpus_manifests())}."
        )
    return read_corpus_manifest(path)


def read_corpus_manifest(path: Path) -> CorpusManifest:
    """Read and validate one corpus manifest file.

    Raises:
        CorpusError: the file is not TOML, has an unknown key, or lacks one.
    """
    try:
        contents = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise CorpusError(f"{path} is not valid TOML: {error}.") from error
    try:
        # Through JSON, because strict validation takes a list for a tuple only there.
        manifest = CorpusManifest.model_validate_json(json.dumps(contents, default=str))
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise CorpusError(f"{path}: {place}: {first['msg']}.") from error
    if manifest.name != path.stem:
        raise CorpusError(f"{path}: name = {manifest.name!r} differs from the file's name.")
    return manifest


def find_corpora_folder() -> Path | None:
    """Return the folder that holds corpora on this machine, or None.

    LOWRES_CORPORA decides where it is set; else `../shared/corpora` beside the working folder or the checkout.

    Raises:
        CorpusError: LOWRES_CORPORA names a folder that does not exist.
    """
    named = os.environ.get(CORPORA_VARIABLE)
    if named:
        folder = expand_home(named)
        if not folder.is_dir():
            raise CorpusError(
                f"{CORPORA_VARIABLE} names {folder}, which is not a folder.",
                f"Create it, or set {CORPORA_VARIABLE} to the folder that holds your corpora.",
            )
        return folder
    for beside in (Path.cwd(), _PACKAGE.parent):
        folder = beside.parent / "shared" / "corpora"
        if folder.is_dir():
            return folder
    return None
