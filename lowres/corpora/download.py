"""Fetches a public corpus from its home: resumed where it stopped, verified, unpacked inside its own folder only."""

import hashlib
import http.client
import shutil
import tarfile
import urllib.error
import urllib.request
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO, Any

from lowres import __version__
from lowres.corpora.catalog import CorpusManifest, Download
from lowres.errors import CorpusError

_CHUNK_BYTES = 1 << 20
_TIMEOUT_SECONDS = 60

DownloadProgress = Callable[[str, int, int | None], None]
"""Called with the file's address, the bytes that are here, and the bytes that it has (None = not known)."""


def download_corpus(manifest: CorpusManifest, corpora_folder: Path, progress: DownloadProgress) -> Path:
    """Fetch and unpack everything that a corpus consists of.

    Archives are kept until all is unpacked; the corpus folder appears only when it is whole.

    Args:
        manifest: what to fetch; it has at least one download.
        corpora_folder: the corpus goes to the folder `manifest.folder` in it.
        progress: called after every mebibyte.

    Returns:
        The corpus folder.

    Raises:
        CorpusError: no network, a refused request, another checksum than announced, or a damaged or unsafe archive.
        OSError: the disk is full or failing; what was fetched is kept for the next attempt.
    """
    target = corpora_folder / manifest.folder
    waiting = corpora_folder / f".{manifest.folder}.downloads"
    unpacked = waiting / "unpacked"
    shutil.rmtree(unpacked, ignore_errors=True)
    unpacked.mkdir(parents=True)
    for number, download in enumerate(manifest.downloads):
        archive = waiting / f"{number:03d}-{PurePosixPath(download.url.partition('?')[0]).name}"
        fetch(download, archive, progress)
        unpack(download, archive, unpacked / download.into)
    unpacked.rename(target)
    shutil.rmtree(waiting, ignore_errors=True)
    return target


def fetch(download: Download, path: Path, progress: DownloadProgress) -> None:
    """Fetch one file to `path`, going on after what an earlier attempt left in `path` + ".partial".

    Raises:
        CorpusError: the network or the server refuses, or the checksum differs (the file is then deleted).
    """
    if path.is_file():
        return
    partial = path.with_name(path.name + ".partial")
    for attempt in (1, 2, 3):
        try:
            _fetch_rest(download, partial, progress)
            break
        except urllib.error.HTTPError as error:
            error.close()
            if error.code == 416 and partial.stat().st_size:  # nothing is missing: the file was whole already
                break
            raise _refused(download, f"the server answers {error.code} {error.reason}") from error
        except ConnectionError as error:
            if attempt == 3:
                raise _refused(download, str(error)) from error
    _verify(download, partial)
    partial.rename(path)


def unpack(download: Download, archive: Path, folder: Path) -> None:
    """Unpack an archive, or put a plain file, into `folder`.

    Members that are links, devices, absolute or climbing paths are refused: nothing is written outside `folder`.

    Raises:
        CorpusError: the archive is damaged, or holds such a member.
    """
    folder.mkdir(parents=True, exist_ok=True)
    try:
        match download.archive:
            case "none":
                shutil.copyfile(archive, folder / PurePosixPath(download.url.partition("?")[0]).name)
            case "zip":
                with zipfile.ZipFile(archive) as opened:
                    _write_members(_zip_members(opened), download, archive, folder)
            case _:
                with tarfile.open(archive) as opened_tar:
                    _write_members(_tar_members(opened_tar, archive), download, archive, folder)
    except (tarfile.TarError, zipfile.BadZipFile, EOFError) as error:
        raise CorpusError(
            f"{archive} is damaged: {error}.", "Delete it and give the command again to download it anew."
        ) from error


