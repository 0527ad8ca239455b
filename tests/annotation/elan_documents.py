"""ELAN files in a few words: tiers, annotations and time slots, and what a file that was read says of times."""

from collections.abc import Callable

from lowres.annotation.tiers import AnnotationFile, Tier

ReadEaf = Callable[[str | bytes], AnnotationFile]
"""The fixture `read_eaf`: writes a document to story.eaf and reads it."""

TYPES = """
<LINGUISTIC_TYPE LINGUISTIC_TYPE_ID="top" TIME_ALIGNABLE="true"/>
<LINGUISTIC_TYPE LINGUISTIC_TYPE_ID="time" TIME_ALIGNABLE="true" CONSTRAINTS="Time_Subdivision"/>
<LINGUISTIC_TYPE LINGUISTIC_TYPE_ID="in" TIME_ALIGNABLE="true" CONSTRAINTS="Included_In"/>
<LINGUISTIC_TYPE LINGUISTIC_TYPE_ID="parts" TIME_ALIGNABLE="false" CONSTRAINTS="Symbolic_Subdivision"/>
<LINGUISTIC_TYPE LINGUISTIC_TYPE_ID="same" TIME_ALIGNABLE="false" CONSTRAINTS="Symbolic_Association"/>
"""


def aligned(name: str, start: str, end: str, text: str = "") -> str:
    return (
        f'<ANNOTATION><ALIGNABLE_ANNOTATION ANNOTATION_ID="{name}" TIME_SLOT_REF1="{start}" TIME_SLOT_REF2="{end}">'
        f"<ANNOTATION_VALUE>{text or name}</ANNOTATION_VALUE></ALIGNABLE_ANNOTATION></ANNOTATION>"
    )


def ref(name: str, to: str, previous: str = "") -> str:
    before = f' PREVIOUS_ANNOTATION="{previous}"' if previous else ""
    return (
        f'<ANNOTATION><REF_ANNOTATION ANNOTATION_ID="{name}" ANNOTATION_REF="{to}"{before}>'
        f"<ANNOTATION_VALUE>{name}</ANNOTATION_VALUE></REF_ANNOTATION></ANNOTATION>"
    )


def tier(name: str, kind: str, *annotations: str, parent: str = "", more: str = "") -> str:
    depends = f' PARENT_REF="{parent}"' if parent else ""
    return f'<TIER TIER_ID="{name}" LINGUISTIC_TYPE_REF="{kind}"{depends} {more}>{"".join(annotations)}</TIER>'


def document(*tiers: str, slots: dict[str, str | None] | None = None, header: str = "", more: str = TYPES) -> str:
    given_slots = {"ts1": "0", "ts2": "1000"} if slots is None else slots
    order = "".join(
        f'<TIME_SLOT TIME_SLOT_ID="{name}"/>'
        if value is None
        else f'<TIME_SLOT TIME_SLOT_ID="{name}" TIME_VALUE="{value}"/>'
        for name, value in given_slots.items()
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<ANNOTATION_DOCUMENT AUTHOR="" DATE="2017-09-05T14:53:24+06:00" FORMAT="3.0" VERSION="3.0">'
        f'<HEADER MEDIA_FILE="" TIME_UNITS="milliseconds">{header}</HEADER><TIME_ORDER>{order}</TIME_ORDER>'
        f"{''.join(tiers)}{more}</ANNOTATION_DOCUMENT>"
    )


def times(found: Tier) -> list[tuple[str, float, float]]:
    return [(one.text, one.start_seconds, one.end_seconds) for one in found.annotations]
