"""Transcriber's files are read as they are: speakers, overlaps, noises, old encodings; nothing outside is fetched."""

import time
from pathlib import Path

import pytest
from few_and_many import few_and_many
from mutations import damaged, reads_or_refuses

from lowres.annotation.tiers import Annotation, AnnotationFile, MediaLink, Tier
from lowres.annotation.transcriber import read_transcriber
from lowres.errors import CorpusError

HEAD = '<?xml version="1.0" encoding="ISO-8859-1"?>\n<!DOCTYPE Trans SYSTEM "trans-14.dtd">\n'
TRS = f"""{HEAD}<Trans scribe="x" audio_filename="frint980428" version="2" version_date="980929" xml:lang="fr">
<Topics><Topic id="to1" desc="news"/></Topics>
<Speakers>
<Speaker id="spk1" name="Élise" type="female"/>
<Speaker id="spk2" name="Jean  Dupont"/>
</Speakers>
<Episode program="p">
<Section type="report" startTime="0" endTime="9.5">
<Turn speaker="spk1" startTime="0" endTime="4.5">
<Sync time="0"/>
<Background time="0" type="music" level="high"/>
où êtes-vous
<Event desc="rire" type="noise" extent="instantaneous"/>
là ?
<Sync time="2.25"/>

<Sync time="3"/>
déjà<Comment desc="sic"/>vu
</Turn>
<Turn speaker="spk1 spk2" startTime="4.5" endTime="7">
<Sync time="4.5"/>
<Who nb="1"/>
oui
<Who nb="2"/>
non
</Turn>
<Turn startTime="7" endTime="9.5">
<Sync time="7"/>
(jingle)
</Turn>
</Section>
</Episode>
</Trans>
"""


def read(tmp_path: Path, contents: str, encoding: str = "latin-1") -> AnnotationFile:
    path = tmp_path / "a.trs"
    path.write_bytes(contents.encode(encoding))
    return read_transcriber(path)


def turn(body: str, attributes: str = 'speaker="a" startTime="0" endTime="9"') -> str:
    return f"{HEAD}<Trans><Episode><Section><Turn {attributes}>{body}</Turn></Section></Episode></Trans>"


def test_speakers_become_tiers_and_moments_annotations(tmp_path: Path) -> None:
    file = read(tmp_path, TRS)
    assert file.tiers == (
        Tier(
            "Élise",
            (Annotation(0, 2.25, "où êtes-vous là ?"), Annotation(3, 4.5, "déjà vu"), Annotation(4.5, 7, "oui")),
            participant="Élise",
            language="fr",
        ),
        Tier("Jean Dupont", (Annotation(4.5, 7, "non"),), participant="Jean Dupont", language="fr"),
        Tier("no speaker", (Annotation(7, 9.5, "(jingle)"),), language="fr"),
    )
    assert file.media == (MediaLink("frint980428"),)


def test_marks_that_are_not_speech_are_counted(tmp_path: Path) -> None:
    assert read(tmp_path, TRS).notes == (
        "Marks that are not speech were passed over: 1 Background, 1 Comment, 1 Event.",
    )


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "windows-1252", "iso-8859-15", "UTF8", "MacRoman"])
def test_the_declared_encoding_is_used(tmp_path: Path, encoding: str) -> None:
    assert read(tmp_path, TRS.replace("ISO-8859-1", encoding), encoding) == read(tmp_path, TRS)


def test_an_encoding_of_many_bytes_is_understood(tmp_path: Path) -> None:
    file = read(tmp_path, turn("你好").replace("ISO-8859-1", "gb2312"), "gb2312")
    assert file.tiers[0].annotations[0].text == "你好"


def test_a_file_that_declares_no_encoding_is_utf_8_or_guessed(tmp_path: Path) -> None:
    bare = TRS.removeprefix(HEAD)
    assert read(tmp_path, bare, "utf-8") == read(tmp_path, TRS)
    assert "guessed to be Latin-1" in read(tmp_path, bare, "latin-1").notes[0]


@pytest.mark.parametrize("encoding", ["punycode", "unicode_escape", "rot13", "utf-7", "martian"])
def test_an_encoding_that_is_none_is_refused(tmp_path: Path, encoding: str) -> None:
    with pytest.raises(CorpusError, match=f"line 1 names an unknown encoding, '{encoding}'"):
        read(tmp_path, TRS.replace("ISO-8859-1", encoding))


def test_bytes_that_are_not_of_the_declared_encoding_are_named(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="line 6 holds bytes that are not UTF-8, which line 1 says"):
        read(tmp_path, TRS.replace("ISO-8859-1", "UTF-8"), "latin-1")


