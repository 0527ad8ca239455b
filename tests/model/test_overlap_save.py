import pytest
import torch
from convolutions import convolve_each_utterance
from torch.testing import assert_close

from lowres.model.overlap_save import convolve_spectra, spectrum_of


@pytest.mark.parametrize("num_frames", [[1], [64], [65], [66], [1, 1], [129, 3, 200], [64, 65, 66, 7]])
@pytest.mark.parametrize(("kernel", "groups"), [(64, 4), (65, 2), (3, 1), (1, 1)])
def test_it_is_pytorchs_convolution_with_its_gradients(kernel: int, groups: int, num_frames: list[int]) -> None:
    torch.manual_seed(0)
    weight = torch.randn(16, 16 // groups, kernel, dtype=torch.float64, requires_grad=True)
    rows = torch.randn(sum(num_frames), 16, dtype=torch.float64, requires_grad=True)
    ours, pytorchs = (
        convolve_spectra(rows, num_frames, spectrum_of(weight, groups)),
        convolve_each_utterance(rows, num_frames, weight, weight.new_zeros(16), groups),
    )
    assert_close(ours, pytorchs)
    arriving = torch.randn_like(ours)
    for one, other in zip(
        torch.autograd.grad(ours, [rows, weight], arriving),
        torch.autograd.grad(pytorchs, [rows, weight], arriving),
        strict=True,
    ):
        assert_close(one, other)


def test_in_float32_it_differs_by_rounding_alone() -> None:
    torch.manual_seed(0)
    weight, rows = torch.randn(96, 6, 128) * 0.02, torch.randn(700, 96)
    exact = convolve_each_utterance(
        rows.double(), [500, 200], weight.double(), torch.zeros(96, dtype=torch.float64), 16
    )
    assert_close(
        convolve_spectra(rows, [500, 200], spectrum_of(weight, 16)).double(),
        exact,
        atol=1e-5 * float(exact.abs().max()),
        rtol=0.0,
    )
