"""Reads the crowdsourced corpora on OpenSLR: tables line_index*.tsv without a header, recordings beside or below."""

from pathlib import Path, PurePosixPath

from lowres.corpora.files import CorpusFiles, walk_files
from lowres.corpora.reading import CorpusReading, RowCollector, speaker_from_path, split_from_folders
from lowres.corpora.settings import AUDIO_SUFFIXES, ReaderSettings
from lowres.corpora.tab_lines import read_tab_lines
from lowres.errors import CorpusError
from lowres.manifest.schema import UtteranceRow

_TABLE_BEGINNINGS = ("line_index", "utt_spk_text")


def is_line_index(name: str) -> bool:
    """Say whether a file of this name is such a table."""
    return name.startswith(_TABLE_BEGINNINGS) and name.lower().endswith(".tsv")


def read_openslr(folder: Path, settings: ReaderSettings) -> CorpusReading:
    """Read every table: a file's id, then its text, or with a column between them.

    That column is the speaker in `utt_spk_text.tsv` and nothing that is known elsewhere. Without it the speaker is the
    id up to its last `_`, as yom_07049 in yom_07049_00610729541, unless the recipe says where else it is.

    Args:
        folder: the corpus folder.
        settings: subfolder, encoding, channel, language, split_names and the speaker's place are used.

    Raises:
        CorpusError: no table, an id used twice, or a path that climbs out.
    """
    collector = RowCollector()
    everywhere = CorpusFiles(folder, settings.subfolder)
    tables = [path for path in walk_files(folder, everywhere.base, [".tsv"]) if is_line_index(PurePosixPath(path).name)]
    if not tables:
        raise CorpusError(
            f"There is no table line_index.tsv, line_index_female.tsv or the like in {folder / everywhere.base}.",
            "Put the corpus's tables beside the folders of its recordings, under the names they were published with.",
        )
    for table in tables:
        _read_index(folder, table, everywhere, settings, collector)
    return collector.reading


def _read_index(
    folder: Path, table: str, everywhere: CorpusFiles, settings: ReaderSettings, collector: RowCollector
) -> None:
    parents = PurePosixPath(table).parts[:-1]
    beside = CorpusFiles(folder, "/".join(parents))
    split = split_from_folders(parents[len(PurePosixPath(everywhere.base).parts) :], settings)
    names_speakers = PurePosixPath(table).name.startswith("utt_spk_text")
    for place, cells in read_tab_lines(folder, table, settings, collector):
        if not 2 <= len(cells) <= 3 or not cells[0] or not cells[-1]:
            collector.skip(place, f"has {len(cells)} cell(s) instead of a file's id and its text, or an empty one")
            continue
        key = cells[0][: -len(suffix)] if (suffix := _audio_suffix(cells[0])) else cells[0]
        name = key + (suffix or ".wav")
        found = beside.find(name, place) or everywhere.find(PurePosixPath(name).name, place)
        if found is None:
            collector.skip(place, f"there is no recording {cells[0]}, or there are several")
            continue
        told = cells[1] if names_speakers and len(cells) == 3 else ""
        row = UtteranceRow(
            utterance_id=key,
            audio_path=found,
            channel=settings.channel,
            speaker=told or _speaker(found, settings),
            split=split,
            raw_text=cells[-1],
            language=settings.language,
        )
        collector.add(row, place)


def _audio_suffix(name: str) -> str:
    suffix = PurePosixPath(name).suffix
    return suffix if suffix.lower() in AUDIO_SUFFIXES else ""


def _speaker(audio_path: str, settings: ReaderSettings) -> str:
    if settings.speaker_from:
        return speaker_from_path(audio_path, settings)
    return PurePosixPath(audio_path).stem.rpartition("_")[0]
