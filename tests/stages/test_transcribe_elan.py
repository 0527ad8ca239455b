"""Tiers added to copies of ELAN files that people work on; the files themselves and all else in the copies stay."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
from transcribing import SPEC, heard, listen, words, write_run

from lowres.annotation.elan import read_elan
from lowres.annotation.elan_writing import write_elan
from lowres.annotation.tiers import Annotation, AnnotationFile, MediaLink, Tier
from lowres.errors import CorpusError

ELAN = {"formats": ("elan", "json"), "into_elan": True}
VOCABULARY = """    <CONTROLLED_VOCABULARY CV_ID="词类">
        <DESCRIPTION LANG_REF="und"/>
        <CV_ENTRY_ML CVE_ID="cveid1"><CVE_VALUE LANG_REF="und" DESCRIPTION="ɛ́">N&amp;V</CVE_VALUE></CV_ENTRY_ML>
    </CONTROLLED_VOCABULARY>
    <!-- ŋgá: corrected by Ana -->
</ANNOTATION_DOCUMENT>"""


@pytest.fixture
def elan(archive: Path) -> Path:
    """An ELAN file beside the first recording, with what people put into theirs."""
    path = archive / "rec0.eaf"
    tiers = (
        Tier("Ñañá ɛ́ 语", (Annotation(0.9, 2.0, "bá <na> & yo"), Annotation(4.0, 6.0, "ɓo")), participant="O'x"),
        Tier("ft@Ana", (Annotation(0.9, 2.0, "they"), Annotation(4.0, 6.0, "came")), parent="Ñañá ɛ́ 语"),
    )
    write_elan(AnnotationFile(tiers, (MediaLink("/old/computer/rec0.wav"),)), path)
    text = path.read_text(encoding="utf-8").replace("</ANNOTATION_DOCUMENT>", VOCABULARY)
    path.write_text(text, encoding="utf-8", newline="\r\n")
    return path


def without_ours(contents: bytes) -> bytes:
    """Take out what is ours: tiers, their time slots, and the count of annotations."""
    text = re.sub(rb'[ \t]*<TIER [^>]*TIER_ID="lowres.*?</TIER>\r?\n', b"", contents, flags=re.DOTALL)
    used = set(re.findall(rb'TIME_SLOT_REF\d="(ts\d+)"', text))
    slots = re.compile(rb'[ \t]*<TIME_SLOT TIME_SLOT_ID="(ts\d+)"[^>]*/>\r?\n')
    text = slots.sub(lambda found: found[0] if found[1] in used else b"", text)
    text = re.sub(rb'[ \t]*<LINGUISTIC_TYPE [^>]*LINGUISTIC_TYPE_ID="(?:utterance|word|letter)"[^>]*/>\r?\n', b"", text)
    return re.sub(rb'(lastUsedAnnotationId">)\d+', rb"\1", text)


def test_every_byte_outside_what_was_added_stays_and_so_does_the_original(
    tiny_project: Path, archive: Path, elan: Path
) -> None:
    before = elan.read_bytes()
    result = listen(tiny_project, archive, **ELAN)
    assert not result.problems
    assert elan.read_bytes() == before
    copy = (result.folder / "rec0.eaf").read_bytes()
    assert without_ours(copy) == without_ours(before)
    assert b"\xe8\xaf\x8d\xe7\xb1\xbb" in copy
    tiers = {tier.name: tier for tier in read_elan(result.folder / "rec0.eaf").tiers}
    assert [one.text for one in tiers["lowres words"].annotations] == words(heard(result, "rec0"))
    assert [one.text for one in tiers["ft@Ana"].annotations] == ["they", "came"]
    assert "lowres" in {tier.name for tier in read_elan(result.folder / "rec1.eaf").tiers}


def test_a_second_run_replaces_its_own_tiers_alone(tiny_project: Path, archive: Path, elan: Path) -> None:
    """Where somebody took the copy for the file to work on."""
    original = elan.read_bytes()
    result = listen(tiny_project, archive, **ELAN, spec=replace(SPEC, with_letters=True, doubtful_below=1.0))
    elan.write_bytes((result.folder / "rec0.eaf").read_bytes())
    names = [tier.name for tier in read_elan(elan).tiers]
    assert {"lowres", "lowres words", "lowres letters", "lowres doubtful"} <= set(names)
    write_run(tiny_project, head_gain=4.0)
    again = listen(tiny_project, archive, **ELAN, spec=replace(SPEC, doubtful_below=0.0))
    tiers = {tier.name: tier for tier in read_elan(again.folder / "rec0.eaf").tiers}
    assert sorted(tiers) == sorted(["Ñañá ɛ́ 语", "ft@Ana", "lowres", "lowres words"])
    assert [one.text for one in tiers["lowres words"].annotations] == words(heard(again, "rec0"))
    # Of a tier that was taken out and has no successor, its empty line is left.
    kept = re.sub(rb"\n(?:[ \t]*\r\n)+", b"\n", without_ours((again.folder / "rec0.eaf").read_bytes()))
    assert kept == without_ours(original)


def test_an_elan_file_that_somebody_went_on_with_is_added_to_anew(
    tiny_project: Path, archive: Path, elan: Path
) -> None:
    listen(tiny_project, archive, **ELAN)
    elan.write_bytes(elan.read_bytes().replace(b"came", b"went"))
    again = listen(tiny_project, archive, **ELAN)
    assert [one.name for one in again.done] == ["rec0.wav"]
    assert b"went" in (again.folder / "rec0.eaf").read_bytes()


def test_a_copy_that_somebody_went_on_with_is_kept_and_built_upon_where_it_takes_the_originals_place(
    tiny_project: Path, archive: Path, elan: Path
) -> None:
    """As docs/TRANSCRIBING.md says."""
    copy = listen(tiny_project, archive, **ELAN).folder / "rec0.eaf"
    copy.write_bytes(copy.read_bytes().replace(b"came", b"went"))
    changed = replace(SPEC, doubtful_below=1.0)
    with pytest.raises(CorpusError, match=r"rec0\.eaf was changed since it was written"):
        listen(tiny_project, archive, **ELAN, spec=changed)
    copy.replace(elan)
    assert len(listen(tiny_project, archive, **ELAN, spec=changed).done) == 3
    assert b"went" in elan.read_bytes()
    assert b"went" in copy.read_bytes()
    assert b'TIER_ID="lowres doubtful"' in copy.read_bytes()


def test_the_copy_never_takes_the_place_of_the_original(tiny_project: Path, archive: Path, elan: Path) -> None:
    before = elan.read_bytes()
    for overwrite in (False, True):
        with pytest.raises(CorpusError, match="would be replaced by its own transcript"):
            listen(tiny_project, archive, **ELAN, output=archive, overwrite=overwrite)
    assert elan.read_bytes() == before


@pytest.mark.parametrize("contents", [b"", b"<ANNOTATION_DOCUMENT/>", b"no xml", "utf-16"])
def test_an_elan_file_that_cannot_be_added_to_is_a_problem_of_its_recording(
    tiny_project: Path, archive: Path, elan: Path, contents: bytes | str
) -> None:
    elan.write_bytes(elan.read_text(encoding="utf-8").encode("utf-16") if isinstance(contents, str) else contents)
    before = elan.read_bytes()
    result = listen(tiny_project, archive, **ELAN)
    assert [name for name, _ in result.problems] == ["rec0.wav"]
    assert "rec0.eaf" in result.problems[0][1]
    assert not (result.folder / "rec0.json").exists()
    assert elan.read_bytes() == before
    assert len(result.done) == 2


def test_a_file_whose_time_begins_later_than_the_recording_gets_times_of_its_own(
    tiny_project: Path, archive: Path, elan: Path
) -> None:
    whole = listen(tiny_project, archive / "rec0.wav", **ELAN, output=tiny_project / "o")
    expected = {tier.name: tier for tier in read_elan(whole.folder / "rec0.eaf").tiers}["lowres words"].annotations
    contents = elan.read_bytes()
    elan.write_bytes(contents.replace(b"<MEDIA_DESCRIPTOR ", b'<MEDIA_DESCRIPTOR TIME_ORIGIN="3500" '))
    assert elan.read_bytes() != contents
    result = listen(tiny_project, archive, **ELAN)
    found = {tier.name: tier for tier in read_elan(result.folder / "rec0.eaf").tiers}["lowres words"].annotations
    moved = [one for one in expected if one.end_seconds > 3.5]
    assert [one.text for one in found] == [one.text for one in moved]
    assert [one.end_seconds for one in found] == pytest.approx([one.end_seconds - 3.5 for one in moved], abs=1e-6)
    assert any("before the moment at which this file's time begins" in note for note in result.notes)


def test_without_an_elan_file_beside_it_a_recording_gets_a_new_one(tiny_project: Path, archive: Path) -> None:
    result = listen(tiny_project, archive, **ELAN)
    assert {path.name for path in result.folder.glob("*.eaf")} == {"rec0.eaf", "rec1.eaf", "rec2.eaf"}
    (media,) = read_elan(result.folder / "rec0.eaf").media
    assert media.path == str(archive / "rec0.wav")
