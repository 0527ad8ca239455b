"""Label tracks are read as Audacity writes them, in any country, and come back as they were."""

import time
from pathlib import Path

import pytest
from few_and_many import few_and_many
from hypothesis import strategies as st
from mutations import damaged, reads_or_refuses

from lowres.annotation.audacity import read_audacity, write_audacity
from lowres.annotation.tiers import Annotation, AnnotationFile, Tier
from lowres.errors import CorpusError

LABELS = "0.500000\t1.250000\tmbote na yo\n\\\t100.0\t3000.0\n2.000000\t2.000000\tclick\n"
TIER = Tier("labels", (Annotation(0.5, 1.25, "mbote na yo"), Annotation(2, 2, "click")))


def read(tmp_path: Path, contents: str) -> AnnotationFile:
    (tmp_path / "a.txt").write_bytes(contents.encode())
    return read_audacity(tmp_path / "a.txt")


@pytest.mark.parametrize(
    "contents",
    [
        LABELS,
        LABELS.replace("\n", "\r\n"),
        LABELS.replace(".", ","),
        LABELS.strip(),
        "\ufeff" + LABELS,
        "\n" + "\n".join(reversed(LABELS.split("\n"))),
        LABELS.replace("2.000000\t2.000000", "2.000000"),
    ],
    ids=["unix", "windows", "decimal comma", "no last line end", "marked", "not in order", "old points"],
)
def test_every_spelling_gives_the_same_labels(tmp_path: Path, contents: str) -> None:
    assert read(tmp_path, contents) == AnnotationFile((TIER,))


def test_labels_that_all_take_no_time_are_points(tmp_path: Path) -> None:
    assert read(tmp_path, "1\t1\ta\n2\t2\n").tiers == (
        Tier("labels", (Annotation(1, 1, "a"), Annotation(2, 2, "")), "points"),
    )


def test_a_text_may_hold_tabs(tmp_path: Path) -> None:
    assert read(tmp_path, "1\t2\ta\tb \n").tiers[0].annotations[0].text == "a\tb "


def test_an_empty_track_is_an_empty_tier(tmp_path: Path) -> None:
    assert read(tmp_path, "").tiers == (Tier("labels", ()),)


def test_impossible_times_are_left_out_and_the_first_named(tmp_path: Path) -> None:
    file = read(tmp_path, "2\t1\ta\n-1\t2\tb\nnan\t2\tc\n0\tinf\td\n0\t1\te\n")
    assert file.tiers[0].annotations == (Annotation(0, 1, "e"),)
    assert file.notes == ("4 annotations were left out because of impossible times; the first: line 1, from 2 to 1 s.",)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("hello", "line 2 is not a label: 'hello'"),
        ("one\ttwo\tthree", "line 2 is not a label"),
        ("1\tx\ty", "line 2 has 'x' where its end should be"),
        ("1_0\t2\ty", "line 2 is not a label"),
        ("\x1c.5\t2\ty", "line 2 is not a label"),
        ("1.000,5\t2\ty", "line 2 is not a label"),
    ],
)
def test_what_is_no_label_is_named_by_its_line(tmp_path: Path, line: str, message: str) -> None:
    with pytest.raises(CorpusError, match=message):
        read(tmp_path, f"0\t1\ta\n{line}\n")


def test_labels_are_written_as_audacity_does(tmp_path: Path) -> None:
    tier = Tier("x", (Annotation(2, 3.5, "two\r\nlines"), Annotation(-0.0, 1e-7, "a\tb")))
    write_audacity(AnnotationFile((tier,)), tmp_path / "b.txt")
    assert (tmp_path / "b.txt").read_bytes() == b"0.000000\t0.000000\ta\tb\n2.000000\t3.500000\ttwo lines\n"


def test_several_tiers_and_impossible_times_are_not_written(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="holds one tier, and there are 2"):
        write_audacity(AnnotationFile((TIER, TIER)), tmp_path / "b.txt")
    with pytest.raises(CorpusError, match="from 2 to 1 s"):
        write_audacity(AnnotationFile((Tier("x", (Annotation(2, 1, "a"),)),)), tmp_path / "b.txt")
    assert list(tmp_path.iterdir()) == []


def test_long_numbers_and_many_lines_take_linear_time(tmp_path: Path) -> None:
    began = time.process_time()
    read(tmp_path, "9" * 1_000_000 + "\t1\ta\n" + "2\t1\ta\n" * 100_000)
    with pytest.raises(CorpusError):
        read(tmp_path, "1" * 500_000 + "." + " " * 500_000 + "x")
    assert time.process_time() - began < 3


@few_and_many(
    80,
    times=st.lists(st.integers(0, 10**10), min_size=1, max_size=8).map(sorted),
    text=st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\r\n")),
)
def test_what_is_written_is_read_back(tmp_path: Path, times: list[int], text: str) -> None:
    notes = tuple(Annotation(at / 1e6, at / 1e6 + 1, text) for at in times)
    write_audacity(AnnotationFile((Tier("labels", notes),)), tmp_path / "c.txt")
    found = read_audacity(tmp_path / "c.txt").tiers[0]
    assert [(note.start_seconds, note.text) for note in found.annotations] == [(at / 1e6, text) for at in times]


@few_and_many(100, contents=damaged(LABELS.encode()))
def test_damaged_labels_are_read_or_refused_in_a_sentence(tmp_path: Path, contents: bytes) -> None:
    reads_or_refuses(read_audacity, tmp_path / "d.txt", contents)
