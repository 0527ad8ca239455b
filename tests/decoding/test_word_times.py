"""Words out of labels: their texts are the vocabulary's, their times lie where they were heard."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pytest
from beams import random_scores
from recognizers import KINDS, TEXTS, vocabulary_of

from lowres.decoding.word_times import time_words
from lowres.text.vocabulary import Vocabulary


def scores_for(path: Sequence[int], num_labels: int, sure: float = 0.9) -> np.ndarray:
    scores = np.full((len(path), num_labels), (1 - sure) / (num_labels - 1))
    scores[np.arange(len(path)), list(path)] = sure
    return np.log(scores).astype(np.float32)


def ids(vocabulary: Vocabulary, *labels: str) -> list[int]:
    return [vocabulary.tokens.index(label) for label in labels]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", range(4))
def test_words_are_those_of_the_vocabulary_and_lie_within_the_frames(kind: str, seed: int) -> None:
    vocabulary = vocabulary_of(TEXTS, kind)
    token_ids = np.random.default_rng(seed).integers(1, len(vocabulary), 20).tolist()
    scores = random_scores(60, seed=seed, num_labels=len(vocabulary))
    found = time_words(scores, token_ids, vocabulary)
    assert [word.text for word in found] == vocabulary.decode(token_ids).split()
    reached = 0
    for word in found:
        assert reached <= word.start_frame < word.end_frame <= 60
        assert 0 < word.certainty <= 1
        assert "".join(letter.text for letter in word.letters) == word.text
        edges = [(letter.start_frame, letter.end_frame) for letter in word.letters]
        assert edges[-1][1] == word.end_frame
        assert all(end == start for (_, end), (start, _) in pairwise(edges))
        assert all(start < end for start, end in edges)
        reached = word.end_frame


def test_a_multigraph_is_one_letter() -> None:
    vocabulary = vocabulary_of(TEXTS, "graphemes")
    ts, a, ng = ids(vocabulary, "ts", "a", "ng")
    path = [0, ts, ts, 0, a, 0, 1, ng, a, 0]
    found = time_words(scores_for(path, len(vocabulary)), [ts, a, 1, ng, a], vocabulary)
    assert [word.text for word in found] == ["tsa", "nga"]
    assert [[letter.text for letter in word.letters] for word in found] == [["ts", "a"], ["ng", "a"]]
    assert [(word.start_frame, word.end_frame) for word in found] == [(1, 6), (7, 9)]


def test_a_letter_goes_on_to_the_next_and_the_last_one_as_long_as_they_do() -> None:
    vocabulary = vocabulary_of(["ab"], "characters")
    a, b = ids(vocabulary, "a", "b")
    path = [0, a, 0, 0, 0, b, 0, 0, 0, 0]
    (word,) = time_words(scores_for(path, len(vocabulary)), [a, b], vocabulary)
    assert [(letter.start_frame, letter.end_frame) for letter in word.letters] == [(1, 5), (5, 7)]
    (early,) = time_words(scores_for([0, 0, a], len(vocabulary)), [a], vocabulary)
    assert (early.start_frame, early.end_frame) == (2, 3)


def test_certainty_is_the_geometric_mean_of_the_letters() -> None:
    vocabulary = vocabulary_of(["ab"], "characters")
    a, b = ids(vocabulary, "a", "b")
    scores = np.log(np.full((2, len(vocabulary)), 0.1, dtype=np.float32))
    scores[0, a], scores[1, b] = np.log(0.9), np.log(0.4)
    (word,) = time_words(scores, [a, b], vocabulary)
    assert word.certainty == pytest.approx(0.6)


def test_boundaries_alone_are_no_words() -> None:
    vocabulary = vocabulary_of(["ab"], "characters")
    (a,) = ids(vocabulary, "a")
    scores = random_scores(9, seed=1, num_labels=len(vocabulary))
    assert time_words(scores, [], vocabulary) == []
    assert time_words(scores, [1, 1], vocabulary) == []
    assert [word.text for word in time_words(scores, [1, a, 1, 1, a, 1], vocabulary)] == ["a", "a"]


@pytest.mark.parametrize("num_frames", [1, 2, 3, 4])
def test_more_labels_than_frames_are_spread_within_the_frames(num_frames: int) -> None:
    vocabulary = vocabulary_of(["ab"], "characters")
    a, b = ids(vocabulary, "a", "b")
    scores = random_scores(num_frames, seed=1, num_labels=len(vocabulary))
    found = time_words(scores, [a, b, 1, b, a, b], vocabulary)
    assert [word.text for word in found] == ["ab", "bab"]
    for word in found:
        assert 0 <= word.start_frame < word.end_frame <= num_frames
        assert word.certainty == 0
        for letter in word.letters:
            assert word.start_frame <= letter.start_frame <= letter.end_frame <= word.end_frame
