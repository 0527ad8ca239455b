"""What every annotation format is read into and written from: tiers of time-aligned text."""

import re
from dataclasses import dataclass
from typing import Final, Literal

_NUMBERED: Final = re.compile(r" \([0-9]{1,4}\)\Z")


@dataclass(frozen=True, slots=True)
class Annotation:
    """A stretch of time and what stands there; both times are the same where it is a point."""

    start_seconds: float
    end_seconds: float
    text: str
    """Exactly as in the file, white space and line breaks included."""


@dataclass(frozen=True)
class Tier:
    """A row of annotations in the order of their times."""

    name: str
    annotations: tuple[Annotation, ...]
    kind: Literal["intervals", "points"] = "intervals"

    participant: str = ""
    """Who speaks, as ELAN and Transcriber say; "" where the format or the file does not."""

    linguistic_type: str = ""
    """ELAN's name for a kind of tier, such as "utterance" or "gloss"."""

    language: str = ""
    """As the file says, which may be a code or a name."""

    parent: str = ""
    """The tier that this one depends on; its annotations have that one's times, or divide them."""

    recording: str = ""
    """The path of the recording that this tier belongs to, where a file has several (FLEx, Toolbox); else ""."""


def split_tier_name(name: str) -> tuple[str, str]:
    """Return what a tier holds and whose it is, as many programs write it: `tx@Ana` is ("tx", "Ana").

    The number that a second tier of the same kind and speaker gets, as in `tx@Ana (2)`, belongs to neither where
    nobody is named.
    """
    kind, at, speaker = name.partition("@")
    if at and kind:
        return kind, speaker
    return _NUMBERED.sub("", name) or name, ""


@dataclass(frozen=True)
class MediaLink:
    """A recording that a file of annotations names; the path may be one of another computer."""

    path: str
    """As written, but without file: and with %20 and the like turned back."""

    relative_path: str = ""
    """The second path that ELAN keeps, relative to the file."""

    offset_seconds: float = 0.0
    """The moment of this recording at which the file's time begins."""


@dataclass(frozen=True)
class AnnotationFile:
    """The contents of one file."""

    tiers: tuple[Tier, ...]
    media: tuple[MediaLink, ...] = ()
    duration_seconds: float | None = None
    """Where the format says it (TextGrid), else None."""

    notes: tuple[str, ...] = ()
    """Sentences on what was guessed or passed over while reading, such as an encoding."""
