"""What has to change in an ELAN file for tiers to be added: the smallest changes, byte for byte."""

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, chain, count, groupby

from lowres.annotation.elan import language_id
from lowres.annotation.elan_elements import Indentation, TimedTier, empty_element, tier_element
from lowres.annotation.elan_layout import ElanElement, ElanLayout

LAST_ID = "lastUsedAnnotationId"

_TIME = re.compile(r"\s*[0-9]{1,12}(?:\.[0-9]{1,9})?\s*")
_NUMBER = re.compile(r"[0-9]{1,9}")
_INDENTED = re.compile(rb"(\r\n|\n|\r)([ \t]*)\Z")
_WITHOUT_PROPERTIES = ("1.0", "2.0", "2.1", "2.2", "2.3")  # HEADER has had PROPERTY since 2.4


@dataclass(frozen=True, slots=True)
class ElanChange:
    """A change of the file's bytes.

    Attributes:
        offset: the byte of the original file at which it is.
        removed: what stood there; nothing where something was only put in.
        added: what stands there now.
    """

    offset: int
    removed: bytes
    added: bytes


@dataclass
class ElanPlan:
    """The changes, and what is to be told of them.

    Attributes:
        changes: in the order of the file.
        types: of the added tiers, the name of the linguistic type of each.
        languages: of the added tiers; "" where none is given, or the file declares none of that name.
        new_types: linguistic types that were not in the file.
        last_id: the number of the last annotation, where that is kept in the file.
        notes: sentences on what could not be as it was asked for.
    """

    changes: list[ElanChange] = field(default_factory=list)
    types: list[str] = field(default_factory=list)
    languages: list[str] = field(default_factory=list)
    new_types: list[str] = field(default_factory=list)
    last_id: int | None = None
    notes: list[str] = field(default_factory=list)


def plan_changes(layout: ElanLayout, tiers: Sequence[TimedTier], removed: Mapping[str, int]) -> ElanPlan:
    """Plan the changes that add tiers.

    Args:
        layout: of a file with a TIME_ORDER.
        tiers: with names of their own, or of those that are removed.
        removed: the numbers of tiers to take out, by their names; a new one of that name takes the place.
    """
    plan = ElanPlan()
    style = _indentation(layout)
    annotation_ids = _annotation_ids(layout, tiers, plan, style)
    slot_ids = _add_slots(layout, tiers, plan, style)
    plan.types = [_choose_type(layout, timed.tier.linguistic_type or "default-lt", plan) for timed in tiers]
    elements = {}
    for timed, kind, ids, slots in zip(tiers, plan.types, annotation_ids, slot_ids, strict=True):
        attributes = {"LINGUISTIC_TYPE_REF": kind, "TIER_ID": timed.tier.name}
        if timed.tier.participant:
            attributes["PARTICIPANT"] = timed.tier.participant
        attributes |= _language(layout, timed, plan)
        elements[timed.tier.name] = tier_element(timed, attributes, ids, slots, style)
    _add_tiers(layout, elements, removed, plan, style)
    plan.changes.sort(key=lambda change: change.offset)  # stable: what is put in at one place stays in its order
    return plan


def apply_changes(contents: bytes, changes: Iterable[ElanChange]) -> bytes:
    """Return a file's bytes with the changes made."""
    parts, reached = [], 0
    for change in changes:
        parts += [contents[reached : change.offset], change.added]
        reached = change.offset + len(change.removed)
    return b"".join((*parts, contents[reached:]))


def _encode(layout: ElanLayout, text: str) -> bytes:
    """Write in the file's own encoding; a letter that it does not have becomes &#NUMBER;, which XML reads the same."""
    return text.encode(layout.encoding, "xmlcharrefreplace")


def _indentation(layout: ElanLayout) -> Indentation:
    """Find how the file is laid out from what stands before the first element within the outermost."""
    starts = [elements[0].start for elements in layout.children.values()]
    found = _INDENTED.search(layout.contents, layout.root.content, min(starts, default=layout.root.content))
    return Indentation(found[1].decode(), found[2].decode()) if found else Indentation("", "")


