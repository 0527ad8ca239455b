"""Everything measured on one set of utterances: one alignment pass each for words, characters and graphemes."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from lowres.scoring.alignment import (
    Alignment,
    SplitText,
    align_characters,
    align_words,
    each_by_characters,
    each_by_units,
    each_by_words,
)
from lowres.scoring.bootstrap import Interval, interval_over_speakers, interval_over_utterances
from lowres.scoring.breakdowns import (
    GroupScore,
    score_durations,
    score_levels,
    score_speakers,
    score_speaking_rates,
    worst_utterances,
)
from lowres.scoring.confusion_matrix import ConfusionMatrix, confusion_matrix
from lowres.scoring.confusions import (
    Confusions,
    MarkErrors,
    SpacingErrors,
    count_confusions,
    count_mark_errors,
    count_spacing_errors,
)
from lowres.scoring.error_kinds import ErrorKinds, classify_errors
from lowres.scoring.error_rates import ErrorCounts, count_errors, sum_counts
from lowres.scoring.tally import tally_pairs
from lowres.scoring.training_frequency import (
    FrequencyBand,
    UnseenWords,
    recall_words,
    score_training_frequency,
    score_unseen_words,
)


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
    """One error rate: its counts and its 95 % intervals over utterances and over speakers, None below three."""

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
    speaking_rates: list[GroupScore]
    levels: list[GroupScore]
    error_kinds: ErrorKinds
    confusion_matrix: ConfusionMatrix
    grapheme_confusions: Confusions
    word_confusions: Confusions
    grapheme_marks: MarkErrors
    word_marks: MarkErrors
    spacing: SpacingErrors
    unseen_words: UnseenWords
    training_frequency: list[FrequencyBand]
    worst: list[int]
    empty_references: list[int]
    empty_hypotheses: list[int]
    word_alignments: list[Alignment]
    character_alignments: list[Alignment]


def score(
    text: ScoredText,
    *,
    training_counts: Mapping[str, int],
    split_graphemes: SplitText,
    levels_db: Sequence[float | None] | None = None,
    seed: int = 1,
) -> Scorecard:
    """Measure everything that a report says about these utterances.

    Args:
        text: the N utterances.
        training_counts: how often each word stands in the text that was trained on, normalised as `text.references`.
        split_graphemes: cuts a line into letters with their marks, for the confusions.
        levels_db: (N,) level of each recording in dB below full scale, None where it is not known; None for all leaves
            `levels` empty.
        seed: start of the bootstrap's draws.

    Raises:
        ValueError: where the lists of `text` differ in length.
    """
    words = align_words(text.references, text.hypotheses)
    characters = align_characters(text.references, text.hypotheses)
    graphemes = tally_pairs(each_by_units(text.references, text.hypotheses, split_graphemes))
    word_pairs, recall = tally_pairs(words), recall_words(words)
    return Scorecard(
        normalised=Rates(_rate(words, text.speakers, seed), _rate(characters, text.speakers, seed)),
        raw=Rates(
            _rate(each_by_words(text.raw_references, text.hypotheses), text.speakers, seed),
            _rate(each_by_characters(text.raw_references, text.hypotheses), text.speakers, seed),
        ),
        speakers=score_speakers(text.speakers, text.durations_seconds, words, characters),
        durations=score_durations(text.durations_seconds, words, characters),
        speaking_rates=score_speaking_rates(text.durations_seconds, words, characters),
        levels=[] if levels_db is None else score_levels(levels_db, text.durations_seconds, words, characters),
        error_kinds=classify_errors(words),
        confusion_matrix=confusion_matrix(graphemes),
        grapheme_confusions=count_confusions(graphemes),
        word_confusions=count_confusions(word_pairs),
        grapheme_marks=count_mark_errors(graphemes),
        word_marks=count_mark_errors(word_pairs),
        spacing=count_spacing_errors(words, characters),
        unseen_words=score_unseen_words(recall, training_counts),
        training_frequency=score_training_frequency(recall, training_counts),
        worst=worst_utterances(characters),
        empty_references=[index for index, alignment in enumerate(words) if not alignment.reference],
        empty_hypotheses=[index for index, alignment in enumerate(words) if not alignment.hypothesis],
        word_alignments=words,
        character_alignments=characters,
    )


def _rate(alignments: Iterable[Alignment], speakers: Sequence[str], seed: int) -> Rate:
    by_utterance = [count_errors([alignment]) for alignment in alignments]
    errors = [counts.num_errors for counts in by_utterance]
    lengths = [counts.num_reference for counts in by_utterance]
    return Rate(
        counts=sum_counts(by_utterance),
        over_utterances=interval_over_utterances(errors, lengths, seed=seed),
        over_speakers=interval_over_speakers(errors, lengths, speakers, seed=seed),
    )
