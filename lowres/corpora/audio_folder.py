"""Reads audio folders: recordings with a metadata.csv beside them, as on Hugging Face."""

from pathlib import Path

from lowres.corpora.files import CorpusFiles
from lowres.corpora.reading import CorpusReading, RowCollector
from lowres.corpora.settings import ReaderSettings
from lowres.corpora.table import Listing, read_listing
from lowres.errors import CorpusError

_METADATA = ("metadata.csv", "metadata.tsv")


def read_audio_folder(folder: Path, settings: ReaderSettings) -> CorpusReading:
    """Read every metadata.csv; a split is the folder's name (`validation` is our dev), or a column of that name.

    Args:
        folder: the corpus folder.
        settings: subfolder, columns, encoding, split_names and the speaker's place are used.

    Raises:
        CorpusError: no metadata.csv, or what `read_table` raises.
    """
    collector = RowCollector()
    top = CorpusFiles(folder, settings.subfolder).base
    tables = sorted(path for name in _METADATA for path in (folder / top).rglob(name))
    if not tables:
        raise CorpusError(
            f"There is no metadata.csv anywhere in {folder / top}.",
            "An audio folder needs one beside the recordings, with the columns file_name and transcription.",
        )
    for path in tables:
        base = path.parent.relative_to(folder).as_posix()
        parts = [settings.split_for(part) for part in path.parent.relative_to(folder / top).parts]
        split = next((part for part in parts if part), "")
        listing = Listing(path.relative_to(folder).as_posix(), "" if base == "." else base, split)
        read_listing(folder, listing, settings, collector)
    return collector.reading
