"""Another feature encoder, not in the paper: log-mel bands, then strided convolutions; a frame every 40 ms in `xs_mel`.

The published encoder has to find out from waveforms what a spectrum is, for which a few hours are little and a laptop
is slow. Here it is given, as in the self-supervised networks that came after (w2v-BERT, arXiv 2108.06209; BEST-RQ,
arXiv 2202.01855); everything behind the latents is wav2vec 2.0. The bands of an utterance are brought to mean 0 and
variance 1 over its time, which is what group norm does for the first convolution of BASE.
"""

import math
from collections.abc import Iterable, Sequence
from typing import Final, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from lowres.model.config import Wav2Vec2Config, receptive_field_and_hop
from lowres.model.feature_encoder import Convolution, FeatureEncoder, later_convolutions
from lowres.model.shapes import PIECE_QUANTUM, num_missing

_SAMPLE_RATE: Final = 16_000
"""Of every waveform that a network sees. `lowres.audio` says so too, but the network may not look into that room."""

_LOWEST_HZ: Final = 20.0
_HIGHEST_HZ: Final = 7_600.0
_PRE_EMPHASIS: Final = 0.97
_FAINTEST: Final = 1e-6
"""Added to the energy of a band before its logarithm: quieter than any recording's noise."""

_LEAST_DEVIATION: Final = 0.1
"""Added to a band's standard deviation, so that a band in which nothing happens stays quiet."""


class LogMelBands(nn.Module):
    """Log-mel bands of windows that lie wholly inside an utterance; nothing in it learns.

    Args:
        num_bands: C.
        window_samples: length of the Hann window.
        hop_samples: from one window to the next.
    """

    def __init__(self, num_bands: int, window_samples: int, hop_samples: int) -> None:
        super().__init__()
        from torchaudio.functional import melscale_fbanks  # only here, so that a broken torchaudio costs this alone

        size = 2 ** math.ceil(math.log2(window_samples))
        with torch.device("cpu"):  # torchaudio looks at the values, which a network built for its shapes has not
            filters = melscale_fbanks(size // 2 + 1, _LOWEST_HZ, _HIGHEST_HZ, num_bands, _SAMPLE_RATE)
        self.window_samples, self.hop_samples = window_samples, hop_samples
        # Not persistent: they follow from the config, and a checkpoint holds what was learnt.
        self.register_buffer("basis", _fourier_basis(window_samples, size), persistent=False)
        self.register_buffer("filters", filters, persistent=False)

    def forward(self, waveform: Tensor) -> Tensor:
        """Map samples (S,) at 16 kHz, S >= the window, to (R, C) float32: mean 0 and variance 1 in each band."""
        with torch.autocast(waveform.device.type, enabled=False):
            windows = waveform.float().unfold(0, self.window_samples, self.hop_samples)
            return self.normalized_bands(windows @ cast(Tensor, self.basis))

    def normalized_bands(self, spectrum: Tensor) -> Tensor:
        """Map (..., R, 2 F) real and imaginary parts to normalised bands (..., R, C)."""
        real, imaginary = spectrum.chunk(2, dim=-1)
        energy = (real.square() + imaginary.square()) @ cast(Tensor, self.filters)
        levels = (energy + _FAINTEST).log()
        centred = levels - levels.mean(-2, keepdim=True)
        return centred / (centred.square().mean(-2, keepdim=True).sqrt() + _LEAST_DEVIATION)


def _fourier_basis(window_samples: int, size: int) -> Tensor:
    """Return (window, 2 F): pre-emphasis, Hann window and Fourier transform of `size` points in one matrix."""
    instants, bins = torch.arange(window_samples, dtype=torch.float64), torch.arange(size // 2 + 1)
    angles = 2 * math.pi * instants[:, None] * bins / size
    window = torch.hann_window(window_samples, dtype=torch.float64)[:, None]
    basis = torch.cat([window * angles.cos(), -window * angles.sin()], dim=1)
    # x[t] - 0.97 x[t - 1], the sample before the window counting as zero: moved from the samples to the basis.
    basis[:-1] -= _PRE_EMPHASIS * basis[1:].clone()
    return basis.float()


class LogMelEncoder(nn.Module):
    """Log-mel bands, then convolutions and GELUs; called like `FeatureEncoder`.

    Args:
        config: the first of its conv_layers is (bands, window, hop) in samples.
    """

    def __init__(self, config: Wav2Vec2Config) -> None:
        super().__init__()
        self.first = LogMelBands(*config.conv_layers[0])
        self.others = later_convolutions(config.conv_layers, norm=config.feature_norm, bias=config.conv_bias)
        self.receptive_field_rows, self.rows_per_frame = receptive_field_and_hop(config.conv_layers[1:])

    def forward(
        self, waveforms: Tensor, num_samples: Sequence[int], num_frames: Sequence[int], dtype: torch.dtype
    ) -> Tensor:
        """Compute the latents (N, C) of a batch; arguments and result as for `FeatureEncoder.forward`."""
        arranged = [layer.arrange(dtype) for layer in cast(Iterable[Convolution], self.others)]
        latents = []
        for waveform, length, frames in zip(waveforms, num_samples, num_frames, strict=True):
            if frames == 0:
                continue
            rows = self._filled(self.first(waveform[:length]), frames).to(dtype)
            for layer, weight in zip(self.others, arranged, strict=True):
                rows = layer(rows, weight)
            latents.append(rows[:frames])
        return torch.cat(latents)

    def _filled(self, bands: Tensor, frames: int) -> Tensor:
        """Cut bands (R, C) to what `frames` are computed from, and add zeros for those that fill up the utterance."""
        filled = frames + num_missing(frames, PIECE_QUANTUM, bands.device)
        length = (filled - 1) * self.rows_per_frame + self.receptive_field_rows
        return functional.pad(bands[:length], (0, 0, 0, max(length - len(bands), 0)))


def build_feature_encoder(config: Wav2Vec2Config) -> FeatureEncoder | LogMelEncoder:
    """Build the feature encoder that a config asks for, with random weights."""
    if config.front_end == "log_mel":
        return LogMelEncoder(config)
    return FeatureEncoder(config.conv_layers, norm=config.feature_norm, bias=config.conv_bias)
