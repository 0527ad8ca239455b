import pytest
import torch
from peers import tiny_config

from lowres.errors import LowresError
from lowres.model.ctc import CTCRecognizer
from lowres.training.precision import Compute, choose_compute, hold_weights


@pytest.mark.parametrize("extra", [{}, {"lora_rank": 2}, {"adapter_width": 3}])
def test_held_weights_take_half_the_memory_and_change_no_bit(extra: dict[str, int]) -> None:
    torch.manual_seed(0)
    model, waveforms = CTCRecognizer(tiny_config(**extra), 5).eval(), torch.randn(2, 9000)
    compute = Compute("cpu", "bf16")
    scores = []
    for is_held in (False, True):
        if is_held:
            hold_weights(model, compute)
        with torch.inference_mode(), compute.autocast():
            scores.append(model(waveforms, torch.tensor([9000, 4000])).logits)
    assert torch.equal(*scores)
    assert model.head.weight.dtype == torch.bfloat16


def test_in_fp32_weights_stay_as_they_are() -> None:
    model = CTCRecognizer(tiny_config(), 5)
    hold_weights(model, Compute("cpu", "fp32"))
    assert {weight.dtype for weight in model.parameters()} == {torch.float32}


def test_int8_is_refused_in_one_sentence_where_torch_cannot(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.machine", lambda: "arm64")
    with pytest.raises(LowresError, match="cannot compute in int8"):
        choose_compute("int8")


def test_int8_hears_utterances_alone_and_nothing_else_does() -> None:
    assert [Compute("cpu", precision).hears_alone for precision in ("fp32", "bf16", "int8")] == [False, False, True]
