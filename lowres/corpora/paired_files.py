"""Reads folders in which every recording has its transcript beside it under the same name."""

from pathlib import Path

from lowres.corpora.delimited import read_text
from lowres.corpora.files import CorpusFiles, walk_files
from lowres.corpora.reading import CorpusReading, RowCollector, speaker_from_path, split_from_folders
from lowres.corpora.settings import ReaderSettings
from lowres.errors import CorpusError
from lowres.manifest.schema import UtteranceRow


def read_paired_files(folder: Path, settings: ReaderSettings) -> CorpusReading:
    """Read every recording that has a transcript; a folder called train, dev, valid or test is a split.

    Args:
        folder: the corpus folder.
        settings: audio_suffixes, transcript_suffix, subfolder, encoding, split_names and the speaker's place are used.

    Raises:
        CorpusError: no recording or no transcript at all, two recordings for one transcript, a link that leads out.
    """
    collector = RowCollector()
    files = CorpusFiles(folder, settings.subfolder)
    recordings = list(walk_files(folder, files.base, settings.audio_suffixes))
    transcripts = set(walk_files(folder, files.base, [settings.transcript_suffix]))
    _refuse_nothing(folder / files.base, settings, recordings, transcripts)
    unpaired = set(transcripts)
    western: list[str] = []
    for audio_path in recordings:
        stem = audio_path[: audio_path.rindex(".")]
        transcript = stem + settings.transcript_suffix
        if transcript not in transcripts:
            collector.skip(audio_path, f"has no transcript beside it ({transcript.rpartition('/')[2]})")
            continue
        files.check_inside(audio_path, audio_path)
        files.check_inside(transcript, transcript)
        text, encoding = read_text(folder / transcript, settings.encoding)
        if encoding == "cp1252":
            western.append(transcript)
        unpaired.discard(transcript)
        collector.add(_row(stem, audio_path, text, files.base, settings), audio_path)
    for transcript in sorted(unpaired):
        collector.skip(transcript, "has no recording beside it")
    if western:
        collector.note(
            f"{len(western)} transcript(s) are not UTF-8 and were read as Windows-1252, such as {western[0]}. "
            "Look at their letters below."
        )
    return collector.reading


def _row(stem: str, audio_path: str, text: str, base: str, settings: ReaderSettings) -> UtteranceRow:
    folders = audio_path[len(base) :].strip("/").split("/")[:-1]
    return UtteranceRow(
        utterance_id=stem[len(base) :].strip("/"),
        audio_path=audio_path,
        channel=settings.channel,
        speaker=speaker_from_path(audio_path, settings),
        split=split_from_folders(folders, settings),
        raw_text=text.strip("\r\n"),
        language=settings.language,
    )


def _refuse_nothing(folder: Path, settings: ReaderSettings, recordings: list[str], transcripts: set[str]) -> None:
    if not folder.is_dir():
        raise CorpusError(
            f"There is no folder {folder}.", "Correct corpus.folder or corpus.reader.subfolder in the recipe."
        )
    if not recordings:
        raise CorpusError(
            f"There is no recording in {folder}: no file ends in {', '.join(settings.audio_suffixes)}.",
            "Put recordings there, or name their endings in corpus.reader.audio_suffixes.",
        )
    if not transcripts:
        raise CorpusError(
            f"There is no transcript in {folder}: {len(recordings)} recording(s), and no file ends in "
            f"{settings.transcript_suffix!r}.",
            "Name the ending of the transcripts in the recipe: corpus.reader.transcript_suffix.",
        )
