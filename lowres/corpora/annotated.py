"""Reads recordings that were transcribed in ELAN, Praat, Transcriber, Audacity or as subtitles, stretch by stretch."""

import fnmatch
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from lowres.annotation.formats import ANNOTATION_SUFFIXES, read_annotations
from lowres.annotation.tiers import Annotation, AnnotationFile, MediaLink, Tier
from lowres.corpora.files import CorpusFiles, walk_files
from lowres.corpora.reading import CorpusReading, RowCollector, speaker_from_path, split_from_folders
from lowres.corpora.settings import ReaderSettings
from lowres.errors import CorpusError
from lowres.manifest.schema import UtteranceRow

_MOST_LISTED, _NUM_EXAMPLES = 12, 5


def read_annotated(folder: Path, settings: ReaderSettings) -> CorpusReading:
    """Read every annotation of the chosen tiers as one utterance.

    A recording is the one that its file of annotations links to, looked for by its name beside the file and then
    anywhere in the corpus; else the one beside the file under the same name.

    Args:
        folder: the corpus folder.
        settings: tiers, linguistic_types, participants, speaker_tier, padding_seconds, annotation_suffixes,
            audio_suffixes, subfolder, channel, language, split_names and the speaker's place are used.

    Raises:
        CorpusError: no file of annotations, no tier chosen where there are several, none that fits, or a link that
            leads out of the folder.
    """
    reader = _Reader(folder, settings, CorpusFiles(folder, settings.subfolder))
    contents = dict(reader.read_all())
    _demand_choice(settings, contents)
    for name, annotations in contents.items():
        reader.add(name, annotations)
    reader.conclude()
    return reader.collector.reading


@dataclass
class _Reader:
    """A corpus while it is read."""

    folder: Path
    settings: ReaderSettings
    files: CorpusFiles
    collector: RowCollector = field(default_factory=RowCollector)
    used: set[str] = field(default_factory=set)
    """Recordings that belong to some file of annotations."""
    elsewhere: list[str] = field(default_factory=list)
    """Files whose recording lies elsewhere than they say."""

    def read_all(self) -> Iterator[tuple[str, AnnotationFile]]:
        """Read every file of annotations; one that is damaged is left out and named."""
        suffixes = self.settings.annotation_suffixes or ANNOTATION_SUFFIXES
        names = list(walk_files(self.folder, self.files.base, suffixes))
        if not names:
            raise CorpusError(
                f"There is no file of annotations in {self.folder / self.files.base}: no file ends in "
                f"{', '.join(suffixes)}.",
                "Put them there, or name their endings in corpus.reader.annotation_suffixes.",
            )
        for name in names:
            self.files.check_inside(name, name)
            try:
                annotations = read_annotations(self.folder / name)
            except CorpusError as error:
                self.collector.skip(name, error.message.removeprefix(str(self.folder / name)).lstrip(": ").rstrip("."))
                continue
            for note in annotations.notes:
                self.collector.note(f"{name}: {note}")
            yield name, annotations

    def add(self, name: str, annotations: AnnotationFile) -> None:
        """Add the utterances of one file."""
        recording, offset = self._find_recording(name, annotations.media)
        self.used.add(recording)
        tiers = [tier for tier in annotations.tiers if _is_chosen(tier, self.settings) and tier.annotations]
        if not tiers:
            self.collector.skip(name, "has none of the chosen tiers, or nothing on them")
        elif not recording:
            named = sorted({_file_name(link.path) for link in annotations.media if link.path})
            self.collector.skip(name, "has no recording" + (f" ({', '.join(named)})" if named else ""))
        else:
            turns = [tier for tier in annotations.tiers if tier.name == self.settings.speaker_tier]
            for tier in tiers:
                for annotation in tier.annotations:
                    speaker = _who_speaks(turns, annotation) or tier.participant
                    self._add_annotation(name, tier.name, annotation, (recording, offset, speaker))

    def _add_annotation(self, name: str, tier: str, annotation: Annotation, heard: tuple[str, float, str]) -> None:
        settings, (recording, offset, speaker) = self.settings, heard
        inside = name[len(self.files.base) :].strip("/")
        start, end = annotation.start_seconds, annotation.end_seconds
        place = f"{name}, tier {tier!r} at {start:.3f} s"
        if not annotation.text.strip():
            self.collector.skip(place, "has no text")
            return
        if end <= start or end + offset <= 0:
            self.collector.skip(place, "lasts no time, or lies before the recording begins")
            return
        row = UtteranceRow(
            utterance_id=f"{inside[: inside.rindex('.')]}/{tier}/{start * 1000:08.0f}-{end * 1000:08.0f}",
            audio_path=recording,
            start_seconds=max(start + offset - settings.padding_seconds, 0.0),
            end_seconds=end + offset + settings.padding_seconds,
            channel=settings.channel,
            speaker=speaker or speaker_from_path(recording, settings),
            split=split_from_folders(inside.split("/")[:-1], settings),
            raw_text=annotation.text.strip("\r\n"),
            language=settings.language,
        )
        self.collector.add(row, place)

    def _find_recording(self, name: str, media: Sequence[MediaLink]) -> tuple[str, float]:
        """Find a file's recording, "" where there is none, and the moment of it at which the file's time begins."""
        endings = tuple(suffix.lower() for suffix in self.settings.audio_suffixes)
        parent = PurePosixPath(name).parent
        for link in media:
            for path in (link.relative_path, link.path):
                if not _file_name(path).lower().endswith(endings):
                    continue
                for candidate in (parent / _file_name(path), PurePosixPath(self.files.base, _file_name(path))):
                    if found := self._find(candidate, name):
                        if not _is_where_it_says(parent, media, self.folder, found):
                            self.elsewhere.append(name)
                        return found, link.offset_seconds
        stem = PurePosixPath(name).stem
        return next(filter(None, (self._find(parent / f"{stem}{ending}", name) for ending in endings)), ""), 0.0

    def _find(self, path: PurePosixPath, place: str) -> str | None:
        base = self.files.base
        return self.files.find((path.relative_to(base) if base else path).as_posix(), place)

    def conclude(self) -> None:
        """Name the recordings that nothing belongs to, and what was found elsewhere than it should be."""
        for recording in walk_files(self.folder, self.files.base, self.settings.audio_suffixes):
            if recording not in self.used:
                self.collector.skip(recording, "no file of annotations belongs to it")
        if self.elsewhere:
            self.collector.note(
                f"{len(self.elsewhere)} file(s) name a recording that is not where they say; the one of that name in "
                f"this folder was taken, such as for {self.elsewhere[0]}."
            )


