"""Reads Multilingual LibriSpeech (Pratap et al. 2020): transcripts.txt per split, recordings by speaker and book."""

import os
from pathlib import Path, PurePosixPath

from lowres.corpora.files import CorpusFiles
from lowres.corpora.reading import CorpusReading, RowCollector, choose_language, speaker_from_path
from lowres.corpora.settings import ReaderSettings
from lowres.corpora.tab_lines import find_languages, read_tab_lines
from lowres.manifest.schema import UtteranceRow

_SPLITS = ("train", "dev", "test")
TRANSCRIPT_TABLES = tuple(f"{split}/transcripts.txt" for split in _SPLITS)
_SUFFIXES = (".flac", ".opus")


def read_mls(folder: Path, settings: ReaderSettings) -> CorpusReading:
    """Read train/, dev/ and test/transcripts.txt of one language.

    The speaker is the first part of an id such as 4800_10003_000000, unless the recipe says where else it is.

    Args:
        folder: the release, or one language of it; `settings.subfolder` chooses the language where there are several.
        settings: subfolder, encoding, channel, language and the speaker's place are used.

    Raises:
        CorpusError: no language or several, an id used twice, or a link that leads out.
    """
    top = _find_language(folder, CorpusFiles(folder, settings.subfolder).base)
    collector = RowCollector()
    for split, name in zip(_SPLITS, TRANSCRIPT_TABLES, strict=True):
        table = str(PurePosixPath(top, name))
        if (folder / table).is_file():
            _read_split(folder, table, split, settings, collector)
    return collector.reading


def _read_split(folder: Path, table: str, split: str, settings: ReaderSettings, collector: RowCollector) -> None:
    files = CorpusFiles(folder, str(PurePosixPath(table).parent))
    for place, (key, *texts) in read_tab_lines(folder, table, settings, collector):
        pieces = key.split("_")
        if len(pieces) != 3 or not all(pieces) or "/" in key or "\\" in key:
            collector.skip(place, f"{key[:60]!r} is not an id of the form speaker_book_number")
            continue
        if len(texts) != 1 or not texts[0]:
            collector.skip(
                place, f"has {len(texts) + 1} cells instead of an id and its text" if texts else "has no text"
            )
            continue
        speaker, book, _ = pieces
        found = _find(files, f"audio/{speaker}/{book}/{key}", place)
        if found is None:
            collector.skip(place, f"there is no recording audio/{speaker}/{book}/{key}, .flac or .opus")
            continue
        row = UtteranceRow(
            utterance_id=key,
            audio_path=found,
            channel=settings.channel,
            speaker=speaker_from_path(found, settings) if settings.speaker_from else speaker,
            split=split,
            raw_text=texts[0],
            language=settings.language,
        )
        collector.add(row, place)


def _find(files: CorpusFiles, stem: str, place: str) -> str | None:
    # Looked for under its two names first: only where neither is there are all files of the split listed.
    for suffix in _SUFFIXES:
        if os.path.isfile(files.folder / files.relative(stem + suffix, place)):  # noqa: PTH113
            return files.find(stem + suffix, place)
    return files.find(stem + _SUFFIXES[0], place)


def _find_language(folder: Path, top: str) -> str:
    languages = find_languages(folder, top, TRANSCRIPT_TABLES)
    return choose_language(
        folder / top,
        languages,
        f"Multilingual LibriSpeech: there is none of {', '.join(TRANSCRIPT_TABLES)}",
        "Unpack the language's archive there.",
    )
