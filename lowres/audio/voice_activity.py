"""Where in a recording there is speech: detectors that are fed a recording block by block and remember little of it.

Two of them: one by loudness, built in; and silero-vad's network (Silero Team, https://github.com/snakers4/silero-vad,
MIT licence), where that package is installed. Not in the paper.
"""

import importlib.util
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, Protocol

import numpy as np
import numpy.typing as npt

from lowres.audio.constants import SAMPLE_RATE
from lowres.errors import LowresError, how_to_install

FloatArray = npt.NDArray[np.float32]
DetectorName = Literal["auto", "energy", "silero"]

HOP_SAMPLES: Final = 512
"""32 ms: every detector gives one probability for each of these; silero's network was trained on this length."""

_GROUP_HOPS: Final = 32
"""Hops are worked on in groups counted from the recording's start (about 1 s), so that results do not depend on how
the blocks are cut: not even by a rounding error of a sum over more or fewer rows."""


class SpeechDetector(Protocol):
    """What hears whether there is speech.

    Every hop of `HOP_SAMPLES` gets exactly one probability, in order, however the recording is cut into blocks; they
    may come late (the silent first second of a recording is judged by what follows it), but by `finish` at the latest.
    """

    def reset(self) -> None:
        """Forget everything: what is fed next is the start of another recording."""

    def feed(self, block: FloatArray) -> FloatArray:
        """Take the next (S,) samples, 16 kHz mono float32, any S; return (H,) probabilities of speech, H may be 0."""

    def finish(self) -> FloatArray:
        """Return the (H,) probabilities still owed, the last one for what is left of a hop, and reset."""


@dataclass(frozen=True)
class FoundDetector:
    """A detector, and where it is not the one that serves best a sentence about that ("" otherwise)."""

    detector: SpeechDetector
    note: str = ""


def find_detector(name: DetectorName = "auto") -> FoundDetector:
    """Return a detector by name.

    Args:
        name: "silero", "energy", or "auto" for silero where it is installed and energy elsewhere.

    Raises:
        LowresError: "silero" is asked for and cannot be used here.
    """
    if name == "energy":
        return FoundDetector(EnergyDetector())
    try:
        return FoundDetector(SileroDetector())
    except LowresError as error:
        if name == "silero":
            raise
        return FoundDetector(
            EnergyDetector(), f"Speech is told from silence by loudness alone: {error.message} {error.hint}"
        )


class _Hops:
    """Collects blocks of any length into groups of whole hops."""

    def __init__(self) -> None:
        self._waiting: list[FloatArray] = []
        self._num_waiting = 0

    def add(self, block: FloatArray) -> Iterator[FloatArray]:
        """Yield every group that became full: (_GROUP_HOPS, HOP_SAMPLES)."""
        if block.ndim != 1:
            raise ValueError(f"a block has one axis, samples; this one has the shape {block.shape}")
        self._waiting.append(block)
        self._num_waiting += block.size
        group_samples = _GROUP_HOPS * HOP_SAMPLES
        if self._num_waiting < group_samples:
            return
        samples = np.concatenate(self._waiting, dtype=np.float32)
        num_whole = samples.size // group_samples * group_samples
        # A copy: a view of the rest would keep the whole block in memory.
        self._waiting = [samples[num_whole:].copy()]
        self._num_waiting -= num_whole
        yield from samples[:num_whole].reshape(-1, _GROUP_HOPS, HOP_SAMPLES)

    def rest(self, fill: Literal["constant", "edge"]) -> FloatArray:
        """Return the last group, (H, HOP_SAMPLES), H from 0 to _GROUP_HOPS.

        Its last hop is filled up with zeros ("constant") or with its last sample ("edge").
        """
        samples = np.concatenate([*self._waiting, np.zeros(0, np.float32)], dtype=np.float32)
        self._waiting, self._num_waiting = [], 0
        return np.pad(samples, (0, -samples.size % HOP_SAMPLES), mode=fill).reshape(-1, HOP_SAMPLES)


