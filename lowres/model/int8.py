"""Matrix products in 8-bit integers, for listening on processors that are fast in them; not for training.

Weights are rounded once, each output channel by a scale of its own, some coarser where the processor needs that;
activations for each call, by one scale for the whole of it, to 0-255 between the least and the greatest. So that an
utterance's result does not depend on what it is heard together with, a network in int8 hears one utterance at a time.
Everything else (norms, attention, the first and the positional convolution, the CTC head) stays in float32. Not in the
paper; dynamic quantisation as in Jacob et al. 2018, arXiv 1712.05877, section 2.
"""

import math
import platform
from typing import Final, cast

import torch
from torch import Tensor, nn

from lowres.model.context_network import FeedForward, SelfAttention
from lowres.model.convolution import windows_of
from lowres.model.feature_encoder import Convolution
from lowres.model.wav2vec2 import Wav2Vec2

_LARGEST_WEIGHT: Final = 127
_LARGEST_PAIR: Final = 128
"""What two weights side by side may come to without VNNI, before they are rounded: 254 times 129 fits 16 bits."""

_LARGEST_ACTIVATION: Final = 254
"""One less than fits: where 0 falls is rounded, and the greatest activation with it."""

_PIECE: Final = 1 << 17
"""Activations that are rounded at a time: few enough that what lies between two operations stays in the cache."""


def is_int8_here() -> bool:
    """Tell whether this torch can multiply in 8 bits: oneDNN's kernels for it are those of x86 processors."""
    if platform.machine().lower() not in ("x86_64", "amd64"):
        return False  # the operation may be there on others, and fail
    has_onednn = bool(torch.backends.mkldnn.is_available())  # type: ignore[no-untyped-call]
    return has_onednn and hasattr(torch.ops.onednn, "qlinear_pointwise")


def adds_in_full() -> bool:
    """Tell whether the processor adds products of 8 bits in 32 bits.

    Without VNNI it first adds them in pairs, in 16 bits, and cuts off without a word what does not fit.
    """
    has: dict[str, object] = getattr(torch.cpu, "get_capabilities", dict)()
    return any(bool(has.get(name)) for name in ("avx512_vnni", "avx_vnni", "amx_int8"))


def multiply_in_int8(backbone: Wav2Vec2) -> None:
    """Exchange, for good, the linear layers and later convolutions of a network in float32 on the CPU.

    Low-rank updates and adapters stay as they are, beside the rounded weights that they correct.
    """
    encoder = backbone.feature_encoder
    for number, layer in enumerate(encoder.others):
        encoder.others[number] = Int8Convolution(cast(Convolution, layer))
    for module in list(backbone.context_network.modules()):
        if isinstance(module, SelfAttention):
            module.query_key_value = Int8Linear(module.query_key_value)  # type: ignore[assignment]
            module.output = Int8Linear(module.output)  # type: ignore[assignment]
        for name, child in module.named_children():
            if isinstance(child, FeedForward):
                setattr(module, name, Int8FeedForward(child))


class RoundedMatrix:
    """A weight (C, K) in 8 bits with its bias, packed for oneDNN.

    Args:
        weight: (C, K) float32.
        bias: (C,) or None.
        gelu: whether products go through a GELU while they are still in the cache.
    """

    def __init__(self, weight: Tensor, bias: Tensor | None, *, gelu: bool = False) -> None:
        weight = weight.detach().float()
        self._scales = _steps(weight).clamp_min(torch.finfo(torch.float32).tiny)
        rounded = (weight / self._scales[:, None]).round_().to(torch.int8)
        self._packed = torch.ops.onednn.qlinear_prepack(rounded, None)
        self._zeros = torch.zeros(len(weight), dtype=torch.int32)
        self._bias = None if bias is None else bias.detach().float()
        self._after = ("gelu", "none") if gelu else ("none", "")

    def multiply(self, rows: Tensor, scale: float, zero: int) -> Tensor:
        """Map rows (N, K) uint8, each the number (row - zero) scale, to (N, C) float32."""
        name, algorithm = self._after
        product: Tensor = torch.ops.onednn.qlinear_pointwise(
            rows, scale, zero, self._packed, self._scales, self._zeros, self._bias, 1.0, 0, torch.float32, name, [],
            algorithm,
        )  # fmt: skip
        return product


