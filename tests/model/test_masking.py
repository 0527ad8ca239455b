import pytest
import torch

from lowres.model.config import Wav2Vec2Config
from lowres.model.masking import draw_masks, sample_channel_mask, sample_time_mask


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def runs_of(row: torch.Tensor) -> list[int]:
    """Lengths of the unbroken stretches of True."""
    text = "".join("x" if masked else " " for masked in row.tolist())
    return [len(run) for run in text.split()]


def test_padding_is_never_masked() -> None:
    num_frames = [50, 11, 30, 2]
    mask = sample_time_mask(num_frames, span_start_probability=0.5, span_length=10, generator=generator())
    for row, length in zip(mask, num_frames, strict=True):
        assert not row[length:].any()


@pytest.mark.parametrize("num_frames", [2, 3, 9, 10, 11, 500])
def test_every_utterance_has_a_masked_span_and_an_unmasked_frame(num_frames: int) -> None:
    for seed in range(20):
        mask = sample_time_mask([num_frames], span_start_probability=0.001, span_length=10, generator=generator(seed))
        assert max(runs_of(mask[0])) >= min(10, num_frames - 1)
        assert not mask.all()


def test_spans_are_never_shorter_than_asked() -> None:
    mask = sample_time_mask([400] * 8, span_start_probability=0.03, span_length=10, generator=generator())
    assert all(run >= 10 for row in mask for run in runs_of(row))


def test_the_share_of_masked_frames_is_the_papers() -> None:
    # p = 0.065 and M = 10 mask about 49 % of a long utterance (paper, appendix A.2); starts that must fit leave a
    # little less at its ends.
    mask = sample_time_mask([1500] * 200, span_start_probability=0.065, span_length=10, generator=generator())
    assert float(mask.float().mean()) == pytest.approx(0.49, abs=0.01)


def test_the_number_of_spans_is_right_on_average_when_it_is_not_whole() -> None:
    # 0.05 of 30 frames is 1.5 spans: spans of one frame never overlap, so masked frames count them.
    mask = sample_time_mask([30] * 2000, span_start_probability=0.05, span_length=1, generator=generator())
    assert float(mask.sum(1).float().mean()) == pytest.approx(1.5, abs=0.05)


def test_the_same_generator_state_gives_the_same_mask() -> None:
    first, again, other = (
        sample_time_mask([99, 40], span_start_probability=0.065, span_length=10, generator=generator(seed))
        for seed in (3, 3, 4)
    )
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_masking_leaves_the_default_generator_alone() -> None:
    state = torch.get_rng_state()
    sample_time_mask([99], span_start_probability=0.065, span_length=10, generator=generator())
    assert torch.equal(state, torch.get_rng_state())


@pytest.mark.parametrize("num_frames", [[0, 1, 20], [5]])
def test_probability_zero_masks_nothing(num_frames: list[int]) -> None:
    assert not sample_time_mask(num_frames, span_start_probability=0.0, span_length=10, generator=generator()).any()


def test_an_utterance_of_one_frame_is_left_alone() -> None:
    assert not sample_time_mask([1], span_start_probability=0.9, span_length=10, generator=generator()).any()


def test_channels_are_masked_in_whole_spans() -> None:
    mask = sample_channel_mask(40, 256, span_start_probability=0.004, span_length=64, generator=generator())
    assert mask.shape == (40, 256)
    assert all(run >= 64 for row in mask for run in runs_of(row))
    assert mask.any(1).all()


WITH_CHANNELS = Wav2Vec2Config(channel_span_start_probability=0.01)


def test_an_utterances_own_generator_gives_the_same_masks_in_every_batch() -> None:
    together = draw_masks([99, 30, 250], WITH_CHANNELS, [generator(seed) for seed in (5, 6, 7)])
    assert together.channels is not None
    for index, length in enumerate([99, 30, 250]):
        alone = draw_masks([length], WITH_CHANNELS, [generator(5 + index)])
        assert alone.channels is not None
        assert torch.equal(together.time[index, :length], alone.time[0])
        assert not together.time[index, length:].any()
        assert torch.equal(together.channels[index], alone.channels[0])


def test_a_single_generator_draws_all_time_masks_and_then_all_channel_masks() -> None:
    drawn, one = draw_masks([99, 30], WITH_CHANNELS, generator()), generator()
    time_mask = sample_time_mask([99, 30], span_start_probability=0.065, span_length=10, generator=one)
    channel_mask = sample_channel_mask(2, 768, span_start_probability=0.01, span_length=64, generator=one)
    assert torch.equal(drawn.time, time_mask)
    assert drawn.channels is not None
    assert torch.equal(drawn.channels, channel_mask)


def test_without_channel_masking_nothing_is_drawn_for_it() -> None:
    one = generator()
    assert draw_masks([99], Wav2Vec2Config(channel_span_start_probability=0.0), [one]).channels is None
    again = generator()
    sample_time_mask([99], span_start_probability=0.065, span_length=10, generator=again)
    assert torch.equal(one.get_state(), again.get_state())
