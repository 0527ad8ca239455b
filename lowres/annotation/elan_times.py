"""When the annotations of an ELAN file begin and end, which it says by time slots and by reference to each other."""

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from lowres.annotation.tiers import Annotation
from lowres.annotation.times import in_order

_MOST_NAMED = 5

_Span = tuple[float, float]  # milliseconds
_Key = tuple[int, int]  # the number of a tier, and of an annotation on it


@dataclass(slots=True)  # not frozen: there are hundreds in a file, and that would be most of the time of making them
class ElanAnnotation:
    """An annotation as the file has it: with two time slots, or with the annotation that it refers to."""

    annotation_id: str
    text: str
    slots: tuple[str, str] | None
    """The ids of its time slots; None where it refers to another annotation instead."""

    refers_to: str = ""
    previous: str = ""
    """The id of the sibling before it, among those that divide one annotation between them."""


@dataclass(frozen=True)
class ElanTier:
    """A tier as the file has it."""

    name: str
    annotations: Sequence[ElanAnnotation]
    parent: int | None
    """The number of the tier that it depends on."""

    divides: bool | None
    """Whether its annotations divide those they refer to (Symbolic_Subdivision); None where the file is silent."""


@dataclass(frozen=True)
class TimeSlots:
    """The time slots of a file.

    Attributes:
        places: the place of each slot in the file's order, which is an order of time.
        milliseconds: the times of those that have one.
    """

    places: dict[str, int]
    milliseconds: dict[str, float]


@dataclass
class Tally:
    """Counts and names what was guessed or left out."""

    found: dict[str, list[str]] = field(default_factory=dict)

    def add(self, what: str, name: str) -> None:
        """Add one to those of which `what` is true, such as "annotation(s) left out because ..."."""
        self.found.setdefault(what, []).append(name if len(name) <= 80 else f"{name[:79]}…")

    def sentences(self) -> tuple[str, ...]:
        """Say each with its number and the first few names."""
        return tuple(
            f"{len(names)} {what}: {', '.join(names[:_MOST_NAMED])}"
            + (f" and {len(names) - _MOST_NAMED} more." if len(names) > _MOST_NAMED else ".")
            for what, names in self.found.items()
        )


def open_circles(parents: list[int | None]) -> list[int]:
    """Take the parent away from one tier of every circle of tiers that are each other's parents; return which."""
    opened, finished = [], [False] * len(parents)
    for start in range(len(parents)):
        path: dict[int, None] = {}
        at: int | None = start
        while at is not None and not finished[at] and at not in path:
            path[at] = None
            at = parents[at]
        if at is not None and at in path:
            last = next(reversed(path))
            parents[last] = None
            opened.append(last)
        for number in path:
            finished[number] = True
    return opened


def find_times(tiers: Sequence[ElanTier], slots: TimeSlots, tally: Tally) -> list[tuple[Annotation, ...]]:
    """Find the times of all annotations, parents before those that refer to them, however deep.

    Args:
        tiers: no tier may be its own ancestor; see `open_circles`.
        tally: gets what was left out (no such slot, nothing to refer to) and what was mended.

    Returns:
        For each tier its annotations in the order of their times.
    """
    milliseconds = _place_slots(tiers, slots, tally)
    spans: dict[_Key, _Span] = {}
    for tier_number, tier in enumerate(tiers):
        for number, annotation in enumerate(tier.annotations):
            span = _aligned_span(annotation, tier, slots, milliseconds, tally)
            if span is not None:
                spans[tier_number, number] = span
    _spread_to_dependents(tiers, spans, tally)
    found: list[list[Annotation]] = [[] for _ in tiers]
    for (tier_number, number), (start, end) in spans.items():
        text = tiers[tier_number].annotations[number].text
        found[tier_number].append(Annotation(start / 1000, end / 1000, text))
    return [in_order(one) for one in found]


def _place_slots(tiers: Sequence[ElanTier], slots: TimeSlots, tally: Tally) -> dict[str, float]:
    """Place slots without a time evenly between their neighbours: those of the tier, else those of the file."""
    milliseconds = dict(slots.milliseconds)
    if len(milliseconds) == len(slots.places):
        return milliseconds
    needed: set[str] = set()
    # A tier may divide stretches whose edges its parent's neighbours had to place first.
    for tier in _parents_first(tiers):
        used = {slot for one in tier.annotations for slot in one.slots or () if slot in slots.places}
        _fill_gaps(sorted(used, key=slots.places.__getitem__), milliseconds)
        needed |= used
    _fill_gaps(sorted(slots.places, key=slots.places.__getitem__), milliseconds)
    for slot in slots.places:
        if slot in needed and slot in milliseconds and slot not in slots.milliseconds:
            tally.add("time slot(s) have no time and were placed evenly between their neighbours", slot)
    return milliseconds


def _parents_first(tiers: Sequence[ElanTier]) -> Iterable[ElanTier]:
    children: dict[int | None, list[int]] = {}
    for number, tier in enumerate(tiers):
        children.setdefault(tier.parent, []).append(number)
    waiting = deque(children.get(None, ()))
    while waiting:
        number = waiting.popleft()
        yield tiers[number]
        waiting.extend(children.get(number, ()))


