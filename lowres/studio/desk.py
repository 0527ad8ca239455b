"""The corpus of a project, kept open: loaded again when another program wrote it, corrected by one at a time."""

import unicodedata
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from threading import RLock
from typing import Final

from lowres.audio.shards import SHARDS_FOLDER, Int16Array, ShardReader
from lowres.corpora.files import is_inside
from lowres.errors import CorpusError, LowresError
from lowres.manifest.corpus import CORPUS_FILE, CORPUS_FOLDER, PreparedCorpus, load_corpus
from lowres.manifest.corrections import CORRECTIONS_FILE, Correction, read_corrections
from lowres.manifest.schema import FLAG_SEPARATOR
from lowres.manifest.table import MANIFEST_FILE
from lowres.manifest.writing_alone import writing_alone
from lowres.recipe import Recipe
from lowres.stages.correct import Corrected, Edit, correct_transcript, version_of, why_not_to_correct
from lowres.studio.files import demand_inside

_PATIENCE_SECONDS: Final = 10.0
_KEY_LETTERS: Final = 20

Stamp = tuple[int, int, int]
"""Inode, size and time of a file: another one has another."""


@dataclass(frozen=True)
class Row:
    """An utterance as the studio shows it.

    Attributes:
        position: in the manifest. key: a name that may stand in an address, whatever the utterance is called.
        version: of the transcript, see `version_of`. num_corrections: in its history.
    """

    position: int
    key: str
    utterance_id: str
    split: str
    speaker: str
    seconds: float
    raw_text: str
    text: str
    audio_path: str
    flags: tuple[str, ...]
    included: bool
    version: str
    num_corrections: int


@dataclass(frozen=True)
class OpenCorpus:
    """A corpus and the history of its corrections, as they were on disk at one moment."""

    corpus: PreparedCorpus
    history: dict[str, list[Correction]]
    shards: ShardReader

    @cached_property
    def columns(self) -> dict[str, list[object]]:
        """The manifest as lists, which a row is taken out of in no time."""
        return {str(name): self.corpus.table[name].tolist() for name in self.corpus.table.columns}

    @cached_property
    def positions(self) -> dict[str, int]:
        """From the key of an utterance to its position."""
        return {key_of(str(name)): position for position, name in enumerate(self.columns["utterance_id"])}

    @cached_property
    def haystack(self) -> list[str]:
        """What a search looks at, row by row: name, transcript as written and after the rules, folded."""
        rows = zip(self.columns["utterance_id"], self.columns["raw_text"], self.columns["text"], strict=True)
        return ["\n".join(map(fold, map(str, row))) for row in rows]

    def with_correction(self, corpus: PreparedCorpus, correction: Correction) -> "OpenCorpus":
        """Return the corpus after a correction: what was made of the other rows is taken along."""
        name = correction.utterance_id
        history = {**self.history, name: [*self.history.get(name, ()), correction]}
        changed = OpenCorpus(corpus, history, self.shards)
        position = self.positions[key_of(name)]
        texts = {column: list(self.columns[column]) for column in ("raw_text", "text")}
        for column, values in texts.items():
            values[position] = corpus.table[column].iloc[position]
        changed.__dict__["columns"] = {**self.columns, **texts}
        changed.__dict__["positions"] = self.positions
        if "haystack" in self.__dict__:
            row = "\n".join(fold(str(text)) for text in (name, texts["raw_text"][position], texts["text"][position]))
            changed.__dict__["haystack"] = [*self.haystack[:position], row, *self.haystack[position + 1 :]]
        return changed

    def row(self, position: int) -> Row:
        """Return an utterance by its position."""
        cells = {name: values[position] for name, values in self.columns.items()}
        name, raw_text = str(cells["utterance_id"]), str(cells["raw_text"])
        corrections = self.history.get(name, [])
        return Row(
            position,
            key_of(name),
            name,
            str(cells["split"]),
            str(cells["speaker"]),
            float(str(cells["duration_seconds"])),
            raw_text,
            str(cells["text"]),
            str(cells["audio_path"]),
            tuple(filter(None, str(cells["flags"]).split(FLAG_SEPARATOR))),
            bool(cells["included"]),
            version_of(raw_text, corrections),
            len(corrections),
        )

    def find(self, key: str) -> Row:
        """Return an utterance by its key.

        Raises:
            CorpusError: there is none of that key.
        """
        if key not in self.positions:
            raise CorpusError("There is no such utterance in the corpus.", "Look for it in the list.")
        return self.row(self.positions[key])

    def samples(self, row: Row, project: Path) -> Int16Array:
        """Return (S,) the audio of an utterance.

        Raises:
            CorpusError: it has none, or it would be read outside the project.
            AudioError: its shard is damaged.
        """
        shard = str(self.columns["shard"][row.position])
        offset, length = (int(str(self.columns[name][row.position])) for name in ("offset_samples", "num_samples"))
        if not shard or not length:
            raise CorpusError(f"{row.utterance_id} has no audio.")
        path = self.corpus.folder / SHARDS_FOLDER / shard
        if Path(shard).name != shard or not is_inside(path, project):
            raise CorpusError(f"The audio of {row.utterance_id} would lie outside the project.")
        return self.shards.read(shard, offset, length)


