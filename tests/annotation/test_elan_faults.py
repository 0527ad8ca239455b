"""Damaged and hostile ELAN files are explained, never followed: faults are mended or left out and said, or refused."""

import sys
import time
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from elan_documents import ReadEaf, aligned, document, ref, tier, times
from few_and_many import few_and_many
from hypothesis import strategies as st

from lowres.annotation.elan import read_elan
from lowres.annotation.xml_files import PlainTreeBuilder
from lowres.errors import CorpusError

# What a file contradicts


def test_a_dangling_reference_is_left_out_with_all_that_hangs_on_it(read_eaf: ReadEaf) -> None:
    tiers = [
        tier("A", "top", aligned("a1", "ts1", "ts2")),
        tier("B", "same", ref("b1", "a1"), ref("b2", "gone"), parent="A"),
        tier("C", "same", ref("c1", "b2"), parent="B"),
    ]
    found = read_eaf(document(*tiers))
    assert times(found.tiers[1]) == [("b1", 0.0, 1.0)]
    assert found.tiers[2].annotations == ()
    assert found.notes == (
        "1 annotation(s) left out because they refer to one that is not in the file: b2 on tier 'B'.",
        "1 annotation(s) left out because they refer to one that was left out, or to each other in a circle: "
        "c1 on tier 'C'.",
    )


def test_annotations_that_refer_to_each_other_in_a_circle_are_left_out(read_eaf: ReadEaf) -> None:
    found = read_eaf(document(tier("B", "same", ref("b1", "b2"), ref("b2", "b1"), ref("b3", "b3"))))
    assert found.tiers[0].annotations == ()
    assert "3 annotation(s) left out" in found.notes[0]


def test_siblings_that_follow_each_other_in_a_circle_stand_in_the_files_order(read_eaf: ReadEaf) -> None:
    parts = [ref("b1", "a1", "b2"), ref("b2", "a1", "b1")]
    found = read_eaf(document(tier("A", "top", aligned("a1", "ts1", "ts2")), tier("B", "parts", *parts, parent="A")))
    assert times(found.tiers[1]) == [("b1", 0.0, 0.5), ("b2", 0.5, 1.0)]
    assert found.notes[0].startswith("2 annotation(s) follow each other in a circle")


def test_a_missing_slot_leaves_its_annotation_out(read_eaf: ReadEaf) -> None:
    found = read_eaf(document(tier("A", "top", aligned("a1", "ts1", "ts9"), aligned("a2", "ts1", "ts2"))))
    assert times(found.tiers[0]) == [("a2", 0.0, 1.0)]
    assert found.notes == (
        "1 annotation(s) left out because they name a time slot that is not in the file: a1 on tier 'A'.",
    )


def test_an_annotation_that_nothing_dates_is_left_out(read_eaf: ReadEaf) -> None:
    found = read_eaf(document(tier("A", "top", aligned("a1", "ts1", "ts2")), slots={"ts1": None, "ts2": None}))
    assert found.tiers[0].annotations == ()
    assert "nothing in the file says when they are: a1 on tier 'A'." in found.notes[0]


def test_reversed_times_are_exchanged_and_said(read_eaf: ReadEaf) -> None:
    found = read_eaf(document(tier("A", "top", aligned("a1", "ts2", "ts1"))))
    assert times(found.tiers[0]) == [("a1", 0.0, 1.0)]
    assert found.notes == ("1 annotation(s) end before they begin; the two times were exchanged: a1 on tier 'A'.",)


@pytest.mark.parametrize("written", ["-1", "NaN", "nan", "inf", "1e3", "", "9" * 5000, "٣", "0x10", "1_000"])
def test_a_time_that_is_none_counts_as_missing(read_eaf: ReadEaf, written: str) -> None:
    slots = {"ts1": "0", "ts2": written, "ts3": "1000"}
    found = read_eaf(document(tier("A", "top", aligned("a1", "ts1", "ts2"), aligned("a2", "ts2", "ts3")), slots=slots))
    assert times(found.tiers[0]) == [("a1", 0.0, 0.5), ("a2", 0.5, 1.0)]
    assert found.notes[0].startswith("1 time slot(s) have a time that is none, and were taken to have none: ts2 (")
    assert all(len(note) < 200 for note in found.notes)


def test_a_slot_that_is_there_twice_keeps_its_first_time(read_eaf: ReadEaf) -> None:
    contents = document(tier("A", "top", aligned("a1", "ts1", "ts2")))
    twice = contents.replace("</TIME_ORDER>", '<TIME_SLOT TIME_SLOT_ID="ts2" TIME_VALUE="5"/></TIME_ORDER>')
    found = read_eaf(twice)
    assert times(found.tiers[0]) == [("a1", 0.0, 1.0)]
    assert found.notes == ("1 time slot(s) are there twice, and the first was taken: ts2.",)


