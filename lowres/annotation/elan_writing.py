"""Writes ELAN files (.eaf, version 3.0) that ELAN opens, whole or not at all."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from lowres.annotation.elan import language_id
from lowres.annotation.elan_elements import ESCAPES, check_characters, open_tag, time_tier
from lowres.annotation.elan_media import write_media_link
from lowres.annotation.elan_times import open_circles
from lowres.annotation.files import write_text
from lowres.annotation.tiers import Annotation, AnnotationFile, Tier
from lowres.errors import CorpusError

_CONSTRAINTS = {
    "Time_Subdivision": "Time subdivision of parent annotation's time interval, no time gaps allowed within this "
    "interval",
    "Symbolic_Subdivision": "Symbolic subdivision of a parent annotation. Annotations refering to the same parent are "
    "ordered",
    "Symbolic_Association": "1-1 association with a parent annotation",
    "Included_In": "Time alignable annotations within the parent annotation's time interval, gaps are allowed",
}


@dataclass(frozen=True)
class _Row:
    """A tier as it will be written.

    Attributes:
        annotations: in the order of their times.
        spans: their times in milliseconds.
        first_id: the number of its first annotation in the file.
        refers_to: the numbers of the parent's annotations that these are associated with; None = it stands alone.
    """

    tier: Tier
    annotations: tuple[Annotation, ...]
    spans: tuple[tuple[int, int], ...]
    first_id: int
    refers_to: tuple[int, ...] | None = None
    parent: str = ""


def write_elan(file: AnnotationFile, path: Path, *, author: str = "lowres", written: datetime | None = None) -> None:
    """Write an ELAN file; one that is there already is replaced once the new one is whole.

    Times are rounded to the millisecond (half to even). A point becomes an interval of 40 ms, or up to the next point.
    A tier whose annotations have exactly the times of its parent's is written as associated with it
    (Symbolic_Association); any other stands alone. `duration_seconds` and `notes` have no place in the format.

    Args:
        path: where to; recordings are also named relative to its folder.
        author: who the file says made it.
        written: the moment it says it was made at; None = now.

    Raises:
        CorpusError: a text or name with a character that XML cannot hold, an impossible time, two tiers of one name,
            or the file cannot be written; one that is there is untouched.
    """
    media = [write_media_link(link, path.parent) for link in file.media]
    for value in (author, *(value for attributes in media for value in attributes.values())):
        check_characters(value, f"The name of a recording or author, {value[:60]!r},")
    rows = _associate(_lay_out(file.tiers))
    moment = (written or datetime.now(UTC)).isoformat(timespec="seconds")
    write_text(path, "".join(_document(rows, media, author, moment)))


def _lay_out(tiers: Sequence[Tier]) -> list[_Row]:
    rows: list[_Row] = []
    names: set[str] = set()
    first_id = 1
    for tier in tiers:
        if tier.name in names:
            raise CorpusError(
                f"Two tiers are called {tier.name!r}, and ELAN needs different names.", "Give one of them another name."
            )
        names.add(tier.name)
        check_characters(tier.language, f"The tier {tier.name!r}")
        timed = time_tier(tier)
        rows.append(_Row(tier, timed.annotations, timed.spans, first_id))
        first_id += len(timed.annotations)
    return rows


def _associate(rows: list[_Row]) -> list[_Row]:
    """Find for each tier with a parent whether every annotation has the times of another one of the parent's."""
    numbers = {row.tier.name: number for number, row in enumerate(rows)}
    parents = [numbers.get(row.tier.parent) if row.tier.parent else None for row in rows]
    open_circles(parents)
    associated = []
    for row, parent in zip(rows, parents, strict=True):
        refers_to = None if parent is None else _partners(row, rows[parent])
        if refers_to is None:
            associated.append(row)
        else:
            associated.append(_Row(row.tier, row.annotations, row.spans, row.first_id, refers_to, row.tier.parent))
    return associated


def _partners(row: _Row, parent: _Row) -> tuple[int, ...] | None:
    free: dict[tuple[int, int], list[int]] = {}
    for number in range(len(parent.spans) - 1, -1, -1):
        free.setdefault(parent.spans[number], []).append(parent.first_id + number)
    partners = []
    for span in row.spans:
        if not free.get(span):
            return None
        partners.append(free[span].pop())
    return tuple(partners)