class Desk:
    """Keeps the corpus of a project open.

    Args:
        project: the folder. open_recipe: loads the recipe, which may be edited while the studio runs.
    """

    def __init__(self, project: Path, open_recipe: Callable[[], Recipe]) -> None:
        self.project, self.open_recipe = project, open_recipe
        self._lock = RLock()
        self._open: OpenCorpus | None = None
        self._stamps: tuple[Stamp | None, ...] = ()

    def corpus(self) -> OpenCorpus:
        """Return the corpus as it is on disk now.

        Raises:
            CorpusError: there is none, it is damaged, or a link leads out of the project to it.
        """
        with self._lock:
            stamps = self._look()
            if self._open is None or stamps != self._stamps:
                folder = self.project / CORPUS_FOLDER
                for name in ("", MANIFEST_FILE, CORPUS_FILE, SHARDS_FOLDER):
                    demand_inside(folder / name, self.project)
                demand_inside(self.project / CORRECTIONS_FILE, self.project)
                corpus = load_corpus(folder)
                self._open = OpenCorpus(corpus, read_corrections(self.project), ShardReader(folder))
                self._stamps = stamps
            return self._open

    def why_not_to_correct(self) -> str:
        """Return a sentence where nothing can be corrected; "" where it can."""
        try:
            return why_not_to_correct(self.corpus().corpus, self.open_recipe())
        except LowresError as error:
            return f"{error.message} {error.hint}"

    def correct(self, edit: Edit) -> Corrected:
        """Correct a transcript.

        Raises:
            CorpusError: as `correct_transcript`; or another program writes the corpus.
        """
        with self._writing():
            opened = self.corpus()
            result = correct_transcript(self.project, self.open_recipe(), opened.corpus, opened.history, edit)
            if result.correction is not None:
                # Nobody else can have written since: what is known need not be read again.
                self._open = opened.with_correction(result.corpus, result.correction)
                self._stamps = self._look()
            return result

    @contextmanager
    def _writing(self) -> Iterator[None]:
        with self._lock, writing_alone(self.project, patience_seconds=_PATIENCE_SECONDS):
            yield

    def _look(self) -> tuple[Stamp | None, ...]:
        folder = self.project / CORPUS_FOLDER
        return tuple(map(_stamp, (folder / MANIFEST_FILE, folder / CORPUS_FILE, self.project / CORRECTIONS_FILE)))


def fold(text: str) -> str:
    """Return a text in which case and Unicode form make no difference."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold())


def key_of(utterance_id: str) -> str:
    """Return a short name of an utterance for addresses: a hash, so that no id can be a path or a markup."""
    return sha256(utterance_id.encode("utf-8", "surrogatepass")).hexdigest()[:_KEY_LETTERS]


def _stamp(path: Path) -> Stamp | None:
    try:
        stat = path.stat()
    except OSError:
        return None
    return (stat.st_ino, stat.st_size, stat.st_mtime_ns)
