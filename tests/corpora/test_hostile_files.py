"""No file, however damaged or hostile, makes a reader crash, hang, expand an entity or look outside of the corpus."""

import gzip
import os
from pathlib import Path

import pytest
from few_and_many import few_and_many
from fuzzing import Hang, all_targets, limited, try_one, watched
from hypothesis import strategies as st

from lowres.corpora.layouts import read_corpus
from lowres.corpora.settings import ReaderSettings
from lowres.errors import CorpusError

TARGETS = all_targets()


@pytest.mark.parametrize("name", TARGETS)
@few_and_many(100, seed=st.integers(0, 2**32))
def test_a_hostile_file_is_read_or_refused(name: str, seed: int) -> None:
    if name == "corpus: parquet":
        pytest.importorskip("pyarrow")
    trial = try_one(TARGETS[name], seed)
    assert not trial.failure


# ---- the judge itself


def test_a_file_outside_is_noticed(tmp_path: Path) -> None:
    (tmp_path / "corpus").mkdir()
    (tmp_path / "secret").write_text("x", encoding="utf-8")
    with watched(tmp_path / "corpus") as watch:
        (tmp_path / "corpus" / "own").write_text("x", encoding="utf-8")
        assert watch.seen == []
        (tmp_path / "corpus" / ".." / "secret").read_text(encoding="utf-8")
    assert [seen.partition(" ")[0] for seen in watch.seen] == ["open"]


def test_a_hang_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fuzzing.MOST_CPU_SECONDS", 0.2)

    def wait() -> None:
        while True:
            pass

    with pytest.raises(Hang), limited():
        wait()


# ---- what was found


@pytest.mark.parametrize(
    ("reader", "names", "piped"),
    [
        ("paired_files", ["a.wav"], "a.txt"),
        ("openslr", ["a_1_2.wav"], "line_index.tsv"),
        ("lhotse", ["a.wav", "supervisions.jsonl"], "recordings.jsonl"),
        ("kaldi", ["a.wav", "data/train/text"], "data/train/wav.scp"),
    ],
)
def test_a_pipe_in_the_place_of_a_file_is_refused_and_not_waited_for(
    tmp_path: Path, reader: str, names: list[str], piped: str
) -> None:
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x", encoding="utf-8")
    os.mkfifo(tmp_path / piped)
    with limited(), pytest.raises(CorpusError):
        read_corpus(tmp_path, ReaderSettings(reader=reader))  # type: ignore[arg-type]


def test_a_time_that_no_recording_has_is_left_out_and_named(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(b"")
    times = {"wav.scp": "r a.wav\n", "text": "a x\nb x\nc x\n", "segments": "a r 0 1\nb r 1e308 2\nc r 1 1e9\n"}
    for name, contents in times.items():
        (tmp_path / name).write_text(contents, encoding="utf-8")
    reading = read_corpus(tmp_path, ReaderSettings(reader="kaldi"))
    assert [row.utterance_id for row in reading.rows] == ["a"]
    assert [one.reason.partition(" (")[0] for one in reading.skipped] == [
        "begins or ends at a time that no recording has"
    ] * 2


@pytest.mark.parametrize(
    ("line", "said"),
    [(b" " * (1 << 20) + b"\n", "unpacks to more than 200 times its size"), (b"\n", "is no lhotse manifest")],
)
def test_a_packed_manifest_that_would_fill_a_disk_or_an_hour_is_refused(tmp_path: Path, line: bytes, said: str) -> None:
    packed = gzip.compress(line * ((40 << 20) // len(line)))
    for name in ("recordings.jsonl.gz", "supervisions.jsonl.gz"):
        (tmp_path / name).write_bytes(packed)
    with pytest.raises(CorpusError, match=said):
        read_corpus(tmp_path, ReaderSettings(reader="lhotse"))
