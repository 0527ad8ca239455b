"""Turns a recogniser's certainty about a word into how often such words are right (Guo et al. 2017; Platt 1999).

Networks trained on little are too sure of themselves. Dev shows how often a word with some certainty was right: its
log-odds are divided by a temperature and shifted. How well that holds is said by the expected calibration error: the
mean gap between confidence and share of right words, over ten bins of confidence.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, log
from typing import Final

import numpy as np
import numpy.typing as npt

_NUM_BINS: Final = 10
_NUM_STEPS: Final = 50
_STIFFNESS: Final = 1.0
"""As much as one word's evidence for leaving the certainty as it is, so that a handful of words changes little."""

_CLIP: Final = 1e-4
_LEAST_SLOPE: Final = 1e-3


@dataclass(frozen=True)
class Calibration:
    """How to read certainties.

    Attributes:
        temperature: what log-odds are divided by; above 1 the recogniser was too sure of differences.
        shift: what is added to them then.
        num_words: of dev, that both were chosen on.
        error: the expected calibration error there, 0-1, each half of the words read with what the other half says.
        error_before: that of the certainties as they were.
    """

    temperature: float
    shift: float
    num_words: int
    error: float
    error_before: float

    def confidence(self, certainty: float) -> float:
        """Return the chance that a word of this certainty (0-1) is right, 0-1."""
        clipped = min(max(certainty, _CLIP), 1 - _CLIP)
        odds = log(clipped / (1 - clipped)) / self.temperature + self.shift
        return 1 / (1 + exp(-odds))


def calibrate(certainties: Sequence[float], are_right: Sequence[bool]) -> Calibration | None:
    """Choose temperature and shift by maximum likelihood.

    Args:
        certainties: (N,) of words, 0-1.
        are_right: (N,) whether each was what was said.

    Returns:
        The calibration; None with fewer than 20 words, which say nothing.

    Raises:
        ValueError: lists of different lengths.
    """
    if len(certainties) != len(are_right):
        raise ValueError(f"{len(certainties)} certainties of {len(are_right)} words")
    if len(certainties) < 20:
        return None
    odds = _log_odds(certainties)
    right = np.asarray(are_right, dtype=np.float64)
    halves = np.arange(len(right)) % 2 == 0
    read = np.empty(len(right))
    for half in (halves, ~halves):
        slope, shift = _fit(odds[~half], right[~half])
        read[half] = _sigmoid(slope * odds[half] + shift)
    slope, shift = _fit(odds, right)
    return Calibration(
        temperature=1 / slope,
        shift=shift,
        num_words=len(right),
        error=calibration_error(read, right),
        error_before=calibration_error(np.asarray(certainties, dtype=np.float64), right),
    )


def calibration_error(
    confidences: Sequence[float] | npt.NDArray[np.float64], are_right: Sequence[bool] | npt.NDArray[np.float64]
) -> float:
    """Return the expected calibration error of (N,) confidences over ten bins of equal width, 0-1; 0 where N is 0."""
    sure, right = np.asarray(confidences, dtype=np.float64), np.asarray(are_right, dtype=np.float64)
    if not sure.size:
        return 0.0
    bins = np.minimum((sure * _NUM_BINS).astype(np.int64), _NUM_BINS - 1)
    gaps = np.bincount(bins, sure - right, _NUM_BINS)
    return float(np.abs(gaps).sum() / sure.size)


def _log_odds(certainties: Sequence[float]) -> npt.NDArray[np.float64]:
    clipped = np.clip(np.asarray(certainties, dtype=np.float64), _CLIP, 1 - _CLIP)
    odds: npt.NDArray[np.float64] = np.log(clipped / (1 - clipped))
    return odds


def _sigmoid(odds: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    chances: npt.NDArray[np.float64] = 1 / (1 + np.exp(-odds))
    return chances


def _fit(odds: npt.NDArray[np.float64], right: npt.NDArray[np.float64]) -> tuple[float, float]:
    """Return slope and shift of a logistic regression, by Newton's method, drawn a little towards 1 and 0."""
    inputs = np.stack([odds, np.ones_like(odds)], axis=1)
    usual = np.array([1.0, 0.0])
    weights = usual.copy()
    for _ in range(_NUM_STEPS):
        chances = _sigmoid(inputs @ weights)
        gradient = inputs.T @ (chances - right) + _STIFFNESS * (weights - usual)
        curvature = inputs.T @ (inputs * (chances * (1 - chances))[:, None]) + _STIFFNESS * np.eye(2)
        step = np.linalg.solve(curvature, gradient)
        weights = weights - step / max(1.0, float(np.abs(step).max()))
        if np.abs(step).max() < 1e-9:
            break
    if weights[0] >= _LEAST_SLOPE:
        return float(weights[0]), float(weights[1])
    # A certainty that says the contrary of what it should would need a slope below 0: it is taken as saying nothing,
    # and what is left is the share of words that are right.
    share = (right.sum() + _STIFFNESS / 2) / (right.size + _STIFFNESS)
    return _LEAST_SLOPE, float(np.log(share / (1 - share)) - _LEAST_SLOPE * odds.mean())
