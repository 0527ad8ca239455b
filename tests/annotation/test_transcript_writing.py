"""A transcript is written for ELAN, Praat, players, spreadsheets and scripts, and read back from JSON exactly."""

import csv
import io
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from elan_rules import faults
from few_and_many import few_and_many
from hypothesis import strategies as st
from spoken import transcript, utterance, word

from lowres.annotation.elan import read_elan
from lowres.annotation.subtitles import read_srt, read_vtt
from lowres.annotation.textgrid import read_textgrid
from lowres.annotation.tiers import Tier
from lowres.annotation.transcript import SpokenLetter, SpokenUtterance, SpokenWord, Transcript, transcript_tiers
from lowres.annotation.transcript_cues import subtitle_tiers
from lowres.annotation.transcript_json import read_transcript_json
from lowres.annotation.transcript_writing import TRANSCRIPT_SUFFIXES, write_transcript
from lowres.errors import CorpusError

HEARD = transcript(
    utterance("kí <wo> & ɛ́", 0.5, 2.5, "Ana"),
    utterance("wa yi", 2, 3.25, "Bo", 0.25),
    utterance("", 4, 5, "Bo"),
    utterance("na", 59.2, 60, "Ana", None),
)
ONE_VOICE = transcript(utterance("kí wo", 0.5, 2.5), utterance("na", 59, 60, "", 0.4))


def cues(tier: Tier) -> list[tuple[float, float, str]]:
    return [(one.start_seconds, one.end_seconds, one.text) for one in tier.annotations]


def test_an_elan_file_has_the_tiers_the_recording_and_its_maker(tmp_path: Path) -> None:
    write_transcript(HEARD, tmp_path / "a.eaf", format="elan")
    found = read_elan(tmp_path / "a.eaf")
    assert found.tiers == transcript_tiers(HEARD)
    assert [link.path for link in found.media] == ["/rec/a.wav"]
    contents = (tmp_path / "a.eaf").read_bytes()
    assert b'AUTHOR="lowres (mboshi-1h)"' in contents
    assert faults(contents) == []


def test_an_elan_file_finds_its_recording_from_the_folder_it_is_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "rec").mkdir()
    (tmp_path / "out").mkdir()
    (tmp_path / "rec" / "a.wav").write_bytes(b"")
    monkeypatch.chdir(tmp_path)
    heard = transcript(utterance("kí", 0, 1), recording=os.path.join("rec", "a.wav"))  # noqa: PTH118
    write_transcript(heard, tmp_path / "out" / "a.eaf", format="elan")
    assert read_elan(tmp_path / "out" / "a.eaf").media[0].relative_path == "../rec/a.wav"


def test_a_textgrid_has_the_tiers_and_the_recordings_length(tmp_path: Path) -> None:
    tiers = transcript_tiers(HEARD, with_letters=True)
    write_transcript(HEARD, tmp_path / "a.TextGrid", format="textgrid", tiers=tiers)
    found = read_textgrid(tmp_path / "a.TextGrid")
    assert found.duration_seconds == 60
    assert [(one.name, one.annotations) for one in found.tiers] == [(one.name, one.annotations) for one in tiers]


def test_webvtt_tells_voices_apart(tmp_path: Path) -> None:
    write_transcript(HEARD, tmp_path / "a.vtt", format="vtt")
    found = {tier.participant: cues(tier) for tier in read_vtt(tmp_path / "a.vtt").tiers}
    assert found == {
        "Ana": [(0.5, 2.5, "kí <wo> & ɛ́"), (59.2, 60, "na")],
        "Bo": [(2, 3.25, "wa yi")],
    }


def test_subrip_says_who_speaks_where_there_are_voices(tmp_path: Path) -> None:
    write_transcript(HEARD, tmp_path / "a.srt", format="srt")
    expected = [(0.5, 2.5, "Ana: kí <wo> & ɛ́"), (2, 3.25, "Bo: wa yi"), (59.2, 60, "Ana: na")]
    assert cues(read_srt(tmp_path / "a.srt").tiers[0]) == expected
    write_transcript(ONE_VOICE, tmp_path / "a.srt", format="srt")
    assert cues(read_srt(tmp_path / "a.srt").tiers[0]) == [(0.5, 2.5, "kí wo"), (59, 60, "na")]


def test_a_long_utterance_is_divided_at_its_longest_pauses() -> None:
    words = tuple(word(f"w{k}", start, start + 1) for k, start in enumerate((0, 1, 2, 3.5, 4.5, 6, 7, 8, 9)))
    (tier,) = subtitle_tiers(transcript(SpokenUtterance(0, 10, words)))
    assert cues(tier) == [(0, 5.5, "w0 w1 w2 w3 w4"), (6, 10, "w5 w6 w7 w8")]


def test_a_word_that_is_longer_than_a_subtitle_stays_whole() -> None:
    (tier,) = subtitle_tiers(transcript(SpokenUtterance(0, 30, (word("a" * 200, 0, 20), word("b", 20, 30)))))
    assert cues(tier) == [(0, 20, "a" * 200), (20, 30, "b")]


