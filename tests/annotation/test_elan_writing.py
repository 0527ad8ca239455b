"""ELAN files are written so that ELAN opens them, and so that what is read back is what was written."""

import xml.etree.ElementTree as ET
from datetime import UTC, datetime
from pathlib import Path

import pytest
from few_and_many import few_and_many
from hypothesis import given
from hypothesis import strategies as st

from lowres.annotation.elan import read_elan
from lowres.annotation.elan_writing import write_elan
from lowres.annotation.tiers import Annotation, AnnotationFile, MediaLink, Tier
from lowres.errors import CorpusError

ONE = (Annotation(0.5, 1.25, "kí wo"),)

# The order that EAFv3.0.xsd prescribes for what stands in the document.
ORDER = ["HEADER", "TIME_ORDER", "TIER", "LINGUISTIC_TYPE", "LANGUAGE", "CONSTRAINT"]


def write(folder: Path, *tiers: Tier, media: tuple[MediaLink, ...] = ()) -> ET.Element:
    write_elan(AnnotationFile(tiers, media), folder / "out.eaf")
    return ET.parse(folder / "out.eaf").getroot()


def back(folder: Path, *tiers: Tier) -> tuple[Tier, ...]:
    write_elan(AnnotationFile(tiers), folder / "out.eaf")
    found = read_elan(folder / "out.eaf")
    assert found.notes == ()
    return found.tiers


def test_a_small_file_is_written_to_the_letter(tmp_path: Path) -> None:
    write_elan(
        AnnotationFile((Tier("A", ONE, participant="Ana", language="mdw"),), (MediaLink("/rec/a b.wav"),)),
        tmp_path / "out.eaf",
        written=datetime(2026, 11, 23, 6, 0, tzinfo=UTC),
    )
    lines = (tmp_path / "out.eaf").read_bytes().decode("utf-8").split("\n")
    assert lines[:2] == [
        '<?xml version="1.0" encoding="UTF-8"?>',
        '<ANNOTATION_DOCUMENT AUTHOR="lowres" DATE="2026-11-23T06:00:00+00:00" FORMAT="3.0" VERSION="3.0" '
        'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
        'xsi:noNamespaceSchemaLocation="http://www.mpi.nl/tools/elan/EAFv3.0.xsd">',
    ]
    assert lines[3].startswith('        <MEDIA_DESCRIPTOR MEDIA_URL="file:///rec/a b.wav" MIME_TYPE="audio/x-wav" ')
    assert lines[4:20] == [
        '        <PROPERTY NAME="lastUsedAnnotationId">1</PROPERTY>',
        "    </HEADER>",
        "    <TIME_ORDER>",
        '        <TIME_SLOT TIME_SLOT_ID="ts1" TIME_VALUE="500"/>',
        '        <TIME_SLOT TIME_SLOT_ID="ts2" TIME_VALUE="1250"/>',
        "    </TIME_ORDER>",
        '    <TIER LINGUISTIC_TYPE_REF="default-lt" TIER_ID="A" PARTICIPANT="Ana" LANG_REF="mdw">',
        "        <ANNOTATION>",
        '            <ALIGNABLE_ANNOTATION ANNOTATION_ID="a1" TIME_SLOT_REF1="ts1" TIME_SLOT_REF2="ts2">',
        "                <ANNOTATION_VALUE>kí wo</ANNOTATION_VALUE>",
        "            </ALIGNABLE_ANNOTATION>",
        "        </ANNOTATION>",
        "    </TIER>",
        '    <LINGUISTIC_TYPE GRAPHIC_REFERENCES="false" LINGUISTIC_TYPE_ID="default-lt" TIME_ALIGNABLE="true"/>',
        '    <LANGUAGE LANG_DEF="" LANG_ID="mdw" LANG_LABEL="mdw"/>',
        "    <CONSTRAINT DESCRIPTION=\"Time subdivision of parent annotation's time interval, no time gaps allowed "
        'within this interval" STEREOTYPE="Time_Subdivision"/>',
    ]
    assert lines[-2:] == ["</ANNOTATION_DOCUMENT>", ""]


