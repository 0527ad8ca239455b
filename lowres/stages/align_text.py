"""A text and a recording of any length: speech is heard in stretches, cut where text and speech agree, and aligned."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from lowres.annotation.transcript import SpokenLetter, SpokenUtterance, SpokenWord
from lowres.audio.constants import SAMPLE_RATE
from lowres.audio.decode import open_recording
from lowres.decoding.anchors import cut_into_parts
from lowres.decoding.beam_search import BLANK_ID, LogProbs
from lowres.decoding.greedy import greedy_labels
from lowres.decoding.text_alignment import AlignedLine, AlignedText, align_lines, shift
from lowres.decoding.word_times import HeardWord, words_of_spans
from lowres.stages.transcribe_listener import FrameClock, Listener, SampleCounter, heard_stretches

SAID_ABOVE: Final = 0.03
"""Of Mboshi's dev, heard with 39 % of its letters wrong, 2 % of the right transcripts fit worse than this and 91 % of
those of another utterance."""


@dataclass(frozen=True)
class HeardRecording:
    """The scores of the speech in a recording.

    Attributes:
        log_probs: (T, V) natural logarithms. frame_samples: (T,) the sample of the recording at which each begins: as
            many before the middle of what it hears as are half a frame.
        samples_per_frame: how long each is. num_samples: of the recording.
    """

    log_probs: LogProbs
    frame_samples: npt.NDArray[np.int64]
    samples_per_frame: int
    num_samples: int

    @cached_property
    def clock(self) -> FrameClock:
        """Return what turns its frames into seconds."""
        return FrameClock(self.frame_samples, self.samples_per_frame, self.num_samples)

    def before_silence(self, frame: int, end_frame: int) -> int:
        """Return `end_frame`, or the end of the stretch that `frame` is in where that comes first."""
        begins = np.diff(self.frame_samples[frame:end_frame]) > 2 * self.samples_per_frame
        return frame + 1 + int(begins.argmax()) if begins.any() else end_frame


@dataclass(frozen=True)
class TextLine:
    """A line of a text.

    Attributes:
        written: as it is. labels: what the recipe's rules leave of it.
        number: of the line in the file that it is of, or a part of; from 1.
    """

    written: str
    labels: tuple[int, ...]
    number: int = 0


@dataclass(frozen=True)
class PlacedLine:
    """A line of the text, when it was said (None where it was not) and how well it fits, 0-1."""

    line: TextLine
    said: SpokenUtterance | None
    fit: float


@dataclass(frozen=True)
class AlignedRecording:
    """A recording with its text.

    Attributes:
        lines: in their order. besides: speech that is not in the text, with what was heard there; in order of time.
        duration_seconds: of the recording.
    """

    lines: tuple[PlacedLine, ...]
    besides: tuple[SpokenUtterance, ...]
    duration_seconds: float


def hear_recording(listener: Listener, path: Path, *, channel: int | None = None) -> HeardRecording:
    """Listen to the speech of a recording.

    Raises:
        AudioError: it cannot be decoded.
    """
    counter = SampleCounter()
    scores: list[LogProbs] = [np.zeros((0, len(listener.recognizer.vocabulary)), dtype=np.float32)]
    places: list[npt.NDArray[np.int64]] = [np.zeros(0, dtype=np.int64)]
    for stretch, frames in heard_stretches(listener, counter.count(open_recording(path, channel=channel).blocks)):
        scores.append(frames)
        places.append(listener.frame_samples(stretch.kept_start_samples, len(frames)))
    return HeardRecording(
        np.concatenate(scores), np.concatenate(places), listener.samples_per_frame, counter.num_samples
    )


def align_recording(listener: Listener, heard: HeardRecording, lines: Sequence[TextLine]) -> AlignedRecording:
    """Find when each line was said, and what was said besides.

    Raises:
        LowresError: a long recording and its text agree nowhere.
    """
    labels = [line.labels for line in lines]
    aligned: list[AlignedLine] = []
    besides: list[tuple[int, int]] = []
    for part in cut_into_parts(heard.log_probs, labels):
        frames = heard.log_probs[part.start_frame : part.end_frame]
        found = align_lines(frames, labels[part.first_line : part.end_line], said_above=SAID_ABOVE)
        moved: AlignedText = shift(found, part.start_frame, part.first_line)
        aligned += moved.lines
        besides += moved.besides
    return AlignedRecording(
        tuple(
            PlacedLine(lines[one.number], _spoken(one, heard, listener) if one.is_said else None, one.fit)
            for one in aligned
        ),
        tuple(one for start, end in besides for one in _heard_besides(start, end, heard, listener)),
        heard.num_samples / SAMPLE_RATE,
    )


def _spoken(line: AlignedLine, heard: HeardRecording, listener: Listener) -> SpokenUtterance:
    end_frame = min(line.spans[-1].end_frame + _GRACE_FRAMES, len(heard.frame_samples))
    words = tuple(_word(word, heard) for word in words_of_spans(line.spans, end_frame, listener.recognizer.vocabulary))
    start = words[0].start_seconds if words else heard.clock.start_seconds(line.spans[0].start_frame)
    end = words[-1].end_seconds if words else heard.clock.end_seconds(line.spans[-1].end_frame)
    return SpokenUtterance(start, end, words)


def _word(word: HeardWord, heard: HeardRecording) -> SpokenWord:
    # The last letter goes on for a while behind its peak, but not over a silence that nobody listened to.
    end_frame = heard.before_silence(word.letters[-1].start_frame, word.end_frame)
    letters = tuple(
        SpokenLetter(
            letter.text,
            heard.clock.start_seconds(letter.start_frame),
            heard.clock.end_seconds(heard.before_silence(letter.start_frame, letter.end_frame)),
        )
        for letter in word.letters
    )
    return SpokenWord(
        word.text, heard.clock.start_seconds(word.start_frame), heard.clock.end_seconds(end_frame), None, letters
    )


_GRACE_FRAMES: Final = 3
"""How far the last letter of a line may go on behind its peak."""

_PAUSE_SECONDS: Final = 1.0
"""From which on speech that is not in the text is two utterances."""


def _heard_besides(start: int, end: int, heard: HeardRecording, listener: Listener) -> list[SpokenUtterance]:
    """Return what was heard between two frames, an utterance for each stretch without a pause; none for no letter."""
    speaking = start + np.flatnonzero(heard.log_probs[start:end].argmax(axis=1) != BLANK_ID)
    times = heard.frame_samples[speaking] / SAMPLE_RATE
    pauses = np.flatnonzero(np.diff(times) > _PAUSE_SECONDS) + 1
    found = []
    for frames in np.split(speaking, pauses):
        first, last = int(frames[0]), int(frames[-1]) + 1
        if text := listener.recognizer.vocabulary.decode(greedy_labels(heard.log_probs[first:last])).strip():
            span = heard.clock.start_seconds(first), heard.clock.end_seconds(last)
            found.append(SpokenUtterance(*span, (SpokenWord(text, *span, None),)))
    return found