def _annotation_ids(
    layout: ElanLayout, tiers: Sequence[TimedTier], plan: ElanPlan, style: Indentation
) -> list[list[str]]:
    """Choose ids: ELAN calls new annotations a1, a2 ... from the number on that the header keeps, and checks none."""
    kept = [one for one in layout.properties if one.attributes.get("NAME") == LAST_ID]
    written = [layout.contents[one.content : one.content_end].decode("latin-1").strip() for one in kept]
    known = [int(text) for text in written if _NUMBER.fullmatch(text)]
    used = [int(name[1:]) for name in layout.ids if name[:1] == "a" and _NUMBER.fullmatch(name[1:])]
    numbers = _free_numbers(layout, "a", max(known + used, default=0))
    chosen = [[next(numbers) for _ in timed.spans] for timed in tiers]
    if last := max(chain.from_iterable(chosen), default=0):
        _keep_last_id(layout, kept, last, plan, style)
    return [[f"a{number}" for number in row] for row in chosen]


def _free_numbers(layout: ElanLayout, letters: str, last: int) -> Iterator[int]:
    return (number for number in count(last + 1) if f"{letters}{number}" not in layout.ids)


def _keep_last_id(
    layout: ElanLayout, kept: Sequence[ElanElement], last: int, plan: ElanPlan, style: Indentation
) -> None:
    headers = layout.all("HEADER")
    if kept:
        for place in kept:
            content = layout.contents[place.content : place.content_end]
            if place.content == place.end:
                plan.changes.append(_fill(layout, place, "PROPERTY", str(last)))
            else:
                plan.changes.append(ElanChange(place.content, content, _encode(layout, str(last))))
    elif headers and layout.root.attributes.get("FORMAT") not in _WITHOUT_PROPERTIES:
        element = f'<PROPERTY NAME="{LAST_ID}">{last}</PROPERTY>'
        plan.changes.append(_append(layout, headers[-1], "HEADER", style.at(2) + element, style.at(1)))
    else:
        return
    plan.last_id = last


def _add_slots(
    layout: ElanLayout, tiers: Sequence[TimedTier], plan: ElanPlan, style: Indentation
) -> list[list[tuple[str, str]]]:
    """Give every end of an annotation a time slot of its own, at its place in the order of time.

    ELAN sorts the slots that have a time and keeps those that have none where they are among the others, which works
    only while the file's order is the order of time.
    """
    ends = sorted(
        (time, (row, number, side))
        for row, timed in enumerate(tiers)
        for number, span in enumerate(timed.spans)
        for side, time in enumerate(span)
    )
    last = max((int(name[2:]) for name in layout.ids if name[:2] == "ts" and _NUMBER.fullmatch(name[2:])), default=0)
    numbers = _free_numbers(layout, "ts", last)
    names = {end: f"ts{next(numbers)}" for _, end in ends}
    find = _Anchors(layout.slots)
    for anchor, group in groupby(ends, key=lambda one: find.before(one[0])):
        slots = [
            empty_element("TIME_SLOT", {"TIME_SLOT_ID": names[end], "TIME_VALUE": str(time)}) for time, end in group
        ]
        plan.changes.append(_place_slots(layout, slots, anchor, find.first, style))
    return [
        [(names[row, number, 0], names[row, number, 1]) for number in range(len(timed.spans))]
        for row, timed in enumerate(tiers)
    ]


class _Anchors:
    """Finds the slot of the file after which a time belongs: the last one of no later time."""

    def __init__(self, slots: Sequence[ElanElement]) -> None:
        timed = []
        for place, slot in enumerate(slots):
            written = slot.attributes.get("TIME_VALUE", "")
            if _TIME.fullmatch(written):
                timed.append((float(written), place))
        self.first = min((place for _, place in timed), default=None)
        self._none = -1 if self.first is not None else len(slots) - 1
        timed.sort()
        self._times = [time for time, _ in timed]
        self._lasts = list(accumulate((place for _, place in timed), max))

    def before(self, time: int) -> int:
        """Return the place of the slot; -1 = there is none."""
        found = bisect_right(self._times, time)
        return self._lasts[found - 1] if found else self._none


