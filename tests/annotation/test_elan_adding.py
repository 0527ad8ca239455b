"""Tiers are added to an ELAN file, and every other byte of it stays as it was."""

import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from elan_documents import TYPES, aligned, document, ref, tier
from elan_rules import faults

from lowres.annotation.elan import read_elan
from lowres.annotation.elan_adding import AddedTiers, add_tiers
from lowres.annotation.elan_writing import write_elan
from lowres.annotation.tiers import Annotation, AnnotationFile, Tier
from lowres.errors import CorpusError

HOSTILE = "<script>]]> &amp; \"q\" 'a'\t\r\n</ANNOTATION_VALUE><!-- -- -->\u2028 ɛ́ 😀"
NEW = Tier("lowres@Ana", (Annotation(0.1, 0.4, HOSTILE), Annotation(0.4, 1.2, "kí wo")), participant="Ana")
CONSTRAINTS = "".join(
    f'<CONSTRAINT STEREOTYPE="{name}"/>'
    for name in ("Time_Subdivision", "Included_In", "Symbolic_Subdivision", "Symbolic_Association")
)
TIERS = (
    tier("Ñañá ɛ́ 语", "top", aligned("a1", "ts1", "ts2"), more="PARTICIPANT='O&apos;\"x>'"),
    tier("B", "time", aligned("a2", "ts1", "ts3"), aligned("a3", "ts3", "ts2"), parent="Ñañá ɛ́ 语"),
    tier("I", "in", aligned("a4", "ts1", "ts2"), parent="Ñañá ɛ́ 语"),
    tier("C", "parts", ref("a5", "a1"), ref("a6", "a1", "a5"), parent="Ñañá ɛ́ 语"),
    tier("D", "same", ref("a7", "a1"), parent="Ñañá ɛ́ 语"),
)
SLOTS = {"ts1": "0", "ts3": None, "ts2": "1000"}
FULL = document(*TIERS, slots=SLOTS, more=TYPES + CONSTRAINTS)


def add(folder: Path, contents: str | bytes, *tiers: Tier, replace: tuple[str, ...] = ()) -> AddedTiers:
    """Add to a file and check what must always be true of the result."""
    old = contents if isinstance(contents, bytes) else contents.encode()
    (folder / "a.eaf").write_bytes(old)
    added = add_tiers(folder / "a.eaf", tiers or (NEW,), replace=replace, replace_file=True)
    assert added.path == folder / "a.lowres.eaf"
    assert (folder / "a.eaf").read_bytes() == old
    assert undo(added) == old
    assert sorted(path.name for path in folder.iterdir()) == ["a.eaf", "a.lowres.eaf"]
    return added


def undo(added: AddedTiers) -> bytes:
    """Take out of the written file what was added, and put back what was removed."""
    new, parts, reached, shift = added.path.read_bytes(), [], 0, 0
    for change in added.changes:
        start = change.offset + shift
        assert start >= reached
        assert new[start : start + len(change.added)] == change.added
        parts += [new[reached:start], change.removed]
        reached = start + len(change.added)
        shift += len(change.added) - len(change.removed)
    return b"".join((*parts, new[reached:]))


def removed(added: AddedTiers) -> list[bytes]:
    return [change.removed for change in added.changes if change.removed]


def root_of(added: AddedTiers) -> ET.Element:
    return ET.fromstring(added.path.read_bytes())


