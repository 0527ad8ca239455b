"""The report folder: the numbers in report.json, the table, and that nothing is lost when writing fails."""

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from lowres.errors import LowresError
from lowres.report.contents import ReportContents
from lowres.report.files import recover_report, report_json, utterances_table, write_report
from lowres.report.page import render_page

MakeContents = Callable[..., ReportContents]
Split = Callable[[str], list[str]]


def test_the_three_files_are_written_and_replaced(
    make_contents: MakeContents, split_letters: Split, tmp_path: Path
) -> None:
    folder = tmp_path / "reports" / "finetune-1h-seed1-test"
    for _ in range(2):
        sizes = write_report(folder, make_contents(), split=split_letters, recordings={})
    assert sizes == {path.name: path.stat().st_size for path in folder.iterdir()}
    assert sorted(sizes) == ["report.html", "report.json", "utterances.tsv"]
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]


def test_a_report_that_cannot_be_written_leaves_the_old_one(
    make_contents: MakeContents, split_letters: Split, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "report"
    write_report(folder, make_contents(), split=split_letters, recordings={})
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    real, written = Path.write_bytes, []

    def full_disk(path: Path, data: bytes) -> int:
        if written:
            raise OSError(28, "No space left on device")
        written.append(path)
        return real(path, data)

    monkeypatch.setattr(Path, "write_bytes", full_disk)
    with pytest.raises(LowresError, match="No space left"):
        write_report(folder, make_contents([("a", "b", "A")]), split=split_letters, recordings={})
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    assert [path.name for path in tmp_path.iterdir()] == ["report"]


def test_what_people_put_beside_a_report_outlives_the_next_one(
    make_contents: MakeContents, split_letters: Split, tmp_path: Path
) -> None:
    folder = tmp_path / "report"
    recordings = {"recordings/00001.mp3": b"old", "recordings/mine.mp3": b"mine"}
    theirs = {"notes.txt": b"n", "sent/report.html": b"s", "recordings/mine.mp3": b"mine"}
    write_report(folder, make_contents(), split=split_letters, recordings={})
    for name, data in {**recordings, **theirs}.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(data)
    for _ in range(2):
        sizes = write_report(folder, make_contents([("a", "b", "A")]), split=split_letters, recordings={})
    found = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert found == {*sizes, *theirs}
    assert [path.name for path in tmp_path.iterdir()] == ["report"]


def test_an_exchange_that_fails_puts_the_earlier_report_back(
    make_contents: MakeContents, split_letters: Split, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "report"
    write_report(folder, make_contents(), split=split_letters, recordings={})
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    real = Path.rename

    def refuse(path: Path, target: Path) -> Path:
        if ".writing-" in path.name:
            raise OSError(1, "Operation not permitted")
        return real(path, target)

    monkeypatch.setattr(Path, "rename", refuse)
    with pytest.raises(LowresError, match="not permitted"):
        write_report(folder, make_contents([("a", "b", "A")]), split=split_letters, recordings={})
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    assert [path.name for path in tmp_path.iterdir()] == ["report"]


def test_a_report_that_a_kill_left_hidden_is_put_back(
    make_contents: MakeContents, split_letters: Split, tmp_path: Path
) -> None:
    folder = tmp_path / "report [1]"
    write_report(folder, make_contents(), split=split_letters, recordings={})
    (folder / "notes.txt").write_text("n", encoding="utf-8")
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    folder.rename(tmp_path / ".report [1].previous-1")
    recover_report(folder)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    # Killed after the new one was in place, and before what people had put into the earlier one was moved.
    folder.rename(tmp_path / ".report [1].previous-1")
    folder.mkdir()
    (folder / "report.html").write_text("new", encoding="utf-8")
    recover_report(folder)
    assert {path.name: path.read_text("utf-8") for path in folder.iterdir()} == {"report.html": "new", "notes.txt": "n"}
    assert [path.name for path in tmp_path.iterdir()] == ["report [1]"]


def test_the_numbers_are_in_the_json(make_contents: MakeContents) -> None:
    found = json.loads(json.dumps(report_json(make_contents()), allow_nan=False))
    assert found["schema_version"] == 2
    assert found["normalised"]["words"]["error_rate"] == 8 / 11
    assert found["normalised"]["words"]["over_utterances"]["num_units"] == 6
    assert found["raw"]["words"]["error_rate"] > found["normalised"]["words"]["error_rate"]
    assert found["mark_only_errors"]["words"]["num_mark_only"] == 2
    assert found["empty_references"] == ["utterance-004"]
    assert found["usefulness"]["verdict"] == "uncertain"
    kinds = {kind: one["num_errors"] for kind, one in found["error_kinds"].items()}
    assert sum(kinds.values()) == 8
    assert (kinds["tone"], kinds["boundary"], kinds["left out"], kinds["added"]) == (2, 0, 2, 1)
    assert len(found["confusion_matrix"]["counts"]) == len(found["confusion_matrix"]["graphemes"]) + 1
    assert sum(band["num_said"] for band in found["training_frequency"]) == 11
    assert {speaker["name"] for speaker in found["speakers"]} == {"martial", "abiayi", "kouarata"}


def test_a_spreadsheet_knows_the_table_for_unicode(
    make_contents: MakeContents, split_letters: Split, tmp_path: Path
) -> None:
    write_report(tmp_path / "report", make_contents(), split=split_letters, recordings={})
    assert (tmp_path / "report" / "utterances.tsv").read_bytes().startswith(b"\xef\xbb\xbfutterance_id\t")


def test_intervals_are_not_called_what_they_are_not(make_contents: MakeContents, split_letters: Split) -> None:
    # See `interval_of`: with few speakers it reaches far beyond the percentiles.
    assert "farther of the expanded percentile and Student's t" in report_json(make_contents())["intervals"]["method"]
    page = render_page(make_contents(), split=split_letters, recordings={}, linked={})
    assert "at least the middle 95 of 100 results" in page


def test_rates_that_do_not_exist_are_null(make_contents: MakeContents) -> None:
    found = report_json(make_contents([("", "x", "")]))
    assert found["normalised"]["words"]["error_rate"] is None


def test_the_table_reads_back_whatever_the_transcripts_hold(make_contents: MakeContents) -> None:
    odd = [('a\t"b"\nc', "é\r\n", "A\t"), ("NA", "null", "")]
    rows = list(csv.DictReader(io.StringIO(utterances_table(make_contents(odd)), newline=""), delimiter="\t"))
    assert [(row["reference"], row["hypothesis"], row["raw_reference"]) for row in rows] == odd
    assert rows[1]["word_errors"] == "1"
