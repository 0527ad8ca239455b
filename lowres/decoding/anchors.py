"""Cuts a long recording and its text into parts that belong together, so that each can be aligned as a whole.

What the recogniser heard greedily is matched with the text label by label; a cut is made between two lines around
which text and recording agree without doubt (cf. Moreno et al. 1998, "A recursive algorithm for the forced alignment of
very long audio segments").
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final

import numpy as np
from rapidfuzz.distance import Levenshtein

from lowres.decoding.beam_search import BLANK_ID, LogProbs
from lowres.decoding.text_alignment import Line
from lowres.errors import LowresError

_MOST_CELLS: Final = 40_000_000
"""Frames times labels of a part that is aligned as a whole: some three minutes of speech, 80 MB."""

_TOO_MANY_CELLS: Final = 1_000_000_000
"""2 GB: what no part may need."""

_LABELS_AROUND: Final = 20
"""Labels on each side of a cut that are looked at."""

_AGREEMENT: Final = 0.6
"""How many of them must have been heard as they are written: by chance, in another place, it is about a third."""


@dataclass(frozen=True)
class Part:
    """Frames [start_frame, end_frame) hold the lines [first_line, end_line)."""

    start_frame: int
    end_frame: int
    first_line: int
    end_line: int


def cut_into_parts(log_probs: LogProbs, lines: Sequence[Line]) -> list[Part]:
    """Cut a recording and its text; short ones come back as one part.

    Args:
        log_probs: (T, V) natural logarithms.
        lines: the labels of each line.

    Returns:
        Parts that cover all frames and all lines, in order.

    Raises:
        LowresError: text and recording agree so seldom that a part would be too large to align.
    """
    num_labels = np.cumsum([0, *(len(line) + 1 for line in lines)])
    whole = Part(0, len(log_probs), 0, len(lines))
    if _cells(whole, num_labels) <= _MOST_CELLS:
        return [whole]
    candidates = _sure_places(log_probs, lines)
    parts, start, line = [], 0, 0
    for place, (frame, following) in enumerate(candidates):
        if place + 1 < len(candidates):
            next_frame, next_line = candidates[place + 1]
            if _cells(Part(start, next_frame, line, next_line), num_labels) <= _MOST_CELLS:
                continue
        elif _cells(Part(start, len(log_probs), line, len(lines)), num_labels) <= _MOST_CELLS:
            continue
        parts.append(Part(start, frame, line, following))
        start, line = frame, following
    parts.append(Part(start, len(log_probs), line, len(lines)))
    if too_large := next((part for part in parts if _cells(part, num_labels) > _TOO_MANY_CELLS), None):
        raise LowresError(
            f"Lines {too_large.first_line + 1} to {too_large.end_line} of the text agree nowhere with the recording.",
            "Is it the text of this recording? Cut both into shorter pieces, or align with a better recogniser.",
        )
    return parts


def _cells(part: Part, num_labels: np.ndarray) -> int:
    labels = int(num_labels[part.end_line] - num_labels[part.first_line])
    return (part.end_frame - part.start_frame) * (2 * labels + 1)


def _sure_places(log_probs: LogProbs, lines: Sequence[Line]) -> list[tuple[int, int]]:
    """Return (frame, line) pairs: the frame lies between what was heard of the line before and of this line."""
    heard: list[int] = []
    frames: list[int] = []
    frame = 0
    for label, run in groupby(log_probs.argmax(axis=1).tolist()):
        if label != BLANK_ID:
            heard.append(label)
            frames.append(frame)
        frame += sum(1 for _ in run)
    written = [label for line in lines for label in line]
    heard_at = np.full(len(written), -1, dtype=np.int64)
    for step in Levenshtein.opcodes(written, heard):
        if step.tag == "equal":
            heard_at[step.src_start : step.src_end] = np.arange(step.dest_start, step.dest_end)
    ends = np.cumsum([len(line) for line in lines]).tolist()
    places = []
    for line, end in enumerate(ends[:-1], start=1):
        before, after = heard_at[max(end - _LABELS_AROUND, 0) : end], heard_at[end : end + _LABELS_AROUND]
        if min((before >= 0).mean() if len(before) else 0, (after >= 0).mean() if len(after) else 0) < _AGREEMENT:
            continue
        last, first = int(before[before >= 0][-1]), int(after[after >= 0][0])
        # In the middle of what may be a pause between the two lines.
        places.append(((frames[last] + 1 + frames[first]) // 2, line))
    return places
