"""Praat's grids are read in all their forms, written as Praat wants them, and come back as they were."""

import struct
import time
from contextlib import suppress
from itertools import accumulate
from pathlib import Path

import pytest
from few_and_many import few_and_many
from hypothesis import strategies as st
from mutations import damaged, reads_or_refuses

from lowres.annotation.textgrid import read_textgrid, write_textgrid
from lowres.annotation.tiers import Annotation, AnnotationFile, Tier
from lowres.errors import CorpusError

LONG = '''File type = "ooTextFile"
Object class = "TextGrid"

xmin = 0
xmax = 2.5
tiers? <exists>
size = 2
item []:
    item [1]:
        class = "IntervalTier"
        name = "Mary"
        xmin = 0
        xmax = 2.5
        intervals: size = 2
        intervals [1]:
            xmin = 0
            xmax = 1.25
            text = "é𝄞"
        intervals [2]:
            xmin = 1.25
            xmax = 2.5
            text = ""
    item [2]:
        class = "TextTier"
        name = "bell"
        xmin = 0
        xmax = 2.5
        points: size = 1
        points [1]:
            number = 0.75
            mark = "say ""hi"""
'''
SHORT = '''File type = "ooTextFile"
Object class = "TextGrid"

0
2.5
<exists>
2
"IntervalTier"
"Mary"
0
2.5
2
0
1.25
"é𝄞"
1.25
2.5
""
"TextTier"
"bell"
0
2.5
1
0.75
"say ""hi"""
'''
FREE = '''"ooTextFile"
"TextGrid"
0 2.5 ! time domain of "the" TextGrid, 17 of them <absent>
<exists>
2 tiers
"IntervalTier" "Mary" ! type and name of tier 1
0s 2.5s
2 intervals coming
0 +1.25 "é𝄞" ! interval 1
125e-2 2.50 "" x
"TextTier" "bell" 0 2.5E0 1 point - here:
.5x 0.75 "say ""hi"""
'''
# Saved by Praat 6.1.38, from FREE.
BINARY = (
    b"ooBinaryFile\x08TextGrid\x00\x00\x00\x00\x00\x00\x00\x00@\x04\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x02"
    b"\x0cIntervalTier\x00\x04Mary\x00\x00\x00\x00\x00\x00\x00\x00@\x04\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02"
    b"\x00\x00\x00\x00\x00\x00\x00\x00?\xf4\x00\x00\x00\x00\x00\x00\xff\xff\x00\x02\x00\xe9\xd84\xdd\x1e"
    b"?\xf4\x00\x00\x00\x00\x00\x00@\x04\x00\x00\x00\x00\x00\x00\x00\x00"
    b"\x08TextTier\x00\x04bell\x00\x00\x00\x00\x00\x00\x00\x00@\x04\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01"
    b'?\xe8\x00\x00\x00\x00\x00\x00\x00\x08say "hi"'
)
GRID = AnnotationFile(
    (
        Tier("Mary", (Annotation(0.0, 1.25, "é𝄞"),)),
        Tier("bell", (Annotation(0.75, 0.75, 'say "hi"'),), "points"),
    ),
    duration_seconds=2.5,
)


def read(tmp_path: Path, contents: bytes | str) -> AnnotationFile:
    path = tmp_path / "a.TextGrid"
    path.write_bytes(contents if isinstance(contents, bytes) else contents.encode())
    return read_textgrid(path)


def written(tmp_path: Path, *tiers: Tier, duration: float | None = None) -> str:
    path = tmp_path / "b.TextGrid"
    write_textgrid(AnnotationFile(tiers, duration_seconds=duration), path)
    return path.read_bytes().decode()


def intervals(body: str, count: int) -> str:
    return f'"ooTextFile" "TextGrid" 0 9 <exists> 1\n"IntervalTier" "t" 0 9 {count}\n{body}'


@pytest.mark.parametrize("contents", [LONG, SHORT, FREE, BINARY], ids=["long", "short", "free", "binary"])
def test_every_form_gives_the_same_grid(tmp_path: Path, contents: bytes | str) -> None:
    assert read(tmp_path, contents) == GRID


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16-le", "utf-16-be", "utf-16"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"], ids=["unix", "windows", "macintosh"])
def test_every_unicode_encoding_and_line_end_gives_the_same_grid(tmp_path: Path, encoding: str, line_end: str) -> None:
    assert read(tmp_path, LONG.replace("\n", line_end).encode(encoding)) == GRID


