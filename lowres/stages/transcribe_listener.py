"""Listens to recordings of any length: speech is found, heard in stretches, joined frame by frame, and decoded.

What is heard in a recording does not depend on the recordings beside it, on the size of batches or on the number of
processes: stretches are found in the recording alone, and each is heard by itself unless a GPU is used.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch

from lowres.annotation.transcript import SpokenLetter, SpokenUtterance, SpokenWord, Transcript
from lowres.audio.constants import SAMPLE_RATE
from lowres.audio.decode import open_recording
from lowres.audio.stretch_plan import StretchSettings
from lowres.audio.stretches import Stretch, find_stretches
from lowres.audio.voice_activity import SpeechDetector
from lowres.backbones.native import Recognizer
from lowres.decoding.beam_search import BeamHypothesis, LogProbs
from lowres.decoding.calibration import Calibration
from lowres.decoding.greedy import greedy_decode
from lowres.decoding.word_times import HeardWord, time_words
from lowres.stages.listening import Search
from lowres.training.precision import Compute

_MOST_PIECES = 4
"""Pieces of speech without a pause that are decoded as one: two minutes; what is longer is music or a crowd."""


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
    """

    recognizer: Recognizer
    compute: Compute
    search: Search | None = None
    calibration: Calibration | None = None
    detector: SpeechDetector | None = None
    stretches: StretchSettings = field(default_factory=StretchSettings)
    batch_seconds: float = 0.0
    name: str = ""

    @property
    def samples_per_frame(self) -> int:
        """Samples from one frame to the next."""
        return self.recognizer.model.backbone.config.samples_per_frame


@dataclass
class _Passage:
    """Pieces of speech that follow each other without a gap: where each begins, its frames, and when they end."""

    starts_samples: list[int]
    frames: list[LogProbs]
    end_samples: int


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
        counter = _Counter()
        for passage in _join(_heard(listener, counter.count(open_recording(path, channel=channel).blocks))):
            utterances.extend(_decode(listener, passage, voice))
        seconds = max(seconds, counter.num_samples / SAMPLE_RATE)
    utterances.sort(key=lambda one: (one.start_seconds, one.voice))
    return Transcript(str(path), seconds, tuple(utterances), listener.name, listener.calibration is not None)


class _Counter:
    """Counts the samples of a recording on their way."""

    def __init__(self) -> None:
        self.num_samples = 0

    def count(self, blocks: Iterator[np.ndarray]) -> Iterator[np.ndarray]:
        for block in blocks:
            self.num_samples += block.size
            yield block


def _heard(listener: Listener, blocks: Iterator[np.ndarray]) -> Iterator[tuple[Stretch, LogProbs]]:
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
    groups = [together] if listener.batch_seconds else [[n] for n in together]
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


def _join(heard: Iterator[tuple[Stretch, LogProbs]]) -> Iterator[_Passage]:
    """Put pieces together that follow each other without a gap, frame by frame, so that no word is cut."""
    passage: _Passage | None = None
    for stretch, scores in heard:
        if passage is not None and (not stretch.continues or len(passage.frames) == _MOST_PIECES):
            yield passage
            passage = None
        if passage is None:
            passage = _Passage([], [], 0)
        passage.starts_samples.append(stretch.kept_start_samples)
        passage.frames.append(scores)
        passage.end_samples = stretch.kept_end_samples
    if passage is not None:
        yield passage


def _decode(listener: Listener, passage: _Passage, voice: str) -> Iterator[SpokenUtterance]:
    """Decode a passage as a whole; each piece of it becomes an utterance of the words that begin in it."""
    log_probs = np.concatenate(passage.frames)
    vocabulary = listener.recognizer.vocabulary
    words = time_words(log_probs, _token_ids(listener, log_probs), vocabulary)
    # Frames of a piece are counted from its own start: a last one that was not whole leaves no gap behind it.
    firsts = np.cumsum([0, *(len(frames) for frames in passage.frames)])
    for piece, start in enumerate(passage.starts_samples):
        is_last = piece + 1 == len(passage.starts_samples)
        end = passage.end_samples if is_last else passage.starts_samples[piece + 1]
        inside = [word for word in words if firsts[piece] <= word.start_frame < firsts[piece + 1]]
        clock = _Clock(start, int(firsts[piece]), listener.samples_per_frame, passage.end_samples)
        yield SpokenUtterance(
            start / SAMPLE_RATE, end / SAMPLE_RATE, tuple(_spoken(word, clock, listener) for word in inside), voice
        )


@dataclass(frozen=True)
class _Clock:
    """Turns frames of a passage into seconds of the recording, never past the passage's end."""

    start_samples: int
    first_frame: int
    samples_per_frame: int
    end_samples: int

    def seconds(self, frame: int) -> float:
        samples = self.start_samples + (frame - self.first_frame) * self.samples_per_frame
        return min(samples, self.end_samples) / SAMPLE_RATE


def _spoken(word: HeardWord, clock: _Clock, listener: Listener) -> SpokenWord:
    confidence = listener.calibration.confidence(word.certainty) if listener.calibration else word.certainty
    letters = tuple(
        SpokenLetter(letter.text, clock.seconds(letter.start_frame), clock.seconds(letter.end_frame))
        for letter in word.letters
    )
    return SpokenWord(
        word.text, clock.seconds(word.start_frame), clock.seconds(word.end_frame), round(confidence, 4), letters
    )


def _token_ids(listener: Listener, log_probs: LogProbs) -> Sequence[int]:
    if listener.search is not None:
        hypothesis: BeamHypothesis = listener.search.workers.decode([log_probs], listener.search.settings)[0][0]
        return hypothesis.token_ids
    return greedy_decode(torch.from_numpy(log_probs)[None], torch.tensor([len(log_probs)]))[0].token_ids
