"""Speak sentences with eSpeak NG, in many voices, into wav files: speech for machines that have no corpus.

eSpeak NG comes as a shared library in the wheel `espeakng-loader` (extra `demo`; GPL-3.0, so never part of the core
install). It is C code with one global state, so it runs in processes of its own: if it dies, a sentence says so.
"""

import ctypes
import functools
import importlib.util
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import soundfile

from lowres.errors import AudioError, how_to_install

# From eSpeak NG's speak_lib.h.
_AUDIO_OUTPUT_SYNCHRONOUS = 2
_POSITION_CHARACTER = 1
_CHARACTERS_UTF8 = 1
_RATE, _VOLUME, _PITCH, _RANGE = 1, 2, 3, 4
_LONGEST_DATA_PATH = 150  # eSpeak NG cuts longer ones off at 160 characters, without a word

MISSING_HINT = how_to_install("demo")


@dataclass(frozen=True)
class Voice:
    """One synthetic speaker."""

    name: str
    """How the corpus calls the speaker."""
    variant: str
    """One of eSpeak NG's voice variants: formants, voicing and breath, e.g. `f2`, `klatt4`."""
    pitch: int = 50
    """0 (low) to 99 (high)."""
    pitch_range: int = 50
    """0 (monotone) to 99 (lively)."""
    words_per_minute: int = 160
    """80 to 450."""


@dataclass(frozen=True)
class SpokenSentence:
    """One sentence to be spoken into one file."""

    text: str
    voice: Voice
    audio_path: Path
    """The wav file to write: mono, 16 bit, at eSpeak NG's 22.05 kHz."""


def espeak_is_installed() -> bool:
    """Say whether the wheel that carries eSpeak NG is there; does not load it."""
    return importlib.util.find_spec("espeakng_loader") is not None


def synthesize(
    language: str,
    sentences: Sequence[SpokenSentence],
    *,
    num_workers: int = 1,
    progress: Callable[[int], None] | None = None,
) -> float:
    """Speak sentences into wav files, in worker processes.

    Args:
        language: eSpeak NG's name of the language, e.g. `sw`.
        sentences: what is spoken by whom into which file; folders are made as needed.
        num_workers: how many processes speak at once.
        progress: called with the number of sentences just finished.

    Returns:
        The seconds of speech that were written.

    Raises:
        AudioError: eSpeak NG is not installed, lacks the language or a voice, or died.
    """
    if not espeak_is_installed():
        raise AudioError("eSpeak NG, which speaks the demo's sentences, is not installed.", MISSING_HINT)
    for folder in {sentence.audio_path.parent for sentence in sentences}:
        folder.mkdir(parents=True, exist_ok=True)
    parts = [sentences[start : start + 40] for start in range(0, len(sentences), 40)]
    total_seconds = 0.0
    try:
        with ProcessPoolExecutor(num_workers, mp_context=get_context("spawn")) as pool:
            speak = functools.partial(_speak_part, language)
            for part, seconds in zip(parts, pool.map(speak, parts), strict=True):
                total_seconds += seconds
                if progress is not None:
                    progress(len(part))
    except BrokenProcessPool as broken:
        raise AudioError("eSpeak NG died while it spoke the demo's sentences.", MISSING_HINT) from broken
    return total_seconds


def _speak_part(language: str, sentences: Sequence[SpokenSentence]) -> float:
    speaker = _speaker()
    return sum(speaker.speak(language, sentence) for sentence in sentences)


class _Espeak:
    """The library, initialised once in a worker process."""

    def __init__(self) -> None:
        import espeakng_loader

        self._library = ctypes.CDLL(espeakng_loader.get_library_path())
        data_path = Path(espeakng_loader.get_data_path())
        if len(str(data_path)) > _LONGEST_DATA_PATH:
            shorter = Path(tempfile.mkdtemp(prefix="espeak-")) / "espeak-ng-data"
            shorter.symlink_to(data_path, target_is_directory=True)
            data_path = shorter
        self.sample_rate = self._library.espeak_Initialize(
            _AUDIO_OUTPUT_SYNCHRONOUS, 0, str(data_path.parent).encode(), 0
        )
        if self.sample_rate <= 0:
            raise AudioError(f"eSpeak NG cannot read its data at {data_path}.", MISSING_HINT)
        self._samples: list[np.ndarray] = []
        callback_type = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)
        self._callback = callback_type(self._take_samples)  # kept, or it is collected while C still calls it
        self._library.espeak_SetSynthCallback(self._callback)

    def _take_samples(self, samples: "ctypes._Pointer[ctypes.c_short]", num_samples: int, _events: int | None) -> int:
        if samples and num_samples > 0:
            self._samples.append(np.ctypeslib.as_array(samples, shape=(num_samples,)).copy())
        return 0

    def speak(self, language: str, sentence: SpokenSentence) -> float:
        """Write one wav file and return its length in seconds."""
        voice = sentence.voice
        name = f"{language}+{voice.variant}"
        if self._library.espeak_SetVoiceByName(name.encode()) != 0:
            raise AudioError(f"eSpeak NG has no voice {name!r}.", "Reinstall the wheel espeakng-loader.")
        settings = {_RATE: voice.words_per_minute, _VOLUME: 100, _PITCH: voice.pitch, _RANGE: voice.pitch_range}
        for parameter, value in settings.items():
            self._library.espeak_SetParameter(parameter, value, 0)
        self._samples = []
        text = sentence.text.encode() + b"\0"
        status = self._library.espeak_Synth(
            text, ctypes.c_size_t(len(text)), 0, _POSITION_CHARACTER, 0, _CHARACTERS_UTF8, None, None
        )
        if status != 0 or not self._samples:
            raise AudioError(f"eSpeak NG did not speak {sentence.text!r} with the voice {name!r}.")
        samples = np.concatenate(self._samples)
        soundfile.write(sentence.audio_path, samples, self.sample_rate, subtype="PCM_16")
        return float(len(samples) / self.sample_rate)


@functools.cache
def _speaker() -> _Espeak:
    return _Espeak()