# Where speech has its power, and telephones and small microphones still hear it. Mains hum with its first harmonics, an
# offset of the recorder and the rumble of wind lie below.
_LOWEST_HZ, _HIGHEST_HZ = 250, 3800
_BAND = slice(_LOWEST_HZ * HOP_SAMPLES // SAMPLE_RATE, _HIGHEST_HZ * HOP_SAMPLES // SAMPLE_RATE + 1)
# Periodic, so that an offset stays within the two lowest frequencies.
_WINDOW = np.hanning(HOP_SAMPLES + 1)[:-1].astype(np.float32)
_SILENCE_DBFS = -90.0
"""Below what 16 bits can hold of speech: nothing is counted as quieter, so that rounding noise is no speech."""
_GROUPS_BEHIND, _GROUPS_AHEAD = 15, 14
"""What is background is judged by about 30 s, half of them ahead: a recording may begin in the middle of a word."""
_FLOOR_PERCENTILE, _TOP_PERCENTILE = 15, 95
"""Of the loudnesses in those 30 s. Even people who never stop talking are silent for a sixth of the time."""
_LEAST_MARGIN_DB, _MOST_MARGIN_DB, _MARGIN_SHARE = 6.0, 12.0, 0.3
"""Speech is this much above the background: a share of the way from it to the loudest, within bounds, for the quiet
parts of a good recording hold breath and echo, and a second speaker may be far from the microphone. Tried on five
corpora with known pauses: a larger percentile or margin loses speech, a smaller one takes noise for it."""
_STEEPNESS = 2.5
"""Probability by loudness: 0.5 at the margin, 0.35 at three quarters of it, where speech that began ends."""


class EnergyDetector:
    """Speech is what is louder than the background, in the band of telephones, over about 30 s around it.

    Built in, needs nothing but numpy. Steady noise, hum and hiss are background; music and slamming doors may count as
    speech. Answers come about 15 s late; it remembers 30 s of loudness and 1 s of sound. Where an editor or a noise
    gate left digital silence, everything else counts as speech: what is lost here is lost for good.
    """

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget everything."""
        self._hops = _Hops()
        self._levels: deque[FloatArray] = deque(maxlen=_GROUPS_BEHIND + 1 + _GROUPS_AHEAD)
        self._num_undecided = 0

    def feed(self, block: FloatArray) -> FloatArray:
        """Take the next samples; see `SpeechDetector`."""
        answers = [np.zeros(0, np.float32)]
        for group in self._hops.add(block):
            self._levels.append(_levels(group))
            self._num_undecided += 1
            if self._num_undecided > _GROUPS_AHEAD:
                answers.append(self._judge())
        return np.concatenate(answers)

    def finish(self) -> FloatArray:
        """Return what is still owed; see `SpeechDetector`."""
        rest = self._hops.rest("edge")  # zeros after a recorder's offset would be a crack
        if len(rest):
            self._levels.append(_levels(rest))
            self._num_undecided += 1
        answers = [np.zeros(0, np.float32)]
        while self._num_undecided:
            if self._num_undecided + _GROUPS_BEHIND < len(self._levels):
                self._levels.popleft()
            answers.append(self._judge())
        self.reset()
        return np.concatenate(answers)

    def _judge(self) -> FloatArray:
        """Return the probabilities of the first group that has none yet."""
        levels = self._levels[-self._num_undecided]
        self._num_undecided -= 1
        around = np.concatenate(self._levels)
        # One quiet hop between two loud ones is no background.
        calm = np.convolve(around, np.full(3, 1 / 3), mode="valid") if around.size >= 3 else around
        floor, top = np.percentile(calm, (_FLOOR_PERCENTILE, _TOP_PERCENTILE))
        margin = np.clip(_MARGIN_SHARE * (top - floor), _LEAST_MARGIN_DB, _MOST_MARGIN_DB)
        above = (levels - floor) / margin
        probabilities: FloatArray = (1 / (1 + np.exp(-_STEEPNESS * (above - 1)))).astype(np.float32)
        return probabilities


def _levels(hops: FloatArray) -> FloatArray:
    """Return the (H,) loudness of (H, HOP_SAMPLES) hops within the band of speech, in dB below full scale."""
    spectra = np.fft.rfft(hops * _WINDOW, axis=1)[:, _BAND]
    power = 2 * (spectra.real**2 + spectra.imag**2).sum(axis=1) / (HOP_SAMPLES * np.sum(_WINDOW**2))
    levels: FloatArray = 10 * np.log10(np.maximum(power, 10 ** (_SILENCE_DBFS / 10))).astype(np.float32)
    return levels


_MODEL = Path("data") / "silero_vad_16k_sequence.onnx"
"""silero's network in the form that takes many hops in one call; its probabilities are those of the one-hop form."""
_CONTEXT_SAMPLES = 64
"""The network hears the end of the hop before along with every hop."""
_STATE_SHAPE = (1, 1, 128)
_REMEDY: Final = how_to_install("vad")
_REMEDY_DAMAGED: Final = "Run `pip install --force-reinstall --no-deps silero-vad onnxruntime`."


class SileroDetector:
    """silero-vad's network, run by onnxruntime on one core. The package itself is not imported: it would load torch.

    Raises:
        LowresError: silero-vad or onnxruntime is not installed, or silero-vad is older than 6.2.3, or cannot be loaded.
    """

    def __init__(self) -> None:
        self._session = _open_session(_find_model())
        self.reset()

    def reset(self) -> None:
        """Forget everything."""
        self._hops = _Hops()
        self._context = np.zeros(_CONTEXT_SAMPLES, np.float32)
        self._hidden = self._cell = np.zeros(_STATE_SHAPE, np.float32)

    def feed(self, block: FloatArray) -> FloatArray:
        """Take the next samples; see `SpeechDetector`."""
        answers = [self._run(group) for group in self._hops.add(block)]
        return np.concatenate([np.zeros(0, np.float32), *answers])

    def finish(self) -> FloatArray:
        """Return what is still owed; see `SpeechDetector`."""
        rest = self._hops.rest("constant")
        answers = self._run(rest) if len(rest) else np.zeros(0, np.float32)
        self.reset()
        return answers

    def _run(self, hops: FloatArray) -> FloatArray:
        contexts = np.concatenate([self._context[None], hops[:-1, -_CONTEXT_SAMPLES:]])
        self._context = hops[-1, -_CONTEXT_SAMPLES:].copy()
        inputs = {"input": np.concatenate([contexts, hops], axis=1), "h": self._hidden, "c": self._cell}
        probabilities, self._hidden, self._cell = self._session.run(["speech_probs", "hn", "cn"], inputs)
        answers: FloatArray = probabilities.reshape(-1)
        return answers


def _find_model() -> Path:
    package = importlib.util.find_spec("silero_vad")  # looks for it without running it
    if package is None or not package.submodule_search_locations:
        raise LowresError("silero-vad is not installed.", _REMEDY)
    for folder in package.submodule_search_locations:
        if (Path(folder) / _MODEL).is_file():
            return Path(folder) / _MODEL
    raise LowresError("The installed silero-vad is older than 6.2.3.", _REMEDY)


def _open_session(model: Path) -> Any:
    try:
        import onnxruntime  # optional, and slow to import
    except ImportError as error:
        raise LowresError("silero-vad needs onnxruntime, which is not installed.", _REMEDY) from error
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3  # the network's unused weights are no concern of the user
    try:
        return onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's own exceptions have no common class but this
        reason = str(error).splitlines()[0]
        raise LowresError(f"silero-vad's network {model} cannot be loaded: {reason}", _REMEDY_DAMAGED) from error
