import warnings

import pytest
import torch
from torch.nn import functional
from torch.testing import assert_close

from lowres.model import positional_embedding
from lowres.model.positional_embedding import PositionalEmbedding, StackedPositionalEmbedding

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    pytest.importorskip("transformers")


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


@pytest.mark.parametrize("kernel", [19, 6])
def test_a_stacked_one_equals_data2vecs_on_each_utterance_alone(kernel: int) -> None:
    from transformers import Data2VecAudioConfig
    from transformers.models.data2vec.modeling_data2vec_audio import Data2VecAudioPositionalConvEmbedding

    config = Data2VecAudioConfig(
        hidden_size=32, num_conv_pos_embeddings=3, conv_pos_kernel_size=kernel, num_conv_pos_embedding_groups=4
    )
    theirs, ours = Data2VecAudioPositionalConvEmbedding(config), StackedPositionalEmbedding(32, kernel, 4, 3)
    ours.load_state_dict({name.replace(".conv.", "."): tensor for name, tensor in theirs.state_dict().items()})
    utterances = [torch.randn(num_frames, 32) for num_frames in (1, 40, 9)]
    with torch.no_grad():
        embedded = ours(torch.cat(utterances), [1, 40, 9])
        assert_close(embedded, torch.cat([theirs(utterance[None])[0] for utterance in utterances]))


def test_a_stacked_one_learns_every_weight() -> None:
    embedding, rows = StackedPositionalEmbedding(32, 5, 4, 2), torch.randn(30, 32)
    embedding(rows, [20, 10]).square().sum().backward()
    assert all(parameter.grad is not None and parameter.grad.any() for parameter in embedding.parameters())