def test_a_big_endian_byte_order_mark_is_understood(tmp_path: Path) -> None:
    assert read(tmp_path, b"\xfe\xff" + LONG.encode("utf-16-be")) == GRID


def test_latin_1_is_guessed_and_said(tmp_path: Path) -> None:
    grid = read(tmp_path, LONG.replace("é𝄞", "où déjà").encode("latin-1"))
    assert grid.tiers[0].annotations[0].text == "où déjà"
    assert grid.notes == (
        "The encoding was guessed to be Latin-1: line 18 is not UTF-8, and nothing in the file says.",
    )


def test_letters_that_latin_1_lacks_are_those_of_windows_1252(tmp_path: Path) -> None:
    grid = read(tmp_path, LONG.replace("é𝄞", "l’été – là").encode("cp1252"))
    assert grid.tiers[0].annotations[0].text == "l’été – là"
    assert "Windows-1252" in grid.notes[0]


def test_utf_8_with_one_damaged_letter_is_not_taken_for_latin_1(tmp_path: Path) -> None:
    contents = LONG.replace("bell", "ɓéɗé").encode().replace("é𝄞".encode(), b"\xe9")
    with pytest.raises(CorpusError, match="line 18 holds bytes that are not UTF-8"):
        read(tmp_path, contents)


def test_an_old_short_header_is_understood(tmp_path: Path) -> None:
    assert read(tmp_path, SHORT.replace("ooTextFile", "ooTextFile short").replace("Object class = ", "")) == GRID


def test_text_keeps_its_line_breaks_and_spaces(tmp_path: Path) -> None:
    grid = read(tmp_path, intervals('0 1 " one\n\ntwo "', 1))
    assert grid.tiers[0].annotations == (Annotation(0, 1, " one\n\ntwo "),)


def test_intervals_of_white_space_are_silence_and_points_without_text_are_points(tmp_path: Path) -> None:
    grid = read(tmp_path, intervals('0 1 "" 1 2 " \n" 2 3 "x"', 3).replace("1\n", '2\n"TextTier" "p" 0 9 1 4 ""\n'))
    assert grid.tiers[0].annotations == (Annotation(4, 4, ""),)
    assert grid.tiers[1].annotations == (Annotation(2, 3, "x"),)


def test_a_grid_without_tiers_is_empty(tmp_path: Path) -> None:
    assert read(tmp_path, '"ooTextFile" "TextGrid" 0 4 <absent>') == AnnotationFile((), duration_seconds=4.0)


def test_impossible_times_are_left_out_counted_and_the_first_named(tmp_path: Path) -> None:
    grid = read(tmp_path, intervals('0 1 "a"\n3 2 "b"\n-1 2 "c"\n3 1e999 "d"', 4))
    assert grid.tiers[0].annotations == (Annotation(0, 1, "a"),)
    assert grid.notes == ("3 annotations were left out because of impossible times; the first: line 4, from 3 to 2 s.",)


def test_a_count_that_is_too_high_is_named_with_tier_and_line(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match=r"line 24 has a text where a number should be, in or after tier 'Mary'") as e:
        read(tmp_path, LONG.replace("intervals: size = 2", "intervals: size = 3"))
    assert "which says that it has 3 intervals" in e.value.message
    assert "count" in e.value.hint


def test_a_count_that_is_too_low_is_named_with_tier_and_line(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="line 20 has a number where a text between quotation marks should be"):
        read(tmp_path, LONG.replace("intervals: size = 2", "intervals: size = 1"))
    with pytest.raises(CorpusError, match="line 30 has a number where the end of the file should be"):
        read(tmp_path, LONG.replace("points: size = 1", "points: size = 0"))


@pytest.mark.parametrize("count", ["1000000000000", "-1", "1.5", "1e300"])
def test_a_count_that_cannot_be_is_refused_at_once(tmp_path: Path, count: str) -> None:
    with pytest.raises(CorpusError, match="things follow, which cannot be"):
        read(tmp_path, LONG.replace("intervals: size = 2", f"intervals: size = {count}"))


def test_an_undoubled_quotation_mark_is_named_by_its_line(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="line 18 opens a quotation mark") as error:
        read(tmp_path, LONG.replace("é𝄞", 'say "hi"'))
    assert '("")' in error.value.hint


