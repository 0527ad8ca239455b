"""Hugging Face data sets are unpacked once, outside the corpus folder, into what the audio folder reader reads."""

import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lowres.corpora.layouts import CorpusReading, ReaderSettings, read_corpus
from lowres.corpora.parquet import unpack_parquet
from lowres.errors import CorpusError

Write = Callable[..., Path]
WAV = b"RIFF....WAVEfmt "


@pytest.fixture
def write_rows(write: Write) -> Callable[..., Path]:
    """Return a function that writes rows to a parquet file in the corpus folder, and returns the folder."""
    pyarrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")

    def write_parquet(name: str, rows: list[dict[str, Any]]) -> Path:
        folder = write()
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        parquet.write_table(pyarrow.Table.from_pylist(rows), folder / name)
        return folder

    return write_parquet


def unpacked(folder: Path, **settings: Any) -> CorpusReading:
    target = folder.parent / "unpacked"
    unpack_parquet(folder, target, ReaderSettings(reader="audio_folder", **settings))
    return read_corpus(target, ReaderSettings(reader="audio_folder"))


def audio(contents: bytes | None = WAV, path: str | None = "a.wav") -> dict[str, Any]:
    return {"bytes": contents, "path": path}


def test_a_data_set_becomes_rows(write_rows: Callable[..., Path]) -> None:
    write_rows("data/train-00000-of-00002.parquet", [{"audio": audio(b"one"), "sentence": "mbote", "speaker_id": 7}])
    write_rows("data/train-00001-of-00002.parquet", [{"audio": audio(b"two"), "sentence": 'na, "yo"', "speaker_id": 8}])
    folder = write_rows("data/validation-00000-of-00001.parquet", [{"audio": audio(b"x"), "sentence": "x", "id": 1}])
    reading = unpacked(folder)
    assert sorted((row.utterance_id, row.split, row.speaker, row.raw_text) for row in reading.rows) == [
        ("dev/a_3", "dev", "", "x"),
        ("train/a", "train", "7", "mbote"),
        ("train/a_2", "train", "8", 'na, "yo"'),
    ]
    contents = {(folder.parent / "unpacked" / row.audio_path).read_bytes() for row in reading.rows}
    assert contents == {b"one", b"two", b"x"}


def test_nothing_is_written_into_the_corpus_and_nothing_is_unpacked_twice(write_rows: Callable[..., Path]) -> None:
    rows = [{"audio": audio(), "text": "mbote"}]
    folder = write_rows("train.parquet", rows)
    unpacked(folder)
    assert [path.name for path in folder.rglob("*")] == ["train.parquet"]
    marker = folder.parent / "unpacked" / "train" / "a.wav"
    before = marker.stat().st_mtime_ns
    unpacked(folder)
    assert marker.stat().st_mtime_ns == before
    write_rows("train.parquet", rows * 2)
    assert len(unpacked(folder).rows) == 2


def test_columns_may_be_named_and_an_id_is_taken_only_then(write_rows: Callable[..., Path]) -> None:
    folder = write_rows("test.parquet", [{"id": 5, "speech": audio(), "ipa": "mbɔ́te", "text": "no"}])
    assert unpacked(folder, columns={"audio": "speech", "text": "ipa"}).rows[0].utterance_id == "test/a"
    row = unpacked(folder, columns={"audio": "speech", "text": "ipa", "id": "id"}).rows[0]
    assert (row.utterance_id, row.raw_text) == ("5", "mbɔ́te")


def test_recordings_may_be_files_of_the_corpus_or_bare_bytes(write: Write, write_rows: Callable[..., Path]) -> None:
    write("clips/b.mp3", b"sound")
    write_rows("train.parquet", [{"audio": "clips/b.mp3", "text": "x"}, {"audio": "clips/gone.mp3", "text": "y"}])
    folder = write_rows("test.parquet", [{"audio": b"fLaC", "text": "z"}, {"audio": b"??", "text": "no sound"}])
    reading = unpacked(folder)
    assert sorted((row.audio_path, row.raw_text) for row in reading.rows) == [
        ("test/test.flac", "z"),
        ("train/b.mp3", "x"),
    ]
    assert [one.reason for one in reading.skipped] == ["names no recording", "names no recording"]


