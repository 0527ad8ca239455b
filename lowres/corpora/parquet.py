"""Unpacks Hugging Face `datasets` (parquet files that hold the recordings' bytes) into an audio folder, once.

Readers hand over paths, so the recordings have to be files somewhere: in a folder that the caller names, never in the
corpus folder itself. What is written there has the layout that `lowres.corpora.audio_folder` reads.
"""

import csv
import hashlib
import importlib
import json
import re
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from types import ModuleType
from typing import Any
from uuid import uuid4

from lowres.corpora.columns import find_columns
from lowres.corpora.files import CorpusFiles, walk_files
from lowres.corpora.reading import split_from_folders
from lowres.corpora.settings import AUDIO_SUFFIXES, ReaderSettings
from lowres.corpora.written_names import FileNames
from lowres.errors import ON_NONSENSE, CorpusError, how_to_install

PARQUET_SUFFIX = ".parquet"
_UNPACKED_FILE = "unpacked_from.json"
_METADATA_COLUMNS = ("file_name", "transcription", "speaker_id", "language", "split", "utterance_id")
_NO_SPLIT = "all"
_ROWS_PER_BATCH = 32
# The first bytes of a recording whose name says nothing, and the suffix that they stand for.
_BEGINNINGS = ((b"RIFF", ".wav"), (b"fLaC", ".flac"), (b"OggS", ".ogg"), (b"ID3", ".mp3"), (b"\xff\xfb", ".mp3"))


def unpack_parquet(folder: Path, target: Path, settings: ReaderSettings) -> None:
    """Write every row's recording, and metadata.csv beside them, to `target`/SPLIT; nothing where that is done already.

    The split is in the name of a parquet file, as in data/train-00000-of-00002.parquet, or of its folder. Columns are
    those that `settings.columns` names, else those of the usual names; an id is taken only where the recipe names it,
    because a column that is called so often numbers sentences. A row without a recording stays without one in
    metadata.csv, for the reader to name.

    Args:
        folder: the corpus folder; nothing is written there.
        target: the folder to write, made by this function alone; it appears when it is complete.
        settings: subfolder, columns and split_names are used.

    Raises:
        CorpusError: pyarrow is missing, there is no parquet file, one is damaged or lacks a column, a path leads out
            of the folder, `target` is something else, or the disk refused.
    """
    parquet = _import_parquet()
    names = list(walk_files(folder, CorpusFiles(folder, settings.subfolder).base, [PARQUET_SUFFIX]))
    if not names:
        raise CorpusError(
            f"There is no parquet file in {folder}.",
            "Set corpus.folder to the folder of the data set that holds data/train-00000-of-00001.parquet and so on.",
        )
    fingerprint = _fingerprint(folder, names, settings)
    if _read_fingerprint(target) == fingerprint:
        return
    if target.exists() and not (target / _UNPACKED_FILE).is_file():
        raise CorpusError(f"{target} exists and was not unpacked by lowres.", "Move it out of the way.")
    partial = target.with_name(f".{target.name}.{uuid4().hex[:8]}.partial")
    try:
        with _Unpacking(folder, partial, settings) as unpacking:
            for name in names:
                unpacking.add(name, parquet)
        (partial / _UNPACKED_FILE).write_text(json.dumps({"fingerprint": fingerprint}), encoding="utf-8")
        shutil.rmtree(target, ignore_errors=True)
        partial.rename(target)
    except OSError as error:
        raise CorpusError(
            f"Could not write {target}: {error.strerror or error}.", "Free some space or choose another disk."
        ) from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _import_parquet() -> ModuleType:
    try:
        return importlib.import_module("pyarrow.parquet")
    except ImportError as error:
        raise CorpusError(
            "Parquet files are read with pyarrow, which is not installed.", how_to_install("parquet")
        ) from error