@dataclass(frozen=True)
class TierSummary:
    """A tier of intervals, over all files that have one of its name."""

    name: str
    num_annotations: int
    num_letters: int
    """Of all annotations; the transcript is most often where there are most."""

    examples: tuple[str, ...]
    """Its first texts."""


def list_tiers(folder: Path, settings: ReaderSettings) -> list[TierSummary]:
    """List the tiers that hold the text of intervals, the one with most letters first; damaged files are passed over.

    Args:
        folder: the corpus folder.
        settings: subfolder, annotation_suffixes and speaker_tier, which is not listed, are used.

    Raises:
        CorpusError: there is no file of annotations.
    """
    reader = _Reader(folder, settings, CorpusFiles(folder, settings.subfolder))
    return _summarise(dict(reader.read_all()), settings)


def _summarise(contents: Mapping[str, AnnotationFile], settings: ReaderSettings) -> list[TierSummary]:
    texts: dict[str, list[str]] = {}
    for tier in (tier for one in contents.values() for tier in one.tiers):
        if tier.kind == "intervals" and tier.annotations and tier.name != settings.speaker_tier:
            texts.setdefault(tier.name, []).extend(annotation.text for annotation in tier.annotations)
    summaries = [
        TierSummary(name, len(found), sum(map(len, found)), tuple(found[:_NUM_EXAMPLES]))
        for name, found in texts.items()
    ]
    return sorted(summaries, key=lambda one: (-one.num_letters, one.name))


def _demand_choice(settings: ReaderSettings, contents: Mapping[str, AnnotationFile]) -> None:
    """Refuse to guess which tier holds the transcript where there is more than one."""
    tiers = _summarise(contents, settings)
    there_are = f"The tiers with annotations are {', '.join(_listed(tiers))}."
    if settings.chooses_tiers:
        if tiers and not any(_is_chosen(tier, settings) for one in contents.values() for tier in one.tiers):
            raise CorpusError(
                "No tier fits what corpus.reader says of tiers, linguistic_types and participants.", there_are
            )
    elif len(tiers) > 1:
        raise CorpusError(
            f"There are {len(tiers)} tiers with annotations: which of them holds the transcript?",
            f'Say it in the recipe, as corpus.reader.tiers = ["{tiers[0].name}"]. {there_are}',
        )


def _listed(tiers: Sequence[TierSummary]) -> list[str]:
    named = [f"{tier.name!r} ({tier.num_annotations:,})" for tier in tiers[:_MOST_LISTED]]
    return [*named, f"{len(tiers) - _MOST_LISTED} more"] if len(tiers) > _MOST_LISTED else named


def _is_chosen(tier: Tier, settings: ReaderSettings) -> bool:
    if tier.kind != "intervals":
        return False
    if not settings.chooses_tiers:
        return tier.name != settings.speaker_tier
    asked = (
        (settings.tiers, tier.name),
        (settings.linguistic_types, tier.linguistic_type),
        (settings.participants, tier.participant),
    )
    return all(not patterns or any(fnmatch.fnmatchcase(name, one) for one in patterns) for patterns, name in asked)


def _who_speaks(turns: Sequence[Tier], annotation: Annotation) -> str:
    """Return who has most of an annotation's time, "" where nobody has any."""
    shared: Counter[str] = Counter()
    for turn in (turn for tier in turns for turn in tier.annotations):
        overlap = min(turn.end_seconds, annotation.end_seconds) - max(turn.start_seconds, annotation.start_seconds)
        if overlap > 0 and turn.text.strip():
            shared[turn.text.strip()] += round(overlap * 1000)
    return shared.most_common(1)[0][0] if shared else ""


def _is_where_it_says(parent: PurePosixPath, media: Sequence[MediaLink], folder: Path, recording: str) -> bool:
    said = [path.replace("\\", "/") for link in media for path in (link.relative_path, link.path) if path]
    return any((parent / path).as_posix() == recording or path == (folder / recording).as_posix() for path in said)


def _file_name(path: str) -> str:
    return PurePosixPath(path.replace("\\", "/")).name
