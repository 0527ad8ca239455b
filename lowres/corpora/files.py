"""The files of a corpus: found whatever the spelling of their names, and never outside the corpus folder."""

import os
import posixpath
import unicodedata
from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from functools import cached_property
from pathlib import Path, PurePosixPath, PureWindowsPath

from lowres.annotation.transcript_writing import TRANSCRIPT_SUFFIXES
from lowres.corpora.settings import AUDIO_SUFFIXES
from lowres.errors import CorpusError


class CorpusFiles:
    """Finds the files that a corpus names.

    Args:
        folder: the corpus folder; nothing outside it is ever opened, not even through a symbolic link.
        base: where names start, posix, relative to `folder`.
        named: all names that the corpus has for recordings, where they are known beforehand; see `find`.
    """

    def __init__(self, folder: Path, base: str = "", named: Collection[str] = ()) -> None:
        self.folder = folder
        self._named = named
        self._real_folder = os.path.realpath(folder)
        self._real_parents: dict[str, str] = {}
        self.base = self.relative(base, "the recipe") if base else ""

    def relative(self, name: str, place: str) -> str:
        """Return a name as a posix path relative to the corpus folder.

        Args:
            name: as the corpus has it, relative to `base`; Windows' backslashes are understood.
            place: the file and line that name it, for the error.

        Raises:
            CorpusError: the name is absolute, or climbs out of the corpus folder.
        """
        windows = PureWindowsPath(name)
        if windows.drive or windows.root or name.startswith("/"):
            raise _outside(name, place, self.folder)
        base = getattr(self, "base", "")
        joined = os.path.normpath(f"{base}/{name}" if base else name) if name else base
        if "\\" in name and not os.path.exists(self.folder / joined):  # noqa: PTH110
            joined = os.path.normpath(PurePosixPath(base, *windows.parts))
        if joined == ".." or joined.startswith("../"):
            raise _outside(name, place, self.folder)
        return "" if joined == "." else joined.replace(os.sep, "/")

    def find(self, name: str, place: str) -> str | None:
        """Return the recording that a corpus names, relative to the corpus folder, or None where there is none.

        A name that differs from the file's in its Unicode form, its case or a missing suffix finds it as well, and so
        does one with other folders, as tables of another machine have them, as long as only one file fits. But a
        folder that the name has and the corpus too must be among the file's, and where it has none of the corpus's, a
        file in a folder that others of the corpus's names lead to is not meant.

        Raises:
            CorpusError: the name, or the symbolic link that it names, leads out of the corpus folder.
        """
        relative = self.relative(name, place)
        # Unlike Path.is_file, this takes a name that no file can have (too long, with a zero byte) for a missing file.
        if not os.path.isfile(self.folder / relative):  # noqa: PTH113
            relative = self._similar(relative) or ""
        if not relative:
            return None
        self.check_inside(relative, place)
        return relative

    def check_inside(self, relative: str, place: str) -> None:
        """Refuse a file that a symbolic link leads out of the corpus folder to.

        Raises:
            CorpusError: it does.
        """
        if not self.is_inside(relative):
            raise _outside(relative, place, self.folder)

    def is_inside(self, relative: str) -> bool:
        """Return whether a file lies in the corpus folder, and not behind a symbolic link that leads out of it."""
        path = self.folder / relative
        parent = str(path.parent)
        if parent not in self._real_parents:
            self._real_parents[parent] = os.path.realpath(parent)
        real = os.path.realpath(path) if path.is_symlink() else self._real_parents[parent]
        return _is_below(real, self._real_folder)

    def _similar(self, relative: str) -> str | None:
        folded = _fold(relative)
        found = self._by_path.get(folded)
        if found is None:
            suffix = PurePosixPath(folded).suffix
            stem = folded[: -len(suffix)] if suffix in AUDIO_SUFFIXES else folded
            found = self._by_stem.get(stem) or self._namesakes(stem)
        return found[0] if found and len(found) == 1 else None

    def _namesakes(self, stem: str) -> list[str]:
        """Return the recordings of this name (folded, without suffix) that its folders do not speak against."""
        folders, _, name = stem.rpartition("/")
        found = self._by_name.get(name, [])
        if run := self._known_run(folders):
            return [path for path in found if self._has_run(path, run)]
        if not self._below_base(folders):
            return found
        return [path for path in found if not any(self._has_run(path, other) for other in self._named_runs)]

    def _known_run(self, folders: str) -> str:
        """Return the last folders of a path that follow each other in the corpus as well; "" where there are none."""
        parts = self._below_base(folders).split("/")
        while parts and parts[-1] not in self._runs:
            parts.pop()
        joined = ("/".join(parts[first:]) for first in range(len(parts)))
        return next((run for run in joined if run in self._runs), "")

    def _has_run(self, path: str, run: str) -> bool:
        return f"/{run}/" in f"/{self._below_base(_fold(path))}/"

    def _below_base(self, folded: str) -> str:
        return f"{folded}/".removeprefix(f"{_fold(self.base)}/").rstrip("/")

    @cached_property
    def _runs(self) -> frozenset[str]:
        """Folders that follow each other between `base` and a recording: a/b/c gives a, b, c, a/b, b/c, a/b/c."""
        ways = {self._below_base(stem).rpartition("/")[0] for stem in self._by_stem}
        return frozenset(
            "/".join(parts[first:last])
            for parts in (way.split("/") for way in ways if way)
            for first in range(len(parts))
            for last in range(first + 1, len(parts) + 1)
        )

    @cached_property
    def _named_runs(self) -> frozenset[str]:
        folders: set[str] = set()
        for name in self._named:
            with suppress(CorpusError):  # Whoever looks for that one is told.
                folders.add(_fold(self.relative(name, "")).rpartition("/")[0])
        return frozenset(filter(None, map(self._known_run, folders)))

    @cached_property
    def _by_path(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for path in walk_files(self.folder, self.base, AUDIO_SUFFIXES):
            found.setdefault(_fold(path), []).append(path)
        return found

    @cached_property
    def _by_stem(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for folded, paths in self._by_path.items():
            found.setdefault(folded.rpartition(".")[0], []).extend(paths)
        return found

    @cached_property
    def _by_name(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for stem, paths in self._by_stem.items():
            found.setdefault(stem.rpartition("/")[2], []).extend(paths)
        return found


MACHINE_MADE_MARK = ".heard-by-lowres"
"""Transcripts in a folder with this file, and below it, are what a recogniser heard: nobody should train on them. The
recordings may lie beside them."""

UPLOADS_MARK = ".dropped-into-the-studio"
"""What is in a folder with this file is no part of a corpus, recordings included."""

_WRITTEN_SUFFIXES = (*(suffix.lower() for suffix in TRANSCRIPT_SUFFIXES.values()), ".tsv")
"""Of transcripts, and of the list that `lowres suggest` writes."""


def mark_machine_made(folder: Path) -> None:
    """Make a folder, if need be, and mark it as one whose transcripts no corpus reader takes from above.

    Raises:
        OSError: the disk refused.
    """
    _mark(
        folder / MACHINE_MADE_MARK,
        "Transcripts in this folder were written by lowres. Move what you corrected out of it to add it to a corpus.\n",
    )


def is_machine_made(folder: Path) -> bool:
    """Return whether a folder is marked so."""
    return (folder / MACHINE_MADE_MARK).is_file()


def mark_uploads(folder: Path) -> None:
    """Make a folder, if need be, and mark it as one that no corpus reader looks into from above.

    Raises:
        OSError: the disk refused.
    """
    _mark(
        folder / UPLOADS_MARK,
        "What is in this folder was dropped into lowres studio. Move what you want to add to a corpus out of it.\n",
    )


def _mark(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def is_inside(path: Path, folder: Path) -> bool:
    """Return whether a file or folder lies in a folder, and not behind a symbolic link that leads out of it."""
    # Unlike Path.resolve, this takes a link that leads to itself.
    return _is_below(os.path.realpath(path), os.path.realpath(folder))


def _is_below(real: str, folder: str) -> bool:
    return real == folder or real.startswith(folder.rstrip(os.sep) + os.sep)


def walk_files(folder: Path, base: str, suffixes: Sequence[str]) -> Iterator[str]:
    """Yield the files under folder/base whose names end in one of `suffixes` (any case), sorted, relative to `folder`.

    They are those of `walk_folders`.
    """
    endings = tuple(suffix.lower() for suffix in suffixes)
    for parent, _, names in walk_folders(folder / base):
        prefix = parent.relative_to(folder).as_posix()
        for name in names:
            if name.lower().endswith(endings):
                yield name if prefix == "." else f"{prefix}/{name}"


def walk_folders(folder: Path) -> Iterator[tuple[Path, list[str], list[str]]]:
    """Yield folders with the names of the folders and files in them that may belong to a corpus, sorted.

    Hidden files and folders, and macOS's resource forks, are no part of a corpus, nor are transcripts in a folder below
    that lowres wrote what it heard into, nor what was dropped into the studio. Linked folders are not followed, nor are
    those that the caller takes out of the list.
    """
    is_heard: dict[Path, bool] = {}
    for parent, folders, names in os.walk(folder):
        path = Path(parent)
        is_below = path != folder
        if is_below and UPLOADS_MARK in names:
            folders.clear()
            continue
        is_heard[path] = is_heard.get(path.parent, False) or (is_below and MACHINE_MADE_MARK in names)
        folders[:] = sorted(name for name in folders if not name.startswith(".") and name != "__MACOSX")
        passed_over = _WRITTEN_SUFFIXES if is_heard[path] else ()
        kept = (name for name in names if not (name.startswith(".") or name.lower().endswith(passed_over)))
        yield path, folders, sorted(kept)


def of_another_machine(path: str) -> str:
    """Return an absolute path, of a machine with other folders, as a name for `CorpusFiles.find`."""
    return posixpath.normpath(path).lstrip("/")


def demand_file(path: Path) -> None:
    """Refuse a path with no ordinary file at it: nothing at all, or a folder, a pipe or a device.

    Raises:
        CorpusError: it is none.
    """
    if not path.is_file():
        raise CorpusError(f"{path} is missing, or is no ordinary file.", "Put the file there, or correct its name.")


def _fold(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()


def _outside(name: str, place: str, folder: Path) -> CorpusError:
    return CorpusError(
        f"{place}: the path {name!r} leads out of the corpus folder {folder}.",
        "Only files inside the corpus folder are read: copy the recordings there and write paths relative to it.",
    )
