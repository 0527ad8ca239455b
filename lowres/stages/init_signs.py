"""What tells the layouts of a folder apart where the names of its files fit several: a look into some of them."""

from collections.abc import Iterable, Set
from pathlib import Path, PurePosixPath
from typing import Final

from lowres.annotation.audacity import read_audacity
from lowres.annotation.formats import ANNOTATION_SUFFIXES
from lowres.corpora.columns import find_columns
from lowres.corpora.delimited import read_delimited
from lowres.corpora.settings import AUDIO_SUFFIXES
from lowres.errors import CorpusError

_MOST_ROWS: Final = 50


def stems_of(files: Iterable[Path]) -> set[Path]:
    """Return the recordings among files, without their suffixes."""
    return {path.with_suffix("") for path in files if path.suffix.lower() in AUDIO_SUFFIXES}


def has_annotations_beside(files: Iterable[Path], stems: Set[Path]) -> bool:
    """Say whether a file of annotations is called like the recording that it stands beside."""
    return any(path.suffix.lower() in ANNOTATION_SUFFIXES and path.with_suffix("") in stems for path in files)


def lists_transcripts(table: Path, stems: Set[Path]) -> bool:
    """Say whether a table names recordings that are there and has a column of the usual names for their transcripts."""
    try:
        found = read_delimited(table, encoding="", header=True)
        place = find_columns(found.columns, {}, table)["audio"]
    except CorpusError:
        return False
    names = {path.name.casefold() for path in stems}
    return any(_stem(row[place]) in names for _, row in found.rows[:_MOST_ROWS])


def are_label_tracks(texts: Iterable[Path]) -> bool:
    """Say whether most of these texts are label tracks of Audacity, with a beginning and an end; empty ones aside."""
    found = [_is_label_track(path) for path in texts if path.is_file()]
    return sum(one is True for one in found) > sum(one is False for one in found)


def _is_label_track(path: Path) -> bool | None:
    """Say whether a text is a label track; None where nothing is in it."""
    try:
        tier = read_audacity(path).tiers[0]
    except CorpusError:
        return False
    return tier.kind == "intervals" if tier.annotations else None


def _stem(name: str) -> str:
    path = PurePosixPath(name.strip().replace("\\", "/"))
    return (path.stem if path.suffix.lower() in AUDIO_SUFFIXES else path.name).casefold()
