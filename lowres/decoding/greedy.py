"""Greedy CTC decoding: the best token of every frame, repeats collapsed, blanks dropped (Graves et al. 2006, sec. 3.2).

It needs no language model and has no settings, so it is what training watches and what `lowres evaluate` reports first.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

BLANK_ID = 0


@dataclass(frozen=True)
class GreedyHypothesis:
    """What greedy decoding heard in one utterance.

    `token_ids` are collapsed and without blanks; `num_blank_frames` of the `num_frames` valid frames were blank.
    """

    token_ids: list[int]
    num_frames: int
    num_blank_frames: int


def greedy_decode(log_probs: Tensor, num_frames: Tensor) -> list[GreedyHypothesis]:
    """Decode each utterance by its best token per frame.

    A letter written twice survives where a blank stands between its two runs; two neighbouring frames with the same
    token are one letter. Frames past `num_frames` are never looked at, so neither padding nor the other utterances
    of the batch change the result; of equal scores the lower token id wins, on every device.

    Args:
        log_probs: (B, T, V) log-probabilities, or any scores with the same order; V counts the blank, id 0.
        num_frames: (B,) valid frames of each utterance, 0 to T.

    Returns:
        One hypothesis per utterance, in order.

    Raises:
        ValueError: where the shapes do not fit each other.
    """
    if log_probs.dim() != 3 or num_frames.shape != log_probs.shape[:1]:
        raise ValueError(
            f"expected log_probs (B, T, V) and num_frames (B,), got {tuple(log_probs.shape)}, {tuple(num_frames.shape)}"
        )
    lengths = num_frames.tolist()
    if any(length < 0 or length > log_probs.shape[1] for length in lengths):
        raise ValueError(f"num_frames must lie between 0 and {log_probs.shape[1]}, got {lengths}")
    best = _first_best(log_probs).cpu()
    return [_collapse(path[:length]) for path, length in zip(best, lengths, strict=True)]


def greedy_labels(log_probs: npt.NDArray[np.float32]) -> list[int]:
    """Return the labels of one utterance as `greedy_decode` hears them, from its (T, V) scores; T may be 0."""
    if not len(log_probs):
        return []
    scores = torch.from_numpy(np.ascontiguousarray(log_probs))[None]
    return greedy_decode(scores, torch.tensor([len(log_probs)]))[0].token_ids


def _first_best(scores: Tensor) -> Tensor:
    """Return (B, T) the lowest id among the best; `argmax` leaves open which of equal scores it returns."""
    ids = torch.arange(scores.shape[-1], device=scores.device)
    is_best = scores == scores.amax(dim=-1, keepdim=True)
    return torch.where(is_best, ids, scores.shape[-1] - 1).amin(dim=-1)


def _collapse(path: Tensor) -> GreedyHypothesis:
    runs = torch.unique_consecutive(path)
    return GreedyHypothesis(
        token_ids=runs[runs != BLANK_ID].tolist(),
        num_frames=len(path),
        num_blank_frames=int((path == BLANK_ID).sum()),
    )
