"""The feature encoder: waveforms to latents z, a frame every 20 ms (paper section 2).

Rows are instants and columns are channels in every activation. The norm after the first convolution, the largest
activation by far, is folded into that convolution's input and weight (see `FirstConvolution`). Long utterances are
walked in pieces of a few seconds whose activations stay in the processor's cache.
"""

import math
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from lowres.model.config import ConvLayers, FeatureNorm, receptive_field_and_hop
from lowres.model.convolution import ArrangedWeight, arrange_weight, strided_convolution
from lowres.model.shapes import PIECE_QUANTUM, num_missing

PIECE_FRAMES = 100
"""Frames computed together on a CPU: 2 s of audio, so that a layer's activations fit into the cache."""

EPSILON = 1e-5
"""Added to the variance by every norm, as published."""


class FeatureEncoder(nn.Module):
    """Convolutions, norms and GELUs over the raw waveform.

    Args:
        conv_layers: (channels, kernel, stride) of each convolution.
        norm: "group" normalises each channel of the first convolution over the utterance's time; "layer" normalises
            the channels of each row after every convolution.
        bias: whether the convolutions have one.
    """

    def __init__(self, conv_layers: ConvLayers, *, norm: FeatureNorm, bias: bool) -> None:
        super().__init__()
        self.first = FirstConvolution(*conv_layers[0], norm=norm, bias=bias)
        self.others = later_convolutions(conv_layers, norm=norm, bias=bias)
        self.receptive_field_samples, self.samples_per_frame = receptive_field_and_hop(conv_layers)

    def forward(
        self, waveforms: Tensor, num_samples: Sequence[int], num_frames: Sequence[int], dtype: torch.dtype
    ) -> Tensor:
        """Compute the latents of a batch.

        Args:
            waveforms: (B, S) float; what lies behind an utterance's samples is never read.
            num_samples: true lengths.
            num_frames: frames of each utterance, >= 0.
            dtype: the dtype to compute in.

        Returns:
            Latents (N, C), the utterances' frames laid end to end.
        """
        arranged = [layer.arrange(dtype) for layer in cast(Iterable[Convolution], self.others)]
        pieces = []
        for waveform, length, frames in zip(waveforms, num_samples, num_frames, strict=True):
            if frames == 0:
                continue
            projection = self.first.fold_norm(waveform[:length])
            piece_frames = PIECE_FRAMES if waveform.device.type == "cpu" else frames
            for start in range(0, frames, piece_frames):
                count = min(piece_frames, frames - start)
                samples = self._samples_of(waveform[:length], start, count)
                rows = self.first(samples, projection, dtype)
                for layer, weight in zip(self.others, arranged, strict=True):
                    rows = layer(rows, weight)
                pieces.append(rows[:count])
        return torch.cat(pieces)

    def _samples_of(self, waveform: Tensor, start: int, count: int) -> Tensor:
        """Cut out what `count` frames from `start` on are computed from, and zeros for those that fill the piece."""
        filled = count + num_missing(count, PIECE_QUANTUM, waveform.device)
        first_sample = start * self.samples_per_frame
        length = (filled - 1) * self.samples_per_frame + self.receptive_field_samples
        samples = waveform[first_sample : first_sample + length]
        return functional.pad(samples, (0, length - len(samples)))


class Projection(NamedTuple):
    """The first convolution and its norm as one linear map of scaled windows."""

    weight: Tensor
    """(C, k + 1); the last column multiplies the constant 1 that ends each window."""

    bias: Tensor
    """(C,)"""

    scale: Tensor | None
    """(k + 1, k + 1) symmetric Q: a window x is first divided by sqrt(x' Q x + epsilon). None divides by nothing."""


