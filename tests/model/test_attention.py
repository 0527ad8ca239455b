import pytest
import torch
from torch.testing import assert_close

from lowres.model import attention
from lowres.model.attention import attend


def reference(heads: torch.Tensor, num_frames: list[int]) -> torch.Tensor:
    """Softmax of scaled products, written out per utterance and head."""
    outputs = []
    for utterance in torch.split(heads, num_frames):
        query, key, value = utterance.permute(1, 2, 0, 3)
        weights = torch.softmax(query @ key.transpose(1, 2) / heads.shape[-1] ** 0.5, dim=-1)
        outputs.append((weights @ value).transpose(0, 1).flatten(1))
    return torch.cat(outputs)


@pytest.mark.parametrize("num_frames", [[7, 7], [5, 2, 7], [1]])
def test_each_utterance_attends_to_itself_alone(num_frames: list[int]) -> None:
    heads = torch.randn(sum(num_frames), 3, 2, 8)
    assert_close(attend(heads, num_frames, 0.0), reference(heads, num_frames))


@pytest.mark.parametrize("num_frames", [[7, 7], [5, 2, 7]])
def test_weights_kept_for_training_give_the_same_output_and_gradient(num_frames: list[int]) -> None:
    heads = torch.randn(sum(num_frames), 3, 2, 8).bfloat16()
    arriving = torch.randn(sum(num_frames), 16)
    ours, exact = heads.clone().requires_grad_(), heads.float().requires_grad_()
    output = attend(ours, num_frames, 0.0)
    assert "RecordedAttention" in str(output.grad_fn)
    expected = reference(exact, num_frames)
    assert_close(output.float(), expected, atol=2e-2, rtol=2e-2)
    output.backward(arriving.bfloat16())
    expected.backward(arriving)
    assert_close(ours.grad.float(), exact.grad, atol=5e-2, rtol=5e-2)


def test_the_gradient_of_kept_weights_equals_finite_differences(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attention, "_recording_pays", lambda heads, longest: True)
    heads = torch.randn(5, 3, 2, 4, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda heads: attend(heads, [2, 3], 0.0), [heads])


def test_long_utterances_are_left_to_the_fused_kernel() -> None:
    heads = torch.zeros(attention.LONGEST_RECORDED + 1, 3, 1, 2, dtype=torch.bfloat16, requires_grad=True)
    assert "RecordedAttention" not in str(attend(heads, [len(heads)], 0.0).grad_fn)
