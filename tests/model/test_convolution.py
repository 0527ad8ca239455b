import pytest
import torch
from torch.nn import functional
from torch.testing import assert_close

from lowres.model.convolution import arrange_weight, strided_convolution

SHAPES = pytest.mark.parametrize(("kernel", "stride"), [(3, 2), (2, 2), (4, 2), (3, 3), (1, 1), (5, 3)])


@SHAPES
@pytest.mark.parametrize("num_rows", [5, 6, 7, 20])
def test_it_equals_pytorchs_convolution(kernel: int, stride: int, num_rows: int) -> None:
    rows, weight, bias = torch.randn(num_rows, 3), torch.randn(4, 3, kernel), torch.randn(4)
    ours = strided_convolution(rows, stride, arrange_weight(weight, bias, stride, rows.dtype))
    assert_close(ours, functional.conv1d(rows.t()[None], weight, bias, stride)[0].t())


@SHAPES
def test_its_gradient_equals_finite_differences(kernel: int, stride: int) -> None:
    rows, weight, bias = (torch.randn(shape, dtype=torch.float64) for shape in ((8, 2), (3, 2, kernel), (3,)))

    def convolve(rows: torch.Tensor, *weight_and_bias: torch.Tensor) -> torch.Tensor:
        return strided_convolution(rows, stride, arrange_weight(*weight_and_bias, stride, torch.float64))

    assert torch.autograd.gradcheck(convolve, [tensor.requires_grad_() for tensor in (rows, weight, bias)])