def _document(rows: Sequence[_Row], media: Iterable[dict[str, str]], author: str, moment: str) -> Iterator[str]:
    root = {
        "AUTHOR": author,
        "DATE": moment,
        "FORMAT": "3.0",
        "VERSION": "3.0",
        "xmlns:xsi": "http://www.w3.org/2001/XMLSchema-instance",
        "xsi:noNamespaceSchemaLocation": "http://www.mpi.nl/tools/elan/EAFv3.0.xsd",
    }
    yield '<?xml version="1.0" encoding="UTF-8"?>\n'
    yield _tag("ANNOTATION_DOCUMENT", root, end=">")
    yield _tag("HEADER", {"MEDIA_FILE": "", "TIME_UNITS": "milliseconds"}, depth=1, end=">")
    for attributes in media:
        yield _tag("MEDIA_DESCRIPTOR", attributes, depth=2)
    last_id = sum(len(row.annotations) for row in rows)
    yield f'        <PROPERTY NAME="lastUsedAnnotationId">{last_id}</PROPERTY>\n    </HEADER>\n    <TIME_ORDER>\n'
    slots = _number_slots(rows)
    for (row_number, number, side), slot in slots.items():
        time = str(rows[row_number].spans[number][side])
        yield _tag("TIME_SLOT", {"TIME_SLOT_ID": f"ts{slot}", "TIME_VALUE": time}, depth=2)
    yield "    </TIME_ORDER>\n"
    types, declared = _name_types(rows)
    languages = _name_languages(rows)
    for row_number, row in enumerate(rows):
        yield from _tier(row_number, row, types[row_number], languages, slots)
    yield from _declarations(declared, languages)
    yield "</ANNOTATION_DOCUMENT>\n"


def _number_slots(rows: Sequence[_Row]) -> dict[tuple[int, int, int], int]:
    """Give both ends of every aligned annotation a slot of its own, numbered in the order of time.

    ELAN moves the slot when it moves a boundary, so annotations that merely touch must not share one.
    """
    ends = [
        (row.spans[number][side], (row_number, number, side))
        for row_number, row in enumerate(rows)
        if row.refers_to is None
        for number in range(len(row.spans))
        for side in (0, 1)
    ]
    return {end: slot for slot, (_, end) in enumerate(sorted(ends), start=1)}


def _tier(
    row_number: int, row: _Row, kind: str, languages: dict[str, str], slots: dict[tuple[int, int, int], int]
) -> Iterator[str]:
    optional = {
        "PARENT_REF": row.parent if row.refers_to is not None else None,
        "PARTICIPANT": row.tier.participant or None,
        "LANG_REF": languages.get(row.tier.language),
    }
    attributes = {"LINGUISTIC_TYPE_REF": kind, "TIER_ID": row.tier.name}
    attributes |= {name: value for name, value in optional.items() if value is not None}
    yield _tag("TIER", attributes, depth=1, end=">")
    for number, annotation in enumerate(row.annotations):
        name = f"a{row.first_id + number}"
        if row.refers_to is None:
            element = "ALIGNABLE_ANNOTATION"
            refs = [f"ts{slots[row_number, number, side]}" for side in (0, 1)]
            times = {"ANNOTATION_ID": name, "TIME_SLOT_REF1": refs[0], "TIME_SLOT_REF2": refs[1]}
        else:
            element = "REF_ANNOTATION"
            times = {"ANNOTATION_ID": name, "ANNOTATION_REF": f"a{row.refers_to[number]}"}
        yield "        <ANNOTATION>\n"
        yield _tag(element, times, depth=3, end=">")
        yield f"                <ANNOTATION_VALUE>{annotation.text.translate(ESCAPES)}</ANNOTATION_VALUE>\n"
        yield f"            </{element}>\n        </ANNOTATION>\n"
    yield "    </TIER>\n"


def _name_types(rows: Sequence[_Row]) -> tuple[list[str], dict[str, bool]]:
    """Name each tier's linguistic type; one name cannot be both of tiers that stand alone and of associated ones."""
    declared: dict[str, bool] = {}
    types = []
    for row in rows:
        associated = row.refers_to is not None
        name = row.tier.linguistic_type or ("associated" if associated else "default-lt")
        while declared.setdefault(name, associated) != associated:
            name += " (associated)" if associated else " (independent)"
        types.append(name)
    return types, declared


def _name_languages(rows: Sequence[_Row]) -> dict[str, str]:
    names: dict[str, str] = {}
    for language in dict.fromkeys(row.tier.language for row in rows if row.tier.language):
        name = language_id(language)
        while name in names.values():
            name += "_"
        names[language] = name
    return names


def _declarations(types: dict[str, bool], languages: dict[str, str]) -> Iterator[str]:
    for kind, associated in types.items():
        attributes = {"GRAPHIC_REFERENCES": "false", "LINGUISTIC_TYPE_ID": kind}
        attributes |= {"TIME_ALIGNABLE": "false" if associated else "true"}
        if associated:
            attributes["CONSTRAINTS"] = "Symbolic_Association"
        yield _tag("LINGUISTIC_TYPE", attributes, depth=1)
    for language, name in languages.items():
        yield _tag("LANGUAGE", {"LANG_DEF": "", "LANG_ID": name, "LANG_LABEL": language}, depth=1)
    for stereotype, description in _CONSTRAINTS.items():
        yield _tag("CONSTRAINT", {"DESCRIPTION": description, "STEREOTYPE": stereotype}, depth=1)


def _tag(name: str, attributes: dict[str, str], *, depth: int = 0, end: str = "/>") -> str:
    return f"{'    ' * depth}{open_tag(name, attributes)}{end}\n"
