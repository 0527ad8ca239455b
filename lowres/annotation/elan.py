"""Reads ELAN files (.eaf, versions 2.0 to 3.0); `lowres.annotation.elan_writing` writes them."""

import re
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Final

from lowres.annotation.elan_media import path_from_url, read_media_link
from lowres.annotation.elan_times import ElanAnnotation, ElanTier, Tally, TimeSlots, find_times, open_circles
from lowres.annotation.tiers import AnnotationFile, MediaLink, Tier
from lowres.annotation.xml_files import XmlKind, read_xml, text_of

_KIND: Final = XmlKind("ANNOTATION_DOCUMENT", "an ELAN file", "ELAN", ": ELAN keeps some beside it (.eaf.001)")
_FORMATS = ("2.0", "2.1", "2.2", "2.3", "2.4", "2.5", "2.6", "2.7", "2.8", "3.0")
_MILLISECONDS = re.compile(r"\s*[0-9]{1,12}(?:\.[0-9]{1,9})?\s*")


def read_elan(path: Path) -> AnnotationFile:
    """Read an ELAN file: its tiers with the time of every annotation in seconds, and the recordings it names.

    An annotation that divides another (Symbolic_Subdivision) gets an equal part of its time, one that is associated
    with another all of it, and a boundary without a time is placed evenly between its neighbours, as ELAN shows them.
    What the file leaves open or contradicts is mended or left out, and counted and named in the notes.

    Args:
        path: the file; nothing else is opened, whatever it names.

    Raises:
        CorpusError: it cannot be read, is not XML, is not of ELAN, or declares a document type or entities.
    """
    root = read_xml(path, _KIND)
    tally = Tally()
    notes = _notes_on_format(root)
    slots = _read_slots(root, tally)
    elements = root.findall("TIER")
    tiers = _read_tiers(root, elements, tally)
    media = _read_media(root, tally)
    languages = _read_languages(root)
    found = []
    for tier, element, annotations in zip(tiers, elements, find_times(tiers, slots, tally), strict=True):
        language = element.get("LANG_REF", "")
        found.append(
            Tier(
                name=tier.name,
                annotations=annotations,
                participant=element.get("PARTICIPANT", ""),
                linguistic_type=element.get("LINGUISTIC_TYPE_REF", ""),
                language=languages.get(language, language) or element.get("DEFAULT_LOCALE", ""),
                parent=tiers[tier.parent].name if tier.parent is not None else "",
            )
        )
    return AnnotationFile(tuple(found), media, notes=notes + tally.sentences())


def language_id(language: str) -> str:
    """Return the id under which a language is declared: XML allows neither spaces nor a digit at the beginning."""
    spelled = re.sub(r"[^\w.-]", "_", language)
    return spelled if re.match(r"[^\W\d]", spelled) else f"_{spelled}"


def _notes_on_format(root: ET.Element) -> tuple[str, ...]:
    notes = []
    written = root.get("FORMAT", "")
    if written and written not in _FORMATS:
        notes.append(f"The file is of ELAN's format {written[:20]!r}, which was read as if it were {_FORMATS[-1]}.")
    header = root.find("HEADER")
    units = header.get("TIME_UNITS", "milliseconds") if header is not None else "milliseconds"
    if units != "milliseconds":
        notes.append(f"The file says that its times are {units[:40]!r}; they were read as milliseconds.")
    return tuple(notes)


def _read_slots(root: ET.Element, tally: Tally) -> TimeSlots:
    places: dict[str, int] = {}
    milliseconds: dict[str, float] = {}
    for slot in root.iterfind("TIME_ORDER/TIME_SLOT"):
        name, written = slot.get("TIME_SLOT_ID", ""), slot.get("TIME_VALUE")
        if name in places:
            tally.add("time slot(s) are there twice, and the first was taken", name)
            continue
        places[name] = len(places)
        if written is None:
            continue
        if _MILLISECONDS.fullmatch(written):
            milliseconds[name] = float(written)
        else:
            tally.add("time slot(s) have a time that is none, and were taken to have none", f"{name} ({written!r})")
    return TimeSlots(places, milliseconds)


def _read_tiers(root: ET.Element, elements: list[ET.Element], tally: Tally) -> list[ElanTier]:
    constraints = {
        kind.get("LINGUISTIC_TYPE_ID", ""): kind.get("CONSTRAINTS", "") for kind in root.iterfind("LINGUISTIC_TYPE")
    }
    names = [element.get("TIER_ID", "") for element in elements]
    parents = _find_parents(names, elements, tally)
    tiers = []
    for name, parent, element in zip(names, parents, elements, strict=True):
        constraint = constraints.get(element.get("LINGUISTIC_TYPE_REF", ""), "")
        annotations = [
            read
            for wrapper in element.iterfind("ANNOTATION")
            for annotation in wrapper
            if (read := _read_annotation(annotation)) is not None
        ]
        divides = constraint.replace(" ", "_").lower() == "symbolic_subdivision" if constraint else None
        tiers.append(ElanTier(name, annotations, parent, divides))
    return tiers


def _find_parents(names: list[str], elements: list[ET.Element], tally: Tally) -> list[int | None]:
    numbers: dict[str, int] = {}
    for number, name in enumerate(names):
        if numbers.setdefault(name, number) != number:
            tally.add("tier(s) have the name of another, which other tiers' references go to", repr(name))
    parents: list[int | None] = []
    for name, element in zip(names, elements, strict=True):
        parent = element.get("PARENT_REF", "")
        if parent and parent not in numbers:
            tally.add("tier(s) depend on one that is not in the file, and stand alone", repr(name))
        parents.append(numbers.get(parent) if parent else None)
    for number in open_circles(parents):
        tally.add("tier(s) depend on themselves in a circle, and stand alone", repr(names[number]))
    return parents


def _read_annotation(element: ET.Element) -> ElanAnnotation | None:
    name = element.get("ANNOTATION_ID", "")
    text = text_of(element.find("ANNOTATION_VALUE"))
    if element.tag == "ALIGNABLE_ANNOTATION":
        return ElanAnnotation(name, text, (element.get("TIME_SLOT_REF1", ""), element.get("TIME_SLOT_REF2", "")))
    if element.tag == "REF_ANNOTATION":
        previous = element.get("PREVIOUS_ANNOTATION", "")
        return ElanAnnotation(name, text, None, element.get("ANNOTATION_REF", ""), previous)
    return None


def _read_media(root: ET.Element, tally: Tally) -> tuple[MediaLink, ...]:
    links = []
    for descriptor in root.iterfind("HEADER/MEDIA_DESCRIPTOR"):
        link, understood = read_media_link(descriptor.attrib)
        if not understood:
            tally.add("recording(s) have an offset that is no number, and were given none", repr(link.path))
        links.append(link)
    header = root.find("HEADER")
    if not links and header is not None and (url := header.get("MEDIA_FILE")):
        links.append(MediaLink(path_from_url(url)))  # how the first versions named their one recording
    return tuple(links)


def _read_languages(root: ET.Element) -> dict[str, str]:
    """Return the names of languages whose id is only their name spelled as XML wants it; other ids stay as they are."""
    labels = {one.get("LANG_ID", ""): one.get("LANG_LABEL", "") for one in root.iterfind("LANGUAGE")}
    return {name: label for name, label in labels.items() if label and language_id(label) == name}
