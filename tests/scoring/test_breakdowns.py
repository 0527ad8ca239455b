"""Where errors fall: speakers, durations, unseen words, worst utterances."""

import pytest

from lowres.scoring.alignment import align_characters, align_words
from lowres.scoring.breakdowns import (
    duration_bin,
    level_bin,
    score_durations,
    score_levels,
    score_speakers,
    score_speaking_rates,
    worst_utterances,
)
from lowres.scoring.training_frequency import recall_words, score_training_frequency, score_unseen_words

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


def test_slow_and_fast_speech_are_scored_apart_in_thirds_named_by_their_edges() -> None:
    references = ["aaaa", "aaaa", "aaaa", "aaaaaaaa", "aaaaaaaa", "aaaaaaaa", ""]
    words, characters = align_words(references, references), align_characters(references, references)
    groups = score_speaking_rates([4.0, 2.0, 1.0, 1.0, 4.0, 2.0, 3.0], words, characters)
    # rates 1, 2, 4, 8, 2, 4 and nothing said; a third of them lies below 2 + 0/3, two thirds below 4
    assert [(group.name, group.num_utterances) for group in groups] == [
        ("under 2.0 characters/s", 1),
        ("2.0-4.0 characters/s", 2),
        ("4.0 characters/s and over", 3),
    ]


def test_where_all_speak_alike_there_is_no_slow_third() -> None:
    words, characters = align_words(["ab"] * 4, ["ab"] * 4), align_characters(["ab"] * 4, ["ab"] * 4)
    groups = score_speaking_rates([1.0] * 4, words, characters)
    assert [(group.name, group.num_utterances) for group in groups] == [("2.0 characters/s and over", 4)]
    assert score_speaking_rates([0.0] * 4, words, characters) == []


@pytest.mark.parametrize(
    ("level", "name"), [(-60.0, "under -45 dB"), (-30.0, "-30 to -25 dB"), (-15.0, "-15 dB and over")]
)
def test_a_level_falls_in_the_bin_that_holds_its_lower_edge(level: float, name: str) -> None:
    assert level_bin(level) == name


def test_levels_come_quietest_first_and_unknown_ones_last() -> None:
    groups = score_levels([-12.0, None, -60.0, -58.5], [1.0, 2.0, 4.0, 8.0], WORDS, CHARACTERS)
    assert [(group.name, group.num_utterances, group.duration_seconds) for group in groups] == [
        ("under -45 dB", 2, 12.0),
        ("-15 dB and over", 1, 1.0),
        ("unknown", 1, 2.0),
    ]
    assert groups[0].words.num_errors == 3
    assert score_levels([None] * 4, [1.0] * 4, WORDS, CHARACTERS) == []


def test_words_are_scored_by_how_often_they_stood_in_training() -> None:
    words = align_words(["a b c d", "a b e d"], ["a x y d", "a b e z"])
    bands = score_training_frequency(recall_words(words), {"a": 10, "b": 9, "c": 1, "d": 2})
    assert [(band.name, band.num_types, band.num_said, band.num_wrong) for band in bands] == [
        ("never in training", 1, 1, 0),
        ("once", 1, 1, 1),
        ("2-9 times", 2, 4, 2),
        ("10 times or more", 1, 2, 0),
    ]
    assert [band.error_rate for band in bands] == [0.0, 1.0, 0.5, 0.0]
    assert [band.share_of_errors for band in bands] == pytest.approx([0, 1 / 3, 2 / 3, 0])
    assert [(word.word, word.num_said, word.num_right) for word in bands[2].most_missed] == [("b", 2, 1), ("d", 2, 1)]


def test_a_band_without_words_has_no_error_rate() -> None:
    bands = score_training_frequency(recall_words(align_words(["a"], ["a"])), {})
    assert [band.error_rate for band in bands] == [0.0, None, None, None]
    assert [band.share_of_errors for band in bands] == [0.0] * 4


def test_worst_utterances_never_hold_a_faultless_one() -> None:
    assert worst_utterances(CHARACTERS) == [3, 2, 1]
    assert worst_utterances(CHARACTERS, limit=1) == [3]
