"""A transcript as subtitles: utterances in pieces that a person can read while they are on the screen."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from lowres.annotation.tiers import Annotation, Tier
from lowres.annotation.transcript import SpokenWord, Transcript, place_apart

MOST_SECONDS: Final = 7.0
"""That a subtitle lasts; one of a single word may last longer."""

MOST_CHARACTERS: Final = 84
"""In a subtitle: two lines of 42, which fit a screen; a single word may be longer."""

LEAST_SECONDS: Final = 1.0
"""That a subtitle is shown, where the next one leaves it the time."""


@dataclass(frozen=True, slots=True)
class _Piece:
    start_seconds: float
    end_seconds: float
    text: str


def subtitle_tiers(transcript: Transcript) -> tuple[Tier, ...]:
    """Return a tier a voice, called as the voice is ("subtitles" where it has no name), of what to show when.

    An utterance that is longer than MOST_SECONDS or MOST_CHARACTERS is divided between words, at the longest pause
    around its middle, until the pieces fit. Subtitles of one voice do not overlap; times are whole milliseconds.

    Raises:
        CorpusError: more subtitles than the recording has milliseconds.
    """
    voices: dict[str, list[_Piece]] = {utterance.voice: [] for utterance in transcript.utterances} or {"": []}
    for utterance in transcript.utterances:
        words = [word for word in utterance.words if word.text.strip()]
        voices[utterance.voice] += (_piece(part) for part in _divide(words))
    return tuple(
        Tier(voice or "subtitles", _show(pieces, transcript.duration_seconds), participant=voice)
        for voice, pieces in voices.items()
    )


def _piece(words: Sequence[SpokenWord]) -> _Piece:
    text = " ".join(word.text for word in words)
    return _Piece(words[0].start_seconds, max(word.end_seconds for word in words), text)


def _divide(words: Sequence[SpokenWord]) -> Iterator[Sequence[SpokenWord]]:
    waiting = [words] if words else []
    while waiting:
        part = waiting.pop()
        whole = _piece(part)
        lasts = whole.end_seconds - whole.start_seconds
        if len(part) == 1 or (lasts <= MOST_SECONDS and len(whole.text) <= MOST_CHARACTERS):
            yield part
        else:
            place = _best_break(part, len(whole.text))
            waiting += [part[place:], part[:place]]


def _best_break(words: Sequence[SpokenWord], num_characters: int) -> int:
    """Return before which word to divide: at the longest pause in the middle half, the one nearest to the middle."""
    ranked = []
    reached = -1
    for place in range(1, len(words)):
        reached += len(words[place - 1].text) + 1
        off_middle = abs(reached / num_characters - 0.5)
        pause = max(0.0, words[place].start_seconds - words[place - 1].end_seconds)
        # Outside the middle half only nearness counts: short scraps are worse than a break without a pause.
        ranked.append((off_middle <= 0.25, pause if off_middle <= 0.25 else 0.0, -off_middle, -place))
    return -max(ranked)[-1]


def _show(pieces: list[_Piece], duration_seconds: float) -> tuple[Annotation, ...]:
    pieces.sort(key=lambda piece: (piece.start_seconds, piece.end_seconds))
    spans = place_apart([(piece.start_seconds, piece.end_seconds) for piece in pieces], duration_seconds)
    starts = [*(start for start, _ in spans), int(duration_seconds * 1000 + 1e-6) / 1000]
    return tuple(
        Annotation(start, max(end, min(round(start + LEAST_SECONDS, 3), following)), piece.text)
        for piece, (start, end), following in zip(pieces, spans, starts[1:], strict=True)
    )
