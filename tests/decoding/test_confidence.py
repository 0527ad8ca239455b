"""How sure a recogniser is, worked out by hand."""

import pytest
import torch

from lowres.decoding.confidence import label_confidence

FRAMES = torch.tensor([[[0.1, 0.8, 0.1], [0.98, 0.01, 0.01], [0.2, 0.2, 0.6], [0.0, 1.0, 0.0]]])


def test_confidence_is_the_mean_over_frames_that_are_not_blank() -> None:
    assert label_confidence(FRAMES.log(), torch.tensor([3])) == [pytest.approx((0.8 + 0.6) / 2)]


def test_frames_of_padding_count_for_nothing() -> None:
    assert label_confidence(FRAMES.log(), torch.tensor([1])) == [pytest.approx(0.8)]


def test_silence_is_not_sure_of_anything() -> None:
    blank = torch.tensor([[[0.9, 0.1], [0.9, 0.1]]]).log()
    assert label_confidence(blank, torch.tensor([2])) == [0.0]
    assert label_confidence(blank, torch.tensor([0])) == [0.0]
