import pytest
import torch
from peers import tiny_config
from torch import nn
from torch.nn import functional

from lowres.model.ctc import CTCRecognizer
from lowres.model.feature_encoder import Convolution
from lowres.model.int8 import (
    Int8Convolution,
    Int8Linear,
    RoundedMatrix,
    is_int8_here,
    largest_weight,
    multiply_in_int8,
    round_rows,
)

pytestmark = pytest.mark.skipif(not is_int8_here(), reason="this torch has no products in 8 bits")


def test_whole_numbers_are_multiplied_exactly() -> None:
    most = float(largest_weight())
    weight = torch.tensor([[most, -most, 1.0], [0.0, 2 * most, 2.0]])
    rows, scale, zero = round_rows(torch.tensor([[-100.0, 154.0, 0.0], [3.0, 4.0, 5.0]]))
    assert (scale, zero) == (1.0, 100)
    assert rows.tolist() == [[0, 254, 100], [103, 104, 105]]
    products = RoundedMatrix(weight, torch.tensor([0.5, 0.0])).multiply(rows, scale, zero)
    assert products.tolist() == [[most * -254 + 0.5, 2 * most * 154], [-most + 5.5, 2 * most * 4 + 2 * 5]]


@pytest.mark.parametrize("shape", [(50, 256, 96), (20, 72, 40), (3, 8, 8), (200, 768, 768)])
def test_no_sum_is_cut_off(shape: tuple[int, int, int]) -> None:
    """Everything is as large as it can be, which processors without VNNI cannot add in full."""
    num_rows, num_inputs, num_outputs = shape
    signs = torch.where(
        torch.rand(num_outputs, num_inputs, generator=torch.Generator().manual_seed(0)) < 0.9, 1.0, -1.0
    )
    rows = torch.full((num_rows, num_inputs), 254, dtype=torch.uint8)
    products = RoundedMatrix(signs * largest_weight(), None).multiply(rows, 1.0, 0)
    assert torch.equal(products, (254.0 * largest_weight() * signs.sum(1)).expand(num_rows, -1))


@pytest.mark.parametrize("values", [[0.0, 0.0], [2.0, 3.0], [-3.0, -2.0], [1e-30, 0.0], [-1e30, 1e30]])
def test_what_is_rounded_is_off_by_half_a_step_at_most(values: list[float]) -> None:
    rows, scale, zero = round_rows(torch.tensor([values]))
    assert [(row - zero) * scale for row in rows[0].tolist()] == pytest.approx(values, abs=0.501 * scale)


def test_what_is_not_a_number_is_refused() -> None:
    for value in (float("nan"), float("inf")):
        with pytest.raises(ValueError, match="not a number"):
            round_rows(torch.tensor([[0.0, value]]))


@pytest.mark.parametrize("gelu", [False, True])
def test_a_linear_layer_is_off_by_a_hundredth(gelu: bool) -> None:
    torch.manual_seed(0)
    linear, rows = nn.Linear(256, 96), torch.randn(50, 256)
    with torch.inference_mode():
        exact = functional.gelu(linear(rows)) if gelu else linear(rows)
        error = Int8Linear(linear, gelu=gelu)(rows) - exact
    assert error.norm() < 0.02 * exact.norm()


@pytest.mark.parametrize(("kernel", "stride"), [(3, 2), (2, 2), (4, 2)])
@pytest.mark.parametrize("norm", [False, True])
def test_a_convolution_is_off_by_a_hundredth(kernel: int, stride: int, norm: bool) -> None:
    torch.manual_seed(0)
    layer, rows = Convolution(24, 40, kernel, stride, norm=norm, bias=norm), torch.randn(41, 24)
    with torch.inference_mode():
        exact = layer(rows, layer.arrange(torch.float32))
        found = Int8Convolution(layer)(rows, None)
    assert found.shape == exact.shape
    assert (found - exact).norm() < 0.02 * exact.norm()


@pytest.mark.parametrize("extra", [{}, {"lora_rank": 2}, {"adapter_width": 3}])
def test_a_network_hears_nearly_the_same_and_alone_always_the_same(extra: dict[str, int]) -> None:
    torch.manual_seed(0)
    model = CTCRecognizer(tiny_config(**extra), 7).eval()
    waveforms, lengths = torch.randn(2, 9000), torch.tensor([9000])
    with torch.inference_mode():
        exact = model(waveforms[:1], lengths).logits
        multiply_in_int8(model.backbone)
        found = model(waveforms[:1], lengths).logits
        again = model(waveforms[:1], lengths).logits
    assert (found - exact).norm() < 0.1 * exact.norm()
    assert not torch.equal(found, exact)
    assert torch.equal(found, again)
