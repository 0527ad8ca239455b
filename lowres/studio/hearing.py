"""The process that transcribes one recording for the studio: a recording that crashes it crashes nothing else."""

import multiprocessing
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Final, Literal

from lowres.annotation.transcript_writing import TranscriptFormat
from lowres.audio.parts import leave_interrupts_to_parent
from lowres.audio.voice_activity import DetectorName
from lowres.errors import LowresError
from lowres.stages.transcribe import TranscribeOptions, transcribe
from lowres.stages.transcribe_work import ListenerSpec

FORMATS: Final[tuple[TranscriptFormat, ...]] = ("elan", "textgrid", "srt", "json", "text")
_SECONDS_BETWEEN_REPORTS: Final = 1.0

Message = tuple[Literal["heard"], float] | tuple[Literal["done"], str] | tuple[Literal["failed"], str]
"""Seconds of the recording so far; or, at the end, the run that heard it, or a sentence."""


class Hearing:
    """A transcription under way in a process of its own.

    Args:
        project: the project folder. recording: to be heard; what is written goes into its folder.
        detector: what finds speech; None = everything is speech.
    """

    def __init__(self, project: Path, recording: Path, *, detector: DetectorName | None = "auto") -> None:
        context = multiprocessing.get_context("spawn")
        self._messages, theirs = context.Pipe(duplex=False)
        self._process = context.Process(
            target=_hear, args=(ListenerSpec(project, detector=detector), recording, theirs), daemon=True
        )
        self._process.start()
        theirs.close()

    def wait(self, heard: Callable[[float], None]) -> str:
        """Wait until it is done, and return the name of the run that heard it.

        Args:
            heard: told how many seconds of the recording have been heard.

        Raises:
            LowresError: it could not be transcribed, was stopped, or its process died.
        """
        try:
            while True:
                kind, value = self._messages.recv()
                if kind == "heard":
                    heard(float(value))
                elif kind == "done":
                    return str(value)
                else:
                    raise LowresError(str(value))
        except (EOFError, OSError) as error:
            raise LowresError(
                "The process that transcribed it died: the machine ran out of memory, or the recording is damaged in a "
                "way that crashes its decoder.",
                "Look at it with `lowres transcribe` in the terminal.",
            ) from error
        finally:
            self.stop()

    def stop(self) -> None:
        """End it, wherever it is."""
        self._process.terminate()
        self._process.join()
        self._messages.close()


def _hear(spec: ListenerSpec, recording: Path, messages: Connection) -> None:
    leave_interrupts_to_parent()
    reported = 0.0

    def heard(seconds: float) -> None:
        nonlocal reported
        if seconds - reported >= _SECONDS_BETWEEN_REPORTS:
            reported = seconds
            messages.send(("heard", seconds))

    options = TranscribeOptions(output=recording.parent, formats=FORMATS, overwrite=True, num_workers=1)
    try:
        result = transcribe(spec.project, [recording], options, spec, listening=heard)
        problem = result.problems[0][1] if result.problems else ""
        messages.send(("failed", problem) if problem else ("done", result.run_name))
    except LowresError as error:
        messages.send(("failed", f"{error.message} {error.hint}".strip()))
    except OSError as error:
        messages.send(("failed", f"{error.strerror or error}."))