class FirstConvolution(nn.Module):
    """The first convolution with its norm and GELU; it has one input channel, so the norm costs next to nothing.

    Group norm: mean and variance of a channel over time follow from the mean and covariance of the windows (k numbers
    and k x k numbers per utterance), so the norm is folded into the weight. Only true samples count.
    Layer norm: the variance over channels of W x is the quadratic form x' (W'W / C) x once the columns of W are
    centred, so the windows are scaled instead of the far wider output.
    """

    def __init__(self, channels: int, kernel: int, stride: int, *, norm: FeatureNorm, bias: bool) -> None:
        super().__init__()
        self.convolution = nn.Conv1d(1, channels, kernel, stride, bias=bias)
        self.norm = nn.GroupNorm(channels, channels, EPSILON) if norm == "group" else nn.LayerNorm(channels, EPSILON)
        self.norm_kind = norm
        _initialize(self.convolution)

    def fold_norm(self, waveform: Tensor) -> Projection:
        """Fold convolution and norm into one projection for the utterance `waveform` (S,), S >= k."""
        weight = self.convolution.weight.squeeze(1)
        bias = weight.new_zeros(len(weight)) if self.convolution.bias is None else self.convolution.bias
        with torch.autocast(waveform.device.type, enabled=False):
            if self.norm_kind == "group":
                windows = waveform.float().unfold(0, *self.convolution.kernel_size, *self.convolution.stride)
                mean = windows.mean(0)
                centred = windows - mean
                covariance = centred.t() @ centred / len(windows)
                variance = ((weight @ covariance) * weight).sum(1)
                gain = self.norm.weight * torch.rsqrt(variance + EPSILON)
                return Projection(
                    functional.pad(weight * gain[:, None], (0, 1)), self.norm.bias - gain * (weight @ mean), None
                )
            augmented = torch.cat([weight, bias[:, None]], dim=1)
            augmented = augmented - augmented.mean(0)
            scale = augmented.t() @ augmented / len(weight)
            return Projection(self.norm.weight[:, None] * augmented, self.norm.bias, scale)

    def forward(self, waveform: Tensor, projection: Projection, dtype: torch.dtype) -> Tensor:
        """Map samples (S,) to rows (R, C)."""
        windows = waveform.float().unfold(0, *self.convolution.kernel_size, *self.convolution.stride)
        windows = functional.pad(windows, (0, 1), value=1.0)
        if projection.scale is not None:
            with torch.autocast(waveform.device.type, enabled=False):
                variance = ((windows @ projection.scale) * windows).sum(1, keepdim=True)
                windows = windows * torch.rsqrt(variance.clamp_min(0) + EPSILON)
        return functional.gelu(
            functional.linear(windows.to(dtype), projection.weight.to(dtype), projection.bias.to(dtype))
        )


class Convolution(nn.Module):
    """One of the later convolutions, with its layer norm where it has one, and its GELU."""

    def __init__(self, num_inputs: int, channels: int, kernel: int, stride: int, *, norm: bool, bias: bool) -> None:
        super().__init__()
        self.convolution = nn.Conv1d(num_inputs, channels, kernel, stride, bias=bias)
        self.norm = nn.LayerNorm(channels, EPSILON) if norm else nn.Identity()
        self.stride = stride
        _initialize(self.convolution)

    def arrange(self, dtype: torch.dtype) -> ArrangedWeight:
        """Prepare the weight for `forward`, once for a whole batch."""
        return arrange_weight(self.convolution.weight, self.convolution.bias, self.stride, dtype)

    def forward(self, rows: Tensor, arranged: ArrangedWeight) -> Tensor:
        """Map rows (R, C_in) to (R', C)."""
        return functional.gelu(self.norm(strided_convolution(rows, self.stride, arranged)))


def later_convolutions(conv_layers: ConvLayers, *, norm: FeatureNorm, bias: bool) -> nn.ModuleList:
    """Build every `Convolution` after the first layer; arguments as for `FeatureEncoder`."""
    return nn.ModuleList(
        Convolution(num_inputs, *layer, norm=norm == "layer", bias=bias)
        for (num_inputs, _, _), layer in pairwise(conv_layers)
    )


def _initialize(convolution: nn.Conv1d) -> None:
    nn.init.kaiming_normal_(convolution.weight)
    if convolution.bias is not None:
        # PyTorch's default for the bias; fairseq leaves it at that.
        bound = 1 / math.sqrt(convolution.weight[0].numel())
        nn.init.uniform_(convolution.bias, -bound, bound)
