"""Words with their times and how sure the recogniser is of each, out of the labels that were heard."""

from collections.abc import Sequence
from dataclasses import dataclass

from lowres.decoding.beam_search import LogProbs
from lowres.decoding.forced_alignment import LabelSpan, align_labels
from lowres.text.vocabulary import WORD_BOUNDARY, Vocabulary


@dataclass(frozen=True, slots=True)
class HeardLetter:
    """A label as text, in frames: [start, end)."""

    text: str
    start_frame: int
    end_frame: int


@dataclass(frozen=True, slots=True)
class HeardWord:
    """A word, in frames: [start, end), the end at least one frame after the start.

    `certainty` is the geometric mean of its labels' probabilities, 0-1: not yet a share of words that are right.
    """

    text: str
    start_frame: int
    end_frame: int
    certainty: float
    letters: tuple[HeardLetter, ...]


def time_words(log_probs: LogProbs, token_ids: Sequence[int], vocabulary: Vocabulary) -> list[HeardWord]:
    """Give the words that labels spell, with their times.

    A label of CTC peaks in a frame or two; its letter goes on until the next one's peak. The last letter of a word ends
    where its peak does, or goes on over following blanks by as much as the word's letters last on average.

    Args:
        log_probs: (T, V) natural logarithms.
        token_ids: labels as decoded, without blanks and repeats.
        vocabulary: theirs.

    Returns:
        The words in order; none where nothing was heard.
    """
    spans = align_labels(log_probs, token_ids)
    if spans is None:
        # Only a beam search that skipped frames can find more labels than there are frames for: spread them.
        starts = [len(log_probs) * place // len(token_ids) for place in range(len(token_ids))]
        spans = [LabelSpan(token_id, at, at + 1, 0.0) for token_id, at in zip(token_ids, starts, strict=True)]
    return words_of_spans(spans, len(log_probs), vocabulary)


def words_of_spans(spans: Sequence[LabelSpan], end_frame: int, vocabulary: Vocabulary) -> list[HeardWord]:
    """Give the words that aligned labels spell.

    Args:
        spans: of the labels, in order.
        end_frame: where the last word must have ended.
        vocabulary: of the labels.
    """
    found = []
    for place, group in _split(spans, vocabulary):
        # The last letter goes on under the label between words: its sound ends before the next word's does begin.
        later = (
            spans[number].start_frame
            for number in range(place, len(spans))
            if spans[number].token_id != vocabulary.word_boundary_id
        )
        following = next(later, end_frame)
        found.append(_word(group, following, vocabulary))
    return found


def _split(spans: Sequence[LabelSpan], vocabulary: Vocabulary) -> list[tuple[int, list[LabelSpan]]]:
    """Return each word's spans and the place of the span after it."""
    groups: list[tuple[int, list[LabelSpan]]] = []
    current: list[LabelSpan] = []
    for place, span in enumerate(spans):
        is_boundary = span.token_id == vocabulary.word_boundary_id
        begins = vocabulary.tokens[span.token_id].startswith(WORD_BOUNDARY)
        if (is_boundary or begins) and current:
            groups.append((place, current))
            current = []
        if not is_boundary:
            current.append(span)
    if current:
        groups.append((len(spans), current))
    return [(place, group) for place, group in groups if _spell(group, vocabulary)]


def _word(group: list[LabelSpan], following: int, vocabulary: Vocabulary) -> HeardWord:
    start, last = group[0].start_frame, group[-1]
    usual = (last.end_frame - start) / len(group)
    end = max(last.end_frame, min(following, last.start_frame + round(usual)))
    ends = [*(span.start_frame for span in group[1:]), end]
    letters = tuple(
        HeardLetter(text, span.start_frame, letter_end)
        for span, letter_end in zip(group, ends, strict=True)
        if (text := vocabulary.tokens[span.token_id].replace(WORD_BOUNDARY, ""))
    )
    certainty = 1.0
    for span in group:
        certainty *= span.probability
    return HeardWord(_spell(group, vocabulary), start, end, certainty ** (1 / len(group)), letters)


def _spell(group: Sequence[LabelSpan], vocabulary: Vocabulary) -> str:
    return vocabulary.decode([span.token_id for span in group]).strip()
