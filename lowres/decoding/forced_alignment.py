"""Where in a recording each label of a known text lies: the best path through the CTC scores that spells it.

torchaudio's `forced_align` finds the path (Pratap et al. 2023, section 3.2, used it for MMS's long recordings).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import torch

from lowres.decoding.beam_search import BLANK_ID, LogProbs
from lowres.text.vocabulary import count_adjacent_repeats


@dataclass(frozen=True, slots=True)
class LabelSpan:
    """A label and its frames.

    Attributes:
        token_id: of the label.
        start_frame, end_frame: the frames that the path gives to it; the end is the first one after it.
        probability: the highest that the recogniser gave the label in one of them, 0-1.
    """

    token_id: int
    start_frame: int
    end_frame: int
    probability: float


def num_frames_needed(token_ids: Sequence[int]) -> int:
    """Return the fewest frames that a text can be aligned to: one for each label, one between equal neighbours."""
    return len(token_ids) + count_adjacent_repeats(token_ids)


def align_labels(log_probs: LogProbs, token_ids: Sequence[int]) -> list[LabelSpan] | None:
    """Align a text to the frames it was said in.

    Args:
        log_probs: (T, V) natural logarithms.
        token_ids: the labels of the text, without blanks.

    Returns:
        A span for each label, in order, not overlapping; none for an empty text; None where T is too short for it.
    """
    if not token_ids:
        return []
    if len(log_probs) < num_frames_needed(token_ids):
        return None
    from torchaudio.functional import forced_align

    scores = torch.from_numpy(_without_ties(log_probs))[None]
    path = forced_align(scores, torch.tensor([list(token_ids)], dtype=torch.int32), blank=BLANK_ID)[0][0].numpy()
    changes = np.flatnonzero(np.diff(path)) + 1
    starts, ends = [0, *changes.tolist()], [*changes.tolist(), len(path)]
    return [
        LabelSpan(int(path[start]), start, end, float(np.exp(log_probs[start:end, path[start]].max())))
        for start, end in zip(starts, ends, strict=True)
        if path[start] != BLANK_ID
    ]


def _without_ties(log_probs: LogProbs) -> npt.NDArray[np.float64]:
    """Return scores in which no two paths are equally good.

    Where coming to a label from a blank and from the label before is equally good, torchaudio 2.11's backtracking takes
    neither, and stays on the label. That is so in every pause before which something has to stand, since a blank after
    it costs what one before it does: the next label then began as early as the pause.
    """
    scores = np.array(log_probs, dtype=np.float64, order="C")
    scores[:, BLANK_ID] -= _TIE_BREAK * np.random.Generator(np.random.PCG64(0)).random(len(scores))
    return scores


_TIE_BREAK: Final = 1e-6
