"""Forced alignment against a search of every path."""

from itertools import groupby, product

import numpy as np
import pytest
from beams import random_scores, scores_of, spell

from lowres.decoding.forced_alignment import LabelSpan, align_labels, num_frames_needed


def path_of(spans: list[LabelSpan], num_frames: int) -> tuple[int, ...]:
    path = [0] * num_frames
    for span in spans:
        path[span.start_frame : span.end_frame] = [span.token_id] * (span.end_frame - span.start_frame)
    return tuple(path)


def collapse(path: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(label for label, _ in groupby(path) if label)


@pytest.mark.parametrize("text", ["a", "ab", "aa", "aab", "a b", "baab", "cc"])
@pytest.mark.parametrize("seed", range(3))
def test_the_path_is_the_best_of_all_that_spell_the_text(text: str, seed: int) -> None:
    scores = random_scores(6, seed=seed)
    labels = spell(text)
    best = max(
        sum(scores[frame, label] for frame, label in enumerate(path))
        for path in product(range(5), repeat=6)
        if collapse(path) == labels
    )
    spans = align_labels(scores, labels)
    assert spans is not None
    path = path_of(spans, 6)
    assert collapse(path) == labels
    assert sum(scores[frame, label] for frame, label in enumerate(path)) == pytest.approx(best, abs=1e-5)
    assert tuple(span.token_id for span in spans) == labels


def test_a_text_is_found_where_it_was_said() -> None:
    spans = align_labels(scores_of("--aab-|c-", sure=0.9), spell("ab c"))
    assert spans is not None
    assert [(span.start_frame, span.end_frame) for span in spans] == [(2, 4), (4, 5), (6, 7), (7, 8)]
    assert [span.probability for span in spans] == pytest.approx([0.9] * 4)


def test_a_label_that_was_hardly_heard_is_improbable() -> None:
    spans = align_labels(scores_of("-a-", sure=0.9), spell("b"))
    assert spans is not None
    assert spans[0].probability == pytest.approx(0.1 / 4)


def test_a_letter_written_twice_needs_a_frame_between() -> None:
    assert num_frames_needed(spell("aa")) == 3
    assert num_frames_needed(spell("aba")) == 3
    assert align_labels(random_scores(2, seed=0), spell("aa")) is None
    spans = align_labels(random_scores(3, seed=0), spell("aa"))
    assert spans is not None
    assert [(span.start_frame, span.end_frame) for span in spans] == [(0, 1), (2, 3)]


def test_nothing_is_aligned_to_nothing() -> None:
    assert align_labels(np.zeros((0, 5), dtype=np.float32), ()) == []
    assert align_labels(random_scores(4, seed=0), ()) == []
    assert align_labels(np.zeros((0, 5), dtype=np.float32), (2,)) is None


def test_scores_that_are_a_view_of_others_are_read_as_they_are() -> None:
    scores = random_scores(12, seed=4)
    assert align_labels(scores[::2], spell("ab")) == align_labels(scores[::2].copy(), spell("ab"))
