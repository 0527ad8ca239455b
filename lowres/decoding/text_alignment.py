"""Aligns the lines of a text with a recording: when each was said, how well it fits, and what was said besides.

Between the lines stands a wildcard that may take any frames, at a price (cf. the "star" token of Pratap et al. 2023,
section 3.2): speech that is not in the text falls to it. A line that was not said has to go somewhere, and shows by how
badly it fits there; it is then left out and the rest aligned again. What was left out beside it gets a second chance
in the room that it left.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from math import exp
from typing import Final

import numpy as np

from lowres.decoding.beam_search import BLANK_ID, LogProbs
from lowres.decoding.forced_alignment import LabelSpan, align_labels, num_frames_needed

Line = tuple[int, ...]
"""The labels of a line of text, word boundaries among them."""

WILDCARD_PRICE: Final = 0.5
"""Nats that a frame of the wildcard costs more than the likeliest label: silence stays blank, and a line is not given
up for a letter or two that were heard otherwise."""

_RUN_SHARE: Final = 4
"""Of neighbours that do not fit, one in so many is left out at a time, at least one."""

_IMPOSSIBLE: Final = -1e4

_FEWEST_FRAMES: Final = 3
"""Frames with a label in them from which what no line holds counts as speech: a syllable or more."""


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
        besides: [start, end) frames of speech that no line holds, without the silence around it.
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
        The lines, and what was said besides. Where the lines need more frames than there are, those that fit worst,
        each looked for by itself, count as not said.
    """
    empty = {number for number, line in enumerate(lines) if not line}
    found = _leave_out_misfits(log_probs, lines, empty | _without_room(log_probs, lines), said_above)
    returning = _fitting_where_they_would_be(log_probs, lines, found, said_above)
    if not returning:
        return found
    left_out = {line.number for line in found.lines if not line.is_said}
    return _leave_out_misfits(log_probs, lines, left_out - returning, said_above)


def _leave_out_misfits(
    log_probs: LogProbs, lines: Sequence[Line], left_out: set[int], said_above: float
) -> AlignedText:
    """Align, leave out what does not fit, and align the rest again until all fits."""
    left_out = set(left_out)
    while True:
        found = _align(log_probs, lines, left_out)
        worst: set[int] = set()
        kept = [line for line in found.lines if line.is_said]
        for is_misfit, group in groupby(kept, key=lambda line: line.fit <= said_above):
            if is_misfit:
                # A line that was not said takes room from its neighbours: with the worst of them gone, others may fit.
                run = sorted(group, key=lambda line: (line.fit, line.number))
                worst |= {line.number for line in run[: max(1, len(run) // _RUN_SHARE)]}
        if not worst:
            return found
        left_out |= worst


def _fitting_where_they_would_be(
    log_probs: LogProbs, lines: Sequence[Line], found: AlignedText, said_above: float
) -> set[int]:
    """Return of each row of lines that were left out the one that fits best by itself between its neighbours, if any.

    It may have been the neighbour of another that was not said.
    """
    returning: set[int] = set()
    start = 0
    for is_said, group in groupby(found.lines, key=lambda line: line.is_said):
        row = list(group)
        if is_said:
            start = row[-1].spans[-1].end_frame
            continue
        after = row[-1].number + 1
        end = found.lines[after].spans[0].start_frame if after < len(found.lines) else len(log_probs)
        # A frame stays free between the line and its neighbours.
        within = log_probs[start + (start > 0) : end - (end < len(log_probs))]
        fits = {
            line.number: _align(within, [lines[line.number]], set()).lines[0].fit
            for line in row
            if lines[line.number] and num_frames_needed(lines[line.number]) <= len(within)
        }
        best = max(fits, key=lambda number: fits[number], default=None)
        if best is not None and fits[best] > said_above:
            returning.add(best)
    return returning


def _without_room(log_probs: LogProbs, lines: Sequence[Line]) -> set[int]:
    """Return the lines for which there are no frames: the worst ones, if they need more than there are together."""
    needed = [num_frames_needed(line) + 1 if line else 0 for line in lines]
    over = sum(needed) + 1 - (len(log_probs) + 2)
    if over <= 0:
        return set()
    everybody = set(range(len(lines)))
    fits = [
        _align(log_probs, lines, everybody - {number}).lines[number].fit if 0 < need <= len(log_probs) + 1 else 0.0
        for number, need in enumerate(needed)
    ]
    left_out: set[int] = set()
    for number in sorted(everybody, key=lambda number: (fits[number], -needed[number])):
        if over <= 0:
            break
        if needed[number]:
            left_out.add(number)
            over -= needed[number]
    return left_out


def _align(log_probs: LogProbs, lines: Sequence[Line], left_out: set[int]) -> AlignedText:
    """Align those lines that are not left out, for which there are frames enough."""
    wildcard = log_probs.shape[1]
    prices = log_probs.max(axis=1, keepdims=True) - WILDCARD_PRICE
    labels: list[int] = [wildcard]
    places: list[tuple[int, int, int]] = []
    for number, line in enumerate(lines):
        if number not in left_out:
            places.append((number, len(labels), len(labels) + len(line)))
            labels += [*line, wildcard]
    # A frame before and one behind, in which anything but a wildcard is out of the question: a line may begin with the
    # first frame and end with the last.
    edge = np.full((1, wildcard + 1), _IMPOSSIBLE, dtype=log_probs.dtype)
    edge[0, wildcard] = 0
    moved = align_labels(np.concatenate([edge, np.concatenate([log_probs, prices], axis=1), edge]), labels)
    if moved is None:
        raise ValueError("there are more labels than frames")
    spans = [replace(span, start_frame=span.start_frame - 1, end_frame=span.end_frame - 1) for span in moved]
    aligned = {
        number: AlignedLine(number, own := tuple(spans[first:last]), fit_of(log_probs, own))
        for number, first, last in places
    }
    besides = [
        speech for span in spans if span.token_id == wildcard and (speech := _speech_in(log_probs, span)) is not None
    ]
    return AlignedText(
        tuple(aligned.get(n, AlignedLine(n, (), 0.0, is_said=False)) for n in range(len(lines))), tuple(besides)
    )


def _speech_in(log_probs: LogProbs, span: LabelSpan) -> tuple[int, int] | None:
    """Return from where to where the recogniser would write something down; None for less than a syllable."""
    start = max(span.start_frame, 0)
    heard = np.flatnonzero(log_probs[start : span.end_frame].argmax(axis=1) != BLANK_ID)
    if len(heard) < _FEWEST_FRAMES:
        return None
    return start + int(heard[0]), start + int(heard[-1]) + 1


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
