"""Where errors fall: speakers, durations, unseen words, worst utterances."""

import pytest

from lowres.scoring.alignment import align_characters, align_words
from lowres.scoring.breakdowns import (
    duration_bin,
    score_durations,
    score_speakers,
    worst_utterances,
)
from lowres.scoring.training_frequency import recall_words, score_unseen_words

REFERENCES = ["a b", "a b", "c d", ""]
HYPOTHESES = ["a b", "a x", "y z", "q"]
WORDS, CHARACTERS = align_words(REFERENCES, HYPOTHESES), align_characters(REFERENCES, HYPOTHESES)


def test_speakers_are_scored_apart_and_add_up() -> None:
    ana, ben = score_speakers(["ana", "ana", "ben", "ana"], [1.0, 2.0, 4.0, 0.5], WORDS, CHARACTERS)
    assert (ana.name, ana.num_utterances, ana.duration_seconds) == ("ana", 3, 3.5)
    assert (ana.words.num_errors, ana.words.num_reference) == (2, 4)
    assert (ben.words.error_rate, ben.characters.error_rate) == (1.0, 2 / 3)
    assert ben.character_interval is None


@pytest.mark.parametrize(
    ("seconds", "name"), [(0.1, "under 2 s"), (2.0, "2-4 s"), (9.99, "8-10 s"), (30.0, "30 s and over")]
)
def test_a_duration_falls_in_the_bin_that_holds_its_lower_edge(seconds: float, name: str) -> None:
    assert duration_bin(seconds) == name


def test_durations_come_shortest_first_without_empty_bins() -> None:
    groups = score_durations([12.0, 1.0, 12.5, 3.0], WORDS, CHARACTERS)
    assert [(group.name, group.num_utterances) for group in groups] == [("under 2 s", 1), ("2-4 s", 1), ("10-15 s", 2)]


def test_unseen_words_have_their_own_error_rate() -> None:
    unseen = score_unseen_words(recall_words(WORDS), {"a": 3, "b": 1})
    assert (unseen.num_seen, unseen.num_seen_wrong) == (4, 1)
    assert (unseen.num_unseen, unseen.num_unseen_wrong) == (2, 2)
    assert (unseen.seen_error_rate, unseen.unseen_error_rate) == (0.25, 1.0)
    assert [(w.word, w.num_said, w.num_right) for w in unseen.most_frequent] == [("c", 1, 0), ("d", 1, 0)]


def test_rates_of_no_words_are_none() -> None:
    assert score_unseen_words(recall_words(WORDS), dict.fromkeys("abcd", 1)).unseen_error_rate is None


def test_worst_utterances_never_hold_a_faultless_one() -> None:
    assert worst_utterances(CHARACTERS) == [3, 2, 1]
    assert worst_utterances(CHARACTERS, limit=1) == [3]
