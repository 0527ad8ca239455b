"""The context network: a transformer over the latents' frames (paper section 2)."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from lowres.model.adapters import BottleneckAdapter, LowRankUpdate
from lowres.model.attention import attend
from lowres.model.config import Wav2Vec2Config
from lowres.model.dropout import dropout, gelu_with_dropout
from lowres.model.positional_embedding import PositionalEmbedding, StackedPositionalEmbedding


class ContextNetwork(nn.Module):
    """Positional embedding, then transformer blocks.

    Post-norm (BASE) normalises once before the blocks; pre-norm (LARGE, XLS-R) once after them.
    """

    def __init__(self, config: Wav2Vec2Config) -> None:
        super().__init__()
        self.positional_embedding = _positional_embedding(config)
        self.norm = nn.LayerNorm(config.width)
        self.blocks = nn.ModuleList(TransformerBlock(config) for _ in range(config.num_layers))
        self.is_pre_norm = config.transformer_norm == "pre"
        self.dropout, self.layer_drop = config.dropout, config.layer_drop
        self.recomputes_activations = False
        """Whether a block's activations are computed again for the backward pass instead of kept: less memory, a third
        more work. The gradients are the same."""

    def forward(self, rows: Tensor, num_frames: Sequence[int], places: Tensor | None = None) -> Tensor:
        """Map rows (N, D), the utterances' frames laid end to end, to context (N, D).

        With places (P,) int64, to the context (P, D) of these rows only: behind the last attention, nothing is computed
        for the others.
        """
        rows = rows + self.positional_embedding(rows, num_frames)
        if not self.is_pre_norm:
            rows = self.norm(rows)
        rows = dropout(rows, self.dropout, self.training)
        for block in self.blocks:
            last_places = places if block is self.blocks[-1] else None
            if self.training and self.layer_drop > 0 and float(torch.rand(())) < self.layer_drop:
                rows = rows if last_places is None else rows.index_select(0, last_places)
            elif self.recomputes_activations and torch.is_grad_enabled():
                rows = checkpoint(block, rows, num_frames, last_places, use_reentrant=False)
            else:
                rows = block(rows, num_frames, last_places)
        if self.is_pre_norm:
            rows = self.norm(rows)
        return rows


def _positional_embedding(config: Wav2Vec2Config) -> PositionalEmbedding | StackedPositionalEmbedding:
    sizes = (config.width, config.positional_kernel, config.positional_groups)
    if config.positional_layers == 1:
        return PositionalEmbedding(*sizes)
    return StackedPositionalEmbedding(*sizes, config.positional_layers)


class TransformerBlock(nn.Module):
    """Self-attention and feed-forward, each with a residual connection and a layer norm; then an adapter, if any."""

    def __init__(self, config: Wav2Vec2Config) -> None:
        super().__init__()
        self.attention = SelfAttention(config)
        self.attention_norm = nn.LayerNorm(config.width)
        self.feed_forward = FeedForward(config.width, config.feed_forward_width, config.activation_dropout)
        self.feed_forward_norm = nn.LayerNorm(config.width)
        self.adapter = BottleneckAdapter(config.width, config.adapter_width) if config.adapter_width else None
        self.is_pre_norm = config.transformer_norm == "pre"
        self.dropout = config.dropout

    def forward(self, rows: Tensor, num_frames: Sequence[int], places: Tensor | None = None) -> Tensor:
        """Map rows (N, D) to (N, D), or with places (P,) to those rows of it: (P, D)."""
        rows = self._attend_and_feed_forward(rows, num_frames, places)
        return rows if self.adapter is None else self.adapter(rows)

    def _attend_and_feed_forward(self, rows: Tensor, num_frames: Sequence[int], places: Tensor | None) -> Tensor:
        attended = self.attention(self.attention_norm(rows) if self.is_pre_norm else rows, num_frames, places)
        if places is not None:
            rows = rows.index_select(0, places)
        rows = rows + self._drop(attended)
        if self.is_pre_norm:
            return rows + self._drop(self.feed_forward(self.feed_forward_norm(rows)))
        rows = self.attention_norm(rows)
        normalized: Tensor = self.feed_forward_norm(rows + self._drop(self.feed_forward(rows)))
        return normalized

    def _drop(self, rows: Tensor) -> Tensor:
        return dropout(rows, self.dropout, self.training)


class SelfAttention(nn.Module):
    """Multi-head attention of each utterance to itself."""

    def __init__(self, config: Wav2Vec2Config) -> None:
        super().__init__()
        width, rank = config.width, config.lora_rank
        # Queries, keys and values in one product; their published weights stack in this order.
        self.query_key_value = nn.Linear(width, 3 * width)
        self.output = nn.Linear(width, width)
        self.query_key_value_update = LowRankUpdate(width, 3, rank) if rank else None
        self.output_update = LowRankUpdate(width, 1, rank) if rank else None
        self.num_heads, self.dropout = config.num_heads, config.attention_dropout
        for linear in (self.query_key_value, self.output):
            initialize_linear(linear)

    def forward(self, rows: Tensor, num_frames: Sequence[int], places: Tensor | None = None) -> Tensor:
        """Map rows (N, D) to (N, D), or with places (P,) to those rows of it: (P, D)."""
        heads = _apply(self.query_key_value, self.query_key_value_update, rows)
        attended = attend(
            heads.view(len(rows), 3, self.num_heads, -1), num_frames, self.dropout if self.training else 0.0
        )
        if places is not None:
            attended = attended.index_select(0, places)
        return _apply(self.output, self.output_update, attended)


def _apply(linear: nn.Linear, update: LowRankUpdate | None, rows: Tensor) -> Tensor:
    mapped: Tensor = linear(rows)
    return mapped if update is None else mapped + update(rows)


class FeedForward(nn.Module):
    """Two linear maps with a GELU between them."""

    def __init__(self, width: int, inner_width: int, dropout: float) -> None:
        super().__init__()
        self.inner = nn.Linear(width, inner_width)
        self.output = nn.Linear(inner_width, width)
        self.dropout = dropout
        for linear in (self.inner, self.output):
            initialize_linear(linear)

    def forward(self, rows: Tensor) -> Tensor:
        """Map rows (N, D) to (N, D)."""
        inner = gelu_with_dropout(self.inner(rows), self.dropout, self.training)
        projected: Tensor = self.output(inner)
        return projected


def initialize_linear(linear: nn.Linear) -> None:
    """Initialise as published (BERT's): normal with standard deviation 0.02, bias 0."""
    nn.init.normal_(linear.weight, mean=0.0, std=0.02)
    nn.init.zeros_(linear.bias)
