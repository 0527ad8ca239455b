"""Transcripts in a few words."""

from lowres.annotation.transcript import SpokenLetter, SpokenUtterance, SpokenWord, Transcript


def word(text: str, start: float, end: float, confidence: float | None = None) -> SpokenWord:
    """Return a word whose letters share its time equally."""
    step = (end - start) / max(1, len(text))
    letters = (SpokenLetter(letter, start + k * step, start + (k + 1) * step) for k, letter in enumerate(text))
    return SpokenWord(text, start, end, confidence, tuple(letters))


def utterance(text: str, start: float, end: float, voice: str = "", confidence: float | None = 0.9) -> SpokenUtterance:
    """Return an utterance whose words share its time equally, without pauses."""
    texts = text.split()
    step = (end - start) / max(1, len(texts))
    words = (word(one, start + k * step, start + (k + 1) * step, confidence) for k, one in enumerate(texts))
    return SpokenUtterance(start, end, tuple(words), voice)


def transcript(*utterances: SpokenUtterance, seconds: float = 60.0, recording: str = "/rec/a.wav") -> Transcript:
    """Return what was heard in a recording of a minute."""
    return Transcript(recording, seconds, utterances, "mboshi-1h", True)