def test_the_document_is_in_the_order_of_elans_schema_and_every_reference_is_declared(tmp_path: Path) -> None:
    root = write(tmp_path, Tier("A", ONE, language="Mbo shi"), Tier("B", ONE, parent="A"), Tier("C", ()))
    places = [ORDER.index(element.tag) for element in root]
    assert places == sorted(places)
    types = {one.get("LINGUISTIC_TYPE_ID"): one.get("CONSTRAINTS") for one in root.iter("LINGUISTIC_TYPE")}
    stereotypes = {one.get("STEREOTYPE") for one in root.iter("CONSTRAINT")}
    slots = {one.get("TIME_SLOT_ID") for one in root.iter("TIME_SLOT")}
    languages = {one.get("LANG_ID") for one in root.iter("LANGUAGE")}
    assert {one.get("LINGUISTIC_TYPE_REF") for one in root.iter("TIER")} <= set(types)
    assert set(types.values()) - {None} <= stereotypes
    assert {one.get("TIME_SLOT_REF1") for one in root.iter("ALIGNABLE_ANNOTATION")} <= slots
    assert {one.get("LANG_REF") for one in root.iter("TIER")} - {None} == languages == {"Mbo_shi"}


def test_slots_are_in_the_order_of_time_and_touching_annotations_share_none(tmp_path: Path) -> None:
    root = write(
        tmp_path, Tier("A", (Annotation(0, 1, "a"), Annotation(1, 2, "b"))), Tier("B", (Annotation(0.5, 1, "c"),))
    )
    values = [int(one.get("TIME_VALUE", "")) for one in root.iter("TIME_SLOT")]
    assert values == [0, 500, 1000, 1000, 1000, 2000]
    first, second = (
        (one.get("TIME_SLOT_REF1"), one.get("TIME_SLOT_REF2")) for one in root.findall("TIER[1]//ALIGNABLE_ANNOTATION")
    )
    assert (first, second) == (("ts1", "ts3"), ("ts4", "ts6"))


def test_times_are_rounded_half_to_even(tmp_path: Path) -> None:
    root = write(tmp_path, Tier("A", (Annotation(0.0005, 0.0015, ""), Annotation(0.0025, 0.5004, ""))))
    assert [one.get("TIME_VALUE") for one in root.iter("TIME_SLOT")] == ["0", "2", "2", "500"]


def test_a_tier_with_its_parents_times_is_associated_with_it(tmp_path: Path) -> None:
    root = write(
        tmp_path,
        Tier("A", (Annotation(0, 1, "a"), Annotation(1, 2, "b"))),
        Tier("B", (Annotation(1.0001, 2, "x"),), parent="A", linguistic_type="gloss"),
    )
    (annotation,) = root.iter("REF_ANNOTATION")
    assert annotation.get("ANNOTATION_REF") == "a2"
    kinds = {one.get("LINGUISTIC_TYPE_ID"): one.get("CONSTRAINTS") for one in root.iter("LINGUISTIC_TYPE")}
    assert kinds == {"default-lt": None, "gloss": "Symbolic_Association"}
    assert root.findall("TIER")[1].get("PARENT_REF") == "A"


@pytest.mark.parametrize(
    "annotations",
    [
        (Annotation(0, 0.5, "half"),),
        (Annotation(0, 1, "x"), Annotation(0, 1, "a second one for one parent")),
    ],
)
def test_a_tier_with_times_of_its_own_stands_alone(tmp_path: Path, annotations: tuple[Annotation, ...]) -> None:
    found = back(tmp_path, Tier("A", (Annotation(0, 1, "a"),)), Tier("B", annotations, parent="A"))
    assert found[1].parent == ""
    assert found[1].annotations == annotations


def test_a_tier_whose_parent_is_missing_or_itself_stands_alone(tmp_path: Path) -> None:
    found = back(tmp_path, Tier("A", ONE, parent="A"), Tier("B", ONE, parent="gone"))
    assert [(one.parent, one.annotations) for one in found] == [("", ONE), ("", ONE)]


