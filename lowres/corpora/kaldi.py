"""Reads Kaldi data directories (wav.scp, text, utt2spk, segments). Their shell pipes are refused, never run."""

from dataclasses import dataclass
from math import isfinite
from pathlib import Path, PurePosixPath

from lowres.corpora.delimited import read_text
from lowres.corpora.files import CorpusFiles, of_another_machine
from lowres.corpora.reading import CorpusReading, RowCollector
from lowres.corpora.settings import ReaderSettings
from lowres.errors import CorpusError
from lowres.manifest.schema import UtteranceRow


@dataclass(frozen=True)
class _Lines:
    """A Kaldi table: key to the rest of its line and to the place that it stands at."""

    values: dict[str, str]
    places: dict[str, str]


def read_kaldi(folder: Path, settings: ReaderSettings) -> CorpusReading:
    """Read every data directory (a folder with wav.scp and text); its name is the split.

    Paths in wav.scp start from the corpus folder, or from `settings.audio_folder`, where absolute ones are then found
    by their file name and such of their folders as are there, because Kaldi's are often those of another machine.

    Args:
        folder: the corpus folder.
        settings: subfolder, audio_folder, encoding and split_names are used.

    Raises:
        CorpusError: no data directory, a pipe or an archive in wav.scp, a key used twice, or a path that climbs out.
    """
    collector = RowCollector()
    top = CorpusFiles(folder, settings.subfolder).base
    directories = sorted(path.parent for path in (folder / top).rglob("wav.scp"))
    if not directories:
        raise CorpusError(
            f"There is no Kaldi data directory in {folder / top}: no wav.scp anywhere.",
            "Set corpus.folder to the folder that holds data/train/wav.scp, data/train/text and so on.",
        )
    for directory in directories:
        name = directory.relative_to(folder).as_posix()
        split = settings.split_for(directory.name)
        if split is None and len(directories) > 1:
            collector.skip(f"{name}/", "is of a split that neither we nor the recipe know (corpus.reader.split_names)")
            continue
        _read_directory(folder, name, split or "", settings, collector)
    return collector.reading


def _read_directory(folder: Path, name: str, split: str, settings: ReaderSettings, collector: RowCollector) -> None:
    wavs = _read_lines(folder, f"{name}/wav.scp", settings)
    texts = _read_lines(folder, f"{name}/text", settings)
    speakers = _read_lines(folder, f"{name}/utt2spk", settings, needed=False)
    segments = _read_lines(folder, f"{name}/segments", settings, needed=False)
    for key, command in wavs.values.items():
        _refuse_pipe(command, wavs.places[key])
    base = settings.audio_folder.replace("{split}", PurePosixPath(name).name)
    files = CorpusFiles(folder, base, [_as_named(path, settings) for path in wavs.values.values()])
    for key, text in texts.values.items():
        place = texts.places[key]
        recording, start, end = _stretch(key, segments)
        if recording not in wavs.values:
            collector.skip(place, f"the utterance {key!r} has a transcript and no recording in {name}/wav.scp")
            continue
        audio_path = files.find(_as_named(wavs.values[recording], settings), wavs.places[recording])
        if audio_path is None:
            collector.skip(wavs.places[recording], f"there is no recording {wavs.values[recording]}")
            continue
        speaker = speakers.values.get(key, "").strip()
        row = UtteranceRow(
            key, audio_path, start, end, settings.channel, speaker, split, raw_text=text, language=settings.language
        )
        collector.add(row, place)
    listed = segments if segments.values else wavs
    for key in listed.values.keys() - texts.values.keys():
        collector.skip(listed.places[key], f"the utterance {key!r} has a recording and no transcript in {name}/text")


def _read_lines(folder: Path, table: str, settings: ReaderSettings, *, needed: bool = True) -> _Lines:
    path = folder / table
    lines = _Lines({}, {})
    if not path.is_file():
        if needed:
            raise CorpusError(f"There is no {path}.", "A Kaldi data directory needs wav.scp and text.")
        return lines
    CorpusFiles(folder).check_inside(table, "the recipe")
    for number, line in enumerate(read_text(path, settings.encoding)[0].split("\n"), start=1):
        if not line.strip():
            continue
        key, _, rest = line.strip("\r").replace("\t", " ", 1).lstrip().partition(" ")
        place = f"{table} line {number}"
        if key in lines.values:
            raise CorpusError(
                f"The utterance {key!r} is listed twice: {lines.places[key]} and {place}.",
                "Take one of the two lines out, or give them different ids.",
            )
        lines.values[key], lines.places[key] = rest.strip(), place
    return lines


def _refuse_pipe(command: str, place: str) -> None:
    if command.endswith("|"):
        raise CorpusError(
            f"{place} is a shell command ({command[:60]!r}), and lowres never runs commands from a corpus.",
            "Run the command yourself, once per recording, and write the resulting file's path there instead.",
        )
    name, _, offset = command.rpartition(":")
    if name.endswith(".ark") and offset.isdecimal():
        raise CorpusError(
            f"{place} points into a Kaldi archive ({command[:60]!r}), which is not read.",
            "Write the recordings out as files (Kaldi's `wav-copy scp:wav.scp ...`) and list those.",
        )


def _stretch(key: str, segments: _Lines) -> tuple[str, float, float | None]:
    if key not in segments.values:
        return key, 0.0, None
    try:
        recording, start, end = segments.values[key].split()[:3]
        starts, ends = float(start), float(end)
    except ValueError as error:
        raise CorpusError(
            f"{segments.places[key]} is not 'utterance recording start end': {segments.values[key]!r}.",
            "Write the times in seconds.",
        ) from error
    if not (isfinite(starts) and isfinite(ends) and starts >= 0):
        raise CorpusError(f"{segments.places[key]}: the times {start} and {end} are impossible.", "Correct the line.")
    return recording, starts, None if ends < 0 else ends


def _as_named(path: str, settings: ReaderSettings) -> str:
    return of_another_machine(path) if settings.audio_folder and path.startswith("/") else path