def _place_slots(
    layout: ElanLayout, slots: Sequence[str], anchor: int, first: int | None, style: Indentation
) -> ElanChange:
    before = style.at(2)
    if anchor >= 0:
        text = "".join(f"{before}{slot}" for slot in slots)
        return ElanChange(layout.slots[anchor].end, b"", _encode(layout, text))
    if first is not None:  # after those without a time that stand before it
        text = "".join(f"{slot}{before}" for slot in slots)
        return ElanChange(layout.slots[first].start, b"", _encode(layout, text))
    text = "".join(f"{before}{slot}" for slot in slots)
    return _append(layout, layout.all("TIME_ORDER")[-1], "TIME_ORDER", text, style.at(1))


def _append(layout: ElanLayout, element: ElanElement, name: str, text: str, before_end: str) -> ElanChange:
    """Put something at the end of an element, before the white space that its end tag stands after."""
    if element.content == element.end:
        return _fill(layout, element, name, text + before_end)
    content = layout.contents[element.content : element.content_end]
    place = element.content + len(content.rstrip(b" \t\r\n"))
    return ElanChange(place, b"", _encode(layout, text if place < element.content_end else text + before_end))


def _fill(layout: ElanLayout, element: ElanElement, name: str, text: str) -> ElanChange:
    """Put something into an element that has only one tag."""
    return ElanChange(element.end - 2, b"/>", _encode(layout, f">{text}</{name}>"))


def _choose_type(layout: ElanLayout, name: str, plan: ElanPlan) -> str:
    """Return the linguistic type of that name, or one with more to its name where the file's means something else."""
    declared = {one.attributes.get("LINGUISTIC_TYPE_ID", ""): one.attributes for one in layout.all("LINGUISTIC_TYPE")}
    while name in declared and not _stands_alone(declared[name]):
        name += " (independent)"
    if name not in declared and name not in plan.new_types:
        plan.new_types.append(name)
    return name


def _stands_alone(kind: Mapping[str, str]) -> bool:
    dependent = kind.get("CONSTRAINTS") or kind.get("TIME_ALIGNABLE", "true").strip() in ("false", "0")
    # A controlled vocabulary would let ELAN's users choose only among its entries.
    return not dependent and not kind.get("CONTROLLED_VOCABULARY_REF")


def _language(layout: ElanLayout, timed: TimedTier, plan: ElanPlan) -> dict[str, str]:
    language = timed.tier.language
    for declared in layout.all("LANGUAGE"):
        name, label = declared.attributes.get("LANG_ID", ""), declared.attributes.get("LANG_LABEL", "")
        if name and language == (label if label and language_id(label) == name else name):
            plan.languages.append(language)
            return {"LANG_REF": name}
    plan.languages.append("")
    if language:
        plan.notes.append(f"The file declares no language {language!r}; the tier {timed.tier.name!r} was given none.")
    return {}


def _add_tiers(
    layout: ElanLayout, elements: Mapping[str, str], removed: Mapping[str, int], plan: ElanPlan, style: Indentation
) -> None:
    tiers, kinds = layout.all("TIER"), layout.all("LINGUISTIC_TYPE")
    for name, number in removed.items():
        place = tiers[number]
        plan.changes.append(
            ElanChange(place.start, layout.contents[place.start : place.end], _encode(layout, elements.get(name, "")))
        )
    appended = [element for name, element in elements.items() if name not in removed]
    after_tiers = tiers[-1] if tiers else layout.all("TIME_ORDER")[-1]
    after_kinds = kinds[-1] if kinds else after_tiers
    plan.changes += _insert(layout, after_tiers.end, appended, style)
    plan.changes += _insert(layout, after_kinds.end, [_type_element(kind) for kind in plan.new_types], style)


def _type_element(name: str) -> str:
    attributes = {"GRAPHIC_REFERENCES": "false", "LINGUISTIC_TYPE_ID": name, "TIME_ALIGNABLE": "true"}
    return empty_element("LINGUISTIC_TYPE", attributes)


def _insert(layout: ElanLayout, offset: int, elements: Sequence[str], style: Indentation) -> Iterator[ElanChange]:
    if elements:
        yield ElanChange(offset, b"", _encode(layout, "".join(style.at(1) + element for element in elements)))
