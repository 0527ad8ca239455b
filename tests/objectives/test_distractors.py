import pytest
import torch

from lowres.objectives.distractors import sample_distractors


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("num_masked", [2, 3, 5])
def test_all_other_masked_frames_are_drawn_equally_often_and_the_frame_itself_never(num_masked: int) -> None:
    num_drawn = 30_000
    drawn = sample_distractors(num_masked, num_drawn, generator())
    for frame, places in enumerate(drawn):
        counts = torch.bincount(places, minlength=num_masked).tolist()
        assert len(counts) == num_masked
        assert counts[frame] == 0
        expected = num_drawn / (num_masked - 1)
        assert all(abs(count - expected) < 5 * expected**0.5 for place, count in enumerate(counts) if place != frame)


def test_every_place_lies_within_the_utterance() -> None:
    drawn = sample_distractors(245, 100, generator())
    assert drawn.shape == (245, 100)
    assert drawn.dtype == torch.int64
    assert 0 <= int(drawn.min()) <= int(drawn.max()) == 244
    assert not (drawn == torch.arange(245)[:, None]).any()


def test_of_two_masked_frames_each_is_the_others_distractor() -> None:
    assert sample_distractors(2, 3, generator()).tolist() == [[1, 1, 1], [0, 0, 0]]


@pytest.mark.parametrize("num_masked", [0, 1])
def test_fewer_than_two_masked_frames_have_no_distractors(num_masked: int) -> None:
    assert sample_distractors(num_masked, 100, generator()).shape == (num_masked, 0)


def test_the_same_generator_state_gives_the_same_distractors() -> None:
    first, again, other = (sample_distractors(9, 50, generator(seed)) for seed in (3, 3, 4))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
