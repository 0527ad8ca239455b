r"""Toolbox's texts: records with \ELANBegin or \sound become annotations, the rest is counted or refused."""

import time
from contextlib import suppress
from pathlib import Path

import pytest

from lowres.annotation.formats import read_annotations
from lowres.annotation.tiers import Annotation, AnnotationFile, MediaLink
from lowres.annotation.toolbox import begins_as_toolbox, read_toolbox
from lowres.errors import CorpusError

HEADER = "\\_sh v3.0  400  Text\n\\_DateStampHasFourDigitYear\n\n"
ELAN = r"""\id Story
\ref S.001
\ELANBegin 0.500
\ELANEnd 2.250
\ELANParticipant Ana
\tx mbote    na
\mb mbote    na
\ge hello    with

\tx yo.
\mb yo
\ge you
\ft Hello
to you.

\ref S.002
\ELANBegin 00:50:11.150
\ELANEnd 50:12.5
\tx ɛ́ɛ́

\ELANMediaURL file:///C:/field%20work/day1.wav
\ELANMediaMIME audio/x-wav
"""


def read(tmp_path: Path, contents: str, name: str = "story.txt") -> AnnotationFile:
    path = tmp_path / name
    path.write_text(contents, encoding="utf-8")
    return read_toolbox(path)


def test_each_field_of_a_record_is_an_annotation_on_the_tier_of_its_marker_and_speaker(tmp_path: Path) -> None:
    found = read(tmp_path, HEADER + ELAN)
    assert [(tier.name, tier.participant, tier.annotations) for tier in found.tiers] == [
        ("tx@Ana", "Ana", (Annotation(0.5, 2.25, "mbote na yo."),)),
        ("mb@Ana", "Ana", (Annotation(0.5, 2.25, "mbote na yo"),)),
        ("ge@Ana", "Ana", (Annotation(0.5, 2.25, "hello with you"),)),
        ("ft@Ana", "Ana", (Annotation(0.5, 2.25, "Hello to you."),)),
        ("tx", "", (Annotation(3011.15, 3012.5, "ɛ́ɛ́"),)),
    ]
    assert found.media == (MediaLink("C:/field work/day1.wav"),)
    assert found.notes == ()


@pytest.mark.parametrize("marker", ["sound", "aud", "snd", "audio"])
def test_a_sound_field_names_the_recording_and_the_times(tmp_path: Path, marker: str) -> None:
    found = read(tmp_path, f"\\ref 1\n\\tx a\n\\{marker} my tape.wav 1.5 2.5\n\\ref 2\n\\tx b\n\\{marker} b.wav 1 2\n")
    assert [(tier.recording, tier.annotations[0]) for tier in found.tiers] == [
        ("my tape.wav", Annotation(1.5, 2.5, "a")),
        ("b.wav", Annotation(1.0, 2.0, "b")),
    ]


def test_one_recording_needs_no_tiers_of_its_own(tmp_path: Path) -> None:
    found = read(tmp_path, "\\ref 1\n\\tx a\n\\aud t.wav 1 2\n\\ref 2\n\\tx b\n\\aud t.wav 2 3\n")
    assert [(tier.recording, len(tier.annotations)) for tier in found.tiers] == [("", 2)]


@pytest.mark.parametrize("first", ["ref", "block", "utterance_id", "tx"])
def test_a_record_begins_with_whatever_marker_it_is(tmp_path: Path, first: str) -> None:
    records = [f"\\{first} {number}\n\\ELANBegin {number}\n\\ELANEnd {number + 1}\n\\ft x\n" for number in range(3)]
    found = read(tmp_path, "".join(records))
    assert [note.start_seconds for note in found.tiers[-1].annotations] == [0.0, 1.0, 2.0]


def test_what_follows_the_next_text_s_id_is_no_part_of_the_record_before(tmp_path: Path) -> None:
    contents = ELAN.replace("\\ELANMediaURL", "\\id Other\n\\title Another story\n\\ELANMediaURL")
    assert "title" not in {tier.linguistic_type for tier in read(tmp_path, contents).tiers}


def test_records_without_times_are_counted(tmp_path: Path) -> None:
    assert read(tmp_path, ELAN + "\\ref S.003\n\\tx eh\n").notes == ("1 of 3 records have no times and were left out.",)


@pytest.mark.parametrize(
    "contents", ["\\ref 1\n\\tx a\n\\ref 2\n\\tx b\n", HEADER + "\\lx dog\n\\ge mbwa\n", HEADER + "\\id x"]
)
def test_a_text_or_dictionary_without_times_is_refused_in_one_sentence(tmp_path: Path, contents: str) -> None:
    with pytest.raises(CorpusError, match=r"has no times: none of its|is not a Toolbox file") as refused:
        read(tmp_path, contents)
    assert refused.value.hint


@pytest.mark.parametrize(
    "piece", ["\\ref\n", "\\ref 1\n\\aud a 1 2\n\\tx a\n", "\\tx\n", "\\\n", "a\n", "\\ELANBegin 1\n", "\\x "]
)
def test_no_text_takes_more_than_linear_time(tmp_path: Path, piece: str) -> None:
    started = time.process_time()
    with suppress(CorpusError):
        read(tmp_path, piece * 40_000)
    assert time.process_time() - started < 4


def test_a_text_without_markers_is_no_toolbox_file(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="no line of it begins with a backslash"):
        read(tmp_path, "Mbote na yo\n")


def test_a_txt_file_is_toolbox_s_if_it_begins_so_and_audacity_s_otherwise(tmp_path: Path) -> None:
    for name, contents in (("a.txt", "\ufeff" + HEADER + ELAN), ("b.txt", "0.5\t1.0\tmbote\n")):
        (tmp_path / name).write_text(contents, encoding="utf-8")
    assert [read_annotations(tmp_path / name).tiers[0].name for name in ("a.txt", "b.txt")] == ["tx@Ana", "labels"]
    assert not begins_as_toolbox(tmp_path / "missing.txt")
