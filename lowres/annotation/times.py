"""Which times an annotation can have: what a reader leaves out and counts, and what a writer refuses."""

from collections.abc import Sequence
from pathlib import Path

from lowres.annotation.tiers import Annotation, Tier
from lowres.errors import CorpusError


def possible(start_seconds: float, end_seconds: float) -> bool:
    """Return whether an annotation can have these times: finite, not negative, the end not before the start."""
    return 0.0 <= start_seconds <= end_seconds < float("inf")


def in_order(annotations: Sequence[Annotation]) -> tuple[Annotation, ...]:
    """Return annotations by their start, then their end; those with the same times stay in the order of the file."""
    return tuple(sorted(annotations, key=lambda annotation: (annotation.start_seconds, annotation.end_seconds)))


class LeftOut:
    """Counts the annotations of a file that are left out because of their times, and names the first."""

    def __init__(self) -> None:
        self._count = 0
        self._first = ""

    def add(self, start_seconds: float, end_seconds: float, place: str) -> None:
        """Count one.

        Args:
            start_seconds, end_seconds: as in the file.
            place: where it stands, such as "line 12".
        """
        self._count += 1
        self._first = self._first or f"{place}, from {start_seconds:g} to {end_seconds:g} s"

    def notes(self) -> tuple[str, ...]:
        """Return the sentence about them, or none where nothing was left out."""
        if not self._count:
            return ()
        were = "1 annotation was" if self._count == 1 else f"{self._count} annotations were"
        return (f"{were} left out because of impossible times; the first: {self._first}.",)


def note_without_recording(count: int) -> tuple[str, ...]:
    """Return the sentence about annotations of a file with several recordings that name none; none where all do."""
    if not count:
        return ()
    noun = "annotation" if count == 1 else "annotations"
    return (f"{count} {noun} left out that could be of any of the file's recordings.",)


def check_times(tier: Tier, path: Path) -> tuple[Annotation, ...]:
    """Return a tier's annotations in the order of their times, fit to be written.

    Args:
        path: where they are to be written, for the error.

    Raises:
        CorpusError: an end before its start, a negative or not finite time, or a point that lasts, with tier and time.
    """
    for annotation in tier.annotations:
        start, end = annotation.start_seconds, annotation.end_seconds
        if not possible(start, end) or (tier.kind == "points" and start != end):
            raise CorpusError(
                f"{path} cannot be written: tier {tier.name!r} has an annotation from {start:g} to {end:g} s.",
                "Correct its times: from 0 s on, the end not before the start, and both the same in a tier of points.",
            )
    return in_order(tier.annotations)