def test_a_small_file_is_added_to_to_the_letter(tmp_path: Path) -> None:
    write_elan(AnnotationFile((Tier("A", (Annotation(0.5, 1.25, "x"),)),)), tmp_path / "b.eaf")
    old = (tmp_path / "b.eaf").read_text(encoding="utf-8")
    (tmp_path / "b.eaf").unlink()
    added = add(tmp_path, old, Tier("lowres", (Annotation(0.75, 1.25, "<y>"),), participant="Ana"))
    expected = (
        old.replace('Id">1<', 'Id">2<')
        .replace('VALUE="500"/>\n', 'VALUE="500"/>\n        <TIME_SLOT TIME_SLOT_ID="ts3" TIME_VALUE="750"/>\n')
        .replace('VALUE="1250"/>\n', 'VALUE="1250"/>\n        <TIME_SLOT TIME_SLOT_ID="ts4" TIME_VALUE="1250"/>\n')
        .replace(
            "    </TIER>\n",
            "    </TIER>\n"
            '    <TIER LINGUISTIC_TYPE_REF="default-lt" TIER_ID="lowres" PARTICIPANT="Ana">\n'
            "        <ANNOTATION>\n"
            '            <ALIGNABLE_ANNOTATION ANNOTATION_ID="a2" TIME_SLOT_REF1="ts3" TIME_SLOT_REF2="ts4">\n'
            "                <ANNOTATION_VALUE>&lt;y&gt;</ANNOTATION_VALUE>\n"
            "            </ALIGNABLE_ANNOTATION>\n"
            "        </ANNOTATION>\n"
            "    </TIER>\n",
        )
    )
    assert added.path.read_text(encoding="utf-8") == expected
    assert (added.names, added.num_annotations, added.new_types) == (("lowres",), 1, ())
    assert (added.last_annotation_id, added.replaced, added.notes) == (2, (), ())


def test_tiers_of_every_kind_stay_what_they_were(tmp_path: Path) -> None:
    added = add(tmp_path, FULL)
    before, after = read_elan(tmp_path / "a.eaf"), read_elan(added.path)
    assert after.tiers[:-1] == before.tiers
    assert after.notes == before.notes
    assert (after.tiers[-1].annotations, after.tiers[-1].participant) == (NEW.annotations, "Ana")
    assert faults(added.path.read_bytes()) == faults(FULL.encode()) == []


def test_what_write_elan_writes_is_what_the_schema_demands(tmp_path: Path) -> None:
    one = (Annotation(0, 1, HOSTILE),)
    tiers = (Tier("A", one, language="Mbo shi"), Tier("B", one, parent="A"), Tier("C", (), participant="Ana"))
    write_elan(AnnotationFile(tiers), tmp_path / "a.eaf")
    assert faults((tmp_path / "a.eaf").read_bytes()) == []


def test_the_rules_of_the_schema_find_faults() -> None:
    broken = FULL.replace('TIME_SLOT_REF1="ts1"', 'TIME_SLOT_REF1="ts9"', 1).replace('"a3"', '"a2"')
    assert len(faults(broken.encode())) >= 2
    assert faults(FULL.replace("<TIER ", '<LOCALE LANGUAGE_CODE="en"/><TIER ', 1).encode())


# Everything that could mislead somebody who looks for the words only.
DECOYS = """<!-- </TIME_ORDER> <TIER TIER_ID="lowres@Ana"> <LINGUISTIC_TYPE/> -->"""
MISLEADING = (
    f"<?xml version='1.0' encoding='utf-8' standalone='yes'?>{DECOYS}<?pi </TIME_ORDER>?>\n"
    "<ANNOTATION_DOCUMENT  VERSION = '3.0'\n  AUTHOR=\"/TIER>\" DATE='2017-09-05T14:53:24+06:00'>\n"
    f"\t<LICENSE LICENSE_URL=''>&lt;TIER&gt; &#65;<![CDATA[</TIME_ORDER><TIER>]]></LICENSE>\n{DECOYS}"
    '\t<HEADER><PROPERTY NAME="x">lastUsedAnnotationId</PROPERTY>'
    '<PROPERTY NAME = "lastUsedAnnotationId" > 7 </PROPERTY\n></HEADER>\n'
    f"\t<TIME_ORDER ><TIME_SLOT TIME_VALUE='0' TIME_SLOT_ID='ts1'></TIME_SLOT>{DECOYS}"
    '<TIME_SLOT TIME_SLOT_ID="ts2" TIME_VALUE="1000"   /></TIME_ORDER\t>\n'
    '\t<TIER TIER_ID="/> /TIER>" LINGUISTIC_TYPE_REF="t"><ANNOTATION><ALIGNABLE_ANNOTATION ANNOTATION_ID="a1" '
    "TIME_SLOT_REF1='ts1' TIME_SLOT_REF2='ts2'><ANNOTATION_VALUE><![CDATA[</TIER></TIME_ORDER>]]>/>"
    "</ANNOTATION_VALUE></ALIGNABLE_ANNOTATION></ANNOTATION></TIER>\n\n"
    f"\t<OTHER_PROGRAM><TIER/><TIME_ORDER/>{DECOYS}</OTHER_PROGRAM>\n"
    f"\t<LINGUISTIC_TYPE LINGUISTIC_TYPE_ID='t'>\n</LINGUISTIC_TYPE>{DECOYS}</ANNOTATION_DOCUMENT>\n{DECOYS}\n"
)