def test_two_tiers_of_one_name_and_two_annotations_of_one_id_are_kept_and_said(read_eaf: ReadEaf) -> None:
    one = tier("A", "top", aligned("a1", "ts1", "ts2"))
    found = read_eaf(document(one, one, tier("B", "same", ref("b1", "a1"), parent="A")))
    assert [len(each.annotations) for each in found.tiers] == [1, 1, 1]
    assert [note.split(":")[0] for note in found.notes] == [
        "1 tier(s) have the name of another, which other tiers' references go to",
        "1 annotation(s) have the id of another, which references go to",
    ]


def test_tiers_that_are_each_others_parents_end_with_one_that_stands_alone(read_eaf: ReadEaf) -> None:
    found = read_eaf(
        document(tier("A", "same", parent="B"), tier("B", "same", parent="A"), tier("C", "same", parent="Z"))
    )
    assert [one.parent for one in found.tiers] == ["B", "", ""]
    assert [note.split(":")[0] for note in found.notes] == [
        "1 tier(s) depend on one that is not in the file, and stand alone",
        "1 tier(s) depend on themselves in a circle, and stand alone",
    ]


def test_a_note_names_the_first_five_and_counts_the_rest(read_eaf: ReadEaf) -> None:
    found = read_eaf(document(tier("B", "same", *[ref(f"b{n}", "gone") for n in range(8)])))
    assert found.notes[0].startswith("8 annotation(s) left out")
    assert found.notes[0].endswith("b4 on tier 'B' and 3 more.")


def test_tiers_nested_two_thousand_deep_are_read(read_eaf: ReadEaf) -> None:
    depth = 2000
    assert depth > sys.getrecursionlimit()
    tiers = [tier("t0", "top", aligned("a0", "ts1", "ts2"))]
    tiers += [tier(f"t{n}", "same", ref(f"a{n}", f"a{n - 1}"), parent=f"t{n - 1}") for n in range(1, depth)]
    found = read_eaf(document(*reversed(tiers)))
    assert {times(one)[0][1:] for one in found.tiers} == {(0.0, 1.0)}
    assert found.notes == ()


def test_elements_nested_a_hundred_thousand_deep_are_read_past(read_eaf: ReadEaf) -> None:
    nested = "<X>" * 100_000 + "y" + "</X>" * 100_000
    found = read_eaf(document(tier("A", "top", aligned("a1", "ts1", "ts2", nested))))
    assert found.tiers[0].annotations[0].text == "y"


def test_reading_takes_time_in_proportion_to_the_file(read_eaf: ReadEaf) -> None:
    def seconds(num_annotations: int) -> float:
        half = num_annotations // 2
        slots = {f"s{n}": None if n % 3 else str(n) for n in range(half + 1)}
        top = tier("A", "top", *[aligned(f"a{n}", f"s{n}", f"s{n + 1}") for n in range(half)])
        parts = [ref(f"b{n}", "a0", f"b{n - 1}") for n in range(half)]
        contents = document(top, tier("B", "parts", *reversed(parts), parent="A"), slots=slots)
        started = time.process_time()
        assert len(read_eaf(contents).tiers[1].annotations) == half
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
def test_a_document_type_is_refused_at_once(read_eaf: ReadEaf, declaration: str, encoding: str) -> None:
    contents = document(tier("A", "top", aligned("a1", "ts1", "ts2", "&l11;"))).replace("UTF-8", encoding)
    started = time.process_time()
    with pytest.raises(CorpusError, match="declares a document type or entities"):
        read_eaf(contents.replace("?>\n", f"?>\n{declaration}", 1).encode(encoding))
    assert time.process_time() - started < 1


def test_a_document_type_cannot_hide_in_an_encoding_with_other_letters(read_eaf: ReadEaf) -> None:
    # cp037 is EBCDIC: behind a declaration in ASCII its letters are other bytes, which no search for them finds.
    declared = '<!DOCTYPE ANNOTATION_DOCUMENT [<!ENTITY a "b">]><ANNOTATION_DOCUMENT/>'
    with pytest.raises(CorpusError, match="unknown encoding"):
        read_eaf(b'<?xml version="1.0" encoding="cp037"?>' + declared.encode("cp037"))


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
def test_what_is_no_elan_file_is_refused_with_its_path_and_line(read_eaf: ReadEaf, contents: bytes, said: str) -> None:
    with pytest.raises(CorpusError, match=said) as raised:
        read_eaf(contents)
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
def test_a_damaged_file_is_read_or_refused_and_nothing_else(
    read_eaf: ReadEaf, edits: list[tuple[int, int, bytes]]
) -> None:
    contents = SOUND
    for place, length, piece in edits:
        contents = contents[:place] + piece + contents[place + length :]
    try:
        found = read_eaf(contents)
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
    read_eaf: ReadEaf, tiers: list[tuple[str, str, list[tuple[str, str, str]]]]
) -> None:
    elements = [
        tier(name, "parts", *[ref(*reference) for reference in references], parent=parent)
        for name, parent, references in tiers
    ]
    found = read_eaf(document(tier("A", "top", aligned("a", "ts1", "ts2")), *elements))
    num_read = sum(len(one.annotations) for one in found.tiers)
    num_left_out = sum(int(note.split()[0]) for note in found.notes if "left out because" in note)
    assert num_read + num_left_out == 1 + sum(len(references) for _, _, references in tiers)