@dataclass
class _Unpacking:
    """A data set while it is unpacked: one metadata.csv is open for each split."""

    folder: Path
    target: Path
    settings: ReaderSettings
    names: FileNames = field(default_factory=FileNames)
    tables: dict[str, Any] = field(default_factory=dict)
    files: list[Any] = field(default_factory=list)

    def __enter__(self) -> "_Unpacking":
        self.target.mkdir(parents=True)
        self.corpus_files = CorpusFiles(self.folder, self.settings.subfolder)
        return self

    def __exit__(self, *_error: object) -> None:
        for file in self.files:
            file.close()

    def add(self, name: str, parquet: ModuleType) -> None:
        """Unpack one parquet file."""
        self.corpus_files.check_inside(name, name)
        split = _find_split(name, self.settings)
        for number, row in enumerate(_read_rows(self.folder / name, parquet, self.settings), start=1):
            stem, suffix, contents = self._recording(row.get("audio"), f"{name} row {number}")
            chosen = self.names.choose(stem) + suffix if suffix else ""
            where = self.target / (split or _NO_SPLIT)
            if chosen:
                where.mkdir(exist_ok=True)
                (where / chosen).write_bytes(contents)
            known = [_text(row.get(column)) for column in ("text", "speaker", "language")]
            known.append("" if split else _text(row.get("split")))
            key = _text(row.get("id")) or (f"{split}/{chosen.removesuffix(suffix)}" if split else chosen)
            self._table(split).writerow([chosen, *known, key])

    def _recording(self, value: object, place: str) -> tuple[str, str, bytes]:
        """Return a recording's name, its suffix and its bytes; no suffix where there is none, or of no known kind."""
        path, contents = _path_and_bytes(value)
        stem, suffix = PurePosixPath(path).stem, PurePosixPath(path).suffix.lower()
        if contents is None and path:
            found = self.corpus_files.find(path, place)
            contents = _read_file(self.folder / found) if found else None
            suffix = PurePosixPath(found).suffix.lower() if found else ""
        if contents is None:
            return stem, "", b""
        if suffix not in AUDIO_SUFFIXES:
            suffix = next((suffix for start, suffix in _BEGINNINGS if contents.startswith(start)), "")
        return stem or PurePosixPath(place.rpartition(" row ")[0]).stem, suffix, contents

    def _table(self, split: str) -> Any:
        if split not in self.tables:
            path = self.target / (split or _NO_SPLIT) / "metadata.csv"
            path.parent.mkdir(exist_ok=True)
            self.files.append(path.open("w", encoding="utf-8", newline=""))
            self.tables[split] = csv.writer(self.files[-1], lineterminator="\n")
            self.tables[split].writerow(_METADATA_COLUMNS)
        return self.tables[split]


def _read_rows(path: Path, parquet: ModuleType, settings: ReaderSettings) -> Iterator[Mapping[str, object]]:
    """Yield the rows of a parquet file by our names of columns, a few at a time in memory."""
    if not path.is_file():
        raise CorpusError(f"{path} is no ordinary file.", "Fetch it again.")
    try:
        with parquet.ParquetFile(path) as file:
            theirs = list(file.schema_arrow.names)
            columns = find_columns(theirs, settings.columns, path)
            if "id" not in settings.columns:
                columns.pop("id", None)
            wanted = {ours: theirs[position] for ours, position in columns.items()}
            for batch in file.iter_batches(batch_size=_ROWS_PER_BATCH, columns=sorted(set(wanted.values()))):
                for row in batch.to_pylist():
                    yield {ours: row.get(column) for ours, column in wanted.items()}
    # ArrowInvalid is a ValueError; damaged pages are an OSError.
    except (ValueError, KeyError, NotImplementedError, OSError) as error:
        reason = " ".join(str(error).split()).rstrip(".")  # some are several lines
        raise CorpusError(f"{path} cannot be read as parquet: {reason}.", "Fetch it again.") from error


def _read_file(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise CorpusError(f"{path} cannot be read: {error.strerror or error}.") from error


def _path_and_bytes(value: object) -> tuple[str, bytes | None]:
    """Take a cell of the column of recordings apart: a struct of bytes and path, a path, or bytes alone."""
    path, contents = (value.get("path"), value.get("bytes")) if isinstance(value, Mapping) else (value, value)
    return path if isinstance(path, str) else "", contents if isinstance(contents, bytes) else None


def _text(value: object) -> str:
    return "" if value is None else str(value).strip()


def _find_split(name: str, settings: ReaderSettings) -> str:
    *folders, file = name.split("/")
    return split_from_folders([*re.split(r"[-_.]", file.removesuffix(PARQUET_SUFFIX)), *folders], settings)


def _fingerprint(folder: Path, names: list[str], settings: ReaderSettings) -> str:
    stats = [(name, (folder / name).stat().st_size, (folder / name).stat().st_mtime_ns) for name in names]
    chosen = [settings.subfolder, sorted(settings.columns.items()), sorted(settings.split_names.items())]
    return hashlib.sha256(json.dumps([chosen, stats]).encode()).hexdigest()


def _read_fingerprint(target: Path) -> str:
    try:
        found = json.loads((target / _UNPACKED_FILE).read_text(encoding="utf-8"))
    except (OSError, *ON_NONSENSE):
        return ""
    return str(found.get("fingerprint", "")) if isinstance(found, dict) else ""
