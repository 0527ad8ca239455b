"""Tables come through whatever program wrote them, and what had to be guessed is known."""

from pathlib import Path

import pytest

from lowres.corpora.delimited import read_delimited
from lowres.errors import CorpusError

ROWS = 'file,text\na.wav,ɛ́ na mbɔ́ka\nb.wav,"oui, déjà"\n'


def read(tmp_path: Path, contents: bytes, name: str = "t.csv", **options: object):  # type: ignore[no-untyped-def]
    (tmp_path / name).write_bytes(contents)
    return read_delimited(tmp_path / name, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_every_unicode_encoding_gives_the_same_table(tmp_path: Path, encoding: str) -> None:
    table = read(tmp_path, ROWS.encode(encoding))
    assert table.columns == ("file", "text")
    assert table.rows == [(2, ["a.wav", "ɛ́ na mbɔ́ka"]), (3, ["b.wav", "oui, déjà"])]


def test_windows_1252_is_recognised_and_said(tmp_path: Path) -> None:
    table = read(tmp_path, "file;text\na.wav;où êtes-vous – là\n".encode("cp1252"))
    assert table.encoding == "cp1252"
    assert table.rows[0][1][1] == "où êtes-vous – là"


def test_a_utf_8_file_with_one_damaged_line_is_not_taken_for_windows_1252(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="line 3 holds bytes that are not UTF-8"):
        read(tmp_path, "file,text\na.wav,mbɔ́ka ɛ́\n".encode() + b"b.wav,d\xe9j\xe0\n" + "c.wav,ɔ́ɔ́\n".encode())


def test_a_stated_encoding_that_does_not_fit_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="is not ascii"):
        read(tmp_path, ROWS.encode(), encoding="ascii")


@pytest.mark.parametrize("delimiter", ["\t", ",", ";", "|"])
def test_the_delimiter_shows_in_the_first_line(tmp_path: Path, delimiter: str) -> None:
    table = read(tmp_path, f"file{delimiter}text\na.wav{delimiter}mbote\n".encode())
    assert table.rows == [(2, ["a.wav", "mbote"])]


def test_quotation_marks_in_a_tsv_are_text_unless_they_enclose_a_cell(tmp_path: Path) -> None:
    table = read(tmp_path, b'file\ttext\na\t"Yes, he said\nb\t"all of ""it"""\nc\t"a" or "b"\n', "t.tsv")
    assert [cells[1] for _, cells in table.rows] == ['"Yes, he said', 'all of "it"', '"a" or "b"']


def test_a_cell_may_hold_a_line_break(tmp_path: Path) -> None:
    table = read(tmp_path, b'file,text\na.wav,"one\ntwo"\nb.wav,three\n')
    assert table.rows == [(2, ["a.wav", "one\ntwo"]), (4, ["b.wav", "three"])]


def test_an_unclosed_quotation_mark_is_named_by_its_line(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="a quotation mark opens on line 3"):
        read(tmp_path, b'file,text\na.wav,one\nb.wav,"two\nc.wav,three\n')


def test_a_row_with_too_many_cells_is_set_apart(tmp_path: Path) -> None:
    table = read(tmp_path, b"file,text\na.wav,yes, no\nb.wav,three\n")
    assert table.malformed == [(2, "has 3 cells where the first line has 2")]
    assert len(table.rows) == 1


def test_missing_cells_at_the_end_of_a_row_are_empty(tmp_path: Path) -> None:
    assert read(tmp_path, b"file,text,split\na.wav,yes\n").rows == [(2, ["a.wav", "yes", ""])]


def test_words_that_mean_nothing_to_a_spreadsheet_stay_words(tmp_path: Path) -> None:
    assert read(tmp_path, b"file,text\na.wav,NA\nb.wav,null\nc.wav,007\n").rows[2][1][1] == "007"


def test_columns_without_a_header_are_numbered(tmp_path: Path) -> None:
    table = read(tmp_path, b"a.wav\tone\nb.wav\ttwo\n", header=False)
    assert table.columns == ("1", "2")
    assert len(table.rows) == 2


@pytest.mark.parametrize(
    ("contents", "said"),
    [
        (b"", "is empty"),
        (b",,\n,,\n", "is empty"),
        (b'"";" "\n', "is empty"),
        (b"PK\x03\x04rest", "is a workbook"),
        (b"only one column\n", "has only one column"),
    ],
)
def test_what_is_no_table_is_called_what_it_is(tmp_path: Path, contents: bytes, said: str) -> None:
    with pytest.raises(CorpusError, match=said):
        read(tmp_path, contents)