def test_what_looks_like_an_element_in_comments_cdata_and_values_is_none(tmp_path: Path) -> None:
    added = add(tmp_path, MISLEADING)
    root = root_of(added)
    assert [one.get("TIER_ID") for one in root.findall("TIER")] == ["/> /TIER>", "lowres@Ana"]
    assert [one.get("TIME_VALUE") for one in root.findall("TIME_ORDER/TIME_SLOT")] == [
        "0", "100", "400", "400", "1000", "1200"
    ]  # fmt: skip
    assert removed(added) == [b" 7 "]
    assert root.findall("HEADER/PROPERTY")[1].text == "9"


@pytest.mark.parametrize("line_break", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_line_breaks_indentation_and_the_byte_order_mark_are_the_files(
    tmp_path: Path, line_break: str, mark: bytes
) -> None:
    old = mark + MISLEADING.replace("\n", line_break).encode()
    new = add(tmp_path, old).path.read_bytes()
    assert f'{line_break}\t<TIER LINGUISTIC_TYPE_REF="default-lt" TIER_ID="lowres@Ana"'.encode() in new
    assert f"{line_break}\t\t<ANNOTATION>{line_break}\t\t\t<ALIGN".encode() in new
    assert new.count(b"\n") - (HOSTILE.count("\n")) == 0 if line_break == "\r" else b"\n" in new


@pytest.mark.parametrize("encoding", ["ISO-8859-1", "windows-1252", "US-ASCII", "utf-8"])
def test_a_file_keeps_its_encoding_and_letters_beyond_it_are_written_as_numbers(tmp_path: Path, encoding: str) -> None:
    name = "A" if encoding == "US-ASCII" else "Ñandú"
    old = document(tier(name, "top", aligned("a1", "ts1", "ts2"))).replace("UTF-8", encoding).encode(encoding)
    added = add(tmp_path, old)
    assert read_elan(added.path).tiers[1].annotations == NEW.annotations
    assert (b"&#603;" in added.path.read_bytes()) == (encoding != "utf-8")


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_utf_16_is_refused(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "a.eaf").write_bytes(document().replace("UTF-8", "UTF-16").encode(encoding))
    with pytest.raises(CorpusError, match="UTF-16"):
        add_tiers(tmp_path / "a.eaf", [NEW])


@pytest.mark.parametrize("order", ["<TIME_ORDER/>", "<TIME_ORDER />", "<TIME_ORDER></TIME_ORDER>"])
def test_an_empty_file_is_added_to(tmp_path: Path, order: str) -> None:
    old = (
        document(slots={}, more="")
        .replace("<TIME_ORDER></TIME_ORDER>", f"\n {order}\n")
        .replace("<HEADER", "\n <HEADER")
    )
    added = add(tmp_path, old)
    assert read_elan(added.path).tiers[0].annotations == NEW.annotations
    assert faults(added.path.read_bytes()) == []
    assert b'\n  <TIME_SLOT TIME_SLOT_ID="ts1" TIME_VALUE="100"/>' in added.path.read_bytes()
    assert removed(added) == ([] if "></" in order else [b"/>"])


def test_a_file_on_one_line_stays_on_one(tmp_path: Path) -> None:
    new = add(tmp_path, FULL.replace("\n", ""), Tier("lowres", (Annotation(0, 1, "x"),))).path.read_bytes()
    assert b"\n" not in new
    assert b'</TIER><TIER LINGUISTIC_TYPE_REF="default-lt" TIER_ID="lowres"><ANNOTATION>' in new


def test_time_slots_come_in_the_order_of_time_and_the_files_own_keep_theirs(tmp_path: Path) -> None:
    new = Tier("lowres", tuple(Annotation(k / 10, k / 10 + 0.05, "x") for k in range(0, 15, 3)))
    slots = root_of(add(tmp_path, FULL, new)).findall("TIME_ORDER/TIME_SLOT")
    times = [int(slot.get("TIME_VALUE", "0")) for slot in slots if slot.get("TIME_VALUE")]
    assert times == sorted(times)
    assert [name for slot in slots if (name := slot.get("TIME_SLOT_ID")) in SLOTS] == list(SLOTS)


def test_times_without_a_place_of_their_own_are_not_given_one_by_the_new_slots(tmp_path: Path) -> None:
    slots = {"ts1": None, "ts2": None, "ts3": "2000", "ts4": "3000", "ts5": None, "ts6": None}
    old = document(tier("A", "top", aligned("a1", "ts1", "ts2"), aligned("a2", "ts5", "ts6")), slots=slots)
    added = add(tmp_path, old, Tier("lowres", (Annotation(0, 1, "x"), Annotation(4, 5, "y"))))
    assert read_elan(added.path).tiers[0].annotations == ()


def test_a_file_whose_times_would_move_is_left_alone(tmp_path: Path) -> None:
    slots = {"ts1": "0", "ts2": None, "ts3": "1000"}
    (tmp_path / "a.eaf").write_text(document(tier("A", "top", aligned("a1", "ts1", "ts2")), slots=slots))
    with pytest.raises(CorpusError, match=r"Nothing was added to .*: the tier 'A' would not be"):
        add_tiers(tmp_path / "a.eaf", [NEW])
    assert [path.name for path in tmp_path.iterdir()] == ["a.eaf"]


def test_new_ids_are_none_that_the_file_or_elan_would_use(tmp_path: Path) -> None:
    slots: dict[str, str | None] = {"ts1": "0", "a9": "5", "ts1000000000": "6", "语": "7", "ts2": "1000"}
    kept = '<PROPERTY NAME="lastUsedAnnotationId">5</PROPERTY>'
    old = document(tier("A", "top", aligned("ts7", "ts1", "ts2")), slots=slots, header=kept, more=TYPES + CONSTRAINTS)
    added = add(tmp_path, old)
    assert added.last_annotation_id == 11
    assert [one.get("ANNOTATION_ID") for one in root_of(added).iter("ALIGNABLE_ANNOTATION")] == ["ts7", "a10", "a11"]
    assert faults(added.path.read_bytes()) == []
    assert removed(added) == [b"5"]


@pytest.mark.parametrize(
    ("kept", "becomes"),
    [
        ("", ["3"]),
        ('<PROPERTY NAME="lastUsedAnnotationId"/>', ["3"]),
        ('<PROPERTY NAME="lastUsedAnnotationId">many</PROPERTY>', ["3"]),
        ('<PROPERTY NAME="lastUsedAnnotationId">&#49;<!-- 0 --></PROPERTY>', ["3"]),
        ('<PROPERTY NAME="lastUsedAnnotationId">99999999999</PROPERTY>', ["3"]),
        ('<PROPERTY NAME="lastUsedAnnotationId">41</PROPERTY><PROPERTY NAME="URN">u</PROPERTY>', ["43", "u"]),
    ],
)
def test_the_number_from_which_elan_names_annotations_is_the_last_one_used(
    tmp_path: Path, kept: str, becomes: list[str]
) -> None:
    added = add(tmp_path, document(tier("A", "top", aligned("a1", "ts1", "ts2")), header=kept))
    assert [one.text for one in root_of(added).iter("PROPERTY")] == becomes


def test_versions_without_properties_are_given_none_and_tiers_without_annotations_change_none(tmp_path: Path) -> None:
    old = document(tier("A", "top", aligned("a1", "ts1", "ts2")), header='<PROPERTY NAME="x"/>')
    assert add(tmp_path, old.replace('FORMAT="3.0"', 'FORMAT="2.3"')).last_annotation_id is None
    assert add(tmp_path, old, Tier("lowres", ())).last_annotation_id is None


def test_a_linguistic_type_is_used_again_only_where_it_means_the_same(tmp_path: Path) -> None:
    more = TYPES + '<LINGUISTIC_TYPE LINGUISTIC_TYPE_ID="listed" CONTROLLED_VOCABULARY_REF="v"/>' + CONSTRAINTS
    old = document(*TIERS, slots=SLOTS, more=more)
    kinds = ("top", "same", "listed", "new", "new", "")
    tiers = [Tier(f"lowres {number}", (), linguistic_type=kind) for number, kind in enumerate(kinds)]
    added = add(tmp_path, old, *tiers)
    expected = ["top", "same (independent)", "listed (independent)", "new", "new", "default-lt"]
    assert [one.linguistic_type for one in read_elan(added.path).tiers[5:]] == expected
    assert added.new_types == ("same (independent)", "listed (independent)", "new", "default-lt")


def test_a_language_is_kept_where_the_file_declares_it_and_else_named(tmp_path: Path) -> None:
    old = document(tier("A", "top"), more=TYPES + '<LANGUAGE LANG_ID="mdw"/>')
    added = add(tmp_path, old, Tier("B", (), language="mdw"), Tier("C", (), language="yor"))
    assert [one.language for one in read_elan(added.path).tiers] == ["", "mdw", ""]
    assert added.notes == ("The file declares no language 'yor'; the tier 'C' was given none.",)


def test_a_tier_that_is_there_already_is_refused_unless_it_is_to_be_replaced(tmp_path: Path) -> None:
    (tmp_path / "a.eaf").write_bytes(FULL.encode())
    with pytest.raises(CorpusError, match="has a tier called 'D' already"):
        add_tiers(tmp_path / "a.eaf", [Tier("D", ())])
    with pytest.raises(CorpusError, match="Two tiers are called 'E'"):
        add_tiers(tmp_path / "a.eaf", [Tier("E", ()), Tier("E", ())])
    assert [path.name for path in tmp_path.iterdir()] == ["a.eaf"]


def test_a_replaced_tier_gives_its_place_and_nothing_else_goes(tmp_path: Path) -> None:
    added = add(tmp_path, FULL, Tier("C", NEW.annotations), Tier("E", ()), replace=("C", "D", "never there"))
    assert [one.name for one in read_elan(added.path).tiers] == ["Ñañá ɛ́ 语", "B", "I", "C", "E"]
    assert added.replaced == ("C", "D")
    assert removed(added) == [TIERS[3].encode(), TIERS[4].encode()]
    assert faults(added.path.read_bytes()) == []


def test_adding_again_and_again_gives_the_same_tiers(tmp_path: Path) -> None:
    first = add(tmp_path, FULL).path.read_bytes()
    (tmp_path / "a.lowres.eaf").unlink()
    again = add(tmp_path, first, replace=("lowres@Ana",))
    assert read_elan(again.path).tiers == read_elan(tmp_path / "a.eaf").tiers


@pytest.mark.parametrize(
    ("name", "old", "said"),
    [
        ("Ñañá ɛ́ 语", FULL, "the tier 'B' depends on"),
        ("A", document(tier("A", "top", aligned("a1", "ts1", "ts2")), tier("B", "same", ref("b", "a1"))), "elsewhere"),
        (
            "A",
            document(tier("A", "top", aligned("a1", "ts1", "ts2"))).replace(
                "</ANNOTATION_DOC", '<REF_LINK_SET><GROUP_REF_LINK REFS="x a1"/></REF_LINK_SET></ANNOTATION_DOC'
            ),
            "elsewhere",
        ),
        ("A", document(tier("A", "top"), tier("A", "top")), "two tiers called 'A'"),
    ],
)
def test_a_tier_that_others_need_is_not_replaced(tmp_path: Path, name: str, old: str, said: str) -> None:
    (tmp_path / "a.eaf").write_bytes(old.encode())
    with pytest.raises(CorpusError, match=said):
        add_tiers(tmp_path / "a.eaf", [Tier(name, ())], replace=[name])


def test_no_file_is_written_over_unless_that_is_said(tmp_path: Path) -> None:
    path, other = tmp_path / "a.eaf", tmp_path / "b.eaf"
    path.write_bytes(FULL.encode())
    other.write_text("mine")
    (tmp_path / "a.lowres.eaf").write_text("mine")
    for output in (None, other):
        with pytest.raises(CorpusError, match="exists already"):
            add_tiers(path, [NEW], output=output)
    assert other.read_text() == (tmp_path / "a.lowres.eaf").read_text() == "mine"
    assert add_tiers(path, [NEW], output=other, replace_file=True).path == other
    path.chmod(0o640)
    (tmp_path / "link.eaf").symlink_to(path)
    assert undo(add_tiers(path, [NEW], output=tmp_path / "link.eaf")) == FULL.encode()
    assert (tmp_path / "link.eaf").is_symlink()
    assert path.read_bytes() == other.read_bytes()
    assert path.stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize(
    ("contents", "tier", "said"),
    [
        (FULL, Tier("E", (Annotation(0, 1, "\x0b"),)), "holds the character U.000B"),
        (FULL, Tier("E", (), participant="\x00"), "holds the character U.0000"),
        (FULL, Tier("E", (Annotation(0, 1e9, "x"),)), "ELAN can hold"),
        (FULL, Tier("E", (Annotation(0, float("nan"), "x"),)), "ELAN can hold"),
        (FULL, Tier("E", (Annotation(2, 1, "x"),)), "ends before it begins"),
        ("<ANNOTATION_DOCUMENT/>", NEW, "has no TIME_ORDER"),
        ("<ANNOTATION_DOCUMENT>", NEW, "is not an ELAN file, or a damaged one"),
        ("<TIER/>", NEW, "not with <ANNOTATION_DOCUMENT>"),
        ('<!DOCTYPE a [<!ENTITY b "c">]><ANNOTATION_DOCUMENT><TIME_ORDER/></ANNOTATION_DOCUMENT>', NEW, "declares"),
        ("", NEW, "is empty"),
    ],
)
def test_what_cannot_be_added_is_refused_and_nothing_written(
    tmp_path: Path, contents: str, tier: Tier, said: str
) -> None:
    (tmp_path / "a.eaf").write_bytes(contents.encode())
    with pytest.raises(CorpusError, match=said):
        add_tiers(tmp_path / "a.eaf", [tier])
    assert [path.name for path in tmp_path.iterdir()] == ["a.eaf"]


def test_points_become_intervals_that_elan_can_show(tmp_path: Path) -> None:
    points = Tier("P", (Annotation(1, 1, "a"), Annotation(1.01, 1.01, "b")), kind="points")
    found = read_elan(add(tmp_path, FULL, points).path).tiers[-1]
    assert [(one.start_seconds, one.end_seconds) for one in found.annotations] == [(1, 1.01), (1.01, 1.05)]


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.eaf").write_bytes(FULL.encode())
    with pytest.raises(CorpusError, match="cannot be written"):
        add_tiers(tmp_path / "a.eaf", [NEW], output=tmp_path / "nowhere" / "b.eaf")
