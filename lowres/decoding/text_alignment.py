"""Aligns the lines of a text with a recording: when each was said, how well it fits, and what was said besides.

Between the lines stands a wildcard that may take any frames, at a price (cf. the "star" token of Pratap et al. 2023,
section 3.2): speech that is not in the text falls to it. A line that was not said has to go somewhere, and shows by how
badly it fits there; it is then left out and the rest aligned again.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import exp
from typing import Final

import numpy as np

from lowres.decoding.beam_search import BLANK_ID, LogProbs
from lowres.decoding.forced_alignment import LabelSpan, align_labels

Line = tuple[int, ...]
"""The labels of a line of text, word boundaries among them."""

WILDCARD_PRICE: Final = 0.5
"""Nats that a frame of the wildcard costs more than the likeliest label: silence stays blank, and a line is not given
up for a letter or two that were heard otherwise."""


@dataclass(frozen=True)
class AlignedLine:
    """A line of the text.

    Attributes:
        number: of the line, from 0.
        spans: of its labels, in frames of the recording; none where it was not said, or holds no label.
        fit: how likely its labels are beside the likeliest ones in the same frames, as a mean for each label, 0-1: 1 =
            exactly what the recogniser hears.
        is_said: whether it is in the recording.
    """

    number: int
    spans: tuple[LabelSpan, ...]
    fit: float
    is_said: bool = True


@dataclass(frozen=True)
class AlignedText:
    """A text and a recording.

    Attributes:
        lines: in their order.
        besides: [start, end) frames of speech that no line holds.
    """

    lines: tuple[AlignedLine, ...]
    besides: tuple[tuple[int, int], ...]


def fit_of(log_probs: LogProbs, spans: Sequence[LabelSpan]) -> float:
    """Return how well labels fit the frames that they were aligned to.

    Args:
        log_probs: (T, V) natural logarithms.
        spans: of the labels, in order.

    Returns:
        exp of the mean over the labels of log p(label) - log p(likeliest), each at the label's best frame, 0-1; 0
        without labels.
    """
    if not spans:
        return 0.0
    behind = 0.0
    for span in spans:
        inside = log_probs[span.start_frame : span.end_frame]
        behind += float((inside[:, span.token_id] - inside.max(axis=1)).max())
    return exp(behind / len(spans))


def align_lines(log_probs: LogProbs, lines: Sequence[Line], *, said_above: float) -> AlignedText:
    """Align lines of text to a recording that can be looked at as a whole.

    Args:
        log_probs: (T, V) natural logarithms.
        lines: the labels of each line, in the order in which they were said.
        said_above: a line whose fit (0-1) is not above this was not said.

    Returns:
        The lines, and what was said besides. Where even the lines that fit need more frames than there are, those that
        fit worst count as not said.
    """
    left_out: set[int] = {number for number, line in enumerate(lines) if not line}
    while True:
        found = _align(log_probs, lines, left_out)
        if found is None:
            longest = max((n for n in range(len(lines)) if n not in left_out), key=lambda n: len(lines[n]))
            left_out.add(longest)
            continue
        misfits = {line.number for line in found.lines if line.number not in left_out and line.fit <= said_above}
        if not misfits:
            return found
        left_out |= misfits


def _align(log_probs: LogProbs, lines: Sequence[Line], left_out: set[int]) -> AlignedText | None:
    wildcard = log_probs.shape[1]
    prices = log_probs.max(axis=1, keepdims=True) - WILDCARD_PRICE
    labels: list[int] = [wildcard]
    places: list[tuple[int, int, int]] = []
    for number, line in enumerate(lines):
        if number not in left_out:
            places.append((number, len(labels), len(labels) + len(line)))
            labels += [*line, wildcard]
    spans = align_labels(np.concatenate([log_probs, prices], axis=1), labels)
    if spans is None:
        return None if places else AlignedText(tuple(AlignedLine(n, (), 0.0, False) for n in range(len(lines))), ())
    aligned = {
        number: AlignedLine(number, own := tuple(spans[first:last]), fit_of(log_probs, own))
        for number, first, last in places
    }
    besides = [
        (span.start_frame, span.end_frame)
        for span in spans
        if span.token_id == wildcard and _holds_speech(log_probs, span)
    ]
    return AlignedText(
        tuple(aligned.get(n, AlignedLine(n, (), 0.0, is_said=False)) for n in range(len(lines))), tuple(besides)
    )


def _holds_speech(log_probs: LogProbs, span: LabelSpan) -> bool:
    """Whether a wildcard took at least three frames that the recogniser would write down: a syllable or more."""
    return int((log_probs[span.start_frame : span.end_frame].argmax(axis=1) != BLANK_ID).sum()) >= 3


def shift(aligned: AlignedText, frames: int, first_number: int) -> AlignedText:
    """Move an alignment of a part to its place in the whole: `frames` later, its first line being `first_number`."""

    def moved(span: LabelSpan) -> LabelSpan:
        return replace(span, start_frame=span.start_frame + frames, end_frame=span.end_frame + frames)

    return AlignedText(
        tuple(
            replace(line, number=line.number + first_number, spans=tuple(map(moved, line.spans)))
            for line in aligned.lines
        ),
        tuple((start + frames, end + frames) for start, end in aligned.besides),
    )
