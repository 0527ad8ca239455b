"""`lowres backbones`: which published backbones there are, and how they come onto this computer."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

from lowres.backbones.bundled import bundled_folder
from lowres.backbones.cache import HUB_NAME, backbone_folder, cached_folder, downloaded_folder
from lowres.backbones.catalogue import CatalogueEntry, find_entry, load_catalogue, nearest_name
from lowres.backbones.hub_listing import (
    SETTINGS_FILES,
    HubFile,
    HubListing,
    demand_same,
    listing_url,
    read_listing,
)
from lowres.backbones.origin import Origin, read_origin, write_origin
from lowres.corpora.catalog import Download
from lowres.corpora.download import DownloadProgress, fetch
from lowres.errors import CheckpointError, CorpusError

_MARGIN_BYTES: Final = 200_000_000


@dataclass(frozen=True)
class ListedBackbone:
    """An entry of the catalogue, and where it lies on this computer."""

    entry: CatalogueEntry
    folder: Path | None
    """None where it does not come with lowres, and nobody has downloaded it."""


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
    return [
        ListedBackbone(entry, bundled_folder(entry.name) or downloaded_folder(entry.name) or cached_folder(entry.name))
        for entry in load_catalogue()
    ]


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
    if (bundled := bundled_folder(name)) is not None:
        _demand_no_language(name, language)
        return _describe(reference, bundled, licence, was_here=True, is_checked=True)
    if entry is not None and entry.url:
        _demand_no_language(name, language)
        folder, was_here = backbone_folder(name), downloaded_folder(name) is not None
        if not was_here:
            _download_file(entry, folder, progress)
        return _describe(reference, folder, licence, was_here=was_here, is_checked=bool(entry.sha256))
    if HUB_NAME.fullmatch(name):
        folder, was_here = backbone_folder(name), _has(backbone_folder(name), language)
        if not was_here:
            _download_repository(name, language, folder, licence, progress)
        origin = read_origin(folder)
        licence = licence or (origin.licence if origin else "")
        return _describe(reference, folder, licence, was_here=was_here, is_checked=True)
    return _get_bundle(name, language, licence, progress)


def _has(folder: Path, language: str) -> bool:
    if not language:
        return folder.is_dir()
    return any((folder / f"adapter.{language}.{end}").is_file() for end in ("safetensors", "bin"))


def _download_file(entry: CatalogueEntry, folder: Path, progress: DownloadProgress) -> None:
    """Download a backbone that is one file."""
    with _waiting_folder(folder) as waiting:
        _demand_space(folder, int(entry.megabytes * 1e6) - _num_bytes(waiting))
        path = waiting / PurePosixPath(entry.url).name
        _fetch(Download(url=entry.url, sha256=entry.sha256), path, progress)
        write_origin(waiting, Origin(entry.name, entry.url, licence=entry.licence))
        waiting.rename(folder)


def _download_repository(name: str, language: str, folder: Path, licence: str, progress: DownloadProgress) -> None:
    """Download what is needed of a Hugging Face repository, and move it to its place once all of it is right.

    To a network that is here, nothing but the adapters of one more language is added: newer weights would take its
    place, and be another backbone to the runs that were trained on it.
    """
    with _waiting_folder(folder) as waiting:
        listing = _fetch_listing(name, language, waiting)
        missing = [file for file in listing.files if file.is_adapter or not folder.exists()]
        _demand_space(folder, sum(file.num_bytes for file in missing) - _num_bytes(waiting))
        settings = [file for file in missing if file.name in SETTINGS_FILES]
        for file in settings:
            _download_checked(file, waiting, progress)
        if not folder.exists():
            _demand_known(name, language, waiting)
        for file in missing[len(settings) :]:  # a listing has the settings first
            _download_checked(file, waiting, progress)
        if folder.exists():  # the revision stays that of the weights
            for file in missing:
                (waiting / file.name).replace(folder / file.name)
        else:
            write_origin(waiting, Origin(name, listing_url(name), listing.revision, licence or listing.licence))
            waiting.rename(folder)


def _fetch_listing(name: str, language: str, waiting: Path) -> HubListing:
    answer = waiting / "listing.json"
    answer.unlink(missing_ok=True)
    try:
        _fetch(Download(url=listing_url(name)), answer, lambda *_: None)
        return read_listing(answer, name, language)
    finally:
        for path in waiting.glob("listing.json*"):
            path.unlink()


def _demand_known(name: str, language: str, waiting: Path) -> None:
    """Refuse a network that lowres does not have while only its settings are here."""
    from lowres.backbones.huggingface import read_settings

    try:
        read_settings(waiting, place=name, has_adapters=bool(language))
    except CheckpointError:
        for settings in SETTINGS_FILES:
            (waiting / settings).unlink(missing_ok=True)
        raise


def _download_checked(file: HubFile, waiting: Path, progress: DownloadProgress) -> None:
    path = waiting / file.name
    _fetch(Download(url=file.url, bytes=file.num_bytes or None), path, progress)
    try:
        demand_same(file, path)
    except CheckpointError:
        path.unlink()
        raise


def _get_bundle(name: str, language: str, licence: str, progress: DownloadProgress) -> DownloadedBackbone:
    """Download a model of torchaudio to where torchaudio keeps it."""
    from lowres.backbones.torchaudio_bundles import bundle_file, bundle_url, demand_known, find_bundle

    bundle = find_bundle(name)
    if bundle is None:
        nearest = nearest_name(name)
        guess = f"Did you mean {nearest}? " if nearest else ""
        raise CheckpointError(
            f"There is no backbone called {name!r} in the catalogue, and it is no name of Hugging Face or torchaudio.",
            f"{guess}`lowres backbones` lists the catalogue; a name of Hugging Face is written OWNER/NAME.",
        )
    _demand_no_language(name, language)
    demand_known(name, bundle)
    path = bundle_file(bundle)
    was_here = path.is_file()
    path.parent.mkdir(parents=True, exist_ok=True)
    _fetch(Download(url=bundle_url(bundle)), path, progress)
    return DownloadedBackbone(name, path, licence, path.stat().st_size, was_here, is_checked=False)


def _demand_no_language(name: str, language: str) -> None:
    if language:
        raise CheckpointError(f"{name} has no adapters, so no language can be chosen.", f"Leave :{language} out.")


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


@contextmanager
def _waiting_folder(folder: Path) -> Iterator[Path]:
    """Make the folder that a download waits in until it is whole; what is left in it is gone on with."""
    waiting = folder.with_name(f".{folder.name}.partial")
    waiting.mkdir(parents=True, exist_ok=True)
    try:
        yield waiting
    finally:
        with suppress(OSError):  # it holds something, or was renamed
            waiting.rmdir()


def _demand_space(folder: Path, num_bytes: int) -> None:
    free = shutil.disk_usage(next(path for path in folder.parents if path.exists())).free
    if free < num_bytes + _MARGIN_BYTES:
        raise CheckpointError(
            f"{folder.name} takes {num_bytes / 1e9:.1f} GB more, and {folder.parent} has {free / 1e9:.1f} GB left.",
            "Free some disk space, or set LOWRES_CACHE to a folder on another disk.",
        )


def _describe(reference: str, folder: Path, licence: str, *, was_here: bool, is_checked: bool) -> DownloadedBackbone:
    return DownloadedBackbone(reference, folder, licence, _num_bytes(folder), was_here, is_checked)


def _num_bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.iterdir())
