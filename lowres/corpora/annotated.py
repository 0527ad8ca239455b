"""Reads recordings that were transcribed in ELAN, Praat, FLEx and the like, stretch by stretch."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from lowres.annotation.formats import ANNOTATION_SUFFIXES, read_annotations
from lowres.annotation.tiers import Annotation, AnnotationFile, Tier, split_tier_name
from lowres.corpora.files import CorpusFiles, walk_files
from lowres.corpora.linked_recordings import LinkedRecordings
from lowres.corpora.reading import CorpusReading, RowCollector, speaker_from_path, split_from_folders
from lowres.corpora.repeated_tiers import TakenStretches, order_by_stem
from lowres.corpora.settings import ReaderSettings
from lowres.corpora.tier_choice import TierCensus, TierSummary, is_chosen
from lowres.errors import CorpusError
from lowres.manifest.schema import UtteranceRow

__all__ = ["NameSpeaker", "TierSummary", "list_tiers", "read_annotated"]

NameSpeaker = Callable[[str], str]
"""Called with a file of annotations (posix, relative to the corpus folder), it names who speaks; "" = unknown."""


def read_annotated(
    folder: Path, settings: ReaderSettings, name_speaker: NameSpeaker = lambda _name: ""
) -> CorpusReading:
    """Read every annotation of the chosen tiers as one utterance.

    A recording is the one that its file of annotations links to, looked for where the link says, then by its name
    beside the file and anywhere in the corpus; else the one beside the file under the same name. What two files that
    differ in their suffix alone have on one tier is read once, from the one whose suffix comes first.

    Args:
        folder: the corpus folder.
        settings: tiers, linguistic_types, participants, speaker_tier, padding_seconds, annotation_suffixes,
            audio_suffixes, subfolder, channel, channels, language, split_names and the speaker's place are used.
        name_speaker: asked where neither a tier nor the recipe says who speaks.

    Raises:
        CorpusError: no file of annotations, no tier chosen where there are several, none that fits, or a link that
            leads out of the folder.
    """
    reader = _Reader(folder, settings, CorpusFiles(folder, settings.subfolder), name_speaker)
    census = TierCensus(settings)
    for name, annotations in reader.read_all():
        census.add(annotations)
        reader.add(name, annotations)
    census.demand_choice()
    reader.conclude()
    return reader.collector.reading


@dataclass(frozen=True)
class _Heard:
    """What a file of annotations is of.

    Attributes:
        name: the file. recording: where the recording lies; both posix, relative to the corpus folder.
        label: of the recording, for ids, where the file has several; else "".
        offset_seconds: the moment of the recording at which the file's time begins.
        split: that the file's folders tell.
    """

    name: str
    label: str
    recording: str
    offset_seconds: float
    split: str


@dataclass
class _Reader:
    """A corpus while it is read."""

    folder: Path
    settings: ReaderSettings
    files: CorpusFiles
    name_speaker: NameSpeaker = lambda _name: ""
    collector: RowCollector = field(default_factory=RowCollector)
    taken: TakenStretches = field(default_factory=TakenStretches)
    recordings: LinkedRecordings = field(init=False)

    def __post_init__(self) -> None:
        endings = tuple(suffix.lower() for suffix in self.settings.audio_suffixes)
        self.recordings = LinkedRecordings(self.files, endings)

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
        for name in order_by_stem(names, suffixes):
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
        chosen = [tier for tier in annotations.tiers if is_chosen(tier, self.settings) and tier.annotations]
        turns = [tier for tier in annotations.tiers if tier.name == self.settings.speaker_tier]
        if not chosen:
            self.recordings.find(name, annotations.media)
            self.collector.skip(name, "has none of the chosen tiers, or nothing on them")
        of_recording: dict[str, list[Tier]] = {}
        for tier in chosen:
            of_recording.setdefault(tier.recording, []).append(tier)
        links = {link.path: link for link in reversed(annotations.media)}
        used: Counter[str] = Counter()
        for recording, tiers in of_recording.items():
            media = (links[recording],) if recording else annotations.media
            found = self.recordings.find(name, media, beside=not recording)
            if found.problem:
                self.collector.skip(name, found.problem)
                continue
            split = split_from_folders(name[len(self.files.base) :].strip("/").split("/")[:-1], self.settings)
            label = PurePosixPath(found.path).stem if recording else ""
            heard = _Heard(name, label, found.path, found.offset_seconds, split)
            for tier in tiers:
                self._add_tier(tier, turns, heard, used)

    def _add_tier(self, tier: Tier, turns: Sequence[Tier], heard: "_Heard", used: Counter[str]) -> None:
        owner = tier.participant or speaker_from_path(heard.recording, self.settings)
        owner = owner or split_tier_name(tier.name)[1] or self.name_speaker(heard.name)
        inside = heard.name[len(self.files.base) :].strip("/")
        stem = "/".join(filter(None, (inside[: inside.rindex(".")], heard.label, tier.name)))
        for annotation in self._without_repeated(tier, stem, heard):
            start, end = annotation.start_seconds, annotation.end_seconds
            key = f"{stem}/{start * 1000:08.0f}-{end * 1000:08.0f}"
            used[key] += 1
            if (same := used[key]) > 1:
                key += f"-{same}"
            speaker = (turns and _who_speaks(turns, annotation)) or owner
            self._add_annotation(key, tier.name, annotation, heard, speaker)

    def _without_repeated(self, tier: Tier, stem: str, heard: "_Heard") -> list[Annotation]:
        """Leave out, and name, what a file that differs in its suffix alone has as well: one is the other's export."""
        place, repeated = (stem, heard.recording), Counter[str]()
        kept = []
        for annotation in tier.annotations:
            found = self.taken.find(place, heard.name, annotation) if annotation.text.strip() else None
            if found is None:
                kept.append(annotation)
                continue
            other, theirs = found
            if theirs.text.split() == annotation.text.split():
                repeated[other] += 1
                continue
            at = f"{heard.name}, tier {tier.name!r} at {annotation.start_seconds:.3f} s"
            self.collector.skip(at, f"stands in another file with another text, which was taken ({other})")
        for other, number in repeated.items():
            reason = f"repeats annotations of another file, which were taken from there ({number} of {other})"
            self.collector.skip(f"{heard.name}, tier {tier.name!r}", reason)
        self.taken.add(place, heard.name, [annotation for annotation in kept if annotation.text.strip()])
        return kept

    def _add_annotation(self, key: str, tier: str, annotation: Annotation, heard: "_Heard", speaker: str) -> None:
        settings, offset = self.settings, heard.offset_seconds
        start, end = annotation.start_seconds, annotation.end_seconds
        place = f"{heard.name}, tier {tier!r} at {start:.3f} s"
        if not annotation.text.strip():
            self.collector.skip(place, "has no text")
            return
        if end <= start or end + offset <= 0:
            self.collector.skip(place, "lasts no time, or lies before the recording begins")
            return
        row = UtteranceRow(
            utterance_id=key,
            audio_path=heard.recording,
            start_seconds=max(start + offset - settings.padding_seconds, 0.0),
            end_seconds=end + offset + settings.padding_seconds,
            channel=self._channel_of(speaker, tier),
            speaker=speaker,
            split=heard.split,
            raw_text=annotation.text.strip("\r\n"),
            language=settings.language,
        )
        self.collector.add(row, place)

    def _channel_of(self, speaker: str, tier: str) -> int | None:
        if not self.settings.channels:
            return self.settings.channel
        return self.settings.channel_of(speaker, tier, split_tier_name(tier)[0])

    def conclude(self) -> None:
        """Name the recordings that nothing belongs to, and what was found elsewhere than it should be."""
        for recording in walk_files(self.folder, self.files.base, self.settings.audio_suffixes):
            if recording not in self.recordings.used:
                self.collector.skip(recording, "no file of annotations belongs to it")
        for note in self.recordings.notes():
            self.collector.note(note)


def list_tiers(folder: Path, settings: ReaderSettings) -> list[TierSummary]:
    """List the tiers that hold the text of intervals, the one with most letters first; damaged files are passed over.

    Args:
        folder: the corpus folder.
        settings: subfolder, annotation_suffixes and speaker_tier, which is not listed, are used.

    Raises:
        CorpusError: there is no file of annotations.
    """
    reader = _Reader(folder, settings, CorpusFiles(folder, settings.subfolder))
    census = TierCensus(settings)
    for _, annotations in reader.read_all():
        census.add(annotations)
    return census.summaries()


def _who_speaks(turns: Sequence[Tier], annotation: Annotation) -> str:
    """Return who has most of an annotation's time, "" where nobody has any."""
    shared: Counter[str] = Counter()
    for turn in (turn for tier in turns for turn in tier.annotations):
        overlap = min(turn.end_seconds, annotation.end_seconds) - max(turn.start_seconds, annotation.start_seconds)
        if overlap > 0 and turn.text.strip():
            shared[turn.text.strip()] += round(overlap * 1000)
    return shared.most_common(1)[0][0] if shared else ""