def _fill_gaps(ordered: Sequence[str], milliseconds: dict[str, float]) -> None:
    known = [place for place, slot in enumerate(ordered) if slot in milliseconds]
    for left, right in pairwise(known):
        start, end = milliseconds[ordered[left]], milliseconds[ordered[right]]
        for place in range(left + 1, right):
            milliseconds[ordered[place]] = start + (end - start) * (place - left) / (right - left)


def _aligned_span(
    annotation: ElanAnnotation, tier: ElanTier, slots: TimeSlots, milliseconds: dict[str, float], tally: Tally
) -> _Span | None:
    if annotation.slots is None:
        return None
    start, end = milliseconds.get(annotation.slots[0]), milliseconds.get(annotation.slots[1])
    if start is not None and end is not None:
        if start <= end:
            return start, end
        tally.add("annotation(s) end before they begin; the two times were exchanged", _name(annotation, tier))
        return end, start
    if all(slot in slots.places for slot in annotation.slots):
        reason = "annotation(s) left out because nothing in the file says when they are"
    else:
        reason = "annotation(s) left out because they name a time slot that is not in the file"
    tally.add(reason, _name(annotation, tier))
    return None


def _spread_to_dependents(tiers: Sequence[ElanTier], spans: dict[_Key, _Span], tally: Tally) -> None:
    """Give times to annotations that refer to others, level by level: a queue, because levels may be thousands."""
    groups = _group_by_parent(tiers, tally)
    waiting = deque(key for key in spans if key in groups)
    while waiting:
        parent = waiting.popleft()
        for tier_number, numbers in groups.pop(parent).items():
            for number, span in _share(spans[parent], tiers[tier_number], numbers, tally):
                spans[tier_number, number] = span
                if (tier_number, number) in groups:
                    waiting.append((tier_number, number))
    for group in groups.values():
        for tier_number, numbers in group.items():
            tier = tiers[tier_number]
            for number in numbers:
                tally.add(
                    "annotation(s) left out because they refer to one that was left out, or to each other in a circle",
                    _name(tier.annotations[number], tier),
                )


def _group_by_parent(tiers: Sequence[ElanTier], tally: Tally) -> dict[_Key, dict[int, list[int]]]:
    """Collect who refers to whom: for each parent, by tier, the numbers of those that refer to it."""
    keys: dict[str, _Key] = {}
    for tier_number, tier in enumerate(tiers):
        for number, annotation in enumerate(tier.annotations):
            key = (tier_number, number)
            if annotation.annotation_id and keys.setdefault(annotation.annotation_id, key) != key:
                tally.add("annotation(s) have the id of another, which references go to", _name(annotation, tier))
    groups: dict[_Key, dict[int, list[int]]] = {}
    for tier_number, tier in enumerate(tiers):
        for number, annotation in enumerate(tier.annotations):
            if annotation.slots is not None:
                continue
            parent = keys.get(annotation.refers_to)
            if parent is None:
                tally.add(
                    "annotation(s) left out because they refer to one that is not in the file", _name(annotation, tier)
                )
            else:
                groups.setdefault(parent, {}).setdefault(tier_number, []).append(number)
    return groups


def _share(span: _Span, tier: ElanTier, numbers: list[int], tally: Tally) -> Iterable[tuple[int, _Span]]:
    """Give each of those that refer to one annotation its time, or, where they divide it, an equal part of it."""
    divides = tier.divides
    if divides is None:
        divides = any(tier.annotations[number].previous for number in numbers)
    if not divides:
        return [(number, span) for number in numbers]
    start, end = span
    edges = [start + (end - start) * part / len(numbers) for part in range(len(numbers))] + [end]
    return zip(_in_order(tier, numbers, tally), pairwise(edges), strict=True)


def _in_order(tier: ElanTier, numbers: list[int], tally: Tally) -> list[int]:
    """Put siblings in the order that PREVIOUS_ANNOTATION gives; where it gives none, in the file's."""
    ids = {tier.annotations[number].annotation_id for number in numbers}
    followers: dict[str, list[int]] = {}
    waiting: list[int] = []
    for number in numbers:
        previous = tier.annotations[number].previous
        if previous and previous in ids:
            followers.setdefault(previous, []).append(number)
        else:
            waiting.append(number)
    waiting.reverse()
    ordered = []
    while waiting:
        number = waiting.pop()
        ordered.append(number)
        waiting.extend(reversed(followers.pop(tier.annotations[number].annotation_id, ())))
    if followers:
        placed = set(ordered)
        for number in numbers:
            if number not in placed:
                ordered.append(number)
                tally.add(
                    "annotation(s) follow each other in a circle and stand in the file's order",
                    _name(tier.annotations[number], tier),
                )
    return ordered


def _name(annotation: ElanAnnotation, tier: ElanTier) -> str:
    return f"{annotation.annotation_id or 'one without an id'} on tier {tier.name!r}"
