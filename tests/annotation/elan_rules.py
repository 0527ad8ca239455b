"""What ELAN's schema (EAF 2.8 and 3.0) demands of a file, as rules of our own: order, ids, references, numbers.

Where LOWRES_EAF_SCHEMAS names a folder with the published EAFv2.8.xsd and EAFv3.0.xsd (the source package of
`pympi-ling` holds both), files are held against those too; that needs the package `xmlschema`.
"""

import importlib
import os
import re
import xml.etree.ElementTree as ET
from functools import cache
from pathlib import Path
from typing import Any

# What stands in the document, in this order.
ORDER = ["LICENSE", "HEADER", "TIME_ORDER", "TIER", "LINGUISTIC_TYPE", "LOCALE", "LANGUAGE", "CONSTRAINT"]
ORDER += ["CONTROLLED_VOCABULARY", "LEXICON_REF", "REF_LINK_SET", "EXTERNAL_REF"]
HEADER_ORDER = ["MEDIA_DESCRIPTOR", "LINKED_FILE_DESCRIPTOR", "PROPERTY"]

# By element: the attributes it must have, and those it may have.
ATTRIBUTES = {
    "TIME_SLOT": ({"TIME_SLOT_ID"}, {"TIME_VALUE"}),
    "TIER": (
        {"TIER_ID", "LINGUISTIC_TYPE_REF"},
        {"PARTICIPANT", "ANNOTATOR", "DEFAULT_LOCALE", "PARENT_REF", "EXT_REF", "LANG_REF"},
    ),
    "ALIGNABLE_ANNOTATION": (
        {"ANNOTATION_ID", "TIME_SLOT_REF1", "TIME_SLOT_REF2"},
        {"SVG_REF", "EXT_REF", "LANG_REF", "CVE_REF"},
    ),
    "LINGUISTIC_TYPE": (
        {"LINGUISTIC_TYPE_ID"},
        {"TIME_ALIGNABLE", "CONSTRAINTS", "GRAPHIC_REFERENCES", "CONTROLLED_VOCABULARY_REF", "EXT_REF", "LEXICON_REF"},
    ),
}
CHILDREN = {
    "TIER": {"ANNOTATION"},
    "ANNOTATION": {"ALIGNABLE_ANNOTATION", "REF_ANNOTATION"},
    "ALIGNABLE_ANNOTATION": {"ANNOTATION_VALUE"},
    "TIME_ORDER": {"TIME_SLOT"},
}
IDS = ("TIME_SLOT_ID", "ANNOTATION_ID", "LANG_ID", "LANGUAGE_CODE", "STEREOTYPE", "EXT_REF_ID", "LEX_REF_ID")
# By attribute: the element and the attribute that it refers to.
REFERENCES = {
    "TIME_SLOT_REF1": ("TIME_SLOT", "TIME_SLOT_ID"),
    "TIME_SLOT_REF2": ("TIME_SLOT", "TIME_SLOT_ID"),
    "LINGUISTIC_TYPE_REF": ("LINGUISTIC_TYPE", "LINGUISTIC_TYPE_ID"),
    "PARENT_REF": ("TIER", "TIER_ID"),
    "CONSTRAINTS": ("CONSTRAINT", "STEREOTYPE"),
    "PREVIOUS_ANNOTATION": ("REF_ANNOTATION", "ANNOTATION_ID"),
    "CONTROLLED_VOCABULARY_REF": ("CONTROLLED_VOCABULARY", "CV_ID"),
}


def faults(contents: bytes) -> list[str]:
    """Say what in a file the schema does not allow."""
    root = ET.fromstring(contents)
    found = _misplaced(root, ORDER) + _misplaced(root.find("HEADER"), HEADER_ORDER)
    for element in root.iter():
        must, may = ATTRIBUTES.get(element.tag, (set(), set(element.keys())))
        if not must <= set(element.keys()) <= must | may:
            found.append(f"{element.tag} has the attributes {sorted(element.keys())}")
        if element.tag in CHILDREN and not {child.tag for child in element} <= CHILDREN[element.tag]:
            found.append(f"{element.tag} has the children {[child.tag for child in element]}")
        if element.tag in ("ANNOTATION", "ALIGNABLE_ANNOTATION") and len(element) != 1:
            found.append(f"{element.tag} has {len(element)} children")
        time = element.get("TIME_VALUE")
        if time is not None and not (re.fullmatch("[0-9]+", time) and int(time) < 2**32):
            found.append(f"the time {time}")
    return found + _ids(root) + _references(root) + _published_faults(root)


def _published_faults(root: ET.Element) -> list[str]:
    folder = os.environ.get("LOWRES_EAF_SCHEMAS")
    if not folder:
        return []
    version = "2.8" if root.get("FORMAT") == "2.8" else "3.0"
    schema = _published_schema(Path(folder) / f"EAFv{version}.xsd")
    return [str(error.reason) for error in schema.iter_errors(root)]


@cache
def _published_schema(path: Path) -> Any:
    return importlib.import_module("xmlschema").XMLSchema(str(path))


def _misplaced(parent: ET.Element | None, order: list[str]) -> list[str]:
    if parent is None:
        return ["an element is missing"]
    tags = [child.tag for child in parent]
    if not set(tags) <= set(order):
        return [f"{parent.tag} has the children {sorted(set(tags) - set(order))}"]
    return [] if tags == sorted(tags, key=order.index) else [f"the children of {parent.tag} are in the order {tags}"]


def _ids(root: ET.Element) -> list[str]:
    ids = [value for element in root.iter() for key, value in element.items() if key in IDS]
    names = [tier.get("TIER_ID", "") for tier in root.iter("TIER")]
    types = [kind.get("LINGUISTIC_TYPE_ID", "") for kind in root.iter("LINGUISTIC_TYPE")]
    found = [f"the id {value!r} is no name" for value in ids if not re.fullmatch(r"[^\W\d][\w.\-]*", value)]
    return found + [f"{sorted(values)} are not all different" for values in (ids, names, types) if _repeats(values)]


def _repeats(values: list[str]) -> bool:
    return len(set(values)) < len(values)


def _references(root: ET.Element) -> list[str]:
    found = []
    for element in root.iter():
        for attribute, value in element.items():
            if attribute in REFERENCES:
                tag, key = REFERENCES[attribute]
                if value not in {other.get(key) for other in root.iter(tag)}:
                    found.append(f"{element.tag} refers to {value!r}, which is no {tag}")
    return found
