"""The network of a recogniser for one utterance, in operations that exporters know.

`CTCRecognizer` packs utterances, walks waveforms in pieces, folds norms into weights and has gradients of its own; none
of that is part of what it computes. Here it is once more as published, without any of it, on the same parameters.
"""

from collections.abc import Iterable
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from lowres.model.context_network import TransformerBlock
from lowres.model.ctc import CTCRecognizer
from lowres.model.feature_encoder import Convolution, FirstConvolution
from lowres.model.log_mel import LogMelBands, LogMelEncoder
from lowres.model.positional_embedding import PositionalEmbedding, StackedPositionalEmbedding


class OneUtteranceNetwork(nn.Module):
    """A recogniser that takes one utterance whole.

    Args:
        recognizer: in evaluation mode and without low-rank updates; its parameters are shared.
    """

    def __init__(self, recognizer: CTCRecognizer) -> None:
        super().__init__()
        self.recognizer = recognizer

    def forward(self, waveform: Tensor) -> Tensor:
        """Map a waveform (1, S) at 16 kHz to log-probabilities (1, T, V)."""
        backbone = self.recognizer.backbone
        if backbone.config.normalize_waveforms:
            centred = waveform - waveform.mean(1, keepdim=True)
            waveform = centred * torch.rsqrt(centred.square().mean(1, keepdim=True) + 1e-7)
        rows = backbone.projection(backbone.latent_norm(self._latents(waveform)))
        context = backbone.context_network
        rows = rows + _embed_positions(context.positional_embedding, rows)
        if not context.is_pre_norm:
            rows = context.norm(rows)
        for block in cast(Iterable[TransformerBlock], context.blocks):
            rows = _apply_block(block, rows)
        if context.is_pre_norm:
            rows = context.norm(rows)
        return functional.log_softmax(self.recognizer.head(rows), dim=-1)

    def _latents(self, waveform: Tensor) -> Tensor:
        """Map (1, S) to (1, T, C)."""
        encoder = self.recognizer.backbone.feature_encoder
        channels = waveform[:, None]
        layers: list[FirstConvolution | Convolution] = [*cast(Iterable[Convolution], encoder.others)]
        if isinstance(encoder, LogMelEncoder):
            channels = _log_mel_bands(encoder.first, channels)
        else:
            layers.insert(0, encoder.first)
        for layer in layers:
            channels = functional.gelu(_normalize(layer, layer.convolution(channels)))
        return channels.transpose(1, 2)


def _log_mel_bands(bands: LogMelBands, waveform: Tensor) -> Tensor:
    """Map (1, 1, S) to (1, C, R)."""
    spectrum = functional.conv1d(waveform, cast(Tensor, bands.basis).t()[:, None], stride=bands.hop_samples)
    return bands.normalized_bands(spectrum.transpose(1, 2)).transpose(1, 2)


def _normalize(layer: FirstConvolution | Convolution, channels: Tensor) -> Tensor:
    """Normalise (1, C, T) over time or over channels, as the layer does."""
    if isinstance(layer.norm, nn.Identity):
        return channels
    if isinstance(layer.norm, nn.LayerNorm):
        normalized: Tensor = layer.norm(channels.transpose(1, 2)).transpose(1, 2)
        return normalized
    return cast(Tensor, layer.norm(channels))


def _embed_positions(embedding: PositionalEmbedding | StackedPositionalEmbedding, rows: Tensor) -> Tensor:
    """Map (1, T, D) to (1, T, D)."""
    if isinstance(embedding, PositionalEmbedding):
        norms = torch.linalg.vector_norm(embedding.weight_v, dim=(0, 1), keepdim=True)
        weight = embedding.weight_v * (embedding.weight_g / norms)
        return functional.gelu(_convolve(rows, weight, embedding.bias, embedding.groups))
    for layer in cast(Iterable[nn.Conv1d], embedding.layers):
        convolved = _convolve(rows, layer.weight, layer.bias, layer.groups)
        rows = functional.gelu(functional.layer_norm(convolved, convolved.shape[-1:]))
    return rows


def _convolve(rows: Tensor, weight: Tensor, bias: Tensor | None, groups: int) -> Tensor:
    """Convolve (1, T, D) with zeros around it to (1, T, D)."""
    kernel = weight.shape[-1]
    padded = functional.pad(rows.transpose(1, 2), (kernel // 2, (kernel - 1) // 2))
    return functional.conv1d(padded, weight, bias, groups=groups).transpose(1, 2)


def _apply_block(block: TransformerBlock, rows: Tensor) -> Tensor:
    """Map (1, T, D) to (1, T, D)."""
    if block.is_pre_norm:
        rows = rows + _attend(block, block.attention_norm(rows))
        rows = rows + block.feed_forward(block.feed_forward_norm(rows))
    else:
        rows = block.attention_norm(rows + _attend(block, rows))
        rows = block.feed_forward_norm(rows + block.feed_forward(rows))
    if block.adapter is None:
        return rows
    inner = functional.relu(block.adapter.inner(block.adapter.norm(rows)))
    return rows + cast(Tensor, block.adapter.output(inner))


def _attend(block: TransformerBlock, rows: Tensor) -> Tensor:
    attention = block.attention
    heads = attention.query_key_value(rows).unflatten(-1, (3, attention.num_heads, -1))
    query, key, value = heads.permute(2, 0, 3, 1, 4).unbind(0)
    weights = torch.softmax(query @ key.transpose(-1, -2) * query.shape[-1] ** -0.5, dim=-1)
    return cast(Tensor, attention.output((weights @ value).transpose(1, 2).flatten(2)))
