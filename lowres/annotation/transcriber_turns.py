"""Turns of a Transcriber file, element by element: who speaks when, and what."""

import re
from pathlib import Path

from lowres.annotation.tiers import Annotation
from lowres.annotation.times import LeftOut, possible
from lowres.errors import CorpusError

_NUMBER = re.compile(r" *+[+\-]?(?:(?:[0-9]++(?:\.[0-9]*+)?+|\.[0-9]++)(?:e[+\-]?[0-9]++)?+|inf|nan) *+", re.IGNORECASE)
_SPACES = re.compile(r"[ \t\r\n]+")


class TurnReader:
    """Takes the elements of a file in their order and keeps the annotations of each speaker.

    Attributes:
        is_transcript: whether the first element was <Trans>.
        names: the speakers' names by their ids.
        annotations: by speaker id, "" being nobody in particular.
        audio, language: as <Trans> has them, or "".
    """

    def __init__(self, path: Path) -> None:
        self.is_transcript = False
        self.names: dict[str, str] = {}
        self.annotations: dict[str, list[Annotation]] = {}
        self.audio = self.language = ""
        self._path = path
        self._line = 0
        self._first = True
        self._in_turn = False
        self._speakers: list[str] = []
        self._speaker = ""
        self._start = self._end = 0.0
        self._said: dict[str, list[str]] = {}
        self._left_out = LeftOut()
        self._passed_over: dict[str, int] = {}
        self._unassigned = 0
        self._named = False

    def start(self, name: str, attributes: dict[str, str], line: int) -> None:
        """Take the start of an element.

        Raises:
            CorpusError: a time or the number of a speaker that is missing or cannot be.
        """
        self._line = line
        if self._first:
            self._first, self.is_transcript = False, name == "Trans"
            self.audio = attributes.get("audio_filename", "")
            self.language = attributes.get("xml:lang", "")
        elif name == "Speaker":
            self.names[attributes.get("id", "")] = _spaced(attributes.get("name", "")) or attributes.get("id", "")
        elif name == "Turn":
            self._begin_turn(attributes)
        elif self._in_turn and name == "Sync":
            moment = self._seconds(attributes, name, "time")
            self._finish_stretch(moment)
            self._start, self._speaker = moment, self._speakers[0]
        elif self._in_turn and name == "Who":
            self._change_speaker(attributes.get("nb", ""))
        elif self._in_turn:
            self._passed_over[name] = self._passed_over.get(name, 0) + 1
            # What stood before and after a noise are two words, not one.
            self.text(" ")

    def end(self, name: str) -> None:
        """Take the end of an element."""
        if name == "Turn" and self._in_turn:
            self._finish_stretch(self._end)
            self._in_turn = False

    def text(self, text: str) -> None:
        """Take text; outside of turns it has no meaning."""
        if self._in_turn:
            self._said.setdefault(self._speaker, []).append(text)

    def notes(self) -> tuple[str, ...]:
        """Return the sentences on what was left out, passed over or guessed."""
        notes = self._left_out.notes()
        if self._passed_over:
            counted = ", ".join(f"{count} {name[:40]}" for name, count in sorted(self._passed_over.items())[:8])
            notes += (f"Marks that are not speech were passed over: {counted}.",)
        if self._unassigned:
            notes += (f"Words of nobody in turns of several speakers were given to the first: {self._unassigned}.",)
        return notes

    def _begin_turn(self, attributes: dict[str, str]) -> None:
        self._in_turn = True
        self._speakers = attributes.get("speaker", "").split() or [""]
        self._speaker = self._speakers[0]
        self._start = self._seconds(attributes, "Turn", "startTime")
        self._end = self._seconds(attributes, "Turn", "endTime")
        self._said = {}
        self._named = False

    def _change_speaker(self, number: str) -> None:
        place = int(number) if re.fullmatch(r"[0-9]{1,6}", number) else 0
        if not 1 <= place <= len(self._speakers):
            raise CorpusError(
                f"{self._path}: line {self._line} has words of speaker {number[:20]!r} in a turn "
                f"of {len(self._speakers)}.",
                "Correct nb= there, or speaker= of the turn.",
            )
        self._note_unassigned()
        self._named = True
        self._speaker = self._speakers[place - 1]
        self.text(" ")

    def _note_unassigned(self) -> None:
        if len(self._speakers) > 1 and not self._named and any(map(_spaced, self._said.get(self._speaker, []))):
            self._unassigned += 1

    def _finish_stretch(self, end: float) -> None:
        self._note_unassigned()
        for speaker, pieces in self._said.items():
            text = _spaced("".join(pieces))
            if not text:
                continue
            if possible(self._start, end):
                self.annotations.setdefault(speaker, []).append(Annotation(self._start, end, text))
            else:
                self._left_out.add(self._start, end, f"line {self._line}")
        self._said, self._named = {}, False

    def _seconds(self, attributes: dict[str, str], element: str, name: str) -> float:
        value = attributes.get(name, "")
        if not _NUMBER.fullmatch(value):
            raise CorpusError(
                f"{self._path}: line {self._line} has a <{element}> whose {name} is {value[:40]!r}.",
                "Write the time in seconds, such as 12.5.",
            )
        return float(value)


def _spaced(text: str) -> str:
    # Not str.split(): French typography has no-break spaces, which are part of the text.
    return _SPACES.sub(" ", text).strip(" ")
