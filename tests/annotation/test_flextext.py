"""FLEx's interlinear texts: phrases that have times become tiers, the rest is counted or refused."""

import time
from pathlib import Path

import pytest

from lowres.annotation.flextext import read_flextext
from lowres.annotation.tiers import Annotation, AnnotationFile, MediaLink
from lowres.errors import CorpusError


def item(kind: str, text: str, language: str = "mdw") -> str:
    return f'<item type="{kind}" lang="{language}">{text}</item>'


def phrase(*inside: str, times: tuple[int, int] | None = (1830, 4560), more: str = "") -> str:
    written = f'begin-time-offset="{times[0]}" end-time-offset="{times[1]}"' if times else ""
    return f'<phrase guid="p" {written} {more}>{"".join(inside)}</phrase>'


def text(*phrases: str, media: dict[str, str] | None = None) -> str:
    files = "".join(f'<media guid="{guid}" location="{place}"/>' for guid, place in (media or {}).items())
    return (
        f'<interlinear-text guid="t">{item("title", "A story", "en")}<paragraphs><paragraph><phrases>'
        f"{''.join(phrases)}</phrases></paragraph></paragraphs>"
        f'<media-files offset-type="milliseconds">{files}</media-files></interlinear-text>'
    )


def words(*written: str) -> str:
    marks = ".,!?«»"
    inside = [
        f"<word>{item('punct' if word[0] in marks else 'txt', word)}{item('gls', 'gloss', 'en')}</word>"
        for word in written
    ]
    return f"<words>{''.join(inside)}</words>"


def read(tmp_path: Path, *texts: str) -> AnnotationFile:
    path = tmp_path / "story.flextext"
    path.write_text(f'<?xml version="1.0" encoding="utf-8"?><document version="2">{"".join(texts)}</document>')
    return read_flextext(path)


def test_a_phrase_becomes_an_annotation_of_its_text_and_one_of_its_translation(tmp_path: Path) -> None:
    spoken = phrase(item("txt", " Mbote na yo "), item("segnum", "1", "en"), item("gls", "Hello", "en"))
    found = read(tmp_path, text(spoken, media={"m": "file:///C:/field%20work/day1.wav"}))
    assert [(tier.name, tier.language, tier.annotations) for tier in found.tiers] == [
        ("txt-mdw", "mdw", (Annotation(1.83, 4.56, "Mbote na yo"),)),
        ("gls-en", "en", (Annotation(1.83, 4.56, "Hello"),)),
    ]
    assert found.media == (MediaLink("C:/field work/day1.wav"),)
    assert found.notes == ()


def test_words_are_put_together_where_a_phrase_has_no_text_of_its_own(tmp_path: Path) -> None:
    spoken = phrase(words("«", "Mbote", ",", "na", "yo", "!", "»"), item("gls", "Hello", "en"))
    found = read(tmp_path, text(spoken))
    assert found.tiers[0].annotations[0].text == "«Mbote, na yo!»"
    assert [tier.name for tier in found.tiers] == ["txt-mdw", "gls-en"]


def test_text_in_runs_is_put_together(tmp_path: Path) -> None:
    found = read(tmp_path, text(phrase(item("txt", '<run lang="mdw">Mbote</run> na <run lang="en">you</run>'))))
    assert found.tiers[0].annotations[0].text == "Mbote na you"


@pytest.mark.parametrize(
    "hostile",
    [
        phrase(item("txt", "a")) * 20_000,
        phrase("<item>a" * 20_000 + "</item>" * 20_000),
        "".join(f'<phrase begin-time-offset="1" end-time-offset="2"><item type="txt">{n}' for n in range(9_000))
        + "</item></phrase>" * 9_000,
        phrase("<words>" + "".join(f"<word>{item('txt', 'a', f'l{n}')}</word>" for n in range(20_000)) + "</words>"),
    ],
    ids=["many", "deep", "nested", "languages"],
)
def test_no_text_takes_more_than_linear_time(tmp_path: Path, hostile: str) -> None:
    started = time.process_time()
    assert read(tmp_path, text(hostile)).tiers
    assert time.process_time() - started < 4


def test_a_speaker_has_tiers_of_their_own(tmp_path: Path) -> None:
    found = read(tmp_path, text(phrase(item("txt", "a"), more='speaker="Ana"'), phrase(item("txt", "b"))))
    assert [(tier.name, tier.participant) for tier in found.tiers] == [("txt-mdw@Ana", "Ana"), ("txt-mdw", "")]


def test_texts_of_several_recordings_are_kept_apart(tmp_path: Path) -> None:
    first = text(phrase(item("txt", "a")), media={"m": "a.wav"})
    second = text(phrase(item("txt", "b"), more='media-file="n"'), media={"n": "b.wav", "o": "c.wav"})
    found = read(tmp_path, first, second)
    assert [(tier.name, tier.recording) for tier in found.tiers] == [("txt-mdw", "a.wav"), ("txt-mdw", "b.wav")]


def test_a_phrase_that_could_be_of_any_recording_is_left_out_and_counted(tmp_path: Path) -> None:
    spoken = phrase(item("txt", "a"), more='media-file="m"') + phrase(item("txt", "b"))
    found = read(tmp_path, text(spoken, media={"m": "a.wav", "n": "b.wav"}))
    assert [tier.annotations[0].text for tier in found.tiers] == ["a"]
    assert found.notes == ("1 annotation left out that could be of any of the file's recordings.",)


def test_two_ids_of_one_recording_are_one_recording(tmp_path: Path) -> None:
    found = read(tmp_path, text(phrase(item("txt", "a")), media={"m": "a.wav", "n": "a.wav"}))
    assert (found.media, found.tiers[0].recording) == ((MediaLink("a.wav"),), "")


def test_phrases_without_times_are_counted_and_impossible_ones_named(tmp_path: Path) -> None:
    spoken = [phrase(item("txt", "a")), phrase(item("txt", "b"), times=None), phrase(item("txt", "c"), times=(9, 1))]
    assert read(tmp_path, text(*spoken)).notes == (
        "1 annotation was left out because of impossible times; the first: phrase 3, from 0.009 to 0.001 s.",
        "1 of 3 phrases have no times and were left out.",
    )


def test_a_text_without_any_times_is_refused_in_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="has no times: none of its 2 phrases says where") as refused:
        read(tmp_path, text(phrase(item("txt", "a"), times=None), phrase(times=None)))
    assert "ELAN or SayMore" in refused.value.hint


@pytest.mark.parametrize(
    ("contents", "said"),
    [
        ("", "is empty"),
        ("<document", "is not a FLEx text, or a damaged one: line 1"),
        ("<ANNOTATION_DOCUMENT/>", "begins with <ANNOTATION_DOCUMENT>, not with <document>"),
        ('<!DOCTYPE document [<!ENTITY a SYSTEM "file:///etc/passwd">]><document>&a;</document>', "document type"),
    ],
)
def test_what_is_no_flex_text_is_refused(tmp_path: Path, contents: str, said: str) -> None:
    path = tmp_path / "story.flextext"
    path.write_text(contents)
    with pytest.raises(CorpusError, match=said):
        read_flextext(path)
