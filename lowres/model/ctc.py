"""The recogniser's network: wav2vec 2.0 with a linear CTC head (paper section 3.4)."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from lowres.model.config import Wav2Vec2Config
from lowres.model.dropout import dropout
from lowres.model.shapes import apply_linear
from lowres.model.wav2vec2 import Encoded, Wav2Vec2


@dataclass(frozen=True)
class CTCOutput:
    """Scores of a batch; B utterances, T frames of the longest one, V entries of the vocabulary, blank being 0."""

    logits: Tensor
    """(B, T, V) float32; padding frames hold the head's bias."""

    log_probs: Tensor
    """(B, T, V) float32, natural logarithms that sum to 1 over V as probabilities."""

    num_frames: Tensor
    """(B,) int64, true lengths in frames."""


class CTCRecognizer(nn.Module):
    """Backbone and head.

    Args:
        config: of the backbone.
        vocabulary_size: V, blank included.
    """

    def __init__(self, config: Wav2Vec2Config, vocabulary_size: int) -> None:
        super().__init__()
        self.backbone = Wav2Vec2(config)
        self.head = nn.Linear(config.width, vocabulary_size)
        nn.init.xavier_uniform_(self.head.weight)
        nn.init.zeros_(self.head.bias)
        self.is_head_only = False

    def freeze_feature_encoder(self, frozen: bool = True) -> None:
        """Stop (or resume) training the convolutions, as fine-tuning does throughout."""
        self.backbone.freeze_feature_encoder(frozen)

    def set_head_only(self, head_only: bool = True) -> None:
        """Train only the head (or everything again), as the first 10 000 updates of fine-tuning do."""
        self.is_head_only = head_only

    def forward(
        self, waveforms: Tensor, num_samples: Tensor, *, mask_generator: torch.Generator | None = None
    ) -> CTCOutput:
        """Score every frame; arguments and errors as for `Wav2Vec2.forward`."""
        with torch.set_grad_enabled(torch.is_grad_enabled() and not self.is_head_only):
            encoded = self.backbone.encode(waveforms, num_samples)
        return self.forward_encoded(encoded, mask_generator=mask_generator)

    def forward_encoded(self, encoded: Encoded, *, mask_generator: torch.Generator | None = None) -> CTCOutput:
        """Score every frame from what the backbone's `encode` returned, now or long ago."""
        with torch.set_grad_enabled(torch.is_grad_enabled() and not self.is_head_only):
            output = self.backbone.forward_encoded(encoded, mask_generator=mask_generator)
        context = dropout(output.context, self.backbone.config.final_dropout, self.training)
        logits = apply_linear(self.head, context).float()
        return CTCOutput(logits=logits, log_probs=functional.log_softmax(logits, dim=-1), num_frames=output.num_frames)