def test_a_decimal_comma_is_refused_and_not_cut_off(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match=r"line 17 has '1,25', which is no number"):
        read(tmp_path, LONG.replace("xmax = 1.25", "xmax = 1,25"))


def test_a_file_that_ends_too_early_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="line 17 has the end of the file where a text"):
        read(tmp_path, LONG[: LONG.index("            text")].rstrip())
    with pytest.raises(CorpusError, match=r"byte 170 is where the file ends too early, in or after tier 'bell'"):
        read(tmp_path, BINARY[:-1])


def test_more_than_the_counts_say_is_refused_in_binary_too(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="has more than the counts"):
        read(tmp_path, BINARY + b"\x00")


def test_times_that_are_no_numbers_in_binary_are_left_out(tmp_path: Path) -> None:
    grid = read(tmp_path, BINARY.replace(struct.pack(">d", 0.75), struct.pack(">d", float("nan"))))
    assert grid.tiers[1].annotations == ()
    assert "nan" in grid.notes[0]


@pytest.mark.parametrize(
    ("contents", "message"),
    [
        ("", "is not a TextGrid: it is empty"),
        ("hello", "is not a TextGrid"),
        ('"Praat chronological TextGrid text file"\n0 2', "Praat's chronological kind"),
        (LONG.replace('"TextGrid"', '"Collection"'), "holds Praat's 'Collection'"),
        (LONG.replace('"TextTier"', '"PitchTier"'), "line 24 begins a tier of the kind 'PitchTier'"),
        (LONG.replace("<exists>", '"exists"'), "line 6 has a text where <exists> or <absent> should be"),
        (b"\xff\xfe" + LONG.encode("utf-16-le")[:-1], "begins as UTF-16 and is damaged"),
    ],
)
def test_what_is_no_grid_is_refused_in_a_sentence(tmp_path: Path, contents: bytes | str, message: str) -> None:
    with pytest.raises(CorpusError, match=message):
        read(tmp_path, contents)


def test_a_missing_file_a_folder_and_a_pipe_are_refused(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "none.TextGrid", Path("/dev/zero")):
        with pytest.raises(CorpusError, match="There is no file at"):
            read_textgrid(path)


@pytest.mark.parametrize(
    "piece", ['"', '""', "<", "!", "-", "+", "a ", "1", '"a"b ', "\n", "9e", '"a" ', "! a\n", '0 1 "a"\n', '1 0 "a"\n']
)
def test_no_text_takes_more_than_linear_time(tmp_path: Path, piece: str) -> None:
    began = time.process_time()
    for count in (30_000, 3):
        with suppress(CorpusError):
            read(tmp_path, intervals(piece * 30_000, count))
    assert time.process_time() - began < 2


def test_the_written_file_is_praats_long_text(tmp_path: Path) -> None:
    path = tmp_path / "b.TextGrid"
    write_textgrid(GRID, path)
    expected = LONG.replace("= 0\n", "= 0.0\n").replace("xmin = 0.0\n", "xmin = 0\n")
    begins = expected.index("        intervals [1]:")
    expected = expected[:begins] + expected[begins:].replace("xmin = 0\n", "xmin = 0.0\n", 1)
    assert path.read_text(encoding="utf-8") == expected
    assert [child.name for child in tmp_path.iterdir()] == ["b.TextGrid"]


def test_gaps_are_filled_so_that_intervals_cover_the_recording(tmp_path: Path) -> None:
    text = written(tmp_path, Tier("t", (Annotation(2, 3, "b"), Annotation(0.5, 1, "a"))), duration=4)
    lines = [line.strip() for line in text.split("\n")]
    times = [line[7:] for line in lines if line.startswith(("xmin", "xmax"))]
    assert times[4:] == ["0.0", "0.5", "0.5", "1.0", "1.0", "2.0", "2.0", "3.0", "3.0", "4.0"]
    assert [line for line in lines if line.startswith("text")] == [
        f'text = "{text}"' for text in ("", "a", "", "b", "")
    ]
    assert "intervals: size = 5" in lines


def test_a_tier_without_annotations_is_one_empty_interval(tmp_path: Path) -> None:
    assert "intervals: size = 1\n" in written(tmp_path, Tier("t", ()), duration=4)


def test_rounding_leaves_no_gap_and_is_no_overlap(tmp_path: Path) -> None:
    tier = Tier("t", (Annotation(0.1 + 0.2, 1, "a"), Annotation(0, 0.3, "b"), Annotation(1.0000000001, 2, "c")))
    assert "intervals: size = 3\n" in written(tmp_path, tier)