def test_tiers_that_are_each_others_parents_are_written(tmp_path: Path) -> None:
    found = back(tmp_path, Tier("A", ONE, parent="B"), Tier("B", ONE, parent="A"))
    assert [(one.parent, one.annotations) for one in found] == [("B", ONE), ("", ONE)]


def test_one_type_of_tiers_that_stand_alone_and_of_associated_ones_becomes_two(tmp_path: Path) -> None:
    found = back(tmp_path, Tier("A", ONE, linguistic_type="t"), Tier("B", ONE, linguistic_type="t", parent="A"))
    assert [one.linguistic_type for one in found] == ["t", "t (associated)"]


def test_a_point_becomes_an_interval_that_elan_can_show(tmp_path: Path) -> None:
    points = (Annotation(1, 1, "a"), Annotation(1.01, 1.01, "b"), Annotation(3, 3, "c"))
    (found,) = back(tmp_path, Tier("A", points, kind="points"))
    assert [(one.start_seconds, one.end_seconds) for one in found.annotations] == [(1, 1.01), (1.01, 1.05), (3, 3.04)]


@pytest.mark.parametrize("language", ["mdw", "My language", "Èdè Yorùbá", "2nd", "a/b"])
def test_a_language_may_be_a_code_or_any_name(tmp_path: Path, language: str) -> None:
    assert [one.language for one in back(tmp_path, Tier("A", ONE, language=language))] == [language]


@pytest.mark.parametrize(
    ("path", "url", "mime"),
    [
        ("/rec/a é#1.wav", "file:///rec/a é#1.wav", "audio/x-wav"),
        ("/rec/50%25.WAV", "file:///rec/50%2525.WAV", "audio/x-wav"),
        ("C:\\rec\\a.mp4", "file:///C:/rec/a.mp4", "video/mp4"),
        ("\\\\server\\rec\\a.mp3", "file://server/rec/a.mp3", "audio/*"),
        ("a.flac", "a.flac", "audio/*"),
        ("https://example.org/a.webm", "https://example.org/a.webm", "video/*"),
        ("/rec/a", "file:///rec/a", "unknown"),
    ],
)
def test_recordings_are_written_as_elan_writes_them(tmp_path: Path, path: str, url: str, mime: str) -> None:
    (descriptor,) = write(tmp_path, media=(MediaLink(path, "", 1.25),)).iter("MEDIA_DESCRIPTOR")
    assert (descriptor.get("MEDIA_URL"), descriptor.get("MIME_TYPE")) == (url, mime)
    assert descriptor.get("TIME_ORIGIN") == "1250"


def test_a_recording_is_also_named_from_the_folder_of_the_file(tmp_path: Path) -> None:
    links = (
        MediaLink(str(tmp_path / "a.wav")),
        MediaLink(str(tmp_path.parent / "b.wav")),
        MediaLink("c.wav"),
        MediaLink("", "../d.wav"),
        MediaLink("/elsewhere/e.wav", "./e.wav"),
    )
    root = write(tmp_path, media=links)
    relative = [one.get("RELATIVE_MEDIA_URL") for one in root.iter("MEDIA_DESCRIPTOR")]
    assert relative == ["./a.wav", "../b.wav", "./c.wav", "../d.wav", "./e.wav"]
    assert [one.path for one in read_elan(tmp_path / "out.eaf").media][3] == "../d.wav"


@pytest.mark.parametrize("character", ["\x00", "\x0b", "\x1f", "\ud800", "\ufffe", "\uffff"])
def test_a_character_that_xml_cannot_hold_is_refused_with_its_place(tmp_path: Path, character: str) -> None:
    tier = Tier("A", (*ONE, Annotation(2.5, 3, f"x{character}")))
    with pytest.raises(CorpusError, match=f"2.5 s on tier 'A' holds the character U.{ord(character):04X}"):
        write(tmp_path, tier)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("tiers", "said"),
    [
        ((Tier("A\x01", ONE),), "The tier"),
        ((Tier("A", ONE, participant="\x01"),), "The tier 'A'"),
        ((Tier("A", ONE), Tier("A", ONE)), "Two tiers are called 'A'"),
        ((Tier("A", (Annotation(-1, 1, ""),)),), "from -1 to 1 s"),
        ((Tier("A", (Annotation(0, float("nan"), ""),)),), "nan"),
        ((Tier("A", (Annotation(0, float("inf"), ""),)),), "inf"),
        ((Tier("A", (Annotation(0, 1e308, ""),)),), "ELAN can hold 0 to 4294967 s"),
        ((Tier("A", (Annotation(2, 1, ""),)),), "ends before it begins, at 1 s"),
    ],
)
def test_what_elan_cannot_hold_is_refused(tmp_path: Path, tiers: tuple[Tier, ...], said: str) -> None:
    with pytest.raises(CorpusError, match=said):
        write(tmp_path, *tiers)


