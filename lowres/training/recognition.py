"""The CTC loss of one micro batch, in the form the training loop takes (paper, section 3.4)."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from lowres.model.ctc import CTCOutput, CTCRecognizer
from lowres.objectives.ctc import ctc_loss
from lowres.text.vocabulary import BLANK_ID
from lowres.training.feed import Batch
from lowres.training.precision import Compute


@dataclass(frozen=True)
class BatchLoss:
    """What one micro batch cost."""

    total: Tensor
    """Scalar float32 with its graph: the sum of the losses of the utterances, in nats."""

    per_utterance: Tensor
    """(B,) float32 without a graph."""

    num_infinite: Tensor
    """Scalar int64: utterances too short for their transcript, counted as 0."""

    scores: Tensor
    """(B, T, V) float32 without a graph."""

    num_frames: Tensor
    """(B,) int64."""


LossFunction = Callable[[Batch, torch.Generator], BatchLoss]


def ctc_loss_function(model: CTCRecognizer, compute: Compute) -> LossFunction:
    """Bind a recogniser to a device and a precision.

    Returns:
        A function of a micro batch and the generator of the masks. The network runs in `compute`'s precision, the loss
        in float32.
    """

    def loss_of(batch: Batch, masking: torch.Generator) -> BatchLoss:
        output = score_batch(model, batch, compute, mask_generator=masking)
        loss = ctc_loss(
            output.log_probs,
            output.num_frames,
            batch.token_ids.to(compute.device),
            batch.num_tokens.to(compute.device),
        )
        return BatchLoss(
            total=loss.loss * len(batch.indices),
            per_utterance=loss.per_utterance.detach(),
            num_infinite=loss.num_infinite,
            scores=output.log_probs.detach(),
            num_frames=output.num_frames,
        )

    return loss_of


def score_batch(
    model: CTCRecognizer, batch: Batch, compute: Compute, *, mask_generator: torch.Generator | None = None
) -> CTCOutput:
    """Run the network on a batch, from its waveforms or from latents that are kept; without a generator unmasked."""
    with compute.autocast():
        if batch.encoded is None:
            waveforms = batch.waveforms.to(compute.device, non_blocking=True)
            output: CTCOutput = model(waveforms, batch.num_samples, mask_generator=mask_generator)
            return output
        rows = batch.encoded.rows.to(compute.device, non_blocking=True)
        return model.forward_encoded(replace(batch.encoded, rows=rows), mask_generator=mask_generator)


def describe_labels(scores: Tensor, num_frames: Tensor) -> tuple[float, int]:
    """Look at the best label of every true frame.

    Args:
        scores: (B, T, V).
        num_frames: (B,) true lengths.

    Returns:
        The share of blanks among them, 0-1, and the number of different tokens that are not blank.
    """
    best = scores.argmax(dim=-1)
    is_true = torch.arange(best.shape[1], device=best.device) < num_frames.to(best.device)[:, None]
    labels = best[is_true]
    blanks = int((labels == BLANK_ID).sum())
    tokens = torch.unique(labels[labels != BLANK_ID])
    return blanks / max(len(labels), 1), len(tokens)
