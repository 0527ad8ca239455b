"""Reads folders of recordings that nobody has transcribed: radio, archives, everything that was taped in a village."""

from pathlib import Path

from lowres.corpora.files import CorpusFiles, walk_files
from lowres.corpora.reading import CorpusReading, RowCollector, speaker_from_path, split_from_folders
from lowres.corpora.settings import ReaderSettings
from lowres.errors import CorpusError
from lowres.manifest.schema import UtteranceRow


def read_recordings(folder: Path, settings: ReaderSettings) -> CorpusReading:
    """Read every recording as one utterance without text; a folder called train, dev, valid or test is a split.

    Args:
        folder: the corpus folder.
        settings: audio_suffixes, subfolder, channel, language, split_names and the speaker's place are used.

    Raises:
        CorpusError: no recording at all, two recordings that differ in their suffix alone, a link that leads out.
    """
    collector = RowCollector()
    files = CorpusFiles(folder, settings.subfolder)
    for audio_path in walk_files(folder, files.base, settings.audio_suffixes):
        files.check_inside(audio_path, audio_path)
        inside = audio_path[len(files.base) :].strip("/")
        row = UtteranceRow(
            utterance_id=inside[: inside.rindex(".")],
            audio_path=audio_path,
            channel=settings.channel,
            speaker=speaker_from_path(audio_path, settings),
            split=split_from_folders(inside.split("/")[:-1], settings),
            language=settings.language,
        )
        collector.add(row, audio_path)
    if not collector.reading.rows:
        raise CorpusError(
            f"There is no recording in {folder / files.base}: no file ends in {', '.join(settings.audio_suffixes)}.",
            "Put recordings there, or name their endings in corpus.reader.audio_suffixes.",
        )
    return collector.reading
