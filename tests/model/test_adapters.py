"""Adapters and low-rank updates begin as no change, and are what their papers say."""

from dataclasses import replace

import pytest
import torch
from peers import tiny_config

from lowres.model.adapters import LORA_ALPHA, BottleneckAdapter, LowRankUpdate
from lowres.model.wav2vec2 import Wav2Vec2


@pytest.mark.parametrize("norm", ["pre", "post"])
def test_new_adapters_change_nothing(norm: str) -> None:
    torch.manual_seed(0)
    config = tiny_config(transformer_norm=norm)
    plain = Wav2Vec2(config).eval()
    adapted = Wav2Vec2(replace(config, adapter_width=4, lora_rank=2)).eval()
    missing, unexpected = adapted.load_state_dict(plain.state_dict(), strict=False)
    assert not unexpected
    assert {name.split(".")[3] for name in missing} == {"adapter", "attention"}
    waveforms, num_samples = torch.randn(2, 4_000), torch.tensor([4_000, 2_500])
    torch.testing.assert_close(adapted(waveforms, num_samples).context, plain(waveforms, num_samples).context)


def test_an_adapter_is_norm_narrow_relu_wide_added_to_its_input() -> None:
    torch.manual_seed(0)
    adapter = BottleneckAdapter(6, 2)
    torch.nn.init.normal_(adapter.output.weight)
    rows = torch.randn(5, 6)
    normalized = torch.nn.functional.layer_norm(rows, (6,))
    expected = rows + (normalized @ adapter.inner.weight.t()).relu() @ adapter.output.weight.t()
    torch.testing.assert_close(adapter(rows), expected)


def test_a_low_rank_update_is_the_product_of_its_two_matrices_for_each_map() -> None:
    torch.manual_seed(0)
    update = LowRankUpdate(6, 3, 2)
    torch.nn.init.normal_(update.up)
    rows = torch.randn(5, 6)
    pairs = zip(update.up, update.down, strict=True)
    expected = torch.cat([rows @ (up @ down).t() * LORA_ALPHA / 2 for up, down in pairs], dim=1)
    torch.testing.assert_close(update(rows), expected)
    torch.testing.assert_close(rows @ update.merged().t(), expected)
