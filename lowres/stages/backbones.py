"""`lowres backbones`: which published backbones there are, and how they come onto this computer."""

import re
import shutil
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

from lowres.backbones.cache import backbone_folder, downloaded_folder
from lowres.backbones.catalogue import CatalogueEntry, find_entry, load_catalogue, nearest_name
from lowres.backbones.hub_listing import HubFile, demand_same, listing_url, read_listing
from lowres.backbones.origin import Origin, read_origin, write_origin
from lowres.corpora.catalog import Download
from lowres.corpora.download import DownloadProgress, fetch
from lowres.errors import CheckpointError, CorpusError

_HUB_NAME: Final = re.compile(r"[\w-][\w.-]*/[\w-][\w.-]*")
_MARGIN_BYTES: Final = 200_000_000


@dataclass(frozen=True)
class ListedBackbone:
    """An entry of the catalogue, and where it lies on this computer."""

    entry: CatalogueEntry
    folder: Path | None
    """None where `lowres backbones get` has not downloaded it."""


@dataclass(frozen=True)
class DownloadedBackbone:
    """A backbone that lies on this computer."""

    reference: str
    """What a recipe calls it."""

    path: Path
    licence: str
    """"" where it is not known."""

    num_bytes: int
    was_here: bool
    is_checked: bool
    """Whether its contents were compared with a hash that its home states."""


def list_backbones() -> list[ListedBackbone]:
    """Return the catalogue, with what of it is here."""
    return [ListedBackbone(entry, downloaded_folder(entry.name)) for entry in load_catalogue()]


def get_backbone(reference: str, progress: DownloadProgress) -> DownloadedBackbone:
    """Download a backbone, unless it is here; what an interrupted download left is gone on with.

    Args:
        reference: a name of the catalogue, of Hugging Face or of torchaudio; NAME:LANGUAGE for MMS's adapters.
        progress: called with the address, the bytes here and the bytes in all of one file after another.

    Raises:
        CheckpointError: nobody's name, no network, too small a disk, or a download that was cut short or altered.
        OSError: the disk is full or refuses.
    """
    name, _, language = reference.partition(":")
    entry = find_entry(name)
    licence = entry.licence if entry else ""
    if entry is not None and entry.url:
        folder, was_here = backbone_folder(name), downloaded_folder(name) is not None
        if not was_here:
            _download_file(entry, folder, progress)
        return _describe(reference, folder, licence, was_here=was_here, is_checked=bool(entry.sha256))
    if _HUB_NAME.fullmatch(name):
        folder, was_here = backbone_folder(name), _has(backbone_folder(name), language)
        if not was_here:
            _download_repository(name, language, folder, licence, progress)
        origin = read_origin(folder)
        licence = licence or (origin.licence if origin else "")
        return _describe(reference, folder, licence, was_here=was_here, is_checked=True)
    return _get_bundle(name, licence, progress)


def _has(folder: Path, language: str) -> bool:
    if not language:
        return folder.is_dir()
    return any((folder / f"adapter.{language}.{end}").is_file() for end in ("safetensors", "bin"))


def _download_file(entry: CatalogueEntry, folder: Path, progress: DownloadProgress) -> None:
    """Download a backbone that is one file."""
    _demand_space(folder, int(entry.megabytes * 1e6))
    waiting = _waiting_folder(folder)
    path = waiting / PurePosixPath(entry.url).name
    _fetch(Download(url=entry.url, sha256=entry.sha256), path, progress)
    write_origin(waiting, Origin(entry.name, entry.url, licence=entry.licence))
    waiting.rename(folder)


def _download_repository(name: str, language: str, folder: Path, licence: str, progress: DownloadProgress) -> None:
    """Download what is needed of a Hugging Face repository, and move it to its place once all of it is right."""
    waiting = _waiting_folder(folder)
    answer = waiting / "listing.json"
    answer.unlink(missing_ok=True)
    _fetch(Download(url=listing_url(name)), answer, lambda *_: None)
    try:
        listing = read_listing(answer, name, language)
    except CheckpointError:
        shutil.rmtree(waiting)
        raise
    answer.unlink()
    missing = [file for file in listing.files if not (folder / file.name).is_file()]
    _demand_space(folder, sum(file.num_bytes for file in missing))
    for file in missing:
        _download_checked(file, waiting, progress)
    write_origin(waiting, Origin(name, listing_url(name), listing.revision, licence or listing.licence))
    if not folder.exists():
        waiting.rename(folder)
        return
    for path in waiting.iterdir():  # adapters of one more language
        path.replace(folder / path.name)
    waiting.rmdir()


def _download_checked(file: HubFile, waiting: Path, progress: DownloadProgress) -> None:
    path = waiting / file.name
    _fetch(Download(url=file.url, bytes=file.num_bytes or None), path, progress)
    try:
        demand_same(file, path)
    except CheckpointError:
        shutil.rmtree(waiting)
        raise


def _get_bundle(name: str, licence: str, progress: DownloadProgress) -> DownloadedBackbone:
    """Download a model of torchaudio to where torchaudio keeps it."""
    from lowres.backbones.torchaudio_bundles import bundle_file, bundle_url, find_bundle

    bundle = find_bundle(name)
    if bundle is None:
        nearest = nearest_name(name)
        guess = f"Did you mean {nearest}? " if nearest else ""
        raise CheckpointError(
            f"There is no backbone called {name!r} in the catalogue, and it is no name of Hugging Face or torchaudio.",
            f"{guess}`lowres backbones` lists the catalogue; a name of Hugging Face is written OWNER/NAME.",
        )
    path = bundle_file(bundle)
    was_here = path.is_file()
    path.parent.mkdir(parents=True, exist_ok=True)
    _fetch(Download(url=bundle_url(bundle)), path, progress)
    return DownloadedBackbone(name, path, licence, path.stat().st_size, was_here, is_checked=False)


def _fetch(download: Download, path: Path, progress: DownloadProgress) -> None:
    try:
        fetch(download, path, progress)
    except CorpusError as error:
        with suppress(OSError):
            path.parent.rmdir()  # where nothing came at all
        raise CheckpointError(
            error.message,
            "Check the name and the network and give the command again: it goes on where it stopped. Without a "
            "network, copy the backbone's folder here and name it: --set finetune.backbone=FOLDER.",
        ) from error


def _waiting_folder(folder: Path) -> Path:
    """Make the folder that a download waits in until it is whole; what it holds is gone on with."""
    waiting = folder.with_name(f".{folder.name}.partial")
    waiting.mkdir(parents=True, exist_ok=True)
    return waiting


def _demand_space(folder: Path, num_bytes: int) -> None:
    free = shutil.disk_usage(next(path for path in folder.parents if path.exists())).free
    if free < num_bytes + _MARGIN_BYTES:
        raise CheckpointError(
            f"{folder.name} takes {num_bytes / 1e9:.1f} GB, and {folder.parent} has {free / 1e9:.1f} GB left.",
            "Free some disk space, or set LOWRES_CACHE to a folder on another disk.",
        )


def _describe(reference: str, folder: Path, licence: str, *, was_here: bool, is_checked: bool) -> DownloadedBackbone:
    num_bytes = sum(path.stat().st_size for path in folder.iterdir())
    return DownloadedBackbone(reference, folder, licence, num_bytes, was_here, is_checked)
