"""Reads lhotse manifests: recordings and supervisions in pairs of JSON-lines files; lhotse itself is not needed."""

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from lowres.corpora.files import CorpusFiles, of_another_machine, walk_files
from lowres.corpora.lhotse_lines import LHOTSE_SUFFIXES, JsonLine, read_json_lines
from lowres.corpora.reading import CorpusReading, RowCollector, split_from_folders
from lowres.corpora.settings import ReaderSettings
from lowres.errors import CorpusError
from lowres.manifest.schema import UtteranceRow

_SAME_SECONDS = 1e-3
_HARMLESS = "resample"


@dataclass(frozen=True)
class ManifestPair:
    """The two files of one part of a corpus, relative to the corpus folder, and its split, "" where none is told."""

    recordings: str
    supervisions: str
    split: str


@dataclass(frozen=True)
class _Source:
    """One file of a recording: the channels of the recording that it holds, in its own order."""

    path: str
    channels: tuple[int, ...]


@dataclass(frozen=True)
class _Recording:
    """A recording; where it cannot be used, `problem` says why."""

    place: str
    sources: tuple[_Source, ...]
    duration_seconds: float | None
    problem: str = ""


def read_lhotse(folder: Path, settings: ReaderSettings) -> CorpusReading:
    """Read every supervision as one utterance.

    Paths in the recordings' manifests start from the corpus folder, the manifest's, or `settings.audio_folder`, where
    they are then also found by their file name alone, because they are often those of another machine.

    Args:
        folder: the corpus folder.
        settings: subfolder, audio_folder, channel, language and split_names are used.

    Raises:
        CorpusError: no pair of manifests, cuts alone, a damaged file, an id used twice, or a path that climbs out.
    """
    collector = RowCollector()
    for pair in find_manifests(folder, settings, collector):
        recordings = _read_recordings(folder, pair.recordings, collector)
        reader = _Reader(folder, settings, pair, recordings, collector)
        used = set()
        for line in read_json_lines(folder, pair.supervisions, collector):
            used.add(reader.add(line))
        for key in recordings.keys() - used:
            collector.skip(recordings[key].place, f"the recording {key!r} has no supervision")
    return collector.reading


def find_manifests(folder: Path, settings: ReaderSettings, collector: RowCollector) -> list[ManifestPair]:
    """Find the manifests of recordings that have one of supervisions beside them.

    Args:
        folder: the corpus folder.
        settings: subfolder and split_names are used.
        collector: told of manifests without a partner.

    Raises:
        CorpusError: there is none, or there are cuts alone.
    """
    top = CorpusFiles(folder, settings.subfolder).base
    names = list(walk_files(folder, top, LHOTSE_SUFFIXES))
    supervisions = {_key(name, "supervisions"): name for name in names if _holds(name, "supervisions")}
    pairs, partners = [], set()
    for name in (name for name in names if _holds(name, "recordings")):
        partner = supervisions.get(_key(name, "recordings"))
        if partner is None:
            collector.skip(name, "has no manifest of supervisions beside it")
            continue
        partners.add(partner)
        pairs.append(ManifestPair(name, partner, _find_split(name[len(top) :].strip("/"), settings)))
    for name in supervisions.values():
        if name not in partners:
            collector.skip(name, "has no manifest of recordings beside it")
    if not pairs:
        raise _no_pairs(folder / top, names)
    return pairs


def _no_pairs(folder: Path, names: Sequence[str]) -> CorpusError:
    cuts = [name for name in names if _holds(name, "cuts")]
    if cuts:
        return CorpusError(
            f"{folder} holds lhotse cuts ({cuts[0]}), which are not read.",
            f"Take them apart into recordings and supervisions first: `lhotse cut decompose {cuts[0]} FOLDER`.",
        )
    return CorpusError(
        f"There are no lhotse manifests in {folder}: no recordings.jsonl.gz with its supervisions.jsonl.gz.",
        "Set corpus.folder to the folder that holds both, and the recordings.",
    )


def _pieces(name: str) -> list[str]:
    stem = PurePosixPath(name).name.removesuffix(".gz").removesuffix(".jsonl")
    return re.split(r"([-_.])", stem)


def _holds(name: str, kind: str) -> bool:
    return kind in _pieces(name)


def _key(name: str, kind: str) -> tuple[str, ...]:
    """Return what two manifests of one part have in common: their folder and their name without its kind."""
    return str(PurePosixPath(name).parent), *("*" if piece == kind else piece for piece in _pieces(name))


def _find_split(name: str, settings: ReaderSettings) -> str:
    """Return the split that the name of a manifest tells after "recordings", as in x_recordings_dev-clean.jsonl.gz."""
    pieces = _pieces(name)
    position = pieces.index("recordings")
    whole = settings.split_for("".join(pieces[position + 2 :]))
    single = split_from_folders([*pieces[position + 1 :], *pieces[:position]], settings)
    return whole or single or split_from_folders(PurePosixPath(name).parts[:-1], settings)


def _read_recordings(folder: Path, name: str, collector: RowCollector) -> dict[str, _Recording]:
    recordings: dict[str, _Recording] = {}
    for line in read_json_lines(folder, name, collector):
        key = line.text("id")
        if not key:
            collector.skip(line.place, "is a recording without an id")
            continue
        if key in recordings:
            raise CorpusError(
                f"The recording {key!r} is listed twice: {recordings[key].place} and {line.place}.",
                "Take one of the two lines out, or give them different ids.",
            )
        sources, problem = _read_sources(line.values)
        recordings[key] = _Recording(
            line.place, tuple(sources), line.seconds("duration"), problem or _find_change(line.values)
        )
    return recordings