def _fetch_rest(download: Download, partial: Path, progress: DownloadProgress) -> None:
    here = partial.stat().st_size if partial.is_file() else 0
    with _open(download, from_byte=here) as response:
        if here and response.status != 206:  # a server that cannot resume sends everything again
            here = 0
        length = response.headers.get("Content-Length")
        total = here + int(length) if length else download.bytes
        partial.parent.mkdir(parents=True, exist_ok=True)
        with partial.open("ab" if here else "wb") as file:
            while chunk := _read(response):
                file.write(chunk)
                here += len(chunk)
                progress(download.url, here, total)
    if total is not None and here < total:
        raise ConnectionError(f"the connection ended after {here} of {total} bytes")


def _open(download: Download, *, from_byte: int) -> Any:
    headers = {"User-Agent": f"lowres/{__version__}"} | ({"Range": f"bytes={from_byte}-"} if from_byte else {})
    try:
        with _naming_the_network():
            request = urllib.request.Request(download.url, headers=headers)
            return urllib.request.urlopen(request, timeout=_TIMEOUT_SECONDS)
    except (ValueError, http.client.InvalidURL) as error:
        raise _refused(download, f"that is no address ({error})") from error


def _read(response: IO[bytes]) -> bytes:
    with _naming_the_network():
        return response.read(_CHUNK_BYTES)


@contextmanager
def _naming_the_network() -> Iterator[None]:
    """Raise what the network, TLS and HTTP do wrong as a ConnectionError: other OSErrors are then the disk's."""
    try:
        yield
    except (urllib.error.HTTPError, http.client.InvalidURL):
        raise
    except (OSError, http.client.HTTPException) as error:
        raise ConnectionError(str(getattr(error, "reason", None) or error)) from error


def _verify(download: Download, path: Path) -> None:
    if not download.sha256:
        return
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != download.sha256:
        path.unlink()
        raise CorpusError(
            f"{download.url} is not the file that it was: its sha256 is {found}, expected {download.sha256}.",
            "Give the command again; if it differs again, the publisher has changed the file: correct the manifest.",
        )


def _zip_members(archive: zipfile.ZipFile) -> Iterator[tuple[str, Callable[[], IO[bytes] | None]]]:
    for member in archive.infolist():
        if not member.is_dir():
            yield member.filename, lambda member=member: archive.open(member)  # type: ignore[misc]


def _tar_members(archive: tarfile.TarFile, path: Path) -> Iterator[tuple[str, Callable[[], IO[bytes] | None]]]:
    for member in archive:
        if member.isdir():
            continue
        if not member.isreg():
            raise CorpusError(
                f"{path}: the member {member.name!r} is a link or a device, which are never unpacked.",
                "Unpack the archive yourself if you trust it, and set corpus.folder to it.",
            )
        yield member.name, lambda member=member: archive.extractfile(member)  # type: ignore[misc]


def _write_members(
    members: Iterator[tuple[str, Callable[[], IO[bytes] | None]]], download: Download, archive: Path, folder: Path
) -> None:
    wanted = PurePosixPath(download.subfolder).parts
    num_written = 0
    for name, open_member in members:
        parts = PurePosixPath(name.replace("\\", "/")).parts
        if not parts or ".." in parts or parts[0].startswith("/") or ":" in parts[0]:
            raise CorpusError(f"{archive}: the member {name!r} would be written outside its folder.", "Do not use it.")
        if parts[: len(wanted)] != wanted or len(parts) == len(wanted):
            continue
        path = folder.joinpath(*parts[len(wanted) :])
        path.parent.mkdir(parents=True, exist_ok=True)
        source = open_member()
        if source is not None:
            with source, path.open("wb") as target:
                shutil.copyfileobj(source, target, _CHUNK_BYTES)
            num_written += 1
    if not num_written:
        raise CorpusError(f"{archive} holds nothing under {download.subfolder!r}.", "Correct the corpus manifest.")


def _refused(download: Download, reason: str) -> CorpusError:
    return CorpusError(
        f"{download.url} cannot be downloaded: {reason}.",
        "Check the network and give the command again (it goes on where it stopped), or fetch the corpus elsewhere "
        "and name its folder in LOWRES_CORPORA.",
    )
