"""Reads SayMore projects: sessions whose recordings have ELAN files beside them, and the people who speak in them.

SayMore (SIL) keeps `Sessions/NAME/NAME.session`, recordings beside it, their annotations as `X.wav.annotations.eaf`
with the tiers "Transcription" and "Phrase Free Translation", and people as `People/NAME/NAME.person`.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Final

from lowres.annotation.xml_files import XmlKind, read_xml, text_of
from lowres.corpora.annotated import read_annotated
from lowres.corpora.files import CorpusFiles, walk_files
from lowres.corpora.reading import CorpusReading
from lowres.corpora.settings import ReaderSettings
from lowres.errors import CorpusError
from lowres.manifest.schema import Skipped

ANNOTATIONS_SUFFIX: Final = ".annotations.eaf"
SESSION_SUFFIX: Final = ".session"
TRANSCRIPT_TIER: Final = "Transcription"
_IGNORED: Final = "%ignore%"
_DERIVED: Final = (".oralannotations.", "_annotations/")
_SESSION: Final = XmlKind("Session", "a SayMore session", "SayMore", "")
_PERSON: Final = XmlKind("Person", "a SayMore person", "SayMore", "")
_ROLE: Final = "speaker"


def read_saymore(folder: Path, settings: ReaderSettings) -> CorpusReading:
    """Read every stretch that was transcribed in SayMore, or in ELAN afterwards, as one utterance.

    Where a session names one speaker only (a contributor with that role, else its one participant), that is who
    speaks; a person who has a code in SayMore is called by it, since that is what codes are for. Stretches marked as
    ignored are left out, and recordings that SayMore made itself (careful speech, oral annotations) are no part of
    the corpus.

    Args:
        folder: the project's folder, or that of its sessions.
        settings: those of `read_annotated`; the transcript is on the tier "Transcription" unless they say otherwise.

    Raises:
        CorpusError: no file of annotations, or a link that leads out of the folder.
    """
    settings = replace(
        settings,
        annotation_suffixes=settings.annotation_suffixes or (ANNOTATIONS_SUFFIX,),
        tiers=settings.tiers if settings.chooses_tiers else (TRANSCRIPT_TIER,),
    )
    people = _People(folder, settings)
    reading = read_annotated(folder, settings, people.name_speaker)
    ignored = {row.utterance_id for row in reading.rows if row.raw_text.strip() == _IGNORED}
    skipped = [one for one in reading.skipped if not any(mark in one.place.lower() for mark in _DERIVED)]
    skipped += [Skipped(one, "is marked in SayMore as to be ignored") for one in sorted(ignored)]
    rows = [row for row in reading.rows if row.utterance_id not in ignored]
    return CorpusReading(rows, skipped, [*reading.notes, *people.notes()])


@dataclass
class _People:
    """Who speaks in each session."""

    folder: Path
    settings: ReaderSettings
    files: CorpusFiles = field(init=False)
    speakers: dict[str, str] = field(default_factory=dict)
    """Folder of a session to its only speaker."""
    crowded: list[str] = field(default_factory=list)
    damaged: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.files = CorpusFiles(self.folder, self.settings.subfolder)

    def name_speaker(self, name: str) -> str:
        """Return the only speaker of the session that a file of annotations belongs to, "" where there is none."""
        parent = PurePosixPath(name).parent.as_posix()
        if parent not in self.speakers:
            self.speakers[parent] = self._find_speaker(parent)
        return self.speakers[parent]

    def notes(self) -> Iterator[str]:
        """Say what could not be told."""
        if self.crowded:
            yield (
                f"{len(self.crowded)} session(s) have several speakers, such as {self.crowded[0]}, and nothing says "
                "who speaks when; name a tier that does in corpus.reader.speaker_tier."
            )
        yield from self.damaged

    def _find_speaker(self, parent: str) -> str:
        session = next(iter(sorted((self.folder / parent).glob(f"*{SESSION_SUFFIX}"))), None)
        if session is None:
            return ""
        names = self._read_speakers(session.relative_to(self.folder).as_posix())
        if len(names) > 1:
            self.crowded.append(parent)
        return self._codes.get(names[0], names[0]) if len(names) == 1 else ""

    def _read_speakers(self, name: str) -> list[str]:
        self.files.check_inside(name, name)
        try:
            root = read_xml(self.folder / name, _SESSION)
        except CorpusError as error:
            self.damaged.append(error.message)
            return []
        contributors = root.findall("contributions/contributor")
        speaking = [
            text_of(one.find("name")).strip()
            for one in contributors
            if text_of(one.find("role")).strip().lower() == _ROLE
        ]
        taking_part = [one.strip() for one in text_of(root.find("participants")).split(";")]
        return list(dict.fromkeys(filter(None, speaking))) or list(dict.fromkeys(filter(None, taking_part)))

    @cached_property
    def _codes(self) -> dict[str, str]:
        """Names of people to the codes that stand for them."""
        codes = {}
        for name in walk_files(self.folder, "", (".person",)):
            self.files.check_inside(name, name)
            try:
                code = text_of(read_xml(self.folder / name, _PERSON).find("code")).strip()
            except CorpusError as error:
                self.damaged.append(error.message)
                continue
            if code:
                codes[PurePosixPath(name).parent.name] = code
        return codes
