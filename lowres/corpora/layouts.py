"""One door to the readers: a corpus folder and its settings in, utterance rows out."""

from pathlib import Path
from typing import assert_never

from lowres.corpora.annotated import read_annotated
from lowres.corpora.audio_folder import read_audio_folder
from lowres.corpora.common_voice import read_common_voice
from lowres.corpora.fleurs import read_fleurs
from lowres.corpora.kaldi import read_kaldi
from lowres.corpora.lhotse import read_lhotse
from lowres.corpora.mls import read_mls
from lowres.corpora.openslr import read_openslr
from lowres.corpora.paired_files import read_paired_files
from lowres.corpora.reading import CorpusReading
from lowres.corpora.recordings import read_recordings
from lowres.corpora.settings import ReaderName, ReaderSettings
from lowres.corpora.table import read_table
from lowres.errors import CorpusError

__all__ = ["CorpusReading", "ReaderName", "ReaderSettings", "read_corpus"]


def read_corpus(folder: Path, settings: ReaderSettings) -> CorpusReading:
    """Read the rows of a corpus.

    Args:
        folder: the corpus folder; no file outside it is opened.
        settings: its layout.

    Raises:
        CorpusError: the folder is not there, holds no utterance, or does not have that layout.
    """
    if not folder.is_dir():
        raise CorpusError(f"There is no corpus folder {folder}.", "Correct corpus.folder in the recipe.")
    if settings.subfolder and not (folder / settings.subfolder).is_dir():
        raise CorpusError(
            f"There is no folder {settings.subfolder!r} in {folder}.", "Correct corpus.reader.subfolder in the recipe."
        )
    reading = _read(folder, settings)
    if not reading.rows:
        first = (
            f" The first of {len(reading.skipped)} that were left out: {reading.skipped[0].place}: "
            if reading.skipped
            else ""
        )
        reason = f"{reading.skipped[0].reason}." if reading.skipped else ""
        raise CorpusError(f"{folder} holds no utterance that has both a recording and a transcript.{first}{reason}")
    return reading


def _read(folder: Path, settings: ReaderSettings) -> CorpusReading:
    match settings.reader:
        case "paired_files":
            return read_paired_files(folder, settings)
        case "table":
            return read_table(folder, settings)
        case "audio_folder":
            return read_audio_folder(folder, settings)
        case "common_voice":
            return read_common_voice(folder, settings)
        case "kaldi":
            return read_kaldi(folder, settings)
        case "fleurs":
            return read_fleurs(folder, settings)
        case "mls":
            return read_mls(folder, settings)
        case "openslr":
            return read_openslr(folder, settings)
        case "lhotse":
            return read_lhotse(folder, settings)
        case "annotated":
            return read_annotated(folder, settings)
        case "hf_dataset":
            raise CorpusError(
                f"The recordings in {folder} lie in parquet files and have to be unpacked first.",
                "`lowres prepare` does that.",
            )
        case "recordings":
            return read_recordings(folder, settings)
        case _:
            assert_never(settings.reader)
