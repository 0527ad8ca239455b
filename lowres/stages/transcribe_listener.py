"""Listens to recordings of any length: speech is found, heard in stretches, joined frame by frame, and decoded.

What is heard in a recording does not depend on the recordings beside it, on the size of batches or on the number of
processes: stretches are found in the recording alone, and each is heard by itself unless a GPU is used.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock

import numpy as np
import numpy.typing as npt
import torch

from lowres.annotation.transcript import SpokenLetter, SpokenUtterance, SpokenWord, Transcript
from lowres.audio.constants import SAMPLE_RATE
from lowres.audio.decode import open_recording
from lowres.audio.stretch_plan import StretchSettings
from lowres.audio.stretches import Stretch, find_stretches
from lowres.audio.voice_activity import SpeechDetector
from lowres.backbones.native import Recognizer
from lowres.decoding.beam_search import BLANK_ID, BeamHypothesis, LogProbs
from lowres.decoding.calibration import Calibration
from lowres.decoding.greedy import greedy_labels
from lowres.decoding.word_times import HeardWord, time_words
from lowres.stages.listening import Search
from lowres.text.vocabulary import WORD_BOUNDARY
from lowres.training.precision import Compute

_MOST_PASSAGE_SECONDS = 120
"""Speech without a pause that is decoded as one; what is longer is music, a crowd, or not looked at for pauses."""
_BREAK_SECONDS = 5
"""Where it is parted: between two words in the last so many seconds of what is decoded."""
_SEARCHED_TOGETHER_SECONDS = 300
"""A beam search is given so much speech at a time, which it divides among its processes."""
_SEARCHING = Lock()
"""A beam search is one at a time: a worker of Dask transcribes in several threads."""


@dataclass(frozen=True)
class Listener:
    """A recogniser that is ready to listen, and how it decodes.

    Attributes:
        recognizer: on `compute`'s device, in evaluation mode.
        compute: device and precision.
        search: with a language model; None = greedily.
        calibration: how sure to be of words; None = their certainty as it is.
        detector: finds speech; None takes everything for speech.
        stretches: how speech is divided.
        batch_seconds: seconds of audio that the network hears together.
        name: of the recogniser, for the files.
        num_alternatives: how many other transcriptions of an utterance are wanted, of a search with a language model.
        listening: told how many seconds of the recording have been read.
    """

    recognizer: Recognizer
    compute: Compute
    search: Search | None = None
    calibration: Calibration | None = None
    detector: SpeechDetector | None = None
    stretches: StretchSettings = field(default_factory=StretchSettings)
    batch_seconds: float = 0.0
    name: str = ""
    num_alternatives: int = 0
    listening: Callable[[float], None] | None = None

    @property
    def samples_per_frame(self) -> int:
        """Samples from one frame to the next."""
        return self.recognizer.model.backbone.config.samples_per_frame

    def frame_samples(self, start_samples: int, num_frames: int) -> npt.NDArray[np.int64]:
        """Return (num_frames,) the samples at which frames begin that were heard from `start_samples` on.

        A frame hears more samples than there are to the next one, and speaks of those in their middle.
        """
        hop = self.samples_per_frame
        margin = (self.recognizer.model.backbone.config.receptive_field_samples - hop) // 2
        return start_samples + margin + hop * np.arange(num_frames, dtype=np.int64)


@dataclass
class _Passage:
    """Pieces of speech without a pause between them: where each begins, its frames, and where the last one ends."""

    starts_samples: list[int]
    frames: list[LogProbs]
    end_samples: int

    @property
    def log_probs(self) -> LogProbs:
        """Return (T, V) its scores as a whole."""
        return np.concatenate(self.frames)


def transcribe_recording(listener: Listener, path: Path, *, channels: Sequence[int | None] = (None,)) -> Transcript:
    """Transcribe one recording.

    Args:
        listener: who listens.
        path: the recording, in any format that can be decoded.
        channels: each heard by itself; None is the mean of all. With several, each is a voice, "channel 1" and so on.

    Raises:
        AudioError: the recording cannot be decoded, or not to its end.
        OSError: it cannot be read.
    """
    utterances: list[SpokenUtterance] = []
    seconds = 0.0
    for channel in channels:
        voice = f"channel {channel + 1}" if len(channels) > 1 and channel is not None else ""
        counter = SampleCounter(listener.listening)
        heard = heard_stretches(listener, counter.count(open_recording(path, channel=channel).blocks))
        for passages in _together(_join(heard, listener), listener):
            for passage, hypotheses in zip(passages, _hypotheses(listener, passages), strict=True):
                utterances.extend(_decode(listener, passage, hypotheses, voice))
        seconds = max(seconds, counter.num_samples / SAMPLE_RATE)
    utterances.sort(key=lambda one: (one.start_seconds, one.voice))
    return Transcript(str(path), seconds, tuple(utterances), listener.name, listener.calibration is not None)


class SampleCounter:
    """Counts the samples of a recording on their way.

    Args:
        listening: told how many seconds they are so far.
    """

    def __init__(self, listening: Callable[[float], None] | None = None) -> None:
        self.num_samples = 0
        self._listening = listening

    def count(self, blocks: Iterator[np.ndarray]) -> Iterator[np.ndarray]:
        """Hand on blocks of samples and add up their lengths."""
        for block in blocks:
            self.num_samples += block.size
            if self._listening is not None:
                self._listening(self.num_samples / SAMPLE_RATE)
            yield block


def heard_stretches(listener: Listener, blocks: Iterator[np.ndarray]) -> Iterator[tuple[Stretch, LogProbs]]:
    """Yield each stretch with its scores, in order; stretches wait for each other where batches pay."""
    waiting: list[Stretch] = []
    waited = 0
    for stretch in find_stretches(blocks, listener.detector, listener.stretches):
        waiting.append(stretch)
        waited += stretch.samples.size
        if waited >= listener.batch_seconds * SAMPLE_RATE:
            yield from zip(waiting, _score(listener, waiting), strict=True)
            waiting, waited = [], 0
    yield from zip(waiting, _score(listener, waiting), strict=True)


def _score(listener: Listener, stretches: Sequence[Stretch]) -> list[LogProbs]:
    """Return (T, V) scores of the kept part of each stretch."""
    model, config = listener.recognizer.model, listener.recognizer.model.backbone.config
    scores: list[LogProbs] = [np.zeros((0, len(listener.recognizer.vocabulary)), dtype=np.float32) for _ in stretches]
    together = [n for n, one in enumerate(stretches) if one.samples.size >= config.receptive_field_samples]
    is_alone = listener.compute.hears_alone or not listener.batch_seconds
    groups = [[n] for n in together] if is_alone else [together]
    for group in groups:
        if not group:
            continue
        lengths = [stretches[n].samples.size for n in group]
        waveforms = torch.zeros(len(group), max(lengths))
        for row, n in enumerate(group):
            waveforms[row, : lengths[row]] = torch.from_numpy(stretches[n].samples)
        with torch.inference_mode(), listener.compute.autocast():
            output = model(waveforms.to(listener.compute.device), torch.tensor(lengths))
        found = output.log_probs.float().cpu().numpy()
        for row, n in enumerate(group):
            scores[n] = _keep(found[row, : int(output.num_frames[row])], stretches[n], listener)
    return scores


def _keep(scores: LogProbs, stretch: Stretch, listener: Listener) -> LogProbs:
    """Leave away the frames of the overlaps: those that begin before the kept part, and those from its end on."""
    hop = listener.samples_per_frame
    first = stretch.overlap_before_samples // hop
    if not stretch.overlap_after_samples:
        return scores[first:].copy()
    return scores[first : (stretch.samples.size - stretch.overlap_after_samples) // hop].copy()


def _join(heard: Iterator[tuple[Stretch, LogProbs]], listener: Listener) -> Iterator[_Passage]:
    """Put the pieces of a stretch that was cut in mid-speech together, frame by frame, so that no word is cut.

    Where the cut lies in a pause, the words on both sides are decoded by themselves: a recogniser puts its sign for the
    end of a word where it hears the next one begin, which neither piece does.
    """
    most_frames = _MOST_PASSAGE_SECONDS * SAMPLE_RATE // listener.samples_per_frame
    passage: _Passage | None = None
    for stretch, scores in heard:
        is_cut_in_speech = stretch.continues and stretch.overlap_before_samples > 0
        if passage is not None and not is_cut_in_speech:
            yield passage
            passage = None
        elif passage is not None and sum(map(len, passage.frames)) + len(scores) > most_frames:
            whole, passage = _part(passage, listener)
            yield whole
        if passage is None:
            passage = _Passage([], [], 0)
        passage.starts_samples.append(stretch.kept_start_samples)
        passage.frames.append(scores)
        passage.end_samples = stretch.kept_end_samples
    if passage is not None:
        yield passage


def _part(passage: _Passage, listener: Listener) -> tuple[_Passage, _Passage | None]:
    """Part a passage that goes on between two words near its end; None where no place for that was found."""
    *starts, start = passage.starts_samples
    *before, last = passage.frames
    ids = tuple(n for n, token in enumerate(listener.recognizer.vocabulary.tokens) if token.startswith(WORD_BOUNDARY))
    place = _best_break(last, ids, _BREAK_SECONDS * SAMPLE_RATE // listener.samples_per_frame)
    if place == len(last):
        return passage, None
    cut_samples = start + place * listener.samples_per_frame
    whole = _Passage([*starts, start], [*before, last[:place]], cut_samples)
    return whole, _Passage([cut_samples], [last[place:]], passage.end_samples)


def _best_break(scores: LogProbs, beginnings: Sequence[int], most_frames: int) -> int:
    """Return the frame before which to part frames so that no word is cut; their number where no place is better.

    Args:
        scores: (T, V). beginnings: labels that begin a word, or stand between two. most_frames: to look at, the last.
    """
    best = scores.argmax(axis=1)
    first = max(1, len(scores) - most_frames)
    frames = np.arange(first, len(scores))
    if len(between := frames[np.isin(best[first:], beginnings)]):
        place = int(between[scores[between].max(axis=1).argmax()])
        while place > 1 and best[place - 1] == best[place]:
            place -= 1  # the label is not heard twice
        return place
    silences = np.split(frames, np.flatnonzero(np.diff(best[first:] == BLANK_ID)) + 1)
    longest = max((run for run in silences if len(run) and best[run[0]] == BLANK_ID), key=len, default=None)
    return len(scores) if longest is None else int(longest[len(longest) // 2])


def _together(passages: Iterator[_Passage], listener: Listener) -> Iterator[list[_Passage]]:
    """Yield passages that are decoded together: several for a beam search, each by itself without one."""
    seconds = _SEARCHED_TOGETHER_SECONDS if listener.search is not None else 0
    waiting: list[_Passage] = []
    num_frames = 0
    for passage in passages:
        waiting.append(passage)
        num_frames += sum(map(len, passage.frames))
        if num_frames * listener.samples_per_frame >= seconds * SAMPLE_RATE:
            yield waiting
            waiting, num_frames = [], 0
    if waiting:
        yield waiting


def _decode(
    listener: Listener, passage: _Passage, heard: Sequence[Sequence[int]], voice: str
) -> Iterator[SpokenUtterance]:
    """Give the words that were heard in a passage; each piece of it becomes an utterance of those that begin in it.

    A word that goes on beyond its piece takes the utterance's end, and the beginning of the next one, along.
    """
    words = time_words(passage.log_probs, heard[0] if heard else (), listener.recognizer.vocabulary)
    # What may have been said instead is known of a passage as a whole: of one in pieces nobody could say where it goes.
    others = heard[1:] if len(passage.frames) == 1 else []
    alternatives = tuple(" ".join(listener.recognizer.vocabulary.decode(other).split()) for other in others)
    clock = FrameClock(_frame_samples(passage, listener), listener.samples_per_frame, passage.end_samples)
    firsts = np.cumsum([0, *(len(frames) for frames in passage.frames)])
    ends = [*passage.starts_samples[1:], passage.end_samples]
    reached = 0.0
    for piece, (start, end) in enumerate(zip(passage.starts_samples, ends, strict=True)):
        inside = tuple(
            _spoken(word, clock, listener) for word in words if firsts[piece] <= word.start_frame < firsts[piece + 1]
        )
        begins = max(start / SAMPLE_RATE, reached)
        reached = max([begins, end / SAMPLE_RATE, *(word.end_seconds for word in inside[-1:])])
        yield SpokenUtterance(begins, reached, inside, voice, alternatives)


def _frame_samples(passage: _Passage, listener: Listener) -> npt.NDArray[np.int64]:
    """Return (T,) the sample of the recording at which each frame begins, counted from each piece's own start.

    A piece may miss a last frame that was not whole.
    """
    pieces = zip(passage.starts_samples, passage.frames, strict=True)
    return np.concatenate([listener.frame_samples(start, len(frames)) for start, frames in pieces])


@dataclass(frozen=True)
class FrameClock:
    """Turns frames into seconds of the recording, never past an end.

    Attributes:
        frame_samples: (T,) the sample at which each frame begins. samples_per_frame: how long each is.
        end_samples: no time is later.
    """

    frame_samples: npt.NDArray[np.int64]
    samples_per_frame: int
    end_samples: int

    def start_seconds(self, frame: int) -> float:
        """When a frame begins; the end behind the last one."""
        if frame >= len(self.frame_samples):
            return self.end_samples / SAMPLE_RATE
        return min(int(self.frame_samples[frame]), self.end_samples) / SAMPLE_RATE

    def end_seconds(self, end_frame: int) -> float:
        """When the frame before `end_frame` ends: not when the next begins, which may be after a silence."""
        end = int(self.frame_samples[max(end_frame, 1) - 1]) + self.samples_per_frame
        return min(end, self.end_samples) / SAMPLE_RATE


def _spoken(word: HeardWord, clock: FrameClock, listener: Listener) -> SpokenWord:
    confidence = listener.calibration.confidence(word.certainty) if listener.calibration else word.certainty
    letters = tuple(
        SpokenLetter(letter.text, clock.start_seconds(letter.start_frame), clock.end_seconds(letter.end_frame))
        for letter in word.letters
    )
    return SpokenWord(
        word.text,
        clock.start_seconds(word.start_frame),
        clock.end_seconds(word.end_frame),
        round(confidence, 4),
        letters,
    )


def _hypotheses(listener: Listener, passages: Sequence[_Passage]) -> list[list[Sequence[int]]]:
    """Return the labels heard in each passage, and those that may have been said instead, the likeliest first."""
    scores = [passage.log_probs for passage in passages]
    if listener.search is None:
        return [[greedy_labels(log_probs)] for log_probs in scores]
    search, num_best = listener.search, 1 + listener.num_alternatives
    with _SEARCHING:
        found: list[list[BeamHypothesis]] = search.workers.decode(scores, search.settings, num_best=num_best)
    return [
        [hypothesis.token_ids for hypothesis in best] if len(log_probs) else []
        for best, log_probs in zip(found, scores, strict=True)
    ]