def test_no_break_spaces_belong_to_the_text(tmp_path: Path) -> None:
    assert read(tmp_path, turn("\n quoi\u00a0? \n\t rien \n")).tiers[0].annotations[0].text == "quoi\u00a0? rien"


def test_text_before_the_first_moment_begins_with_the_turn(tmp_path: Path) -> None:
    file = read(tmp_path, turn('one<Sync time="2.5"/>two'))
    assert file.tiers[0].annotations == (Annotation(0, 2.5, "one"), Annotation(2.5, 9, "two"))


def test_two_speakers_of_one_name_are_two_tiers(tmp_path: Path) -> None:
    two = turn('<Who nb="1"/>x<Who nb="2"/>y', 'speaker="a b" startTime="0" endTime="9"').replace(
        "<Episode>", '<Speakers><Speaker id="a" name="M"/><Speaker id="b" name="M"/></Speakers><Episode>'
    )
    assert [(tier.name, tier.participant) for tier in read(tmp_path, two).tiers] == [("M (a)", "M"), ("M (b)", "M")]


def test_a_speaker_that_is_not_listed_goes_by_the_id(tmp_path: Path) -> None:
    assert read(tmp_path, turn("x")).tiers[0].name == "a"


def test_words_of_nobody_in_an_overlap_go_to_the_first_and_are_said(tmp_path: Path) -> None:
    file = read(tmp_path, turn("x", 'speaker="a b" startTime="0" endTime="9"'))
    assert [tier.name for tier in file.tiers] == ["a"]
    assert file.notes == ("Words of nobody in turns of several speakers were given to the first: 1.",)


def test_moments_that_go_backwards_are_left_out_and_named(tmp_path: Path) -> None:
    file = read(tmp_path, turn('<Sync time="5"/>one\n<Sync time="3"/>two'))
    assert file.tiers[0].annotations == (Annotation(3, 9, "two"),)
    assert file.notes == ("1 annotation was left out because of impossible times; the first: line 4, from 5 to 3 s.",)


@pytest.mark.parametrize(
    ("contents", "message"),
    [
        ("", "line 1 is not correct XML"),
        (TRS[:-30], "is not correct XML"),
        (TRS.replace("</Section>", ""), "line 34 is not correct XML: mismatched tag"),
        (HEAD + "<html/>", "is XML, but not of Transcriber"),
        (turn("x", 'startTime="0"'), "line 3 has a <Turn> whose endTime is ''"),
        (turn('<Sync time="1_0"/>x'), "line 3 has a <Sync> whose time is '1_0'"),
        (turn('<Who nb="2"/>x'), "line 3 has words of speaker '2' in a turn of 1"),
        (turn("&undeclared;"), "line 3 has an unknown entity, 'undeclared'"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_line(tmp_path: Path, contents: str, message: str) -> None:
    with pytest.raises(CorpusError, match=message):
        read(tmp_path, contents)


@pytest.mark.parametrize(
    "subset",
    [
        '<!ENTITY a "x"><!ENTITY b "&a;&a;&a;&a;">',
        '<!ENTITY a SYSTEM "file:///etc/passwd">',
        '<!ENTITY % a SYSTEM "http://127.0.0.1/x.dtd"> %a;',
        "<!ELEMENT Trans ANY>",
        "",
    ],
)
def test_a_document_type_of_its_own_is_refused(tmp_path: Path, subset: str) -> None:
    contents = turn("&a;").replace('"trans-14.dtd"', f'"trans-14.dtd" [{subset}]')
    with pytest.raises(CorpusError, match="line 2 declares its own document type"):
        read(tmp_path, contents)


def test_the_document_type_is_not_fetched(tmp_path: Path) -> None:
    (tmp_path / "trans-14.dtd").write_text('<!ENTITY a "stolen">')
    with pytest.raises(CorpusError, match="unknown entity"):
        read(tmp_path, turn("&a;"))


def test_deep_and_long_files_take_linear_time(tmp_path: Path) -> None:
    began = time.process_time()
    read(tmp_path, turn("<Event>" * 50_000 + "</Event>" * 50_000))
    speakers = "".join(f'<Speaker id="s{n}" name="x"/>' for n in range(20_000))
    turns = "".join(f'<Turn speaker="s{n}" startTime="0" endTime="9">x</Turn>' for n in range(20_000))
    file = read(tmp_path, f"{HEAD}<Trans>{speakers}{turns}</Trans>")
    assert len(file.tiers) == 20_000
    assert time.process_time() - began < 5


@few_and_many(200, contents=damaged(TRS.encode("latin-1")))
def test_damaged_transcripts_are_read_or_refused_in_a_sentence(tmp_path: Path, contents: bytes) -> None:
    reads_or_refuses(read_transcriber, tmp_path / "d.trs", contents)
