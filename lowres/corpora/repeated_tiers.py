"""One tier in two files: `a.eaf`, and `a.TextGrid` that was exported beside it, hold the same stretches of speech."""

from bisect import bisect_right
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from typing import Final

from lowres.annotation.tiers import Annotation

_ROUNDED_SECONDS: Final = 0.02
"""Stretches that share no more are neighbours, whose times another program rounded."""


def order_by_stem(names: Sequence[str], suffixes: Sequence[str]) -> list[str]:
    """Return the names in their order, but those that differ in their suffix alone together, as `suffixes` go."""
    first: dict[str, int] = {}
    for place, name in enumerate(names):
        first.setdefault(name.rpartition(".")[0], place)
    ranks = {suffix.lower(): rank for rank, suffix in reversed(list(enumerate(suffixes)))}

    def place_of(name: str) -> tuple[int, int]:
        stem, _, suffix = name.rpartition(".")
        return first[stem], ranks.get(f".{suffix.lower()}", len(ranks))

    return sorted(names, key=place_of)


@dataclass
class TakenStretches:
    """The annotations that were taken so far, by tier and by file."""

    _by_tier: dict[Hashable, list[tuple[str, list[Annotation]]]] = field(default_factory=dict)

    def add(self, tier: Hashable, name: str, annotations: Sequence[Annotation]) -> None:
        """Note what a file has on a tier."""
        self._by_tier.setdefault(tier, []).append((name, sorted(annotations, key=lambda one: one.end_seconds)))

    def find(self, tier: Hashable, name: str, annotation: Annotation) -> tuple[str, Annotation] | None:
        """Find what another file has at the time of an annotation on the same tier: that file, and what stands there.

        Args:
            tier: the same in all files that may repeat each other.
            name: the file of the annotation.
            annotation: looked for; the times of all files count from the same moment.
        """
        length = annotation.end_seconds - annotation.start_seconds
        least = min(_ROUNDED_SECONDS, length / 2)
        for other, taken in self._by_tier.get(tier, ()):
            place = bisect_right(taken, annotation.start_seconds + least, key=lambda one: one.end_seconds)
            if other != name and place < len(taken) and taken[place].start_seconds < annotation.end_seconds - least:
                return other, taken[place]
        return None