def test_a_short_subtitle_stays_for_a_second_if_the_next_one_lets_it() -> None:
    words = [utterance("a", 1, 1.1), utterance("b", 1.5, 1.6), utterance("c", 3, 3.2), utterance("d", 59.8, 59.9)]
    (tier,) = subtitle_tiers(transcript(*words))
    assert cues(tier) == [(1, 1.5, "a"), (1.5, 2.5, "b"), (3, 4, "c"), (59.8, 60, "d")]


@few_and_many(
    60,
    lengths=st.lists(st.integers(1, 20), min_size=1, max_size=80),
    pauses=st.lists(st.integers(0, 20), min_size=80, max_size=80),
)
def test_subtitles_can_be_read_and_hold_every_word_in_order(lengths: list[int], pauses: list[int]) -> None:
    words, reached = [], 0.0
    for length, pause in zip(lengths, pauses, strict=False):
        words.append(word("a" * length, reached, reached + length / 20))
        reached += length / 20 + pause / 10
    (tier,) = subtitle_tiers(transcript(SpokenUtterance(0, reached, tuple(words)), seconds=reached + 1))
    assert " ".join(text for _, _, text in cues(tier)).split() == [one.text for one in words]
    assert all(len(text) <= 84 and end - start <= 7.0011 for start, end, text in cues(tier))


def test_a_spreadsheet_has_a_row_an_utterance_in_the_order_of_time(tmp_path: Path) -> None:
    write_transcript(HEARD, tmp_path / "a.csv", format="csv")
    contents = (tmp_path / "a.csv").read_bytes()
    assert contents.startswith(b"\xef\xbb\xbfrecording,start_seconds,end_seconds,voice,text,confidence\n")
    assert b"\r" not in contents
    rows = list(csv.reader(io.StringIO(contents.decode("utf-8-sig"))))[1:]
    assert rows == [
        ["/rec/a.wav", "0.500", "2.500", "Ana", "kí <wo> & ɛ́", "0.9000"],
        ["/rec/a.wav", "2.000", "3.250", "Bo", "wa yi", "0.2500"],
        ["/rec/a.wav", "4.000", "5.000", "Bo", "", ""],
        ["/rec/a.wav", "59.200", "60.000", "Ana", "na", ""],
    ]


@pytest.mark.parametrize("text", ['=HYPERLINK("x")', "+1", "-ni", "@SUM(A1)", "\t=1", " =1", "＝1", "＠a"])
def test_no_cell_is_taken_for_a_formula(tmp_path: Path, text: str) -> None:
    spoken = SpokenUtterance(0, 1, (SpokenWord(text, 0, 1, None),), text)
    write_transcript(Transcript(text, 1.0, (spoken,)), tmp_path / "a.csv", format="csv")
    with (tmp_path / "a.csv").open(encoding="utf-8-sig", newline="") as table:
        (row,) = csv.DictReader(table)
    assert [row[name] for name in ("recording", "voice", "text")] == [f"'{text}"] * 3


def test_a_row_is_a_line_whatever_was_said(tmp_path: Path) -> None:
    odd = SpokenUtterance(0, 1, (SpokenWord('\r\n=k,"í"', 0, 1, None),))
    write_transcript(transcript(odd), tmp_path / "a.csv", format="csv")
    lines = (tmp_path / "a.csv").read_text(encoding="utf-8").split("\n")
    assert lines[1:] == ["/rec/a.wav,0.000,1.000,," + '"\' =k,""í""",', ""]


def test_text_has_a_line_an_utterance_with_its_voice(tmp_path: Path) -> None:
    write_transcript(HEARD, tmp_path / "a.txt", format="text")
    assert (tmp_path / "a.txt").read_bytes().decode() == "Ana: kí <wo> & ɛ́\nBo: wa yi\nAna: na\n"
    odd = SpokenUtterance(0, 1, (SpokenWord("kí\r\nwo\u2028na", 0, 1, None),))
    write_transcript(transcript(odd), tmp_path / "a.txt", format="text")
    assert (tmp_path / "a.txt").read_bytes() == "kí wo na\n".encode()


@pytest.mark.parametrize("format", TRANSCRIPT_SUFFIXES)
def test_every_format_is_utf_8_without_carriage_returns_and_written_whole_or_not_at_all(
    tmp_path: Path, format: Any
) -> None:
    path = tmp_path / f"a{TRANSCRIPT_SUFFIXES[format]}"
    write_transcript(HEARD, path, format=format)
    assert b"\r" not in path.read_bytes()
    assert "ɛ́" in path.read_text(encoding="utf-8")
    path.write_text("old")
    with pytest.raises(CorpusError):
        write_transcript(transcript(utterance("x\ud800", 0, 1)), path, format=format)
    assert [(one.name, one.read_text()) for one in tmp_path.iterdir()] == [(path.name, "old")]


@pytest.mark.parametrize("format", TRANSCRIPT_SUFFIXES)
def test_a_recording_in_which_nothing_was_heard_can_be_written(tmp_path: Path, format: Any) -> None:
    write_transcript(transcript(), tmp_path / "a", format=format)
    assert (tmp_path / "a").exists()