def test_paths_never_lead_out(write_rows: Callable[..., Path], tmp_path: Path) -> None:
    (tmp_path / "secret.wav").write_bytes(b"secret")
    folder = write_rows("train.parquet", [{"audio": audio(path="../../../x/../evil.wav"), "text": "x"}])
    assert unpacked(folder).rows[0].audio_path == "train/evil.wav"
    write_rows("train.parquet", [{"audio": audio(None, "../secret.wav"), "text": "x"}])
    with pytest.raises(CorpusError, match=r"train\.parquet row 1: the path '\.\./secret\.wav' leads out"):
        unpacked(folder)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["corpus", "secret.wav", "unpacked"]


@pytest.mark.parametrize("contents", [b"", b"PAR1", b"PAR1" + b"\xff" * 100 + b"PAR1", b"x" * 1000])
def test_a_damaged_file_is_a_corpus_error_and_leaves_nothing(write: Write, contents: bytes, tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    with pytest.raises(CorpusError):
        unpacked(write("train.parquet", contents))
    assert [path.name for path in tmp_path.iterdir()] == ["corpus"]


def test_a_damaged_page_is_said_to_be_that_and_no_full_disk(write_rows: Callable[..., Path], tmp_path: Path) -> None:
    folder = write_rows(
        "train.parquet", [{"audio": audio(WAV + b"a" * 1000), "text": f"mbote {row}"} for row in range(50)]
    )
    contents = bytearray((folder / "train.parquet").read_bytes())
    contents[100:300] = b"\xff" * 200
    (folder / "train.parquet").write_bytes(contents)
    with pytest.raises(CorpusError, match=r"train.parquet cannot be read as parquet: .*[^.]\.$") as caught:
        unpacked(folder)
    assert caught.value.hint == "Fetch it again."
    assert [path.name for path in tmp_path.iterdir()] == ["corpus"]


def test_a_recording_that_cannot_be_read_is_named(
    write: Write, write_rows: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    write("clips/b.mp3", b"sound")
    folder = write_rows("train.parquet", [{"audio": "clips/b.mp3", "text": "x"}])
    monkeypatch.setattr(Path, "read_bytes", refuse)
    with pytest.raises(CorpusError, match=r"b.mp3 cannot be read: Permission denied"):
        unpacked(folder)


def test_rows_without_a_recording_are_named_and_missing_columns_are_listed(write_rows: Callable[..., Path]) -> None:
    rows = [{"audio": audio(), "text": "x"}, {"audio": audio(None, None), "text": "y"}, {"audio": None, "text": "z"}]
    assert [one.reason for one in unpacked(write_rows("train.parquet", rows)).skipped] == ["names no recording"] * 2
    with pytest.raises(CorpusError, match="no column that is known to name the transcripts; its columns are 'audio'"):
        unpacked(write_rows("train.parquet", [{"audio": audio()}]))


def test_a_folder_that_is_something_else_is_not_replaced(write_rows: Callable[..., Path], tmp_path: Path) -> None:
    (tmp_path / "unpacked").mkdir()
    (tmp_path / "unpacked" / "mine.txt").touch()
    with pytest.raises(CorpusError, match="was not unpacked by lowres"):
        unpacked(write_rows("train.parquet", [{"audio": audio(), "text": "x"}]))
    assert (tmp_path / "unpacked" / "mine.txt").exists()


def test_without_pyarrow_the_command_that_installs_it_is_named(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(name: str) -> None:
        raise ImportError(name)

    monkeypatch.setattr(importlib, "import_module", refuse)
    with pytest.raises(CorpusError, match="pyarrow, which is not installed") as caught:
        unpacked(write("train.parquet", b""))
    assert ".[parquet]" in caught.value.hint
