"""Greedy decoding: collapse, blanks, doubles, padding."""

import pytest
import torch
from torch import Tensor

from lowres.decoding.greedy import greedy_decode


def scores_of(*paths: list[int], num_tokens: int = 5) -> tuple[Tensor, Tensor]:
    """One-hot log-probabilities (B, T, V) whose best path is each of `paths`; padding frames shout token 1."""
    longest = max(len(path) for path in paths)
    scores = torch.full((len(paths), longest, num_tokens), -10.0)
    for row, path in enumerate(paths):
        for frame, token in enumerate(path):
            scores[row, frame, token] = 0.0
        scores[row, len(path) :, 1] = 5.0
    return scores, torch.tensor([len(path) for path in paths])


def test_repeats_collapse_and_blanks_are_dropped() -> None:
    (hypothesis,) = greedy_decode(*scores_of([0, 2, 2, 2, 0, 0, 3, 1, 1, 0]))
    assert hypothesis.token_ids == [2, 3, 1]
    assert (hypothesis.num_frames, hypothesis.num_blank_frames) == (10, 4)


def test_a_double_letter_survives_when_a_blank_stands_between() -> None:
    apart, together = greedy_decode(*scores_of([2, 2, 0, 2], [2, 2, 2, 2]))
    assert apart.token_ids == [2, 2]
    assert together.token_ids == [2]


def test_frames_past_the_end_are_never_read() -> None:
    paths = ([2, 0, 3], [4], [], [1, 1, 0, 1, 2, 3])
    batch = greedy_decode(*scores_of(*paths))
    alone = [greedy_decode(*scores_of(path))[0] for path in paths if path]
    assert [h.token_ids for h in batch] == [[2, 3], [4], [], [1, 1, 2, 3]]
    assert [h for h in batch if h.num_frames] == alone


def test_noise_in_the_padding_changes_nothing() -> None:
    scores, num_frames = torch.randn(3, 40, 9), torch.tensor([40, 17, 5])
    noisy = scores.clone()
    noisy[1, 17:] = torch.randn(23, 9) * 100
    noisy[2, 5:] = float("nan")
    assert greedy_decode(scores, num_frames) == greedy_decode(noisy, num_frames)


def test_of_equal_scores_the_lower_id_wins() -> None:
    (hypothesis,) = greedy_decode(torch.zeros(1, 3, 4), torch.tensor([3]))
    assert hypothesis.token_ids == []


def test_the_result_is_that_of_a_plain_loop() -> None:
    scores = torch.randn(4, 60, 6)
    for row, hypothesis in enumerate(greedy_decode(scores, torch.full((4,), 60))):
        expected, before = [], -1
        for frame in scores[row].tolist():
            token = frame.index(max(frame))
            if token != before and token != 0:
                expected.append(token)
            before = token
        assert hypothesis.token_ids == expected


@pytest.mark.parametrize(("shape", "lengths"), [((2, 3), [3, 3]), ((2, 3, 4), [3]), ((1, 3, 4), [4])])
def test_shapes_that_do_not_fit_are_refused(shape: tuple[int, ...], lengths: list[int]) -> None:
    with pytest.raises(ValueError, match="num_frames"):
        greedy_decode(torch.zeros(shape), torch.tensor(lengths))