NAMES = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
SPAN = st.tuples(st.floats(0, 1e6), st.floats(0, 1e6)).map(lambda pair: (min(pair), max(pair)))
LETTERS = st.builds(lambda text, span: SpokenLetter(text, *span), NAMES, SPAN)
WORDS = st.builds(
    lambda text, span, sure, letters: SpokenWord(text, span[0], span[1], sure, tuple(letters)),
    NAMES, SPAN, st.none() | st.floats(0, 1), st.lists(LETTERS, max_size=2),
)  # fmt: skip
UTTERANCES = st.builds(
    lambda span, words, voice: SpokenUtterance(span[0], span[1], tuple(words), voice, ("other", "")),
    SPAN,
    st.lists(WORDS, max_size=3),
    NAMES,
)
TRANSCRIPTS = st.builds(
    Transcript, NAMES, st.floats(0, 1e6), st.lists(UTTERANCES, max_size=3).map(tuple), NAMES, st.booleans()
)


@few_and_many(100, heard=TRANSCRIPTS)
def test_json_gives_back_exactly_what_was_written(tmp_path: Path, heard: Transcript) -> None:
    write_transcript(heard, tmp_path / "a.json", format="json")
    assert read_transcript_json(tmp_path / "a.json") == heard


def _document() -> dict[str, Any]:
    said = {"text": "a", "start_seconds": 0.0, "end_seconds": 1.0}
    spoken = {**said, "confidence": 0.5, "letters": [dict(said)]}
    return {
        "format_version": 1,
        "recording": "a.wav",
        "duration_seconds": 1.0,
        "made_by": "",
        "is_calibrated": False,
        "utterances": [{**said, "voice": "", "alternatives": ["ab"], "words": [spoken]}],
    }


def _set(*place: str | int, value: object) -> Callable[[Any], None]:
    def change(document: Any) -> None:
        for step in place[:-1]:
            document = document[step]
        document[place[-1]] = value

    return change


WORD = ("utterances", 0, "words", 0)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (_set("format_version", value=2), "is a transcript of version 2"),
        (_set("format_version", value=True), "is not a transcript"),
        (_set("format_version", value="1"), "is not a transcript"),
        (_set("utterances", value={}), ": utterances is not a list"),
        (_set("utterances", value=[1]), r": utterances\[0\] is not an object"),
        (_set("extra", value=1), ": extra is unknown"),
        (_set("recording", value=1), ": recording is not a text"),
        (_set("is_calibrated", value=1), ": is_calibrated is neither true nor false"),
        (_set("duration_seconds", value=-1), ": duration_seconds is '-1', which is no time"),
        (_set("duration_seconds", value=10**400), ": duration_seconds is a number that is too large"),
        (_set("duration_seconds", value=True), ": duration_seconds is 'True'"),
        (_set(*WORD, "confidence", value=1.5), r": utterances\[0\].words\[0\].confidence is '1.5', not a number"),
        (_set(*WORD, "letters", 0, "end_seconds", value=-0.5), r"letters\[0\].end_seconds is '-0.5'"),
        (_set(*WORD, "start_seconds", value=1.5), r"words\[0\].end_seconds is 1, before the start at 1.5"),
        (_set(*WORD, "text", value="b"), r": utterances\[0\].text is not what its words say"),
        (lambda document: document["utterances"][0].pop("voice"), r": utterances\[0\].voice is missing"),
        (_set("utterances", 0, "alternatives", value=[1]), r": utterances\[0\].alternatives is not a list of texts"),
        (_set(*WORD, "letters", 0, "x", value=None), r"letters\[0\].x is unknown"),
    ],
)
def test_a_damaged_transcript_is_refused_with_the_place(
    tmp_path: Path, change: Callable[[Any], None], said: str
) -> None:
    document = _document()
    (tmp_path / "a.json").write_text(json.dumps(document))
    assert read_transcript_json(tmp_path / "a.json").utterances[0].text == "a"
    change(document)
    (tmp_path / "a.json").write_text(json.dumps(document))
    with pytest.raises(CorpusError, match=said) as refused:
        read_transcript_json(tmp_path / "a.json")
    assert refused.value.hint


@pytest.mark.parametrize(
    ("contents", "said"),
    [
        (b"", "is not JSON"),
        (b'{"format_version": 1, "utt', "is not JSON, or cut off: line 1"),
        (b"[]", "is not a transcript"),
        (b'{"format_version": 1, "format_version": 1}', "'format_version' is there twice"),
        (b'{"format_version": NaN}', "NaN is not a number"),
        (b'{"format_version": "\xff"}', "cannot be read as JSON"),
        (b"[" * 100_000, "cannot be read as JSON"),
        (b"9" * 5000, "cannot be read as JSON"),
    ],
)
def test_what_is_no_transcript_is_refused(tmp_path: Path, contents: bytes, said: str) -> None:
    (tmp_path / "a.json").write_bytes(contents)
    with pytest.raises(CorpusError, match=said):
        read_transcript_json(tmp_path / "a.json")


def test_a_missing_transcript_is_named(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="There is no file at"):
        read_transcript_json(tmp_path / "a.json")
