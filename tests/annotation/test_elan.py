"""ELAN files are read with the times that ELAN shows; damaged and hostile ones are explained, never followed."""

import sys
import time
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path

import pytest
from few_and_many import few_and_many
from hypothesis import strategies as st

from lowres.annotation.elan import read_elan
from lowres.annotation.elan_media import path_from_url
from lowres.annotation.tiers import Annotation, AnnotationFile, MediaLink, Tier
from lowres.annotation.xml_files import PlainTreeBuilder
from lowres.errors import CorpusError

Read = Callable[..., AnnotationFile]

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


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Return a function that writes a document to a file and reads it."""

    def read_document(contents: str | bytes) -> AnnotationFile:
        path = tmp_path / "story.eaf"
        path.write_bytes(contents.encode() if isinstance(contents, str) else contents)
        return read_elan(path)

    return read_document


def times(found: Tier) -> list[tuple[str, float, float]]:
    return [(one.text, one.start_seconds, one.end_seconds) for one in found.annotations]


# What a sound file says


def test_an_aligned_annotation_has_the_times_of_its_slots_in_seconds(read: Read) -> None:
    found = read(document(tier("A", "top", aligned("a1", "ts1", "ts2", "kí wo")), slots={"ts1": "780", "ts2": "1590"}))
    assert found.tiers[0].annotations == (Annotation(0.78, 1.59, "kí wo"),)
    assert found.notes == ()


def test_a_tier_says_who_speaks_which_language_and_what_kind_it_is(read: Read) -> None:
    more = 'PARTICIPANT="Ana" LANG_REF="mdw" DEFAULT_LOCALE="en"'
    found = read(document(tier("A", "top", more=more))).tiers[0]
    assert (found.name, found.participant, found.language, found.linguistic_type) == ("A", "Ana", "mdw", "top")
    assert found.kind == "intervals"


def test_the_locale_is_the_language_where_no_other_is_given(read: Read) -> None:
    assert read(document(tier("A", "top", more='DEFAULT_LOCALE="fr"'))).tiers[0].language == "fr"


def test_text_is_kept_exactly_with_its_white_space_and_line_breaks(read: Read) -> None:
    text = "  a\tb \n c&#13;&lt;&amp;&#x1F600;e\u0301 "
    found = read(document(tier("A", "top", aligned("a1", "ts1", "ts2", text))))
    assert found.tiers[0].annotations[0].text == "  a\tb \n c\r<&😀e\u0301 "


def test_text_around_a_comment_and_in_cdata_is_all_there(read: Read) -> None:
    found = read(document(tier("A", "top", aligned("a1", "ts1", "ts2", "a<!-- no -->b<![CDATA[<c>]]>"))))
    assert found.tiers[0].annotations[0].text == "ab<c>"


def test_an_annotation_without_a_value_is_empty(read: Read) -> None:
    one = (
        '<ANNOTATION><ALIGNABLE_ANNOTATION ANNOTATION_ID="a1" TIME_SLOT_REF1="ts1" TIME_SLOT_REF2="ts2"/></ANNOTATION>'
    )
    assert read(document(tier("A", "top", one))).tiers[0].annotations == (Annotation(0.0, 1.0, ""),)


def test_annotations_come_in_the_order_of_their_times(read: Read) -> None:
    slots: dict[str, str | None] = {"ts1": "0", "ts2": "1000", "ts3": "2000"}
    found = read(document(tier("A", "top", aligned("b", "ts2", "ts3"), aligned("a", "ts1", "ts2")), slots=slots))
    assert [one.text for one in found.tiers[0].annotations] == ["a", "b"]


def test_an_associated_annotation_has_its_parents_times(read: Read) -> None:
    found = read(
        document(tier("A", "top", aligned("a1", "ts1", "ts2")), tier("B", "same", ref("b1", "a1"), parent="A"))
    )
    assert times(found.tiers[1]) == [("b1", 0.0, 1.0)]
    assert found.tiers[1].parent == "A"


def test_symbolic_subdivisions_divide_the_parents_time_evenly_in_the_order_they_follow_each_other(read: Read) -> None:
    parts = [ref("b3", "a1", "b2"), ref("b1", "a1"), ref("b4", "a1", "b3"), ref("b2", "a1", "b1")]
    found = read(document(tier("A", "top", aligned("a1", "ts1", "ts2")), tier("B", "parts", *parts, parent="A")))
    assert times(found.tiers[1]) == [("b1", 0.0, 0.25), ("b2", 0.25, 0.5), ("b3", 0.5, 0.75), ("b4", 0.75, 1.0)]


def test_a_chain_of_siblings_divides_its_parent_even_where_the_type_is_not_declared(read: Read) -> None:
    parts = [ref("b1", "a1"), ref("b2", "a1", "b1")]
    tiers = [tier("A", "top", aligned("a1", "ts1", "ts2")), tier("B", "parts", *parts, parent="A")]
    assert times(read(document(*tiers, more="")).tiers[1]) == [("b1", 0.0, 0.5), ("b2", 0.5, 1.0)]


def test_several_levels_of_dependent_tiers_are_followed_whatever_order_they_stand_in(read: Read) -> None:
    gloss = tier("gloss", "same", ref("g2", "m2"), parent="morph")
    morph = tier("morph", "parts", ref("m1", "w2"), ref("m2", "w2", "m1"), parent="word")
    word = tier("word", "parts", ref("w1", "a1"), ref("w2", "a1", "w1"), parent="A")
    found = read(document(gloss, morph, word, tier("A", "top", aligned("a1", "ts1", "ts2"))))
    assert times(found.tiers[1]) == [("m1", 0.5, 0.75), ("m2", 0.75, 1.0)]
    assert times(found.tiers[0]) == [("g2", 0.75, 1.0)]


def test_slots_without_a_time_lie_evenly_between_the_known_ones_of_their_tier(read: Read) -> None:
    slots: dict[str, str | None] = {"ts1": "0", "other": "10", "ts2": None, "ts3": None, "ts4": "900"}
    words = tier(
        "W", "time", aligned("w1", "ts1", "ts2"), aligned("w2", "ts2", "ts3"), aligned("w3", "ts3", "ts4"), parent="A"
    )
    found = read(document(tier("A", "top", aligned("a1", "ts1", "ts4")), words, slots=slots))
    assert times(found.tiers[1]) == [("w1", 0.0, 0.3), ("w2", 0.3, 0.6), ("w3", 0.6, 0.9)]
    assert found.notes == ("2 time slot(s) have no time and were placed evenly between their neighbours: ts2, ts3.",)


def test_a_tier_that_divides_a_divided_tier_is_placed_after_it(read: Read) -> None:
    # W: 0-?-1000, so its middle is 500; the morph tier divides its first half only, at 250.
    slots: dict[str, str | None] = {"ts1": "0", "m": None, "w": None, "ts2": "1000"}
    morph = tier("M", "time", aligned("m1", "ts1", "m"), aligned("m2", "m", "w"), parent="W")
    word = tier("W", "time", aligned("w1", "ts1", "w"), aligned("w2", "w", "ts2"), parent="A")
    found = read(document(morph, word, tier("A", "top", aligned("a1", "ts1", "ts2")), slots=slots))
    assert times(found.tiers[0]) == [("m1", 0.0, 0.25), ("m2", 0.25, 0.5)]


def test_a_slot_at_the_edge_of_its_tier_lies_between_its_neighbours_in_the_file(read: Read) -> None:
    slots: dict[str, str | None] = {"ts1": "0", "ts2": None, "ts3": "1000"}
    found = read(document(tier("A", "in", aligned("a1", "ts2", "ts3")), slots=slots))
    assert times(found.tiers[0]) == [("a1", 0.5, 1.0)]


@pytest.mark.parametrize("declared", ["2.7", "2.8", "3.0"])
def test_the_usual_versions_are_read_without_a_word(read: Read, declared: str) -> None:
    assert read(document().replace('FORMAT="3.0"', f'FORMAT="{declared}"')).notes == ()


def test_an_unknown_version_and_other_units_are_said(read: Read) -> None:
    notes = read(document().replace('FORMAT="3.0"', 'FORMAT="4.0"').replace('"milliseconds"', '"PAL-frames"')).notes
    assert len(notes) == 2
    assert "'4.0'" in notes[0]
    assert "'PAL-frames'" in notes[1]


def test_a_file_in_utf_16_is_read(read: Read) -> None:
    contents = document(tier("Ọ̀rọ̀", "top", aligned("a1", "ts1", "ts2", "ẹ̀"))).replace("UTF-8", "UTF-16")
    found = read(contents.encode("utf-16"))
    assert (found.tiers[0].name, found.tiers[0].annotations[0].text) == ("Ọ̀rọ̀", "ẹ̀")


# Recordings


def test_every_recording_is_named_with_both_paths_and_its_offset(read: Read) -> None:
    header = (
        '<MEDIA_DESCRIPTOR MEDIA_URL="file:///home/ana/my%20story.wav" RELATIVE_MEDIA_URL="./my%20story.wav"/>'
        '<MEDIA_DESCRIPTOR MEDIA_URL="file:///C:/video.mp4" RELATIVE_MEDIA_URL="file:/../v.mp4" TIME_ORIGIN="1250"/>'
    )
    assert read(document(header=header)).media == (
        MediaLink("/home/ana/my story.wav", "./my story.wav"),
        MediaLink("C:/video.mp4", "../v.mp4", 1.25),
    )


def test_the_one_recording_of_the_first_versions_is_found(read: Read) -> None:
    contents = document().replace('MEDIA_FILE=""', 'MEDIA_FILE="file:///a.wav"')
    assert read(contents).media == (MediaLink("/a.wav"),)


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("file:///home/a%C3%A9.wav", "/home/aé.wav"),
        ("file:/home/a.wav", "/home/a.wav"),
        ("file://localhost/home/a.wav", "/home/a.wav"),
        ("FILE:///C|/a.wav", "C:/a.wav"),
        ("file:///C:\\rec\\a.wav", "C:\\rec\\a.wav"),
        ("file://server/share/a.wav", "//server/share/a.wav"),
        ("file://///server/share/a.wav", "//server/share/a.wav"),
        ("file:///\\\\server\\share\\a.wav", "\\\\server\\share\\a.wav"),
        ("\\\\server\\share\\a.wav", "\\\\server\\share\\a.wav"),
        ("C:\\my recordings\\a.wav", "C:\\my recordings\\a.wav"),
        ("audio%20.wav", "audio%20.wav"),
        ("https://example.org/a%20b.wav", "https://example.org/a%20b.wav"),
        ("file:///home/100%.wav", "/home/100%.wav"),
        ("file:///home/%E9.wav", "/home/%E9.wav"),  # not UTF-8, so not turned back
        ("file:///home/%00.wav", "/home/%00.wav"),
        ("file:", ""),
        ("", ""),
    ],
)
def test_addresses_become_paths(url: str, path: str) -> None:
    assert path_from_url(url) == path


@pytest.mark.parametrize("written", ["NaN", "1e400", "9" * 5000, "", "٣"])
def test_an_offset_that_is_no_number_is_none_and_is_said(read: Read, written: str) -> None:
    found = read(document(header=f'<MEDIA_DESCRIPTOR MEDIA_URL="a.wav" TIME_ORIGIN="{written}"/>'))
    assert found.media == (MediaLink("a.wav"),)
    assert found.notes == ("1 recording(s) have an offset that is no number, and were given none: 'a.wav'.",)


# What a file contradicts


def test_a_dangling_reference_is_left_out_with_all_that_hangs_on_it(read: Read) -> None:
    tiers = [
        tier("A", "top", aligned("a1", "ts1", "ts2")),
        tier("B", "same", ref("b1", "a1"), ref("b2", "gone"), parent="A"),
        tier("C", "same", ref("c1", "b2"), parent="B"),
    ]
    found = read(document(*tiers))
    assert times(found.tiers[1]) == [("b1", 0.0, 1.0)]
    assert found.tiers[2].annotations == ()
    assert found.notes == (
        "1 annotation(s) left out because they refer to one that is not in the file: b2 on tier 'B'.",
        "1 annotation(s) left out because they refer to one that was left out, or to each other in a circle: "
        "c1 on tier 'C'.",
    )


def test_annotations_that_refer_to_each_other_in_a_circle_are_left_out(read: Read) -> None:
    found = read(document(tier("B", "same", ref("b1", "b2"), ref("b2", "b1"), ref("b3", "b3"))))
    assert found.tiers[0].annotations == ()
    assert "3 annotation(s) left out" in found.notes[0]


def test_siblings_that_follow_each_other_in_a_circle_stand_in_the_files_order(read: Read) -> None:
    parts = [ref("b1", "a1", "b2"), ref("b2", "a1", "b1")]
    found = read(document(tier("A", "top", aligned("a1", "ts1", "ts2")), tier("B", "parts", *parts, parent="A")))
    assert times(found.tiers[1]) == [("b1", 0.0, 0.5), ("b2", 0.5, 1.0)]
    assert found.notes[0].startswith("2 annotation(s) follow each other in a circle")


def test_a_missing_slot_leaves_its_annotation_out(read: Read) -> None:
    found = read(document(tier("A", "top", aligned("a1", "ts1", "ts9"), aligned("a2", "ts1", "ts2"))))
    assert times(found.tiers[0]) == [("a2", 0.0, 1.0)]
    assert found.notes == (
        "1 annotation(s) left out because they name a time slot that is not in the file: a1 on tier 'A'.",
    )


def test_an_annotation_that_nothing_dates_is_left_out(read: Read) -> None:
    found = read(document(tier("A", "top", aligned("a1", "ts1", "ts2")), slots={"ts1": None, "ts2": None}))
    assert found.tiers[0].annotations == ()
    assert "nothing in the file says when they are: a1 on tier 'A'." in found.notes[0]


def test_reversed_times_are_exchanged_and_said(read: Read) -> None:
    found = read(document(tier("A", "top", aligned("a1", "ts2", "ts1"))))
    assert times(found.tiers[0]) == [("a1", 0.0, 1.0)]
    assert found.notes == ("1 annotation(s) end before they begin; the two times were exchanged: a1 on tier 'A'.",)


@pytest.mark.parametrize("written", ["-1", "NaN", "nan", "inf", "1e3", "", "9" * 5000, "٣", "0x10", "1_000"])
def test_a_time_that_is_none_counts_as_missing(read: Read, written: str) -> None:
    slots = {"ts1": "0", "ts2": written, "ts3": "1000"}
    found = read(document(tier("A", "top", aligned("a1", "ts1", "ts2"), aligned("a2", "ts2", "ts3")), slots=slots))
    assert times(found.tiers[0]) == [("a1", 0.0, 0.5), ("a2", 0.5, 1.0)]
    assert found.notes[0].startswith("1 time slot(s) have a time that is none, and were taken to have none: ts2 (")
    assert all(len(note) < 200 for note in found.notes)


def test_a_slot_that_is_there_twice_keeps_its_first_time(read: Read) -> None:
    contents = document(tier("A", "top", aligned("a1", "ts1", "ts2")))
    twice = contents.replace("</TIME_ORDER>", '<TIME_SLOT TIME_SLOT_ID="ts2" TIME_VALUE="5"/></TIME_ORDER>')
    found = read(twice)
    assert times(found.tiers[0]) == [("a1", 0.0, 1.0)]
    assert found.notes == ("1 time slot(s) are there twice, and the first was taken: ts2.",)


def test_two_tiers_of_one_name_and_two_annotations_of_one_id_are_kept_and_said(read: Read) -> None:
    one = tier("A", "top", aligned("a1", "ts1", "ts2"))
    found = read(document(one, one, tier("B", "same", ref("b1", "a1"), parent="A")))
    assert [len(each.annotations) for each in found.tiers] == [1, 1, 1]
    assert [note.split(":")[0] for note in found.notes] == [
        "1 tier(s) have the name of another, which other tiers' references go to",
        "1 annotation(s) have the id of another, which references go to",
    ]


def test_tiers_that_are_each_others_parents_end_with_one_that_stands_alone(read: Read) -> None:
    found = read(document(tier("A", "same", parent="B"), tier("B", "same", parent="A"), tier("C", "same", parent="Z")))
    assert [one.parent for one in found.tiers] == ["B", "", ""]
    assert [note.split(":")[0] for note in found.notes] == [
        "1 tier(s) depend on one that is not in the file, and stand alone",
        "1 tier(s) depend on themselves in a circle, and stand alone",
    ]


def test_a_note_names_the_first_five_and_counts_the_rest(read: Read) -> None:
    found = read(document(tier("B", "same", *[ref(f"b{n}", "gone") for n in range(8)])))
    assert found.notes[0].startswith("8 annotation(s) left out")
    assert found.notes[0].endswith("b4 on tier 'B' and 3 more.")


def test_tiers_nested_two_thousand_deep_are_read(read: Read) -> None:
    depth = 2000
    assert depth > sys.getrecursionlimit()
    tiers = [tier("t0", "top", aligned("a0", "ts1", "ts2"))]
    tiers += [tier(f"t{n}", "same", ref(f"a{n}", f"a{n - 1}"), parent=f"t{n - 1}") for n in range(1, depth)]
    found = read(document(*reversed(tiers)))
    assert {times(one)[0][1:] for one in found.tiers} == {(0.0, 1.0)}
    assert found.notes == ()


def test_elements_nested_a_hundred_thousand_deep_are_read_past(read: Read) -> None:
    nested = "<X>" * 100_000 + "y" + "</X>" * 100_000
    found = read(document(tier("A", "top", aligned("a1", "ts1", "ts2", nested))))
    assert found.tiers[0].annotations[0].text == "y"


def test_reading_takes_time_in_proportion_to_the_file(read: Read) -> None:
    def seconds(num_annotations: int) -> float:
        half = num_annotations // 2
        slots = {f"s{n}": None if n % 3 else str(n) for n in range(half + 1)}
        top = tier("A", "top", *[aligned(f"a{n}", f"s{n}", f"s{n + 1}") for n in range(half)])
        parts = [ref(f"b{n}", "a0", f"b{n - 1}") for n in range(half)]
        contents = document(top, tier("B", "parts", *reversed(parts), parent="A"), slots=slots)
        started = time.process_time()
        assert len(read(contents).tiers[1].annotations) == half
        return time.process_time() - started

    # Ten times as much; something quadratic would take a hundred times as long.
    assert seconds(20_000) < 40 * max(seconds(2_000), 0.01)


# What is refused

LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 12))


@pytest.mark.parametrize(
    "declaration",
    [
        f'<!DOCTYPE ANNOTATION_DOCUMENT [<!ENTITY l0 "ha">{LAUGHS}]>',
        '<!DOCTYPE ANNOTATION_DOCUMENT [<!ENTITY l11 SYSTEM "file:///etc/passwd">]>',
        '<!DOCTYPE ANNOTATION_DOCUMENT SYSTEM "http://127.0.0.1:9/a.dtd">',
        '<!DOCTYPE ANNOTATION_DOCUMENT [<!ENTITY % p SYSTEM "file:///etc/passwd"> %p;]>',
        "<!DOCTYPE ANNOTATION_DOCUMENT>",
    ],
)
@pytest.mark.parametrize("encoding", ["UTF-8", "UTF-16"])
def test_a_document_type_is_refused_at_once(read: Read, declaration: str, encoding: str) -> None:
    contents = document(tier("A", "top", aligned("a1", "ts1", "ts2", "&l11;"))).replace("UTF-8", encoding)
    started = time.process_time()
    with pytest.raises(CorpusError, match="declares a document type or entities"):
        read(contents.replace("?>\n", f"?>\n{declaration}", 1).encode(encoding))
    assert time.process_time() - started < 1


def test_a_document_type_cannot_hide_in_an_encoding_with_other_letters(read: Read) -> None:
    # cp037 is EBCDIC: behind a declaration in ASCII its letters are other bytes, which no search for them finds.
    declared = '<!DOCTYPE ANNOTATION_DOCUMENT [<!ENTITY a "b">]><ANNOTATION_DOCUMENT/>'
    with pytest.raises(CorpusError, match="unknown encoding"):
        read(b'<?xml version="1.0" encoding="cp037"?>' + declared.encode("cp037"))


def test_the_parser_refuses_a_document_type_by_itself_too() -> None:
    with pytest.raises(ValueError, match="declares a document type"):
        ET.fromstring("<!DOCTYPE a><a/>", ET.XMLParser(target=PlainTreeBuilder()))


@pytest.mark.parametrize(
    ("contents", "said"),
    [
        (b"", "is empty"),
        (b" \n", "is empty"),
        (b"just text", "line 1: syntax error"),
        (b"PK\x03\x04\x00\x00", "line 1"),
        (b"<html/>", "begins with <html>"),
        (b'<a:ANNOTATION_DOCUMENT xmlns:a="urn:x"/>', "begins with <{urn:x}ANNOTATION_DOCUMENT>"),
        (document().encode()[:-30], "line 7"),
        (document(tier("A", "top", aligned("a", "ts1", "ts2", "&nbsp;"))).encode(), "line 2: undefined entity"),
        (document(tier("A", "top", aligned("a", "ts1", "ts2", "&#1;"))).encode(), "line 2"),
        (document(tier("A", "top", aligned("a", "ts1", "ts2", "é"))).encode("latin-1"), "line 2"),
        (document().replace("UTF-8", "utf-7").encode(), "encoding that cannot be read"),
        (document().replace("UTF-8", "rot13").encode(), "encoding that cannot be read"),
        (document().replace("UTF-8", "klingon").encode(), "unknown encoding|encoding that cannot be read"),
    ],
)
def test_what_is_no_elan_file_is_refused_with_its_path_and_line(read: Read, contents: bytes, said: str) -> None:
    with pytest.raises(CorpusError, match=said) as raised:
        read(contents)
    assert "story.eaf" in raised.value.message
    assert raised.value.hint


@pytest.mark.parametrize("name", ["missing.eaf", "."])
def test_a_file_that_cannot_be_opened_is_named(tmp_path: Path, name: str) -> None:
    with pytest.raises(CorpusError, match="There is no file at"):
        read_elan(tmp_path / name)


SOUND = document(
    tier("A", "top", aligned("a1", "ts1", "ts3", "kí &amp; wo"), more='PARTICIPANT="Ana"'),
    tier("W", "time", aligned("w1", "ts1", "ts2"), aligned("w2", "ts2", "ts3"), parent="A"),
    tier("P", "parts", ref("p1", "w1"), ref("p2", "w1", "p1"), parent="W"),
    tier("S", "same", ref("s1", "p1"), parent="P"),
    slots={"ts1": "0", "ts2": None, "ts3": "1000"},
    header='<MEDIA_DESCRIPTOR MEDIA_URL="file:///a%20b.wav" RELATIVE_MEDIA_URL="./a.wav" TIME_ORIGIN="5"/>',
).encode()
PIECES = [b"", b"<", b">", b'"', b"&", b"\x00", b"\xff", b"ts1", b"ts2", b"w1", b"-", b"9" * 40, b"<!DOCTYPE a>", b"A"]
EDITS = st.lists(
    st.tuples(
        st.integers(0, len(SOUND)), st.integers(0, 40), st.one_of(st.binary(max_size=3), st.sampled_from(PIECES))
    ),
    min_size=1,
    max_size=4,
)


@few_and_many(300, edits=EDITS)
def test_a_damaged_file_is_read_or_refused_and_nothing_else(read: Read, edits: list[tuple[int, int, bytes]]) -> None:
    contents = SOUND
    for place, length, piece in edits:
        contents = contents[:place] + piece + contents[place + length :]
    try:
        found = read(contents)
    except CorpusError as error:
        said = error.message
    else:
        said = "read"
        assert all(one.start_seconds <= one.end_seconds for each in found.tiers for one in each.annotations)
    assert said


REFERENCES = st.lists(
    st.tuples(st.sampled_from("abcdef"), st.sampled_from("abcdefz"), st.sampled_from(["", *"abcdef"])), max_size=12
)


@few_and_many(200, tiers=st.lists(st.tuples(st.sampled_from("ABCD"), st.sampled_from("ABCDZ"), REFERENCES), max_size=4))
def test_whoever_refers_to_whom_every_annotation_is_read_or_counted(
    read: Read, tiers: list[tuple[str, str, list[tuple[str, str, str]]]]
) -> None:
    elements = [
        tier(name, "parts", *[ref(*reference) for reference in references], parent=parent)
        for name, parent, references in tiers
    ]
    found = read(document(tier("A", "top", aligned("a", "ts1", "ts2")), *elements))
    num_read = sum(len(one.annotations) for one in found.tiers)
    num_left_out = sum(int(note.split()[0]) for note in found.notes if "left out because" in note)
    assert num_read + num_left_out == 1 + sum(len(references) for _, _, references in tiers)
