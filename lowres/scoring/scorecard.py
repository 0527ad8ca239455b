"""Everything measured on one set of utterances: one alignment pass each for words, characters and graphemes."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from lowres.scoring.alignment import Alignment, SplitText, align_characters, align_units, align_words
from lowres.scoring.bootstrap import Interval, interval_over_speakers, interval_over_utterances
from lowres.scoring.breakdowns import (
    GroupScore,
    UnseenWords,
    score_durations,
    score_speakers,
    score_unseen_words,
    worst_utterances,
)
from lowres.scoring.confusions import (
    Confusions,
    MarkErrors,
    SpacingErrors,
    count_confusions,
    count_mark_errors,
    count_spacing_errors,
)
from lowres.scoring.error_rates import ErrorCounts, count_errors


@dataclass(frozen=True)
class ScoredText:
    """What was said and heard, one entry per utterance, N of each.

    `references` follow the recipe's rules, as the hypotheses do; `raw_references` are the transcripts as written.
    A speaker "" is one nobody named.
    """

    utterance_ids: Sequence[str]
    speakers: Sequence[str]
    durations_seconds: Sequence[float]
    references: Sequence[str]
    raw_references: Sequence[str]
    hypotheses: Sequence[str]


@dataclass(frozen=True)
class Rate:
    """One error rate: its counts and its 95 % intervals over utterances and, with two or more, over speakers."""

    counts: ErrorCounts
    over_utterances: Interval | None
    over_speakers: Interval | None


@dataclass(frozen=True)
class Rates:
    """Word and character error rate of the same pairs."""

    words: Rate
    characters: Rate


@dataclass(frozen=True)
class Scorecard:
    """All figures of one evaluation. The alignments are of the normalised text, N of each, in the order given."""

    normalised: Rates
    raw: Rates
    speakers: list[GroupScore]
    durations: list[GroupScore]
    grapheme_confusions: Confusions
    word_confusions: Confusions
    grapheme_marks: MarkErrors
    word_marks: MarkErrors
    spacing: SpacingErrors
    unseen_words: UnseenWords
    worst: list[int]
    empty_references: list[int]
    empty_hypotheses: list[int]
    word_alignments: list[Alignment]
    character_alignments: list[Alignment]


def score(text: ScoredText, *, training_words: Collection[str], split_graphemes: SplitText, seed: int = 1) -> Scorecard:
    """Measure everything that a report says about these utterances.

    Args:
        text: the N utterances.
        training_words: words of the text that was trained on, normalised as `text.references` are.
        split_graphemes: cuts a line into letters with their marks, for the confusions.
        seed: start of the bootstrap's draws.

    Raises:
        ValueError: where the lists of `text` differ in length.
    """
    words = align_words(text.references, text.hypotheses)
    characters = align_characters(text.references, text.hypotheses)
    graphemes = align_units(text.references, text.hypotheses, split_graphemes)
    raw_words = align_words(text.raw_references, text.hypotheses)
    raw_characters = align_characters(text.raw_references, text.hypotheses)
    return Scorecard(
        normalised=Rates(_rate(words, text.speakers, seed), _rate(characters, text.speakers, seed)),
        raw=Rates(_rate(raw_words, text.speakers, seed), _rate(raw_characters, text.speakers, seed)),
        speakers=score_speakers(text.speakers, text.durations_seconds, words, characters),
        durations=score_durations(text.durations_seconds, words, characters),
        grapheme_confusions=count_confusions(graphemes),
        word_confusions=count_confusions(words),
        grapheme_marks=count_mark_errors(graphemes),
        word_marks=count_mark_errors(words),
        spacing=count_spacing_errors(words, characters),
        unseen_words=score_unseen_words(words, training_words),
        worst=worst_utterances(characters),
        empty_references=[index for index, alignment in enumerate(words) if not alignment.reference],
        empty_hypotheses=[index for index, alignment in enumerate(words) if not alignment.hypothesis],
        word_alignments=words,
        character_alignments=characters,
    )


def _rate(alignments: Sequence[Alignment], speakers: Sequence[str], seed: int) -> Rate:
    errors = [alignment.num_errors for alignment in alignments]
    lengths = [alignment.num_reference for alignment in alignments]
    return Rate(
        counts=count_errors(alignments),
        over_utterances=interval_over_utterances(errors, lengths, seed=seed),
        over_speakers=interval_over_speakers(errors, lengths, speakers, seed=seed),
    )