def _read_sources(values: Mapping[str, Any]) -> tuple[list[_Source], str]:
    found = values.get("sources")
    sources = []
    for one in found if isinstance(found, list) else []:
        kind, path = (one.get("type"), one.get("source")) if isinstance(one, dict) else (None, None)
        if kind == "command":
            return [], "is made by a shell command, and lowres never runs commands from a corpus"
        if kind != "file" or not isinstance(path, str) or not path:
            return [], f"comes from a source of type {str(kind)[:40]!r}, and only files are read"
        channels = one.get("channels")
        numbers = channels if isinstance(channels, list) else [0]
        if not numbers or not all(isinstance(number, int) and number >= 0 for number in numbers):
            return [], "names channels that are none"
        sources.append(_Source(path, tuple(numbers)))
    return sources, "" if sources else "names no file"


def _find_change(values: Mapping[str, Any]) -> str:
    """Say what lhotse would do to the sound before anybody heard it; a new sampling rate is nothing to us."""
    transforms = values.get("transforms")
    for one in transforms if isinstance(transforms, list) else []:
        name = str(one.get("name", "")) if isinstance(one, dict) else str(one)
        if name.casefold() != _HARMLESS:
            return f"is changed by lhotse when it is read ({name[:40]}), which lowres does not do"
    return ""


class _Reader:
    """One pair of manifests while it is read."""

    def __init__(
        self,
        folder: Path,
        settings: ReaderSettings,
        pair: ManifestPair,
        recordings: Mapping[str, _Recording],
        collector: RowCollector,
    ) -> None:
        self.settings, self.pair, self.recordings, self.collector = settings, pair, recordings, collector
        bases = [settings.audio_folder or settings.subfolder, str(PurePosixPath(pair.recordings).parent)]
        self.files = [CorpusFiles(folder, "" if base == "." else base) for base in dict.fromkeys(bases)]

    def add(self, line: JsonLine) -> str:
        """Add a supervision, or name why not; return its recording's id."""
        key, text = line.text("recording_id"), line.text("text")
        recording = self.recordings.get(key)
        start, duration = line.seconds("start"), line.seconds("duration")
        if recording is None or recording.problem:
            reason = f"its recording {key!r} {recording.problem}" if recording else f"there is no recording {key!r}"
            self.collector.skip(line.place, reason)
        elif not line.text("id") or not text.strip():
            self.collector.skip(line.place, "has no text" if line.text("id") else "has no id")
        elif start is None or duration is None or duration == 0:
            self.collector.skip(line.place, "does not say when it starts and how long it lasts")
        else:
            self._add(line, recording, start, duration)
        return key

    def _add(self, line: JsonLine, recording: _Recording, start: float, duration: float) -> None:
        chosen = _choose_channel(recording, line.values.get("channel"), self.settings.channel)
        if chosen is None:
            self.collector.skip(
                line.place, f"is on channels {line.values.get('channel')!r:.40}, of which none can be taken"
            )
            return
        source, channel = chosen
        found = self._find(source.path, recording.place)
        if found is None:
            self.collector.skip(line.place, f"there is no recording {source.path}")
            return
        is_whole = start == 0 and abs(duration - (recording.duration_seconds or 0.0)) < _SAME_SECONDS
        row = UtteranceRow(
            utterance_id=line.text("id"),
            audio_path=found,
            start_seconds=start,
            end_seconds=None if is_whole else start + duration,
            channel=channel,
            speaker=line.text("speaker"),
            split=self.pair.split,
            raw_text=line.text("text"),
            language=line.text("language") or self.settings.language,
        )
        self.collector.add(row, line.place)

    def _find(self, path: str, place: str) -> str | None:
        first = self.files[0]
        inside = _inside(first.folder, path)
        if inside is not None:
            return CorpusFiles(first.folder).find(inside, place)
        if self.settings.audio_folder and path.startswith("/"):
            return first.find(of_another_machine(path), place)
        if path.startswith("/"):
            raise CorpusError(
                f"{place}: the recording {path!r} lies outside the corpus folder {first.folder}.",
                "Put the recordings into the corpus folder and name theirs in corpus.reader.audio_folder, to have them "
                "found by their file names.",
            )
        return next(filter(None, (files.find(path, place) for files in self.files)), None)


def _inside(folder: Path, path: str) -> str | None:
    """Return an absolute path relative to the corpus folder where it lies in it; lhotse writes absolute ones."""
    if not path.startswith("/"):
        return None
    normal = os.path.normpath(path)
    for top in (str(folder.absolute()), os.path.realpath(folder)):
        if normal.startswith(top.rstrip("/") + "/"):
            return normal[len(top.rstrip("/")) + 1 :]
    return None


def _choose_channel(recording: _Recording, stated: object, wanted: int | None) -> tuple[_Source, int | None] | None:
    """Return the file to read and the channel of it, None for the mean of all its channels."""
    channels = _channels(stated)
    for source in recording.sources:
        if channels is None or set(channels) == set(source.channels):
            return source, wanted
        if len(channels) == 1 and channels[0] in source.channels:
            return source, source.channels.index(channels[0]) if wanted is None else wanted
    return None


def _channels(stated: object) -> list[int] | None:
    if stated is None:
        return None
    return list(_integers(stated if isinstance(stated, list) else [stated]))


def _integers(values: Sequence[object]) -> Iterator[int]:
    for value in values:
        if isinstance(value, int) and not isinstance(value, bool):
            yield value
