"""Reads corpora that are one table (CSV or TSV) of recordings and transcripts, or one table per split."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from glob import escape
from pathlib import Path, PurePosixPath

from lowres.corpora.columns import find_columns
from lowres.corpora.delimited import read_delimited
from lowres.corpora.files import CorpusFiles
from lowres.corpora.reading import CorpusReading, RowCollector, speaker_from_path
from lowres.corpora.settings import ReaderSettings
from lowres.errors import CorpusError
from lowres.manifest.schema import UtteranceRow

_TABLE_SUFFIXES = (".csv", ".tsv", ".txt", ".tab")


@dataclass(frozen=True)
class Listing:
    """One table and what is known of all its rows.

    Attributes:
        table: the file, relative to the corpus folder.
        audio_base: where its paths start, relative to the corpus folder.
        split: our split of its rows, where no column says it.
    """

    table: str
    audio_base: str
    split: str = ""


def read_table(folder: Path, settings: ReaderSettings) -> CorpusReading:
    """Read a corpus of one table, or of one per split where `settings.table` holds "{split}".

    Args:
        folder: the corpus folder.
        settings: table, columns, audio_folder, header, encoding, split_names and the speaker's place are used.

    Raises:
        CorpusError: no table or several, columns that cannot be told, an id used twice, a path that climbs out, or a
            split that nobody declared.
    """
    collector = RowCollector()
    for listing in _find_listings(folder, settings, collector):
        read_listing(folder, listing, settings, collector)
    return collector.reading


def read_listing(folder: Path, listing: Listing, settings: ReaderSettings, collector: RowCollector) -> None:
    """Add one table's rows to `collector`; errors as `read_table`'s."""
    path = folder / listing.table
    CorpusFiles(folder).check_inside(listing.table, "the recipe")
    table = read_delimited(path, encoding=settings.encoding, header=settings.header)
    columns = find_columns(table.columns, settings.columns, path)
    if table.encoding == "cp1252":
        collector.note(f"{listing.table} is not UTF-8: it was read as Windows-1252. Look at its letters below.")
    for line, reason in table.malformed:
        collector.skip(f"{listing.table} line {line}", f"{reason}; a cell with a comma needs quotation marks")
    files = CorpusFiles(folder, listing.audio_base, [cells[columns["audio"]].strip() for _, cells in table.rows])
    for line, cells in table.rows:
        place = f"{listing.table} line {line}"
        values = {ours: cells[position].strip() for ours, position in columns.items()}
        if not values["audio"]:
            collector.skip(place, "names no recording")
            continue
        found = files.find(values["audio"], place)
        if found is None:
            collector.skip(place, f"there is no recording {files.relative(values['audio'], place)}")
            continue
        collector.add(_row(values, found, listing, settings, place), place)


def _row(
    values: Mapping[str, str], audio_path: str, listing: Listing, settings: ReaderSettings, place: str
) -> UtteranceRow:
    start = _seconds(values.get("start", ""), "start", place) or 0.0
    end = _seconds(values.get("end", ""), "end", place)
    stem = audio_path.removesuffix(PurePosixPath(audio_path).suffix)
    stretch = "" if end is None and start == 0 else f"-{start:09.2f}-" + ("end" if end is None else f"{end:09.2f}")
    channel = values.get("channel", "")
    if channel and not channel.isdecimal():
        raise CorpusError(f"{place}: the channel {channel!r} is not a number.", "Channels are counted from 0.")
    speaker = values.get("speaker") or speaker_from_path(audio_path, settings)
    return UtteranceRow(
        utterance_id=values.get("id") or stem + stretch,
        audio_path=audio_path,
        start_seconds=start,
        end_seconds=end,
        channel=int(channel) if channel else settings.channel,
        speaker=speaker,
        split=_split(values.get("split", ""), settings, place) if values.get("split") else listing.split,
        raw_text=values["text"],
        language=values.get("language") or settings.language,
    )


def _split(name: str, settings: ReaderSettings, place: str) -> str:
    split = settings.split_for(name)
    if split is None:
        raise CorpusError(
            f"{place}: the split {name!r} is none that is known.",
            f'Say in the recipe what it is to us: corpus.reader.split_names."{name}" = "train", "dev", "test" or '
            '"other".',
        )
    return split


def _seconds(value: str, column: str, place: str) -> float | None:
    if not value:
        return None
    try:
        seconds = float(value.replace(",", "."))
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds < 1e7:
        raise CorpusError(f"{place}: the {column} {value!r} is not a time in seconds.", "Write it as in 12.34.")
    return seconds


def _find_listings(folder: Path, settings: ReaderSettings, collector: RowCollector) -> list[Listing]:
    files = CorpusFiles(folder, settings.subfolder)
    name = settings.table or _only_table(folder / files.base)
    tables = files.relative(name, "corpus.reader.table")
    if "{split}" not in name:
        return [Listing(tables, files.relative(settings.audio_folder, "corpus.reader.audio_folder"))]
    listings = []
    for path in sorted(folder.glob(escape(tables).replace("{split}", "*"))):
        theirs = _name_of_split(tables, path.relative_to(folder).as_posix())
        split = settings.split_for(theirs)
        if not split:
            collector.skip(path.relative_to(folder).as_posix(), "is of a split that neither we nor the recipe know")
            continue
        base = files.relative(settings.audio_folder.replace("{split}", theirs), "corpus.reader.audio_folder")
        listings.append(Listing(path.relative_to(folder).as_posix(), base, split))
    if not listings:
        raise CorpusError(
            f"There is no table {name} in {folder / files.base} for any known split.",
            "Correct corpus.reader.table, or name the corpus's own splits in corpus.reader.split_names.",
        )
    return listings


def _name_of_split(pattern: str, path: str) -> str:
    first, *further = (re.escape(piece) for piece in pattern.split("{split}"))
    found = re.fullmatch(first + "(?P<split>[^/]+)" + "(?P=split)".join(further), path)
    return found["split"] if found else ""


def _only_table(folder: Path) -> str:
    tables = sorted(
        path.name
        for path in folder.iterdir()
        if path.suffix.lower() in _TABLE_SUFFIXES and path.stem.lower() != "readme"
    )
    if len(tables) == 1:
        return tables[0]
    what = f"several tables ({', '.join(tables[:6])})" if tables else "no table (a .csv or .tsv file)"
    raise CorpusError(
        f"There is {what} in {folder}.", 'Name the one to read in the recipe: corpus.reader.table = "NAME".'
    )
