"""A transcript as JSON, with everything that is known of it, and read back strictly."""

import json
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, TypeVar

from lowres.annotation.files import read_bytes
from lowres.annotation.transcript import SpokenLetter, SpokenUtterance, SpokenWord, Transcript
from lowres.errors import CorpusError

FORMAT_VERSION: Final = 1
_REMEDY: Final = "Take the file from a backup, or transcribe the recording again."

_Made = TypeVar("_Made")


def transcript_to_json(transcript: Transcript) -> str:
    """Return a transcript as JSON that `read_transcript_json` reads back; each utterance's text is there to be read.

    Raises:
        ValueError: a number that is not finite.
    """
    facts = {
        "format_version": FORMAT_VERSION,
        "recording": transcript.recording,
        "duration_seconds": float(transcript.duration_seconds),
        "made_by": transcript.made_by,
        "is_calibrated": transcript.is_calibrated,
    }
    # Utterance by utterance: as one document of lists and dictionaries, hours of letters would take hundreds of MB.
    parts = [_dump(facts)[:-2], ',\n "utterances": [']
    for number, utterance in enumerate(transcript.utterances):
        parts += [",\n  " if number else "\n  ", _dump(_describe(utterance)).replace("\n", "\n  ")]
    return "".join([*parts, "\n ]\n}\n" if transcript.utterances else "]\n}\n"])


def _dump(value: dict[str, object]) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, indent=1)


def _describe(utterance: SpokenUtterance) -> dict[str, object]:
    return {
        **_times(utterance),
        "voice": utterance.voice,
        "text": utterance.text,
        "alternatives": list(utterance.alternatives),
        "words": [
            {
                "text": word.text,
                **_times(word),
                "confidence": None if word.confidence is None else float(word.confidence),
                "letters": [{"text": letter.text, **_times(letter)} for letter in word.letters],
            }
            for word in utterance.words
        ],
    }


def read_transcript_json(path: Path) -> Transcript:
    """Read a transcript that lowres wrote as JSON.

    Raises:
        CorpusError: no file, not JSON, another version, or anything missing, unknown, doubled or impossible (a time
            that is none, an end before its start, a confidence outside 0-1, a text that is not its words'), with the
            place in the file.
    """
    try:
        document = json.loads(
            read_bytes(path).decode("utf-8-sig"), object_pairs_hook=_refuse_twice, parse_constant=_refuse_constant
        )
    except json.JSONDecodeError as error:
        raise CorpusError(f"{path} is not JSON, or cut off: line {error.lineno}: {error.msg}.", _REMEDY) from error
    except (ValueError, RecursionError) as error:
        raise CorpusError(f"{path} cannot be read as JSON: {error}.", _REMEDY) from error
    version = document.get("format_version") if isinstance(document, dict) else None
    if type(version) is int and version > FORMAT_VERSION:
        raise CorpusError(
            f"{path} is a transcript of version {version}, and this lowres knows version {FORMAT_VERSION}.",
            "Install a newer lowres.",
        )
    if type(version) is not int or version != FORMAT_VERSION:
        raise CorpusError(f"{path} is not a transcript: it has no format_version {FORMAT_VERSION}.", _REMEDY)
    fields = _Fields(document, path, "")
    fields.take("format_version")
    transcript = Transcript(
        fields.text("recording"),
        fields.number("duration_seconds"),
        fields.each("utterances", _read_utterance),
        fields.text("made_by"),
        fields.claim("is_calibrated"),
    )
    fields.finish()
    return transcript


def _times(spoken: SpokenUtterance | SpokenWord | SpokenLetter) -> dict[str, float]:
    return {"start_seconds": float(spoken.start_seconds), "end_seconds": float(spoken.end_seconds)}


def _refuse_twice(pairs: Sequence[tuple[str, object]]) -> dict[str, object]:
    found: dict[str, object] = {}
    for key, value in pairs:
        if key in found:
            raise ValueError(f"{key[:40]!r} is there twice")
        found[key] = value
    return found


def _refuse_constant(name: str) -> object:
    raise ValueError(f"{name} is not a number")


def _read_utterance(fields: "_Fields") -> SpokenUtterance:
    start, end = fields.span()
    words, voice = fields.each("words", _read_word), fields.text("voice")
    utterance = SpokenUtterance(start, end, words, voice, fields.texts("alternatives"))
    if fields.text("text") != utterance.text:
        raise fields.refuse("text", "is not what its words say", "Change the words, from which the text is made.")
    return utterance


def _read_word(fields: "_Fields") -> SpokenWord:
    text, (start, end) = fields.text("text"), fields.span()
    return SpokenWord(text, start, end, fields.share("confidence"), fields.each("letters", _read_letter))


def _read_letter(fields: "_Fields") -> SpokenLetter:
    return SpokenLetter(fields.text("text"), *fields.span())


class _Fields:
    """An object of the file whose fields are taken one by one; what is left over is refused."""

    def __init__(self, value: object, path: Path, place: str) -> None:
        self._path, self._place = path, place
        if not isinstance(value, dict):
            raise self.refuse("", "is not an object")
        self._left = dict(value)

    def refuse(self, key: str, what: str, remedy: str = _REMEDY) -> CorpusError:
        """Return the error that says what is wrong with a field."""
        place = ".".join(filter(None, (self._place, key))) or "it"
        return CorpusError(f"{self._path}: {place} {what}.", remedy)

    def take(self, key: str) -> object:
        """Return a field and count it as read."""
        if key not in self._left:
            raise self.refuse(key, "is missing")
        return self._left.pop(key)

    def text(self, key: str) -> str:
        """Return a field that is text."""
        value = self.take(key)
        if not isinstance(value, str):
            raise self.refuse(key, "is not a text")
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        """Return a field that is a list of texts."""
        value = self.take(key)
        if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
            raise self.refuse(key, "is not a list of texts")
        return tuple(value)

    def claim(self, key: str) -> bool:
        """Return a field that is true or false."""
        value = self.take(key)
        if not isinstance(value, bool):
            raise self.refuse(key, "is neither true nor false")
        return value

    def number(self, key: str) -> float:
        """Return a field that is a number of seconds."""
        value = self.take(key)
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < math.inf:
            raise self.refuse(key, f"is {str(value)[:40]!r}, which is no time")
        try:
            return float(value)
        except OverflowError:
            raise self.refuse(key, "is a number that is too large for a time") from None

    def span(self) -> tuple[float, float]:
        """Return the two fields of the times."""
        start, end = self.number("start_seconds"), self.number("end_seconds")
        if end < start:
            raise self.refuse("end_seconds", f"is {end:g}, before the start at {start:g}")
        return start, end

    def share(self, key: str) -> float | None:
        """Return a field that is 0-1, or null."""
        value = self.take(key)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
            raise self.refuse(key, f"is {str(value)[:40]!r}, not a number from 0 to 1")
        return float(value)

    def each(self, key: str, read: Callable[["_Fields"], _Made]) -> tuple[_Made, ...]:
        """Return a field that is a list of objects, each as `read` makes it."""
        value = self.take(key)
        if not isinstance(value, list):
            raise self.refuse(key, "is not a list")
        place = ".".join(filter(None, (self._place, key)))
        made = []
        for number, one in enumerate(value):
            fields = _Fields(one, self._path, f"{place}[{number}]")
            made.append(read(fields))
            fields.finish()
        return tuple(made)

    def finish(self) -> None:
        """Refuse what nobody asked for."""
        if self._left:
            raise self.refuse(str(next(iter(self._left)))[:40], "is unknown")
