"""The guided walk while it is under way: the project, the answers, and what was found in the recordings so far."""

import time
from collections import Counter
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

import numpy as np
import pandas as pd
from pydantic import TypeAdapter, ValidationError

from lowres.audio.length import announced_seconds
from lowres.corpora.annotated import TierSummary, list_tiers
from lowres.corpora.files import CorpusFiles, walk_files
from lowres.corpora.layouts import read_corpus
from lowres.corpora.parquet import unpack_parquet
from lowres.corpora.reading import CorpusReading
from lowres.corpora.settings import AUDIO_SUFFIXES, ReaderSettings
from lowres.errors import RecipeError
from lowres.manifest.schema import table_from_rows
from lowres.manifest.typed_paths import expand_home
from lowres.stages.prepare_locate import UNPACKED_FOLDER
from lowres.stages.start_answers import ANSWERS_FILE, Answers
from lowres.stages.start_asking import Progress
from lowres.text.audit import OrthographyAudit, audit_orthography
from lowres.text.normalize import compile_rules
from lowres.text.rules import parse_rules

_Found = TypeVar("_Found")
_MOST_SECONDS_OF_LOOKING: Final = 20.0
"""After so long, the lengths of the recordings that were not looked at are estimated from their sizes."""


@dataclass(frozen=True)
class FolderScan:
    """The recordings of a folder.

    Attributes:
        seconds: of each recording, relative to the folder.
        endings: how many recordings end in what.
        unreadable: recordings whose length cannot be told.
        num_estimated: recordings whose length was estimated from their size.
    """

    seconds: Mapping[str, float]
    endings: Mapping[str, int]
    unreadable: tuple[str, ...]
    num_estimated: int

    @property
    def hours(self) -> float:
        """Hours of all recordings."""
        return sum(self.seconds.values()) / 3600


