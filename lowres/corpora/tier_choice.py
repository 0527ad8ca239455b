"""Which tiers hold the transcript: as the recipe says, or the only kind there is; and which tiers there are."""

import fnmatch
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from lowres.annotation.tiers import AnnotationFile, Tier, split_tier_name
from lowres.corpora.settings import ReaderSettings
from lowres.errors import CorpusError

_MOST_LISTED, _NUM_EXAMPLES = 12, 5
_TRANSCRIPT_NAMES: Final = ("tx", "txt", "transcript", "transcription")


@dataclass
class _Kind:
    num_annotations: int = 0
    num_letters: int = 0
    examples: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class TierSummary:
    """A kind of tier of intervals, over all files and speakers: `tx@Ana` and `tx@Ben` are both "tx"."""

    name: str
    num_annotations: int
    num_letters: int
    """Of all annotations; the transcript is most often where there are most."""

    examples: tuple[str, ...]
    """Its first texts."""


class TierCensus:
    """Counts the kinds of tiers of a corpus while its files are read, one after another.

    Args:
        settings: the speaker tier is no kind; which are chosen is counted too.
    """

    def __init__(self, settings: ReaderSettings) -> None:
        self._settings = settings
        self._kinds: dict[str, _Kind] = {}
        self._has_chosen = False

    def add(self, contents: AnnotationFile) -> None:
        """Count the tiers of a file that hold the text of intervals."""
        for tier in contents.tiers:
            self._has_chosen = self._has_chosen or is_chosen(tier, self._settings)
            if tier.kind == "intervals" and tier.annotations and tier.name != self._settings.speaker_tier:
                kind = self._kinds.setdefault(split_tier_name(tier.name)[0], _Kind())
                kind.num_annotations += len(tier.annotations)
                kind.num_letters += sum(len(annotation.text) for annotation in tier.annotations)
                missing = _NUM_EXAMPLES - len(kind.examples)
                kind.examples += [annotation.text for annotation in tier.annotations[:missing]]

    def summaries(self) -> list[TierSummary]:
        """Return the kinds, the likeliest transcript first.

        Those are the ones that many programs name so (tx, txt-mdw, Transcription), then the ones with most letters.
        """
        found = [
            TierSummary(name, kind.num_annotations, kind.num_letters, tuple(kind.examples))
            for name, kind in self._kinds.items()
        ]
        return sorted(found, key=lambda one: (not _is_named_so(one.name), -one.num_letters, one.name))

    def demand_choice(self) -> None:
        """Refuse to guess which kind of tier holds the transcript where there is more than one.

        Raises:
            CorpusError: there are several and none is chosen, or none fits what is chosen.
        """
        tiers = self.summaries()
        there_are = f"The tiers with annotations are {', '.join(_listed(tiers))}."
        if self._settings.chooses_tiers:
            if tiers and not self._has_chosen:
                raise CorpusError(
                    "No tier fits what corpus.reader says of tiers, linguistic_types and participants.", there_are
                )
        elif len(tiers) > 1:
            raise CorpusError(
                f"There are {len(tiers)} tiers with annotations: which of them holds the transcript?",
                f'Say it in the recipe, as corpus.reader.tiers = ["{tiers[0].name}"]. {there_are}',
            )


def _is_named_so(kind: str) -> bool:
    return re.split("[-_ ]", kind.lower(), maxsplit=1)[0] in _TRANSCRIPT_NAMES


def is_chosen(tier: Tier, settings: ReaderSettings) -> bool:
    """Return whether a tier's annotations are utterances; a name stands for the tiers of that kind of any speaker."""
    if tier.kind != "intervals":
        return False
    if not settings.chooses_tiers:
        return tier.name != settings.speaker_tier
    asked = (
        (settings.tiers, (tier.name, split_tier_name(tier.name)[0])),
        (settings.linguistic_types, (tier.linguistic_type,)),
        (settings.participants, (tier.participant,)),
    )
    return all(not patterns or any(_fits(name, one) for one in patterns for name in names) for patterns, names in asked)


def _fits(name: str, pattern: str) -> bool:
    # Compared as it is too: a name may hold the brackets that mean something in a pattern.
    return name == pattern or fnmatch.fnmatchcase(name, pattern)


def _listed(tiers: Sequence[TierSummary]) -> list[str]:
    named = [f"{tier.name!r} ({tier.num_annotations:,})" for tier in tiers[:_MOST_LISTED]]
    return [*named, f"{len(tiers) - _MOST_LISTED} more"] if len(tiers) > _MOST_LISTED else named
