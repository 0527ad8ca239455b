"""Subtitles are read as programs and people write them, and come back as they were."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from few_and_many import few_and_many
from hypothesis import strategies as st
from mutations import damaged, reads_or_refuses

from lowres.annotation.subtitles import read_srt, read_vtt, write_srt, write_vtt
from lowres.annotation.tiers import Annotation, AnnotationFile, Tier
from lowres.errors import CorpusError

SRT = "1\n00:00:01,000 --> 00:00:02,500\nmbote\nna yo\n\n2\n01:02:03,004 --> 01:02:04,000\nmalamu\n"
VTT = """WEBVTT - a title
Kind: captions

STYLE
::cue(v) { color: red }

NOTE a comment
over two lines

REGION
id:fred

first
00:01.000 --> 00:02.500 align:start position:0%
<v Mary>mbote <i>na</i> yo

01:02:03.004 --> 01:02:04.000
<v.loud John Smith>malamu &amp; <c.big>&lt;kitoko&gt;</c></v>
"""


def srt(tmp_path: Path, contents: str | bytes) -> AnnotationFile:
    (tmp_path / "a.srt").write_bytes(contents if isinstance(contents, bytes) else contents.encode())
    return read_srt(tmp_path / "a.srt")


def vtt(tmp_path: Path, contents: str) -> AnnotationFile:
    (tmp_path / "a.vtt").write_bytes(contents.encode())
    return read_vtt(tmp_path / "a.vtt")


def cues(file: AnnotationFile) -> list[tuple[float, float, str]]:
    assert len(file.tiers) == 1
    return [(note.start_seconds, note.end_seconds, note.text) for note in file.tiers[0].annotations]


TWO = [(1.0, 2.5, "mbote\nna yo"), (3723.004, 3724.0, "malamu")]


def test_subrip_becomes_one_tier(tmp_path: Path) -> None:
    file = srt(tmp_path, SRT)
    assert cues(file) == TWO
    assert (file.tiers[0].name, file.tiers[0].kind, file.notes) == ("subtitles", "intervals", ())


@pytest.mark.parametrize(
    "contents",
    [
        SRT.replace("\n", "\r\n"),
        SRT.replace(",", "."),
        SRT.replace("00:00:0", "0:0"),
        SRT.replace("\n\n2", "\n2"),
        SRT.replace("2\n01", "01"),
        SRT.replace("\n\n", "\n \n \n"),
        "\n\n" + SRT.strip(),
        SRT.replace("2,500", "2,500 X1:1 X2:2"),
        SRT.replace(" --> ", "-->"),
        SRT.replace("mbote", '<i>mb<font color="red">ote</font></i>{\\an8}'),
    ],
)
def test_every_spelling_of_subrip_gives_the_same(tmp_path: Path, contents: str) -> None:
    assert cues(srt(tmp_path, contents)) == TWO


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_marked_encodings_are_understood(tmp_path: Path, encoding: str) -> None:
    assert cues(srt(tmp_path, SRT.encode(encoding))) == TWO


def test_a_guessed_encoding_is_said(tmp_path: Path) -> None:
    file = srt(tmp_path, SRT.replace("mbote", "où déjà").encode("latin-1"))
    assert cues(file)[0][2] == "où déjà\nna yo"
    assert "guessed to be Latin-1" in file.notes[0]


def test_brackets_that_are_no_formatting_are_text(tmp_path: Path) -> None:
    assert cues(srt(tmp_path, SRT.replace("mbote", "<laughs> a < b <ib>")))[0][2] == "<laughs> a < b <ib>\nna yo"


def test_an_arrow_in_a_sentence_is_text(tmp_path: Path) -> None:
    assert cues(srt(tmp_path, SRT.replace("mbote", "go --> there")))[0][2] == "go --> there\nna yo"


def test_subtitles_are_put_in_the_order_of_their_times(tmp_path: Path) -> None:
    first, second = SRT.split("\n\n")
    assert cues(srt(tmp_path, f"{second}\n{first}\n")) == TWO


def test_a_time_that_cannot_be_read_is_named_by_its_line(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="line 7 is not a pair of times: '01:02:xx,004") as error:
        srt(tmp_path, SRT.replace("02:03", "02:xx"))
    assert "00:00:01,000" in error.value.hint


def test_a_file_without_times_is_refused_and_an_empty_one_is_empty(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="has no line of times"):
        srt(tmp_path, "hello\n")
    assert cues(srt(tmp_path, "")) == []


def test_impossible_times_are_left_out_and_the_first_named(tmp_path: Path) -> None:
    file = srt(tmp_path, SRT.replace("2,500", "0,500").replace("01:02:03,004", "-00:00:03,004"))
    assert cues(file) == []
    assert file.notes == (
        "2 annotations were left out because of impossible times; the first: line 2, from 1 to 0.5 s.",
    )


def test_what_has_no_text_or_no_times_is_passed_over_and_said(tmp_path: Path) -> None:
    file = srt(tmp_path, "hello\n\n" + SRT.replace("malamu", " "))
    assert cues(file) == TWO[:1]
    assert file.notes == (
        "1 piece of text without times was passed over; the first: line 1.",
        "1 subtitle without text was passed over; the first: line 9.",
    )


def test_voices_of_webvtt_are_tiers_and_all_else_is_passed_over(tmp_path: Path) -> None:
    file = vtt(tmp_path, VTT)
    assert file.tiers == (
        Tier("Mary", (Annotation(1.0, 2.5, "mbote na yo"),), participant="Mary"),
        Tier("John Smith", (Annotation(3723.004, 3724.0, "malamu & <kitoko>"),), participant="John Smith"),
    )
    assert file.notes == ()


def test_webvtt_reads_the_same_with_windows_line_ends_and_a_mark(tmp_path: Path) -> None:
    assert vtt(tmp_path, "\ufeff" + VTT.replace("\n", "\r\n")) == vtt(tmp_path, VTT)


def test_cues_without_a_voice_are_one_tier(tmp_path: Path) -> None:
    file = vtt(tmp_path, "WEBVTT\n\n00:01.000 --> 00:02.000\nwhat's<00:01.500><c> up</c> <laughs>\n")
    assert cues(file) == [(1.0, 2.0, "what's up <laughs>")]
    assert (file.tiers[0].name, file.tiers[0].participant) == ("subtitles", "")


def test_several_voices_in_a_cue_each_get_their_words(tmp_path: Path) -> None:
    file = vtt(tmp_path, "WEBVTT\n\n00:01.000 --> 00:02.000\n<v A>one</v>\n<v B>two</v> three\n<v A>four\n")
    assert [(tier.participant, tier.annotations[0].text) for tier in file.tiers] == [
        ("A", "one\nfour"),
        ("B", "two"),
        ("", "three"),
    ]


def test_entities_are_decoded_once(tmp_path: Path) -> None:
    file = vtt(tmp_path, "WEBVTT\n\n00:01.000 --> 00:02.000\n&amp;lt; &nbsp;&#233;&#x14B; &#xD800; &copy; &#9999999;\n")
    assert cues(file)[0][2] == "&lt; \u00a0éŋ &#xD800; &copy; &#9999999;"


def test_missing_blank_lines_between_cues_are_forgiven(tmp_path: Path) -> None:
    file = vtt(tmp_path, "WEBVTT\n00:01.000 --> 00:02.000\none\n2\n00:02.000 --> 00:03.000\ntwo")
    assert cues(file) == [(1.0, 2.0, "one"), (2.0, 3.0, "two")]


def test_text_after_a_blank_line_is_no_cue_and_said(tmp_path: Path) -> None:
    file = vtt(tmp_path, "WEBVTT\n\n00:01.000 --> 00:02.000\none\n\nlost\nwords\n")
    assert cues(file) == [(1.0, 2.0, "one")]
    assert file.notes == ("1 piece of text without times was passed over; the first: line 6.",)


def test_a_file_that_does_not_begin_with_webvtt_is_refused(tmp_path: Path) -> None:
    for contents in (SRT, "", "WEBVTTX\n"):
        with pytest.raises(CorpusError, match="line 1 is not WEBVTT"):
            vtt(tmp_path, contents)


def test_subrip_is_written_with_numbers_commas_and_blank_lines(tmp_path: Path) -> None:
    tier = Tier("x", (Annotation(3723.0041, 3724, "\nmalamu \n\n é\n"), Annotation(1, 2.4996, "mbote")))
    write_srt(AnnotationFile((tier,)), tmp_path / "b.srt")
    assert (tmp_path / "b.srt").read_bytes().decode() == (
        "1\n00:00:01,000 --> 00:00:02,500\nmbote\n\n2\n01:02:03,004 --> 01:02:04,000\nmalamu \n é\n"
    )


def test_webvtt_is_written_in_the_order_of_times_with_voices_and_escapes(tmp_path: Path) -> None:
    tiers = (
        Tier("A", (Annotation(2, 3, "a < b & c --> d"),), participant="Mary <3"),
        Tier("B", (Annotation(1, 2, "one\n\ntwo"),)),
    )
    write_vtt(AnnotationFile(tiers), tmp_path / "b.vtt")
    assert (tmp_path / "b.vtt").read_bytes().decode() == (
        "WEBVTT\n\n00:00:01.000 --> 00:00:02.000\n<v B>one&#10;&#10;two\n\n"
        "00:00:02.000 --> 00:00:03.000\n<v Mary &lt;3>a &lt; b &amp; c --&gt; d\n"
    )


@pytest.mark.parametrize(
    "text", ["00:00:01,000 --> 00:00:02,000", "so\n1 --> 2", "<i>mbote</i>", "{\\an8}mbote", "</font>"]
)
def test_text_that_subrip_cannot_hold_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(CorpusError, match="the text at 1 s would be read as times or tags"):
        write_srt(AnnotationFile((Tier("x", (Annotation(1, 2, text),)),)), tmp_path / "b.srt")
    assert list(tmp_path.iterdir()) == []


def test_subrip_of_several_tiers_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="room for one tier, and there are 2") as error:
        write_srt(AnnotationFile((Tier("a", ()), Tier("b", ()))), tmp_path / "b.srt")
    assert "WebVTT" in error.value.hint


@pytest.mark.parametrize("write", [write_srt, write_vtt])
def test_impossible_times_are_not_written(tmp_path: Path, write: Callable[[AnnotationFile, Path], None]) -> None:
    with pytest.raises(CorpusError, match="tier 'x' has an annotation from 2 to 1 s"):
        write(AnnotationFile((Tier("x", (Annotation(2, 1, "a"),)),)), tmp_path / "b.srt")


@pytest.mark.parametrize(
    "line", ["\n", "<v A>\n", "<font ", "<v ", "&", "1\n", "00:00:01,000 --> 00:00:02,000\n", " ", "NOTE\n"]
)
@pytest.mark.parametrize("read", [srt, vtt])
def test_no_text_takes_more_than_linear_time(
    tmp_path: Path, read: Callable[[Path, str], AnnotationFile], line: str
) -> None:
    began = time.process_time()
    read(tmp_path, "WEBVTT\n\n00:00:01,000 --> 00:00:02,000\n" + line * 20_000 + "\nx\n")
    assert time.process_time() - began < 2


def milliseconds() -> st.SearchStrategy[list[int]]:
    return st.lists(st.integers(0, 400_000_000), min_size=1, max_size=8).map(sorted)


def spoken(*without: str) -> st.SearchStrategy[str]:
    letters = st.characters(exclude_categories=("Cs",), exclude_characters=without)
    return (st.text(letters, min_size=1, max_size=15) | st.text("<>&;iv/-\n 1#", min_size=1)).filter(
        lambda said: bool(said.strip())
    )


def tier(times: list[int], texts: list[str], name: str = "subtitles", voice: str = "") -> Tier:
    ends = [*times[1:], times[-1] + 1]
    notes = [Annotation(a / 1000, b / 1000, text) for a, b, text in zip(times, ends, texts, strict=False)]
    return Tier(name, tuple(notes), participant=voice)


@few_and_many(60, times=milliseconds(), texts=st.lists(spoken("<", "{", "\n", "\r"), min_size=8, max_size=8))
def test_subrip_comes_back_as_it_was(tmp_path: Path, times: list[int], texts: list[str]) -> None:
    file = AnnotationFile((tier(times, [text.replace("<", "").replace("\n", " ").strip() or "x" for text in texts]),))
    try:
        write_srt(file, tmp_path / "c.srt")
    except CorpusError:
        assert any("-->" in text for text in texts)
        return
    assert read_srt(tmp_path / "c.srt") == file


@few_and_many(
    100,
    times=milliseconds(),
    texts=st.lists(spoken(), min_size=8, max_size=8),
    voice=spoken().map(lambda s: " ".join(s.split())),
)
def test_webvtt_comes_back_as_it_was(tmp_path: Path, times: list[int], texts: list[str], voice: str) -> None:
    for file in (AnnotationFile((tier(times, texts),)), AnnotationFile((tier(times, texts, voice, voice),))):
        write_vtt(file, tmp_path / "c.vtt")
        assert read_vtt(tmp_path / "c.vtt") == file


@few_and_many(100, contents=damaged(SRT.encode()))
def test_damaged_subrip_is_read_or_refused_in_a_sentence(tmp_path: Path, contents: bytes) -> None:
    reads_or_refuses(read_srt, tmp_path / "d.srt", contents)


@few_and_many(100, contents=damaged(VTT.encode()))
def test_damaged_webvtt_is_read_or_refused_in_a_sentence(tmp_path: Path, contents: bytes) -> None:
    reads_or_refuses(read_vtt, tmp_path / "d.vtt", contents)
