"""Reads FLEURS (Conneau et al. 2022): train.tsv, dev.tsv and test.tsv without a header, recordings in audio/."""

from pathlib import Path, PurePosixPath

from lowres.corpora.files import CorpusFiles
from lowres.corpora.reading import CorpusReading, RowCollector, choose_language, speaker_from_path
from lowres.corpora.settings import ReaderSettings
from lowres.corpora.tab_lines import find_languages, read_tab_lines
from lowres.manifest.schema import UtteranceRow

SPLIT_TABLES = ("train.tsv", "dev.tsv", "test.tsv")
# number, file, sentence as written, sentence normalised, characters, samples, gender
_FILE, _TEXT, _FEWEST_CELLS = 1, 2, 3


def read_fleurs(folder: Path, settings: ReaderSettings) -> CorpusReading:
    """Read the three tables of one language; the sentence as it was written is the text.

    FLEURS names no speakers, and each sentence is read by up to three of them, so a recording is an utterance.

    Args:
        folder: the release, or one language of it; `settings.subfolder` chooses the language where there are several.
        settings: subfolder, encoding, channel, language and the speaker's place are used.

    Raises:
        CorpusError: no language or several, a recording listed twice, or a path that climbs out.
    """
    top = _find_language(folder, CorpusFiles(folder, settings.subfolder).base)
    collector = RowCollector()
    for name in SPLIT_TABLES:
        table = str(PurePosixPath(top, name))
        if (folder / table).is_file():
            _read_split(folder, top, table, settings, collector)
    return collector.reading


def _read_split(folder: Path, top: str, table: str, settings: ReaderSettings, collector: RowCollector) -> None:
    split = PurePosixPath(table).stem
    base = PurePosixPath(top, "audio", split)
    files = CorpusFiles(folder, str(base if (folder / base).is_dir() else base.parent))
    for place, cells in read_tab_lines(folder, table, settings, collector):
        if len(cells) < _FEWEST_CELLS:
            collector.skip(place, f"has {len(cells)} cell(s), and a line has a number, a file name and a sentence")
            continue
        name, text = cells[_FILE], cells[_TEXT]
        found = files.find(name, place) if name else None
        if not name or not text or found is None:
            reason = f"there is no recording {files.relative(name, place)}" if name and text else ""
            collector.skip(place, reason or ("has no sentence" if name else "names no recording"))
            continue
        row = UtteranceRow(
            utterance_id=f"{split}/{PurePosixPath(found).stem}",
            audio_path=found,
            channel=settings.channel,
            speaker=speaker_from_path(found, settings),
            split=split,
            raw_text=text,
            language=settings.language,
        )
        collector.add(row, place)


def _find_language(folder: Path, top: str) -> str:
    languages = [name for name in find_languages(folder, top, SPLIT_TABLES) if (folder / name / "audio").is_dir()]
    return choose_language(
        folder / top,
        languages,
        "FLEURS release: there is no audio/ with train.tsv, dev.tsv or test.tsv beside it",
        "Unpack the language's archive there, with its folder audio.",
    )
