import warnings

import pytest
import torch
from convolutions import convolve_each_utterance
from torch.testing import assert_close

from lowres.model import positional_embedding
from lowres.model.positional_embedding import PositionalEmbedding, StackedPositionalEmbedding

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    pytest.importorskip("transformers")


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("num_frames", [[1], [62], [40, 3, 97, 90]])
@pytest.mark.parametrize(("kernel", "groups"), [(16, 4), (7, 2), (1, 1), (128, 16)])
def test_its_own_backward_pass_gives_pytorchs_gradients(
    kernel: int, groups: int, num_frames: list[int], dtype: torch.dtype, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.manual_seed(0)
    embedding = PositionalEmbedding(32, kernel, groups).to(dtype)
    rows = torch.randn(sum(num_frames), 32, dtype=dtype, requires_grad=True)
    arriving = torch.randn(sum(num_frames), 32, dtype=dtype)
    results = []
    for is_plain in (False, True):
        if is_plain:
            monkeypatch.setattr(positional_embedding, "_convolve_utterances", convolve_each_utterance)
            monkeypatch.setattr(positional_embedding, "FEWEST_TAPS", 1000)
        output = embedding(rows, num_frames)
        results.append([output, *torch.autograd.grad(output, [rows, *embedding.parameters()], arriving)])
    for ours, pytorchs in zip(*results, strict=True):
        assert_close(ours, pytorchs, atol=1e-4, rtol=1e-4)


def test_what_is_kept_while_listening_is_forgotten_when_a_weight_changes() -> None:
    torch.manual_seed(0)
    embedding, rows = PositionalEmbedding(32, 64, 4), torch.randn(90, 32)
    with torch.inference_mode():
        before = embedding(rows, [90])
        assert_close(embedding(rows, [90]), before, atol=0, rtol=0)
    embedding(rows, [90]).sum().backward()  # what was made in inference mode is not in the way of learning
    with torch.no_grad():
        embedding.weight_g.mul_(2)
    changed = PositionalEmbedding(32, 64, 4)
    changed.load_state_dict(embedding.state_dict())
    with torch.inference_mode():
        assert_close(embedding(rows, [90]), changed(rows, [90]), atol=0, rtol=0)
        assert not torch.allclose(embedding(rows, [90]), before)
        embedding.load_state_dict(PositionalEmbedding(32, 64, 4).state_dict())
        assert not torch.allclose(embedding(rows, [90]), changed(rows, [90]))


@pytest.mark.parametrize(("width", "kernel", "groups"), [(32, 16, 4), (64, 128, 16), (64, 16, 4), (64, 7, 2)])
def test_in_bf16_its_output_and_gradients_are_those_of_float32(width: int, kernel: int, groups: int) -> None:
    torch.manual_seed(0)
    embedding, rows = PositionalEmbedding(width, kernel, groups), torch.randn(93, width)
    arriving = torch.randn(93, width)
    with torch.autocast("cpu", torch.bfloat16):
        ours = embedding(rows.bfloat16(), [60, 33])
    assert_close(ours.float(), embedding(rows, [60, 33]), atol=0.03, rtol=0.02)
    exact = torch.autograd.grad(embedding(rows, [60, 33]), list(embedding.parameters()), arriving)
    short = torch.autograd.grad(embedding(rows.bfloat16(), [60, 33]), list(embedding.parameters()), arriving.bfloat16())
    for one, other in zip(exact, short, strict=True):
        assert_close(other, one, atol=0.02 * float(one.abs().max()), rtol=0.0)


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
