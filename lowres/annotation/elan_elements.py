"""The elements of an ELAN file as text: tiers that stand alone, and what they need besides."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from lowres.annotation.tiers import Annotation, Tier
from lowres.annotation.times import in_order
from lowres.errors import CorpusError

_POINT_MILLISECONDS: Final = 40  # what ELAN makes of a point of Praat's; it cannot show a shorter one
_MOST_SECONDS: Final = (2**32 - 1) // 1000  # the format's unsigned 32-bit milliseconds: seven weeks
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#13;"})
_ATTRIBUTE_ESCAPES = ESCAPES | str.maketrans({'"': "&quot;", "\t": "&#9;", "\n": "&#10;"})


@dataclass(frozen=True, slots=True)
class Indentation:
    """How a file sets its elements apart.

    Attributes:
        line_break: as the file has them; "" = it has all on one line.
        unit: of white space, one a level.
    """

    line_break: str
    unit: str

    def at(self, depth: int) -> str:
        """Return what stands before an element so deep; the root's children are 1."""
        return self.line_break + self.unit * depth if self.line_break else ""


@dataclass(frozen=True, slots=True)
class TimedTier:
    """A tier as it will be written.

    Attributes:
        annotations: in the order of their times, which are those of `spans`.
        spans: their starts and ends in milliseconds.
    """

    tier: Tier
    annotations: tuple[Annotation, ...]
    spans: tuple[tuple[int, int], ...]


def time_tier(tier: Tier) -> TimedTier:
    """Return a tier with its times rounded to the millisecond (half to even); points become 40 ms, or up to the next.

    Raises:
        CorpusError: a text or name that XML cannot hold, or an impossible time, with the place.
    """
    for value in (tier.name, tier.participant, tier.linguistic_type):
        check_characters(value, f"The tier {tier.name!r}")
    annotations = in_order(tier.annotations)
    spans = [_span(annotation, tier.name) for annotation in annotations]
    if tier.kind == "points":
        nexts = [start for start, _ in spans[1:]] + [_MOST_SECONDS * 1000]
        spans = [
            (start, max(end, min(start + _POINT_MILLISECONDS, following)))
            for (start, end), following in zip(spans, nexts, strict=True)
        ]
    timed = tuple(
        Annotation(start / 1000, end / 1000, annotation.text)
        for annotation, (start, end) in zip(annotations, spans, strict=True)
    )
    return TimedTier(tier, timed, tuple(spans))


def empty_element(name: str, attributes: Mapping[str, str]) -> str:
    """Return an element that has attributes alone."""
    return f"{open_tag(name, attributes)}/>"


def tier_element(
    timed: TimedTier,
    attributes: Mapping[str, str],
    ids: Sequence[str],
    slots: Sequence[tuple[str, str]],
    indentation: Indentation,
) -> str:
    """Return a TIER with its annotations, without what stands before it.

    Args:
        ids: of its annotations.
        slots: the ids of their two time slots.
    """
    if not ids:
        return empty_element("TIER", attributes)
    before = [indentation.at(depth) for depth in range(5)]
    parts = [f"{open_tag('TIER', attributes)}>"]
    for annotation, name, (start, end) in zip(timed.annotations, ids, slots, strict=True):
        times = {"ANNOTATION_ID": name, "TIME_SLOT_REF1": start, "TIME_SLOT_REF2": end}
        parts += [
            f"{before[2]}<ANNOTATION>{before[3]}{open_tag('ALIGNABLE_ANNOTATION', times)}>",
            f"{before[4]}<ANNOTATION_VALUE>{annotation.text.translate(ESCAPES)}</ANNOTATION_VALUE>",
            f"{before[3]}</ALIGNABLE_ANNOTATION>{before[2]}</ANNOTATION>",
        ]
    return "".join((*parts, before[1], "</TIER>"))


def open_tag(name: str, attributes: Mapping[str, str]) -> str:
    """Return the beginning of an element, up to where it is closed or ended."""
    written = "".join(f' {key}="{value.translate(_ATTRIBUTE_ESCAPES)}"' for key, value in attributes.items())
    return f"<{name}{written}"


def _span(annotation: Annotation, tier: str) -> tuple[int, int]:
    start, end = annotation.start_seconds, annotation.end_seconds
    place = f"The annotation at {start:.10g} s on tier {tier!r}"
    check_characters(annotation.text, place)
    if not all(-0.0005 <= time <= _MOST_SECONDS for time in (start, end)):  # nor NaN
        raise CorpusError(
            f"{place} goes from {start:.10g} to {end:.10g} s, and ELAN can hold 0 to {_MOST_SECONDS} s.",
            "Correct its times.",
        )
    if start > end:
        raise CorpusError(f"{place} ends before it begins, at {end:.10g} s.", "Correct its times.")
    return round(start * 1000), round(end * 1000)


def check_characters(text: str, place: str) -> None:
    """Refuse a text or name that XML cannot hold.

    Raises:
        CorpusError: with the place, as the beginning of a sentence.
    """
    illegal = _NOT_XML.search(text)
    if illegal is not None:
        raise CorpusError(
            f"{place} holds the character U+{ord(illegal.group()):04X}, which no ELAN file can hold.",
            "Take the character out; it is invisible and came from a damaged or converted file.",
        )
