"""A grouped convolution over frames with many taps, as products of spectra (overlap-save): the same up to rounding.

A convolution with K taps costs K products for each pair of channels. Here blocks of 2 K frames are transformed, each
frequency is one small matrix product over the channels of a group, and the transform back gives K + 1 frames that no
block's edge has touched: some 15 times fewer operations at 128 taps. Both transforms are matrix products too, which
keeps frames as rows throughout. Not in the paper; Oppenheim and Schafer, Discrete-Time Signal Processing, section 8.7.
"""

import math
from collections.abc import Sequence
from functools import lru_cache

import torch
from torch import Tensor
from torch.nn import functional

FEWEST_TAPS = 64
"""From here on it is faster than PyTorch's convolution on a CPU; at 32 it is as fast."""


def spectrum_of(weight: Tensor, groups: int) -> Tensor:
    """Transform a weight (D, D / G, K): real and imaginary parts at K + 1 frequencies, (2, K + 1, G, D / G, D / G).

    The last two are a group's inputs and outputs.
    """
    _, group_width, kernel = weight.shape
    taps = weight.view(groups, group_width, group_width, kernel).permute(3, 0, 2, 1).reshape(kernel, -1)
    transform, _ = _transforms(kernel, weight.dtype)
    return (transform[:, :kernel] @ taps).view(2, kernel + 1, groups, group_width, group_width)


def convolve_spectra(rows: Tensor, num_frames: Sequence[int], spectrum: Tensor) -> Tensor:
    """Convolve rows (N, D), the utterances' frames laid end to end, each with zeros around it, as many out as in.

    Args:
        rows: float32 or float64.
        num_frames: frames of each utterance; they sum to N.
        spectrum: of the weight, by `spectrum_of`. An even number of taps sees one frame more of the past than of what
            comes, as in the published models.

    Returns:
        (N, D)
    """
    kernel = spectrum.shape[1] - 1
    transform, back = _transforms(kernel, rows.dtype)
    spectra = torch.matmul(transform, _blocks(rows, num_frames, kernel))
    products = _multiply(spectra, spectrum)
    line = torch.matmul(back, products).flatten(0, 1)
    starts = _starts(num_frames, kernel)
    return torch.cat([line[start : start + length] for start, length in zip(starts, num_frames, strict=True)])


def _starts(num_frames: Sequence[int], kernel: int) -> list[int]:
    """Where each utterance's outputs start on the line of all: K - 1 zeros lie between two utterances."""
    starts = [0]
    for length in num_frames[:-1]:
        starts.append(starts[-1] + length + kernel - 1)
    return starts


def _blocks(rows: Tensor, num_frames: Sequence[int], kernel: int) -> Tensor:
    """Lay the utterances on one line, with zeros before, between and behind them, and cut it: (B, 2 K, D).

    A block begins K + 1 frames after the one before it.
    """
    hop = kernel + 1
    num_outputs = len(rows) + (len(num_frames) - 1) * (kernel - 1)
    num_blocks = -(-num_outputs // hop)
    zeros = rows.new_zeros(kernel - 1, rows.shape[1])
    parts = [zeros[: kernel // 2]]
    for utterance in torch.split(rows, list(num_frames)):
        parts += [utterance, zeros]
    # Behind the last utterance: up to the end of the last block, and on to a whole number of hops.
    missing = (num_blocks + 1) * hop - kernel // 2 - num_outputs - (kernel - 1)
    line = functional.pad(torch.cat(parts), (0, 0, 0, missing)).view(num_blocks + 1, hop, -1)
    return torch.cat([line[:-1], line[1:, : kernel - 1]], dim=1)


def _multiply(spectra: Tensor, spectrum: Tensor) -> Tensor:
    """Multiply blocks' spectra (B, 2 F, D) with the conjugate of a weight's at each frequency: (B, 2 F, D)."""
    _, num_frequencies, groups, group_width, _ = spectrum.shape
    num_blocks = len(spectra)
    apart = spectra.view(num_blocks, 2, num_frequencies, groups, group_width).permute(1, 2, 3, 0, 4)
    real, imaginary = apart.reshape(2, num_frequencies * groups, num_blocks, group_width)
    weight_real, weight_imaginary = spectrum.flatten(1, 2)
    products = torch.stack(
        [
            torch.baddbmm(torch.bmm(real, weight_real), imaginary, weight_imaginary),
            torch.baddbmm(torch.bmm(imaginary, weight_real), real, weight_imaginary, alpha=-1),
        ]
    )
    together = products.view(2, num_frequencies, groups, num_blocks, group_width).permute(3, 0, 1, 2, 4)
    return together.reshape(spectra.shape)


@lru_cache(maxsize=8)
def _transforms(kernel: int, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    """Return the discrete Fourier transform of 2 K real frames, (2 (K + 1), 2 K), and back to K + 1 of them.

    First the real parts of K + 1 frequencies, then the imaginary ones.
    """
    size = 2 * kernel
    with torch.inference_mode(False), torch.device("cpu"):
        frequencies = torch.arange(kernel + 1, dtype=torch.float64)
        angles = frequencies[:, None] * torch.arange(size, dtype=torch.float64) * (2 * math.pi / size)
        transform = torch.cat([angles.cos(), -angles.sin()])
        # All but the first and the last frequency stand for two.
        shares = torch.full((kernel + 1,), 2 / size, dtype=torch.float64)
        shares[[0, -1]] = 1 / size
        back = (transform * shares.repeat(2)[:, None]).t()[: kernel + 1]
        return transform.to(dtype), back.to(dtype).contiguous()
