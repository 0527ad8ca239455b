"""How sure a recogniser is of what greedy decoding heard, for self-training to choose by.

Confidence is the mean probability of the best label over the frames where that is not the blank: blanks are most of
the frames and nearly always sure, so that they would hide a doubtful letter. It is a mean, not a product, so that long
texts are not thought less of than short ones (Kahn, Lee and Hannun 2020 normalise their scores by length likewise).
"""

import torch
from torch import Tensor

from lowres.decoding.greedy import BLANK_ID


def label_confidence(log_probs: Tensor, num_frames: Tensor) -> list[float]:
    """Return the mean probability of the best labels of each utterance, over its frames that are not blank.

    Args:
        log_probs: (B, T, V) natural logarithms of probabilities; V counts the blank, id 0.
        num_frames: (B,) valid frames of each utterance, 0 to T; what lies behind them is never looked at.

    Returns:
        B values of 0-1; 0 where every valid frame is blank.
    """
    best = log_probs.max(dim=-1)
    is_valid = torch.arange(log_probs.shape[1]) < num_frames.cpu()[:, None]
    counts = is_valid.to(log_probs.device) & (best.indices != BLANK_ID)
    sums = torch.where(counts, best.values.double().exp(), 0.0).sum(dim=1)
    return (sums / counts.sum(dim=1).clamp(min=1)).tolist()
