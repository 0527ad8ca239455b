"""Connectionist temporal classification (Graves et al. 2006; the fine-tuning loss of the paper's section 3.4)."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional


@dataclass(frozen=True)
class CTCLoss:
    """The loss of a batch."""

    loss: Tensor
    """Scalar float32: the sum of `per_utterance` divided by B, so infinite utterances count as zeros in the mean."""

    per_utterance: Tensor
    """(B,) float32, -log p(tokens | audio) in nats; 0 where that was infinite."""

    num_infinite: Tensor
    """Scalar int64: utterances whose tokens cannot be aligned, being too many for the frames (adjacent repeats need a
    blank between them). They give no gradient."""


def ctc_loss(log_probs: Tensor, num_frames: Tensor, token_ids: Tensor, num_tokens: Tensor) -> CTCLoss:
    """Sum over all alignments of each utterance's tokens.

    Args:
        log_probs: (B, T, V) natural log probabilities, blank being 0; computed in float32 whatever they come in.
        num_frames: (B,) int64 true lengths, 0 <= num_frames <= T.
        token_ids: (B, L) int64 in [1, V); what lies behind num_tokens is never read.
        num_tokens: (B,) int64, 0 <= num_tokens <= L.
    """
    log_probs = log_probs.float().transpose(0, 1)
    lengths = (num_frames, num_tokens)
    per_utterance = functional.ctc_loss(log_probs, token_ids, *lengths, reduction="none", zero_infinity=True)
    # A loss of exactly zero was infinite, or else (a single alignment, of probability 1) truly is zero.
    infinite = per_utterance == 0
    if infinite.any():
        with torch.no_grad():
            infinite = functional.ctc_loss(log_probs, token_ids, *lengths, reduction="none").isinf()
    return CTCLoss(loss=per_utterance.mean(), per_utterance=per_utterance, num_infinite=infinite.sum())
