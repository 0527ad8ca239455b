"""The L2 penalty on the feature encoder's output (paper section 4.2, of the BASE model)."""

from collections.abc import Sequence

import torch
from torch import Tensor


def latent_penalty(latents: Tensor, num_frames: Sequence[int], num_masked: Sequence[int]) -> Tensor:
    """Average the squares of each utterance's latents, then the utterances, each with the weight of its masked frames.

    fairseq averages over all frames of a batch at once, and multiplies by its number of masked frames. For utterances
    of one length, which its batches are cropped to, that is the same; otherwise this one adds up over utterances, so
    that it does not matter which of them are in one batch.

    Args:
        latents: (N, C), not normalised, the utterances' frames end to end.
        num_frames: T of each utterance; they sum to N.
        num_masked: M of each utterance, 0 to leave it out.

    Returns:
        Scalar float32; 0 when nothing is masked.
    """
    num_rows, width = latents.shape
    total = max(sum(num_masked), 1) * width
    weights = [masked / (frames * total) for frames, masked in zip(num_frames, num_masked, strict=True) if frames > 0]
    frames = torch.tensor([length for length in num_frames if length > 0], device=latents.device)
    per_row = torch.tensor(weights, device=latents.device).repeat_interleave(frames, output_size=num_rows)
    return (latents.float().square().sum(1) * per_row).sum()
