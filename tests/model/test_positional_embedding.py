import pytest
import torch
from torch.nn import functional
from torch.testing import assert_close

from lowres.model import positional_embedding
from lowres.model.positional_embedding import PositionalEmbedding


@pytest.mark.parametrize("num_frames", [[1], [62], [40, 3, 97]])
@pytest.mark.parametrize(("kernel", "groups"), [(16, 4), (7, 2), (1, 1), (128, 16)])
def test_its_own_backward_pass_gives_pytorchs_gradients(
    kernel: int, groups: int, num_frames: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.manual_seed(0)
    embedding = PositionalEmbedding(32, kernel, groups)
    rows, arriving = torch.randn(sum(num_frames), 32, requires_grad=True), torch.randn(sum(num_frames), 32)
    results = []
    for is_plain in (False, True):
        if is_plain:
            plain = lambda padded, weight, bias, groups: functional.conv1d(padded, weight, bias, groups=groups)  # noqa: E731
            monkeypatch.setattr(positional_embedding, "_convolve", plain)
        output = embedding(rows, num_frames)
        results.append([output, *torch.autograd.grad(output, [rows, *embedding.parameters()], arriving)])
    for ours, pytorchs in zip(*results, strict=True):
        assert_close(ours, pytorchs, atol=1e-4, rtol=1e-4)


def test_its_own_backward_pass_is_for_float32_on_a_processor() -> None:
    embedding, rows = PositionalEmbedding(32, 16, 4), torch.randn(30, 32)
    convolved = [
        positional_embedding._convolve(
            rows.t()[None].to(dtype), embedding.weight_v.to(dtype), embedding.bias.to(dtype), 4
        )
        for dtype in (torch.float32, torch.bfloat16)
    ]
    assert ["GroupedConvolution" in str(one.grad_fn) for one in convolved] == [True, False]
