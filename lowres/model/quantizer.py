"""Product quantisation of latents with the Gumbel softmax (paper section 2, "Quantization module", equation 1)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from lowres.model.config import QuantizerConfig
from lowres.model.dropout import dropout
from lowres.model.random_bits import random_bits
from lowres.model.shapes import apply_linear

_NUMBERS = 2**31


FITTED_LOGIT_DEVIATION = 4.5
"""Standard deviation of a fitted quantiser's logits; that of the Gumbel noise is 1.3."""


@dataclass(frozen=True)
class QuantizedLatents:
    """N latents as entries of G codebooks of V entries each."""

    vectors: Tensor
    """(N, code_width) float32: the chosen entries side by side. In training their gradient reaches the logits as that
    of the softmax would (straight-through)."""

    codes: Tensor
    """(N, G) int64, the chosen entries."""

    probabilities: Tensor
    """(N, G, V) float32, the softmax of the logits without noise and without temperature, as the diversity loss sees
    them (equation 4)."""


class ProductQuantizer(nn.Module):
    """One entry out of each codebook for each latent.

    The paper maps the joined entries linearly once more (e to q); that map is the target projection of
    `PretrainingNetwork`, as in fairseq.

    Args:
        latent_width: C.
        config: sizes and dropout.
    """

    def __init__(self, latent_width: int, config: QuantizerConfig) -> None:
        super().__init__()
        self.config = config
        self.logits = nn.Linear(latent_width, config.num_codebooks * config.num_entries)
        self.codebooks = nn.Parameter(
            torch.empty(config.num_codebooks, config.num_entries, config.code_width // config.num_codebooks)
        )
        # As in fairseq.
        nn.init.normal_(self.logits.weight, mean=0.0, std=1.0)
        nn.init.zeros_(self.logits.bias)
        nn.init.uniform_(self.codebooks)

    def fit(self, latents: Tensor, generator: torch.Generator) -> None:
        """Begin anew, so that latents like these use many codes; not in the paper.

        Latents that are alike in most of their directions otherwise fall to a few entries, whose logits the softmax
        is too saturated to change. The entries get random directions around the latents' mean (as BEST-RQ's quantiser
        has, Chiu et al. 2022, arXiv 2202.01855), with logits well above the Gumbel noise; the codebooks get mean 0, so
        that targets are not alike from the start.

        Args:
            latents: (N, C) of much speech, without a graph.
            generator: a CPU generator.
        """
        with torch.no_grad():
            centred = latents.float() - latents.float().mean(0)
            directions = torch.randn(self.logits.weight.shape, generator=generator).to(centred.device)
            directions *= FITTED_LOGIT_DEVIATION / (centred @ directions.t()).std(0)[:, None]
            self.logits.weight.copy_(directions)
            self.logits.bias.copy_(-directions @ latents.float().mean(0))
            self.codebooks.copy_(torch.rand(self.codebooks.shape, generator=generator) - 0.5)

    def forward(
        self, latents: Tensor, *, gumbel_temperature: float | None = None, gumbel_noise: Tensor | None = None
    ) -> QuantizedLatents:
        """Quantise latents (N, C).

        Args:
            latents: (N, C), normalised.
            gumbel_temperature: tau > 0 of equation 1. None, for inference, takes the entry of the highest logit; then
                no gradient reaches the logits through the vectors.
            gumbel_noise: (N, G, V) float32 from `sample_gumbel_noise`; None adds none.

        Raises:
            ValueError: noise without a temperature, or of another shape.
        """
        shape = (len(latents), self.config.num_codebooks, self.config.num_entries)
        if gumbel_noise is not None and (gumbel_temperature is None or gumbel_noise.shape != shape):
            raise ValueError(f"noise of {tuple(gumbel_noise.shape)} at {gumbel_temperature=} for logits of {shape}")
        latents = dropout(latents, self.config.latent_dropout, self.training)
        logits = apply_linear(self.logits, latents).float().view(shape)
        noisy = logits if gumbel_noise is None else logits + gumbel_noise
        codes = noisy.detach().argmax(-1)
        if gumbel_temperature is None:
            vectors = _look_up(self.codebooks, codes)
        else:
            weights = torch.softmax(noisy / gumbel_temperature, dim=-1)
            vectors = _StraightThrough.apply(weights, self.codebooks, codes)  # type: ignore[no-untyped-call]
        return QuantizedLatents(vectors, codes, torch.softmax(logits, dim=-1))


def sample_gumbel_noise(shape: Sequence[int], generator: torch.Generator) -> Tensor:
    """Draw standard Gumbel noise, -log(-log(u)) with u uniform in (0, 1).

    Args:
        shape: of the result.
        generator: a CPU generator.

    Returns:
        float32 on the CPU, finite.
    """
    # u = 1 - n / 2^31 with whole n, so that -log(u) is precise near 0, where the entries that win are drawn. Two such n
    # come out of each 64 random bits.
    size = torch.Size(shape).numel()
    bits = random_bits(-(-size // 2), generator)
    numbers = bits.view(torch.int32)[:size].bitwise_and_(_NUMBERS - 1).float().add_(0.5).clamp_(max=_NUMBERS - 128)
    return numbers.mul_(-1 / _NUMBERS).log1p_().neg_().log_().neg_().view(*shape)


def _look_up(codebooks: Tensor, codes: Tensor) -> Tensor:
    """Put the entries codes (N, G) of codebooks (G, V, d) side by side: (N, G d)."""
    num_codebooks, num_entries, width = codebooks.shape
    places = codes + torch.arange(num_codebooks, device=codes.device) * num_entries
    return codebooks.reshape(-1, width).index_select(0, places.flatten()).view(len(codes), num_codebooks * width)


class _StraightThrough(torch.autograd.Function):
    """Forward, the chosen entries; backward, as if they had been the average of all entries, weighted by `weights`.

    The codebooks' gradient goes to the chosen entries. Equal to multiplying by one-hot rows whose gradient is passed on
    to the softmax, without these rows.
    """

    @staticmethod
    def forward(ctx: Any, _weights: Tensor, codebooks: Tensor, codes: Tensor) -> Tensor:
        ctx.save_for_backward(codebooks, codes)
        return _look_up(codebooks, codes)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor, None]:
        codebooks, codes = ctx.saved_tensors
        num_codebooks, num_entries, width = codebooks.shape
        gradient = gradient.float().view(len(codes), num_codebooks, width).transpose(0, 1)
        weights_gradient = torch.bmm(gradient, codebooks.transpose(1, 2)).transpose(0, 1)
        places = (codes.t() + torch.arange(num_codebooks, device=codes.device)[:, None] * num_entries).flatten()
        chosen = codebooks.new_zeros(num_codebooks * num_entries, width)
        chosen.index_add_(0, places, gradient.reshape(-1, width))
        return weights_gradient, chosen.view_as(codebooks), None
