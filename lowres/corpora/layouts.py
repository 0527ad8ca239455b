"""One door to the readers: a corpus folder and its settings in, utterance rows out."""

from dataclasses import replace
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
from lowres.corpora.saymore import read_saymore
from lowres.corpora.settings import ReaderName, ReaderSettings
from lowres.corpora.table import read_table
from lowres.errors import CorpusError

_MOST_NAMED = 12

__all__ = ["CorpusReading", "ReaderName", "ReaderSettings", "read_corpus"]


def read_corpus(folder: Path, settings: ReaderSettings) -> CorpusReading:
    """Read the rows of a corpus.

    Args:
        folder: the corpus folder; no file outside it is opened.
        settings: its layout.

    Raises:
        CorpusError: the folder is not there, holds no utterance, does not have that layout, or `settings.channels`
            names somebody who is not in it.
    """
    if not folder.is_dir():
        raise CorpusError(f"There is no corpus folder {folder}.", "Correct corpus.folder in the recipe.")
    if settings.subfolder and not (folder / settings.subfolder).is_dir():
        raise CorpusError(
            f"There is no folder {settings.subfolder!r} in {folder}.", "Correct corpus.reader.subfolder in the recipe."
        )
    reading = _choose_channels(_read(folder, settings), settings)
    if not reading.rows:
        first = (
            f" The first of {len(reading.skipped)} that were left out: {reading.skipped[0].place}: "
            if reading.skipped
            else ""
        )
        reason = f"{reading.skipped[0].reason}." if reading.skipped else ""
        raise CorpusError(f"{folder} holds no utterance that has both a recording and a transcript.{first}{reason}")
    return reading


def _choose_channels(reading: CorpusReading, settings: ReaderSettings) -> CorpusReading:
    """Give each speaker the channel that the recipe says, unless a column or a tier has said it already."""
    if not settings.channels or not reading.rows:
        return reading
    speakers = {row.speaker for row in reading.rows}
    for name in settings.channels:
        tiers = (f"/{name}/", f"/{name}@")
        if name not in speakers and not any(one in row.utterance_id for row in reading.rows for one in tiers):
            known = ", ".join(sorted(filter(None, speakers))[:_MOST_NAMED]) or "not known"
            raise CorpusError(
                f"corpus.reader.channels names {name!r}, and no speaker is called so, nor any tier.",
                f"The speakers are {known}.",
            )
    rows = [
        replace(row, channel=settings.channel_of(row.speaker)) if row.channel == settings.channel else row
        for row in reading.rows
    ]
    return replace(reading, rows=rows)


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
        case "saymore":
            return read_saymore(folder, settings)
        case "hf_dataset":
            raise CorpusError(
                f"The recordings in {folder} lie in parquet files and have to be unpacked first.",
                "`lowres prepare` does that.",
            )
        case "recordings":
            return read_recordings(folder, settings)
        case _:
            assert_never(settings.reader)