@pytest.mark.parametrize(
    ("annotations", "message"),
    [
        ((Annotation(0, 2, "a"), Annotation(1.5, 3, "b")), r"tier 't' has annotations that overlap at 1\.5 s"),
        ((Annotation(1, 1, "a"),), r"tier 't' has an annotation that takes no time at 1 s"),
        ((Annotation(2, 1, "a"),), r"tier 't' has an annotation from 2 to 1 s"),
        ((Annotation(-1, 1, "a"),), r"tier 't' has an annotation from -1 to 1 s"),
        ((Annotation(0, float("nan"), "a"),), r"tier 't' has an annotation from 0 to nan s"),
        ((Annotation(0, 1, "\ud800"),), "half a letter"),
    ],
)
def test_what_a_grid_cannot_hold_is_refused(tmp_path: Path, annotations: tuple[Annotation, ...], message: str) -> None:
    with pytest.raises(CorpusError, match=message):
        written(tmp_path, Tier("t", annotations))
    assert list(tmp_path.iterdir()) == []


def test_points_that_last_and_two_points_at_one_time_are_refused(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="from 1 to 2 s"):
        written(tmp_path, Tier("t", (Annotation(1, 2, "a"),), "points"))
    with pytest.raises(CorpusError, match="two points at 1 s"):
        written(tmp_path, Tier("t", (Annotation(1, 1, "a"), Annotation(1, 1, "b")), "points"))


def test_a_grid_of_unknown_length_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="nothing says how long the recording is"):
        written(tmp_path, Tier("t", ()))


def test_a_folder_that_does_not_exist_is_named(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match=r"none/a\.TextGrid cannot be written"):
        write_textgrid(GRID, tmp_path / "none" / "a.TextGrid")


def grids() -> st.SearchStrategy[AnnotationFile]:
    text = st.text(st.characters(exclude_categories=("Cs",)), max_size=12)
    spoken = text.filter(lambda said: bool(said.strip()))
    gaps = st.lists(st.floats(0.001, 500), max_size=9)
    bounds = gaps.map(lambda lengths: list(accumulate(lengths)))
    row = st.tuples(bounds, st.lists(spoken, min_size=9, max_size=9), text, st.booleans()).map(_tier)
    return st.lists(row, max_size=3).map(lambda tiers: AnnotationFile(tuple(tiers), duration_seconds=5001.5))


def _tier(drawn: tuple[list[float], list[str], str, bool]) -> Tier:
    bounds, texts, name, points = drawn
    if points:
        return Tier(name, tuple(map(Annotation, bounds, bounds, texts)), "points")
    return Tier(name, tuple(map(Annotation, bounds, bounds[1:], texts))[::2])


@few_and_many(60, grid=grids())
def test_what_is_written_is_read_back_exactly(tmp_path: Path, grid: AnnotationFile) -> None:
    write_textgrid(grid, tmp_path / "c.TextGrid")
    assert read_textgrid(tmp_path / "c.TextGrid") == grid


@few_and_many(
    200, contents=st.sampled_from([LONG, SHORT, FREE]).flatmap(lambda text: damaged(text.encode())) | damaged(BINARY)
)
def test_damaged_grids_are_read_or_refused_in_a_sentence(tmp_path: Path, contents: bytes) -> None:
    reads_or_refuses(read_textgrid, tmp_path / "d.TextGrid", contents)


@few_and_many(60, contents=damaged(LONG.encode("utf-16")))
def test_damaged_grids_in_utf_16_are_read_or_refused_in_a_sentence(tmp_path: Path, contents: bytes) -> None:
    reads_or_refuses(read_textgrid, tmp_path / "d.TextGrid", contents)


@pytest.mark.corpora
def test_real_grids_are_read_and_come_back_as_they_were(tmp_path: Path, corpora_folder: Path) -> None:
    paths = sorted((corpora_folder / "sarawak_malay").glob("*.TextGrid"))
    assert len(paths) == 37
    for path in paths:
        grid = read_textgrid(path)
        assert grid.tiers[0].name == "Sarawak"
        assert grid.notes == ()
        write_textgrid(grid, tmp_path / "real.TextGrid")
        assert read_textgrid(tmp_path / "real.TextGrid") == grid
