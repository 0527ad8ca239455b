import pytest
import torch
from peers import tiny_config
from torch import nn
from torch.nn import functional

from lowres.model import int8
from lowres.model.ctc import CTCRecognizer
from lowres.model.feature_encoder import Convolution
from lowres.model.int8 import (
    Int8Convolution,
    Int8Linear,
    RoundedMatrix,
    is_int8_here,
    multiply_in_int8,
    round_rows,
)

pytestmark = pytest.mark.skipif(not is_int8_here(), reason="this torch has no products in 8 bits")


def test_whole_numbers_are_multiplied_exactly() -> None:
    weight = torch.tensor([[127.0, -127.0, 1.0], [0.0, 254.0, 2.0]])
    rows, scale, zero = round_rows(torch.tensor([[-100.0, 154.0, 0.0], [3.0, 4.0, 5.0]]))
    assert (scale, zero) == (1.0, 100)
    assert rows.tolist() == [[0, 254, 100], [103, 104, 105]]
    products = RoundedMatrix(weight, torch.tensor([0.5, 0.0])).multiply(rows, scale, zero)
    assert products.tolist() == [[127 * -100 - 127 * 154 + 0.5, 254 * 154], [127 * 3 - 127 * 4 + 5.5, 254 * 4 + 2 * 5]]


@pytest.mark.parametrize("shape", [(24, 40), (256, 96), (7, 3), (30, 64), (769, 130), (768, 768), (1536, 512)])
@pytest.mark.parametrize("num_rows", [1, 3, 200])
def test_no_sum_is_cut_off(shape: tuple[int, int], num_rows: int) -> None:
    """The rows are the worst there are for the first channel: without VNNI, pairs of products are added in 16 bits."""
    torch.manual_seed(0)
    weight = torch.rand(shape[1], shape[0]) * 2 - 1
    matrix = RoundedMatrix(weight, None)
    rows = torch.where(weight[0] > 0, 254, 0).to(torch.uint8).expand(num_rows, -1).contiguous()
    whole = (weight / matrix._scales[:, None]).round().double()
    exact = (rows.double() @ whole.T) * matrix._scales.double()
    torch.testing.assert_close(matrix.multiply(rows, 1.0, 0).double(), exact, rtol=1e-6, atol=1e-3)


def test_two_weights_side_by_side_fit_where_they_must(monkeypatch: pytest.MonkeyPatch) -> None:
    weight = torch.tensor([[1.0, 1.0, -0.5], [1.0, -1.0, 0.5], [-0.2, -0.9, 1.0]])
    monkeypatch.setattr(int8, "adds_in_full", lambda: True)
    assert RoundedMatrix(weight, None)._scales.tolist() == pytest.approx([1 / 127] * 3)
    monkeypatch.setattr(int8, "adds_in_full", lambda: False)
    assert RoundedMatrix(weight, None)._scales.tolist() == pytest.approx([2 / 128, 1 / 127, 1.1 / 128])


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