@pytest.mark.parametrize(
    "link",
    [MediaLink("a\x01.wav"), MediaLink("a\udcff.wav"), MediaLink("a", "", float("nan")), MediaLink("a", "", 1e308)],
)
def test_a_recording_that_cannot_be_named_is_refused(tmp_path: Path, link: MediaLink) -> None:
    with pytest.raises(CorpusError, match="recording"):
        write(tmp_path, media=(link,))


def test_a_refused_file_leaves_the_old_one_as_it_was(tmp_path: Path) -> None:
    (tmp_path / "out.eaf").write_text("old")
    with pytest.raises(CorpusError):
        write(tmp_path, Tier("A", (Annotation(0, 1, "\x00"),)))
    assert [(one.name, one.read_text()) for one in tmp_path.iterdir()] == [("out.eaf", "old")]


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(CorpusError, match="cannot be written"):
        write(tmp_path / "file", Tier("A", ONE))


TEXTS = st.text(
    st.one_of(
        st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff"),
        st.sampled_from("\t\n\r<>&\"']"),
    ),
    max_size=12,
)
MILLISECONDS = st.one_of(st.integers(0, 3000), st.integers(0, 2**32 - 1000))
ANNOTATIONS = st.lists(st.tuples(MILLISECONDS, MILLISECONDS, TEXTS), max_size=6)


@few_and_many(
    100,
    tiers=st.lists(st.tuples(TEXTS, TEXTS, TEXTS, ANNOTATIONS), max_size=3, unique_by=lambda one: one[0]),
    offset=st.integers(-(10**6), 10**6),
)
def test_what_is_written_is_read_back(
    tmp_path: Path, tiers: list[tuple[str, str, str, list[tuple[int, int, str]]]], offset: int
) -> None:
    written = []
    for name, participant, text, found in tiers:
        annotations = [Annotation(min(a, b) / 1000, max(a, b) / 1000, value) for a, b, value in found]
        annotations.sort(key=lambda one: (one.start_seconds, one.end_seconds))
        copies = tuple(Annotation(one.start_seconds, one.end_seconds, text) for one in annotations)
        name = f"tier {name}"
        written.append(Tier(name, tuple(annotations), participant=participant, linguistic_type="utterance"))
        written.append(Tier(f"copy of {name}", copies, linguistic_type="gloss", parent=name))
    media = (MediaLink("/rec/a%20b 50%.wav", "./a%20b.wav", offset / 1000),)
    write_elan(AnnotationFile(tuple(written), media), tmp_path / "out.eaf")
    assert read_elan(tmp_path / "out.eaf") == AnnotationFile(tuple(written), media)
    write_elan(read_elan(tmp_path / "out.eaf"), tmp_path / "again.eaf", written=datetime(2026, 1, 1, tzinfo=UTC))
    write_elan(AnnotationFile(tuple(written), media), tmp_path / "out.eaf", written=datetime(2026, 1, 1, tzinfo=UTC))
    assert (tmp_path / "again.eaf").read_bytes() == (tmp_path / "out.eaf").read_bytes()


@given(seconds=st.floats(0, 4294967))
def test_a_time_is_kept_to_half_a_millisecond(tmp_path_factory: pytest.TempPathFactory, seconds: float) -> None:
    folder = tmp_path_factory.getbasetemp()
    (found,) = back(folder, Tier("A", (Annotation(seconds, seconds, ""),)))
    assert abs(found.annotations[0].start_seconds - seconds) <= 0.0005 + 1e-9
