"""What a recogniser heard in a recording, with the times of words and letters, and the tiers that show it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from lowres.annotation.tiers import Annotation, Tier
from lowres.errors import CorpusError

_Span = tuple[float, float]  # seconds


@dataclass(frozen=True, slots=True)
class SpokenLetter:
    """A letter (or what the vocabulary holds instead) and when it was heard, in seconds of the recording."""

    text: str
    start_seconds: float
    end_seconds: float


@dataclass(frozen=True, slots=True)
class SpokenWord:
    """A word and when it was heard, in seconds of the recording."""

    text: str
    start_seconds: float
    end_seconds: float
    confidence: float | None
    """How sure the recogniser is of it, 0-1; None where that is not known."""

    letters: tuple[SpokenLetter, ...] = ()
    """In the order of their times; none where they were not asked for."""


@dataclass(frozen=True, slots=True)
class SpokenUtterance:
    """A stretch of speech, in seconds of the recording."""

    start_seconds: float
    end_seconds: float
    words: tuple[SpokenWord, ...]
    """In the order of their times; none where nothing was heard."""

    voice: str = ""
    """Who speaks, or which channel of an interview it is; "" = not told apart."""

    alternatives: tuple[str, ...] = ()
    """What it may have been instead, the likeliest first; none where they were not asked for."""

    @property
    def text(self) -> str:
        """The words with a space between them."""
        return " ".join(word.text for word in self.words)

    @property
    def confidence(self) -> float | None:
        """The mean of the words' confidences that are known, 0-1; None where none is."""
        known = [word.confidence for word in self.words if word.confidence is not None]
        return sum(known) / len(known) if known else None


@dataclass(frozen=True, slots=True)
class Transcript:
    """What was heard in one recording: the result of `lowres transcribe`."""

    recording: str
    """Its path or name."""

    duration_seconds: float
    utterances: tuple[SpokenUtterance, ...]
    made_by: str = ""
    """The recogniser's name."""

    is_calibrated: bool = False
    """Whether confidences were fitted to how often words are right, so that of those with 0.8 four in five are."""


def transcript_tiers(
    transcript: Transcript,
    *,
    name: str = "lowres",
    doubtful_below: float | None = 0.5,
    with_words: bool = True,
    with_letters: bool = False,
) -> tuple[Tier, ...]:
    """Return the tiers that show a transcript: `NAME`, `NAME words`, `NAME letters` and `NAME doubtful`.

    Each voice has its own, `NAME@VOICE` and so on, with the voice as participant. Times are whole milliseconds from 0
    to the recording's end; on one tier, what would overlap ends where the next begins, and nothing takes less than a
    millisecond. Utterances in which nothing was heard have no place on a tier.

    Args:
        name: of the tier of utterances; it may hold no @.
        doubtful_below: words less sure than this (0-1) are on the tier of doubtful ones, which is there only if it
            holds any; None = no such tier. Words whose confidence is not known are never doubtful.
        with_words: whether there is a tier of words.
        with_letters: whether there is a tier of letters.

    Raises:
        CorpusError: a name with an @ in it, or more annotations than the recording has milliseconds.
    """
    if not name or "@" in name:
        raise CorpusError(
            f"A tier cannot be called {name!r}: what follows an @ says who speaks.", "Choose another name."
        )
    tiers: list[Tier] = []
    voices = dict.fromkeys(utterance.voice for utterance in transcript.utterances) or {"": None}
    for voice in voices:
        utterances = [one for one in transcript.utterances if one.voice == voice and one.text.strip()]
        words = [word for utterance in utterances for word in utterance.words if word.text.strip()]
        rows = {"": _annotate(utterances, transcript)}
        if with_words:
            rows[" words"] = _annotate(words, transcript)
        if with_letters:
            rows[" letters"] = _annotate([letter for word in words for letter in word.letters], transcript)
        if doubtful := _doubtful(words, doubtful_below, transcript):
            rows[" doubtful"] = doubtful
        owner = f"@{voice}" if voice else ""
        tiers += [
            Tier(f"{name}{kind}{owner}", row, participant=voice, linguistic_type=_TYPES[kind])
            for kind, row in rows.items()
        ]
    return tuple(tiers)


_TYPES = {"": "utterance", " words": "word", " letters": "letter", " doubtful": "word"}


def place_apart(spans: Sequence[_Span], duration_seconds: float) -> list[_Span]:
    """Return times that do not overlap: whole milliseconds within a recording, each span at least one of them long.

    Args:
        spans: starts and ends in seconds, in the order of their starts.
        duration_seconds: of the recording.

    Returns:
        As many spans. One that is within the recording and apart from its neighbours is only rounded; one that
        reaches into the next ends where that begins.

    Raises:
        CorpusError: there are more spans than milliseconds.
    """
    last = int(duration_seconds * 1000 + 1e-6)
    if len(spans) > last:
        raise CorpusError(
            f"{len(spans)} annotations have no room in a recording of {duration_seconds:g} s.",
            "Give the recording that was transcribed.",
        )
    edges = [[max(0, round(start * 1000)), round(end * 1000)] for start, end in spans]
    for before, after in pairwise(edges):
        before[1] = min(before[1], after[0])
    reached = 0
    for edge in edges:
        edge[0] = max(edge[0], reached)
        edge[1] = reached = max(edge[1], edge[0] + 1)
    limit = last
    for edge in reversed(edges):
        edge[1] = min(edge[1], limit)
        edge[0] = limit = min(edge[0], edge[1] - 1)
    return [(start / 1000, end / 1000) for start, end in edges]


def _annotate(
    things: Iterable[SpokenUtterance] | Iterable[SpokenWord] | Iterable[SpokenLetter], transcript: Transcript
) -> tuple[Annotation, ...]:
    spoken = sorted((one for one in things if one.text.strip()), key=lambda one: (one.start_seconds, one.end_seconds))
    spans = place_apart([(one.start_seconds, one.end_seconds) for one in spoken], transcript.duration_seconds)
    return tuple(Annotation(start, end, one.text) for one, (start, end) in zip(spoken, spans, strict=True))


def _doubtful(words: Sequence[SpokenWord], below: float | None, transcript: Transcript) -> tuple[Annotation, ...]:
    """Return the words that are not sure, at the very times that they have on the tier of all words."""
    if below is None:
        return ()
    ordered = sorted(words, key=lambda one: (one.start_seconds, one.end_seconds))
    return tuple(
        annotation
        for word, annotation in zip(ordered, _annotate(ordered, transcript), strict=True)
        if word.confidence is not None and word.confidence < below
    )