def _steps(weight: Tensor) -> Tensor:
    """Return (C,) what the integer 1 stands for in each output channel of a weight (C, K)."""
    steps = weight.abs().amax(1) / _LARGEST_WEIGHT
    if adds_in_full():
        return steps
    pairs = nn.functional.pad(weight, (0, weight.shape[1] % 2)).reshape(len(weight), -1, 2)
    pairs = torch.maximum(pairs.clamp_min(0).sum(2), pairs.clamp_max(0).sum(2).neg())
    return torch.maximum(steps, pairs.amax(1) / _LARGEST_PAIR)


def round_rows(rows: Tensor) -> tuple[Tensor, float, int]:
    """Round rows of float32 to uint8: the integers, the scale, and the integer that means 0.

    Raises:
        ValueError: something in them is not a number.
    """
    least, greatest = (float(value) for value in torch.aminmax(rows))
    scale = (max(greatest, 0.0) - min(least, 0.0)) / _LARGEST_ACTIVATION or 1.0
    if not math.isfinite(scale):
        raise ValueError("not a number in the activations of a network")
    zero = round(-min(least, 0.0) / scale)
    rounded = torch.empty(rows.shape, dtype=torch.uint8)
    # Half more, and cut off: rounded, since none is below 0. (PyTorch's own quantised tensors are on their way out.)
    half_more = rows.new_tensor(zero + 0.5)
    for piece, target in zip(torch.split(rows.flatten(), _PIECE), torch.split(rounded.view(-1), _PIECE), strict=True):
        target.copy_(torch.add(half_more, piece, alpha=1 / scale))
    return rounded, scale, zero


class Int8Linear(nn.Module):
    """A linear layer in 8 bits; `gelu` follows it with a GELU."""

    def __init__(self, linear: nn.Linear, *, gelu: bool = False) -> None:
        super().__init__()
        self._matrix = RoundedMatrix(linear.weight, linear.bias, gelu=gelu)

    def forward(self, rows: Tensor) -> Tensor:
        """Map rows (N, K) float32 to (N, C) float32."""
        return self._matrix.multiply(*round_rows(rows))


class Int8FeedForward(nn.Module):
    """`FeedForward` in 8 bits, without its dropout."""

    def __init__(self, feed_forward: FeedForward) -> None:
        super().__init__()
        self.inner = Int8Linear(feed_forward.inner, gelu=True)
        self.output = Int8Linear(feed_forward.output)

    def forward(self, rows: Tensor) -> Tensor:
        """Map rows (N, D) to (N, D)."""
        projected: Tensor = self.output(self.inner(rows))
        return projected


class Int8Convolution(nn.Module):
    """A later `Convolution` of the feature encoder in 8 bits, called like it."""

    def __init__(self, layer: Convolution) -> None:
        super().__init__()
        convolution = layer.convolution
        taps = convolution.weight.transpose(1, 2).flatten(1)
        has_norm = isinstance(layer.norm, nn.LayerNorm)
        self._matrix = RoundedMatrix(taps, convolution.bias, gelu=not has_norm)
        self._norm = layer.norm if has_norm else None
        self._kernel, self._stride = convolution.kernel_size[0], layer.stride

    def arrange(self, _dtype: torch.dtype) -> None:
        """Prepare nothing: the weight was packed when the layer was made."""

    def forward(self, rows: Tensor, _arranged: None) -> Tensor:
        """Map rows (R, C_in) to (R', C)."""
        rounded, scale, zero = round_rows(rows)
        windows = windows_of(rounded, self._kernel, self._stride).contiguous()
        products = self._matrix.multiply(windows, scale, zero)
        return products if self._norm is None else nn.functional.gelu(self._norm(products))
