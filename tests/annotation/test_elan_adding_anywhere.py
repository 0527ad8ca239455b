"""Whatever an ELAN file looks like, taking out what was added gives it back, and its tiers are what they were."""

import xml.etree.ElementTree as ET
from contextlib import suppress
from pathlib import Path

from elan_documents import TYPES, aligned, ref
from elan_rules import faults
from few_and_many import few_and_many
from hypothesis import strategies as st
from mutations import damaged
from test_elan_adding import CONSTRAINTS, DECOYS, FULL, MISLEADING, add, undo

from lowres.annotation.elan import read_elan
from lowres.annotation.elan_adding import add_tiers
from lowres.annotation.tiers import Annotation, Tier
from lowres.errors import CorpusError

TEXTS = st.text(
    st.one_of(
        st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff"),
        st.sampled_from("\t\n\r<>&\"']-"),
    ),
    max_size=12,
)
TIMES = st.integers(0, 3000)
SPANS = st.lists(st.tuples(TIMES, TIMES, TEXTS), max_size=5)
BETWEEN = st.sampled_from(["", "\n", "\n    ", "\n\t", f"\n  {DECOYS}\n  ", "\n    <!-- </TIER> -->"])


@st.composite
def documents(draw: st.DrawFn) -> bytes:
    """Return a file as ELAN, other programs or people might have written it."""
    times = sorted(draw(st.lists(TIMES, min_size=2, max_size=6)))
    slots = [f'<TIME_SLOT TIME_SLOT_ID="ts{number}" TIME_VALUE="{time}"/>' for number, time in enumerate(times)]
    last = len(slots) - 1
    if draw(st.booleans()):
        slots.insert(1, '<TIME_SLOT TIME_SLOT_ID="open" />')
        divided = aligned("a2", "ts0", "open") + aligned("a3", "open", f"ts{last}")
    else:
        divided = aligned("a2", "ts0", f"ts{last}")
    tiers = [
        f'<TIER TIER_ID="A" LINGUISTIC_TYPE_REF="top">{aligned("a1", "ts0", f"ts{last}")}</TIER>',
        f'<TIER PARENT_REF="A" TIER_ID="B" LINGUISTIC_TYPE_REF="time">{divided}</TIER>',
        f'<TIER PARENT_REF="A" TIER_ID=\'C>\' LINGUISTIC_TYPE_REF="same">{ref("a4", "a1")}</TIER>',
        '<TIER TIER_ID="D" LINGUISTIC_TYPE_REF="top"/>',
    ]
    kept = draw(st.sampled_from(["", '<PROPERTY NAME="lastUsedAnnotationId">4</PROPERTY>']))
    pieces = [
        draw(st.sampled_from(["<HEADER>{}</HEADER>", "<HEADER TIME_UNITS='milliseconds'>{}\n </HEADER >"])).format(
            kept
        ),
        "<TIME_ORDER>" + "".join(draw(BETWEEN) + slot for slot in slots) + draw(BETWEEN) + "</TIME_ORDER>",
        *tiers[: draw(st.integers(1, 4))],
        *TYPES.split("\n"),
        CONSTRAINTS,
    ]
    text = "<ANNOTATION_DOCUMENT AUTHOR='' DATE='2017-09-05T14:53:24+06:00' VERSION='3.0'>"
    text += "".join(draw(BETWEEN) + piece for piece in pieces) + draw(BETWEEN) + "</ANNOTATION_DOCUMENT>"
    encoding = draw(st.sampled_from(["", "utf-8", "utf-8-sig", "ISO-8859-1"]))
    if encoding:
        text = f'<?xml version="1.0" encoding="{encoding.removesuffix("-sig")}"?>\n{text}'
    return text.replace("\n", draw(st.sampled_from(["\n", "\r\n"]))).encode(encoding or "utf-8")


@few_and_many(150, old=documents(), new=st.lists(st.tuples(TEXTS, TEXTS, SPANS), max_size=3))
def test_what_is_added_can_be_taken_out_and_the_rest_is_untouched(
    tmp_path: Path, old: bytes, new: list[tuple[str, str, list[tuple[int, int, str]]]]
) -> None:
    tiers = []
    for number, (name, participant, spans) in enumerate(new):
        annotations = [Annotation(min(a, b) / 1000, max(a, b) / 1000, text) for a, b, text in spans]
        annotations.sort(key=lambda one: (one.start_seconds, one.end_seconds))
        tiers.append(Tier(f"{name} {number}", tuple(annotations), participant=participant, linguistic_type="top"))
    (tmp_path / "a.eaf").write_bytes(old)
    added = add_tiers(tmp_path / "a.eaf", tiers, replace_file=True)
    contents = added.path.read_bytes()
    assert undo(added) == old
    assert {change.removed for change in added.changes} <= {b"", b"4"}
    before, after = read_elan(tmp_path / "a.eaf"), read_elan(added.path)
    assert after.tiers == (*before.tiers, *tiers)
    assert after.notes == before.notes
    assert faults(contents) == []
    times = [slot.get("TIME_VALUE") for slot in ET.fromstring(contents).iter("TIME_SLOT")]
    known = [int(time) for time in times if time is not None]
    assert known == sorted(known)


@few_and_many(300, contents=damaged(FULL.encode()) | damaged(MISLEADING.encode()))
def test_a_damaged_file_is_added_to_or_refused(tmp_path: Path, contents: bytes) -> None:
    for left in tmp_path.iterdir():
        left.unlink()
    with suppress(CorpusError):
        add(tmp_path, contents)
    assert (tmp_path / "a.eaf").read_bytes() == contents
    assert {path.name for path in tmp_path.iterdir()} <= {"a.eaf", "a.lowres.eaf"}
