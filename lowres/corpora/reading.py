"""What a reader hands over, and the collector that all readers fill: no id twice, nothing left out unnamed."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from lowres.corpora.settings import ReaderSettings
from lowres.errors import CorpusError
from lowres.manifest.schema import Skipped, UtteranceRow

_MOST_SECONDS = 1e7
"""Sixteen weeks. Times beyond it are slips of the pen, and would not fit into samples for long."""


@dataclass(frozen=True)
class CorpusReading:
    """A corpus as its reader found it.

    Attributes:
        rows: the utterances, in the corpus's own order.
        skipped: everything that had to be left out, and why.
        notes: sentences about the corpus as a whole that its owner should see, such as a guessed encoding.
        taken_over: utterances whose transcript a person had corrected, and that say so by themselves now.
    """

    rows: list[UtteranceRow]
    skipped: list[Skipped]
    notes: list[str]
    taken_over: tuple[str, ...] = ()


@dataclass
class RowCollector:
    """Collects rows while a corpus is read; remembers where each id came from.

    Attributes:
        reading: what was collected so far.
        places: utterance id to the file and line that it came from.
    """

    reading: CorpusReading = field(default_factory=lambda: CorpusReading([], [], []))
    places: dict[str, str] = field(default_factory=dict)

    def add(self, row: UtteranceRow, place: str) -> None:
        """Add one row; one whose times no recording can have is left out and named.

        Raises:
            CorpusError: its id is empty or was used before; both places are named.
        """
        if not row.utterance_id:
            raise CorpusError(f"{place}: the utterance has no id.", "Give every utterance an id of its own.")
        if row.utterance_id in self.places:
            raise CorpusError(
                f"The utterance {row.utterance_id!r} is listed twice: {self.places[row.utterance_id]} and {place}.",
                "Take one of the two out, or give them different ids. If both are stretches of one recording, add "
                "columns with their start and end in seconds.",
            )
        if not _possible(row.start_seconds) or not (row.end_seconds is None or _possible(row.end_seconds)):
            self.skip(place, f"begins or ends at a time that no recording has ({row.start_seconds:g} s)")
            return
        self.places[row.utterance_id] = place
        self.reading.rows.append(row)

    def skip(self, place: str, reason: str) -> None:
        """Note something that cannot be used."""
        self.reading.skipped.append(Skipped(place, reason))

    def note(self, sentence: str) -> None:
        """Note something about the corpus as a whole, once."""
        if sentence not in self.reading.notes:
            self.reading.notes.append(sentence)


def _possible(seconds: float) -> bool:
    return 0 <= seconds < _MOST_SECONDS


def split_from_folders(folders: Sequence[str], settings: ReaderSettings) -> str:
    """Return the split that the first of a recording's folders to be called like one tells; "" where none is.

    Args:
        folders: names, from the top of the layout down.
        settings: its split_names are known too.
    """
    for name in folders:
        split = settings.split_for(name)
        # "other" means used nowhere; a folder that happens to be called so is no such statement.
        if split and (split != "other" or name in settings.split_names):
            return split
    return ""


def speaker_from_path(path: str, settings: ReaderSettings) -> str:
    """Return the speaker that a recording's path tells: part of its file name, or its folder; "" where it does not.

    Args:
        path: posix, relative to the corpus folder.
        settings: speaker_from says which, and speaker_separator and speaker_field which part of the name.
    """
    *folders, name = path.split("/")
    if settings.speaker_from == "folder":
        return folders[-1] if folders else ""
    if settings.speaker_from == "file_name":
        stem, separator = name.rpartition(".")[0], settings.speaker_separator
        pieces, piece = stem.split(separator) if separator else [name], settings.speaker_field
        return pieces[piece] if -len(pieces) <= piece < len(pieces) else ""
    return ""


def choose_language(place: Path, languages: Sequence[str], what: str, hint: str) -> str:
    """Return the one language of a release.

    Args:
        place: where the languages were looked for.
        languages: their folders, relative to the corpus folder.
        what: what is missing where there is none, to follow "... holds no ".
        hint: the remedy then.

    Raises:
        CorpusError: there is none, or there are several.
    """
    if len(languages) == 1:
        return languages[0]
    if languages:
        raise CorpusError(
            f"{place} holds several languages: {', '.join(languages)}.",
            f'Choose one in the recipe: corpus.reader.subfolder = "{languages[0]}".',
        )
    raise CorpusError(f"{place} holds no {what}.", hint)
