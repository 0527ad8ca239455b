"""Reads unpacked Common Voice releases: clips/ and one table per split, for one language."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path, PurePosixPath

from lowres.corpora.files import CorpusFiles
from lowres.corpora.reading import CorpusReading, RowCollector, choose_language
from lowres.corpora.settings import ReaderSettings
from lowres.corpora.table import Listing, read_listing

_TABLES = ("train", "dev", "test", "other")
_COLUMNS: Mapping[str, str] = {"audio": "path", "text": "sentence", "speaker": "client_id"}


def read_common_voice(folder: Path, settings: ReaderSettings) -> CorpusReading:
    """Read train.tsv, dev.tsv, test.tsv and other.tsv of one language.

    `other.tsv` holds clips that nobody has validated: they get the split "other". `validated.tsv` repeats the three
    splits and adds clips whose sentence is in them already: it is read only where `split_names` says as what.

    Args:
        folder: the release, or one language of it; `settings.subfolder` chooses the language where there are several.
        settings: subfolder, columns, encoding and split_names are used.

    Raises:
        CorpusError: no language or several, or what `read_table` raises.
    """
    top = _find_language(folder, settings)
    splits = {name: name for name in _TABLES} | dict(settings.split_names)
    columns = {**_COLUMNS, **settings.columns}
    collector = RowCollector()
    seen: set[str] = set()
    for name, split in splits.items():
        table = str(PurePosixPath(top, f"{name}.tsv"))
        if not (folder / table).is_file():
            continue
        part = RowCollector()
        listing = Listing(table, str(PurePosixPath(top, "clips")), split)
        read_listing(folder, listing, replace(settings, columns=columns), part)
        for row, place in zip(part.reading.rows, part.places.values(), strict=True):
            if name in _TABLES or row.utterance_id not in seen:
                collector.add(row, place)
        seen.update(part.places)
        collector.reading.skipped.extend(part.reading.skipped)
        collector.reading.notes.extend(part.reading.notes)
    return collector.reading


def _find_language(folder: Path, settings: ReaderSettings) -> str:
    top = CorpusFiles(folder, settings.subfolder).base
    if _is_language(folder / top):
        return top
    languages = sorted(path.relative_to(folder).as_posix() for path in (folder / top).glob("*/") if _is_language(path))
    return choose_language(
        folder / top,
        languages,
        "Common Voice release: there is no clips/ with train.tsv beside it",
        "Unpack the release's .tar.gz there.",
    )


def _is_language(folder: Path) -> bool:
    return (folder / "clips").is_dir() and any((folder / f"{name}.tsv").is_file() for name in (*_TABLES, "validated"))