def scan_recordings(folder: Path, progress: Progress = lambda _done, _total: None) -> FolderScan:
    """Look at every recording of a folder, at its header only, for some seconds at most."""
    names = list(walk_files(folder, "", AUDIO_SUFFIXES))
    seconds: dict[str, float] = {}
    unreadable: list[str] = []
    measured_bytes = 0
    # In steps through the folder, so that those that were looked at are like those that were not.
    stride = max(len(names) // 50, 1)
    order = [name for first in range(stride) for name in names[first::stride]]
    files = CorpusFiles(folder)
    began = time.monotonic()
    for number, name in enumerate(order):
        if time.monotonic() - began > _MOST_SECONDS_OF_LOOKING:
            break
        length = announced_seconds(folder / name) if files.is_inside(name) else None
        if length is None:
            unreadable.append(name)
        else:
            seconds[name] = length
            measured_bytes += (folder / name).stat().st_size
        progress(number + 1, len(names))
    looked_at = seconds.keys() | set(unreadable)
    left = [name for name in names if name not in looked_at]
    # Links that lead nowhere, as git-annex keeps them, have no size.
    gone = {name for name in left if not (folder / name).exists()}
    left = [name for name in left if name not in gone]
    per_byte = sum(seconds.values()) / max(measured_bytes, 1)
    seconds |= {name: (folder / name).stat().st_size * per_byte for name in left}
    endings = Counter(Path(name).suffix.lower() for name in names)
    return FolderScan(seconds, dict(endings.most_common()), tuple(sorted([*unreadable, *gone])), len(left))


class Walk:
    """A walk through one project.

    Args:
        project: its folder.
        answers: those so far.
    """

    def __init__(self, project: Path, answers: Answers) -> None:
        self.project = project
        self.answers = answers
        self._found: dict[Hashable, Any] = {}

    def if_answered(self, **values: Any) -> "Walk":
        """Return the walk as it would be with other answers; what was found on the way stays known to both."""
        other = Walk(self.project, self.answers.updated(**values))
        other._found = self._found
        return other

    @property
    def folder(self) -> Path:
        """The folder of the recordings."""
        return self.project / expand_home(self.answers.recordings or "")

    def reader_data(self) -> dict[str, Any]:
        """Return the values of [corpus.reader] that follow from the answers so far."""
        merged: dict[str, Any] = {}
        for part in (self.answers.layout, self.answers.transcripts, self.answers.speakers):
            for key, value in (part or {}).items():
                merged[key] = {**merged.get(key, {}), **value} if isinstance(value, dict) else value
        return merged

    def settings(self) -> ReaderSettings:
        """Return the reader that follows from the answers so far.

        Raises:
            RecipeError: the file of answers was changed by hand, to something that is none.
        """
        try:
            return TypeAdapter(ReaderSettings).validate_python(self.reader_data())
        except ValidationError as error:
            raise RecipeError(
                f"The answers of `lowres start` in {self.project / ANSWERS_FILE} describe no layout of recordings.",
                "Delete that file to be asked again; nothing else is lost.",
            ) from error

    def scan(self, progress: Progress = lambda _done, _total: None) -> FolderScan:
        """Return what recordings there are."""
        return self._once(("scan", self.folder), lambda: scan_recordings(self.folder, progress))

    def tiers(self) -> list[TierSummary]:
        """List the tiers of the annotations, as they are before any of them is chosen.

        Raises:
            CorpusError: there is no file of annotations.
        """
        unchosen = self.if_answered(transcripts=None, speakers=None)
        place = ("tiers", self.folder, repr(unchosen.reader_data()))
        return self._once(place, lambda: list_tiers(self.folder, unchosen.settings()))

    def located(self) -> tuple[Path, ReaderSettings]:
        """Return where the recordings lie as files, and how they are read; parquet files are unpacked first."""
        settings = self.settings()
        if settings.reader != "hf_dataset":
            return self.folder, settings
        # The folder that `lowres prepare` uses, so that it finds everything there.
        unpacked = self.project / UNPACKED_FOLDER / (self.project.resolve().name or "corpus")
        unpack_parquet(self.folder, unpacked, settings)
        return unpacked, ReaderSettings(reader="audio_folder")

    def reading(self) -> CorpusReading:
        """Read all transcripts, once for each way of reading them.

        Raises:
            CorpusError: they cannot be read that way.
        """
        place = ("reading", self.folder, repr(self.reader_data()))
        return self._once(place, lambda: read_corpus(*self.located()))

    def table(self) -> pd.DataFrame:
        """Return the utterances as a manifest table, their lengths as the headers of the recordings tell them."""
        rows = self.reading().rows
        folder, seconds = self.located()[0], dict(self.scan().seconds)
        ends = [row.end_seconds for row in rows]
        for number, row in enumerate(rows):
            if ends[number] is None:
                if row.audio_path not in seconds:
                    seconds[row.audio_path] = announced_seconds(folder / row.audio_path) or 0.0
                ends[number] = seconds[row.audio_path]
        lengths = [max((end or 0.0) - row.start_seconds, 0.0) for end, row in zip(ends, rows, strict=True)]
        table = table_from_rows(rows).assign(duration_seconds=np.array(lengths))
        if self.answers.text is not None:
            apply = compile_rules(parse_rules(list(self.answers.text.rules)))
            table = table.assign(text=pd.Series([apply(text) for text in table["raw_text"]], dtype="str"))
        return table.assign(included=table["text"].str.strip() != "")

    def texts(self) -> list[str]:
        """Return the transcripts as they are written."""
        return [row.raw_text for row in self.reading().rows]

    def audit(self) -> OrthographyAudit:
        """Audit the transcripts as they are written, once for each way of reading them."""
        place = ("audit", self.folder, repr(self.reader_data()))
        rows = self.reading().rows
        return self._once(place, lambda: audit_orthography((row.utterance_id, row.raw_text) for row in rows))

    def _once(self, place: Hashable, make: Callable[[], _Found]) -> _Found:
        """Return what was found at a place before, or make it and keep it there; what `make` raises is not kept."""
        if place not in self._found:
            self._found[place] = make()
        found: _Found = self._found[place]
        return found
