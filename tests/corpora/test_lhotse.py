"""lhotse manifests become rows without lhotse; commands are never run and paths never leave the corpus folder."""

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lowres.corpora.layouts import CorpusReading, ReaderSettings, read_corpus
from lowres.errors import CorpusError

Write = Callable[..., Path]


def lines(*objects: object) -> str:
    return "".join(f"{json.dumps(one)}\n" for one in objects)


def recording(key: str = "rec", path: str = "audio/a.wav", **further: Any) -> dict[str, Any]:
    sources = [{"type": "file", "channels": [0], "source": path}]
    return {"id": key, "sources": sources, "sampling_rate": 16000, "num_samples": 64000, "duration": 4.0, **further}


def supervision(key: str = "u1", **further: Any) -> dict[str, Any]:
    return {"id": key, "recording_id": "rec", "start": 0.5, "duration": 1.25, "text": "mbote na yo", **further}


def corpus(write: Write, recordings: object = None, supervisions: object = None, **settings: Any) -> CorpusReading:
    write("audio/a.wav")
    write("recordings.jsonl", recordings if isinstance(recordings, str) else lines(recordings or recording()))
    folder = write(
        "supervisions.jsonl", supervisions if isinstance(supervisions, str) else lines(supervisions or supervision())
    )
    return read_corpus(folder, ReaderSettings(reader="lhotse", **settings))


def test_a_supervision_becomes_a_row(write: Write) -> None:
    row = corpus(write, None, supervision(speaker="ana", language="lin", channel=0)).rows[0]
    assert (row.utterance_id, row.audio_path, row.start_seconds, row.end_seconds) == ("u1", "audio/a.wav", 0.5, 1.75)
    assert (row.speaker, row.language, row.channel, row.split, row.raw_text) == ("ana", "lin", None, "", "mbote na yo")


def test_a_supervision_of_the_whole_recording_ends_where_that_does(write: Write) -> None:
    assert corpus(write, None, supervision(start=0, duration=3.9999)).rows[0].end_seconds is None


@pytest.mark.parametrize(
    ("names", "split"),
    [
        (("x_recordings_train.jsonl.gz", "x_supervisions_train.jsonl.gz"), "train"),
        (("x_recordings_dev-clean-2.jsonl.gz", "x_supervisions_dev-clean-2.jsonl.gz"), "dev"),
        (("recordings_other.jsonl", "supervisions_other.jsonl"), "other"),
        (("test/recordings.jsonl.gz", "test/supervisions.jsonl.gz"), "test"),
        (("valid_recordings.jsonl", "valid_supervisions.jsonl"), "dev"),
        (("x_recordings_held-out.jsonl", "x_supervisions_held-out.jsonl"), "test"),
        (("recordings.jsonl", "supervisions.jsonl"), ""),
    ],
)
def test_the_split_is_in_the_name_of_the_manifest(write: Write, names: tuple[str, str], split: str) -> None:
    write("audio/a.wav")
    for name, contents in zip(names, (lines(recording()), lines(supervision())), strict=True):
        folder = write(name, gzip.compress(contents.encode()) if name.endswith(".gz") else contents)
    settings = ReaderSettings(reader="lhotse", split_names={"held-out": "test"})
    assert [row.split for row in read_corpus(folder, settings).rows] == [split]


def test_paths_may_start_from_the_manifest_and_be_absolute_inside_the_corpus(write: Write) -> None:
    folder = write("manifests/audio/b.wav")
    write("audio/a.wav")
    absolute = (folder / "audio/a.wav").as_posix()
    write("manifests/recordings.jsonl", lines(recording(path="audio/b.wav"), recording("rec2", absolute)))
    write("manifests/supervisions.jsonl", lines(supervision(), supervision("u2", recording_id="rec2")))
    reading = read_corpus(folder, ReaderSettings(reader="lhotse"))
    assert [row.audio_path for row in reading.rows] == ["manifests/audio/b.wav", "audio/a.wav"]


def test_absolute_paths_of_another_machine_are_found_by_name_where_the_recipe_says_where(write: Write) -> None:
    foreign = recording(path="/home/me/data/a.wav")
    with pytest.raises(CorpusError, match=r"recordings\.jsonl line 1: .* lies outside the corpus folder") as caught:
        corpus(write, foreign)
    assert "corpus.reader.audio_folder" in caught.value.hint
    assert corpus(write, foreign, audio_folder="audio").rows[0].audio_path == "audio/a.wav"
    write("audio/data/b.wav"), write("audio/other/b.wav")
    beside = recording(path="/home/me/data/b.wav")
    assert corpus(write, beside, audio_folder="audio").rows[0].audio_path == "audio/data/b.wav"


@pytest.mark.parametrize("path", ["../secret.wav", "audio/../../secret.wav", "..\\secret.wav", "C:\\secret.wav"])
def test_a_climbing_path_is_refused(write: Write, tmp_path: Path, path: str) -> None:
    (tmp_path / "secret.wav").write_bytes(b"x")
    with pytest.raises(CorpusError, match=r"recordings\.jsonl line 1: the path .* leads out"):
        corpus(write, recording(path=path))


def test_an_absolute_path_does_not_climb_out_either(write: Write, tmp_path: Path) -> None:
    (tmp_path / "secret.wav").write_bytes(b"x")
    with pytest.raises(CorpusError, match="lies outside"):
        corpus(write, recording(path=f"{write()}/../secret.wav"))


def test_links_out_of_the_folder_are_refused(write: Write, tmp_path: Path) -> None:
    (tmp_path / "secret.wav").write_bytes(b"x")
    (write("audio/b.wav") / "audio/a.wav").symlink_to(tmp_path / "secret.wav")
    write("recordings.jsonl", lines(recording()))
    with pytest.raises(CorpusError, match="leads out"):
        read_corpus(write("supervisions.jsonl", lines(supervision())), ReaderSettings(reader="lhotse"))


def test_a_manifest_that_is_a_link_out_of_the_folder_is_refused(write: Write, tmp_path: Path) -> None:
    (tmp_path / "secret.jsonl").write_text(lines(recording()), encoding="utf-8")
    (write("audio/a.wav") / "recordings.jsonl").symlink_to(tmp_path / "secret.jsonl")
    with pytest.raises(CorpusError, match="leads out"):
        read_corpus(write("supervisions.jsonl", lines(supervision())), ReaderSettings(reader="lhotse"))


@pytest.mark.parametrize(
    ("sources", "reason"),
    [
        ([{"type": "command", "channels": [0], "source": "touch /tmp/owned"}], "never runs commands"),
        ([{"type": "url", "channels": [0], "source": "https://x/a.wav"}], "a source of type 'url'"),
        ([{"type": "memory", "channels": [0], "source": "abc"}], "a source of type 'memory'"),
        ([{"type": "file", "channels": ["x"], "source": "audio/a.wav"}], "names channels that are none"),
        ([{"type": "file", "channels": [0]}], "a source of type 'file'"),
        (["audio/a.wav"], "a source of type 'None'"),
        ([], "names no file"),
        (None, "names no file"),
        ({"type": "file"}, "names no file"),
    ],
)
def test_recordings_that_are_no_files_are_named(write: Write, sources: object, reason: str) -> None:
    with pytest.raises(CorpusError, match=f"supervisions.jsonl line 1: its recording 'rec' .*{reason}"):
        corpus(write, recording() | {"sources": sources})


def test_a_recording_that_lhotse_would_alter_is_left_out_and_one_to_resample_is_not(write: Write) -> None:
    with pytest.raises(CorpusError, match=r"is changed by lhotse when it is read \(Speed\)"):
        corpus(write, recording(transforms=[{"name": "Speed", "kwargs": {"factor": 0.9}}]))
    assert corpus(write, recording(transforms=[{"name": "Resample", "kwargs": {}}])).rows


STEREO = {"sources": [{"type": "file", "channels": [0, 1], "source": "audio/a.wav"}]}
TWO_FILES = {
    "sources": [
        {"type": "file", "channels": [0], "source": "audio/b.wav"},
        {"type": "file", "channels": [3], "source": "audio/a.wav"},
    ]
}


@pytest.mark.parametrize(
    ("sources", "channel", "expected"),
    [
        (STEREO, 1, ("audio/a.wav", 1)),
        (STEREO, [0, 1], ("audio/a.wav", None)),
        (STEREO, None, ("audio/a.wav", None)),
        (TWO_FILES, 3, ("audio/a.wav", None)),
    ],
)
def test_the_channel_is_counted_inside_its_file(
    write: Write, sources: dict[str, Any], channel: object, expected: tuple[str, int | None]
) -> None:
    write("audio/b.wav")
    row = corpus(write, recording() | sources, supervision(channel=channel)).rows[0]
    assert (row.audio_path, row.channel) == expected


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        ("{", "is not a JSON object"),
        ("[1, 2]", "is not a JSON object"),
        ("[" * 100_000, "is not a JSON object"),
        ('{"id": ' + "1" * 5000 + "}", "is not a JSON object"),
        (lines(supervision(recording_id="gone")), "there is no recording 'gone'"),
        (lines(supervision(recording_id=["rec"])), "there is no recording ''"),
        (lines(supervision(key="")), "has no id"),
        (lines(supervision(text=" ")), "has no text"),
        (lines(supervision(text=5)), "has no text"),
        (lines(supervision(text="\ud800")), "has no text"),
        (lines(supervision(start=-1)), "does not say when it starts"),
        (lines(supervision(duration=float("nan"))), "does not say when it starts"),
        (lines(supervision(duration=float("inf"))), "does not say when it starts"),
        (lines(supervision(duration="1.0")), "does not say when it starts"),
        (lines(supervision(start=True)), "does not say when it starts"),
        (lines(supervision(channel=7)), "is on channels 7"),
        (lines(supervision(channel="left")), "is on channels 'left'"),
        (lines(supervision(recording_id="lost")), "there is no recording audio/lost.wav"),
        (lines(supervision(recording_id="long")), "there is no recording"),
        (lines(supervision(recording_id="zero")), "there is no recording"),
        (lines(supervision(recording_id="half")), "there is no recording"),
    ],
)
def test_broken_lines_are_named_and_the_rest_is_read(write: Write, broken: str, reason: str) -> None:
    paths = {"lost": "audio/lost.wav", "long": "x" * 400 + ".wav", "zero": "a\0b.wav", "half": "\ud800.wav"}
    recordings = lines(recording(), *(recording(key, path) for key, path in paths.items()))
    reading = corpus(write, recordings, lines(supervision("good")) + broken)
    assert [row.utterance_id for row in reading.rows] == ["good"]
    assert reading.skipped[0].place == "supervisions.jsonl line 2"
    assert reason in reading.skipped[0].reason


def test_recordings_without_supervisions_or_ids_are_named(write: Write) -> None:
    reading = corpus(write, lines(recording(), recording("lonely"), {"sources": []}, recording(""), "text"))
    assert [(one.place, one.reason) for one in reading.skipped] == [
        ("recordings.jsonl line 3", "is a recording without an id"),
        ("recordings.jsonl line 4", "is a recording without an id"),
        ("recordings.jsonl line 5", "is not a JSON object"),
        ("recordings.jsonl line 2", "the recording 'lonely' has no supervision"),
    ]


def test_ids_used_twice_are_refused_with_both_lines(write: Write) -> None:
    with pytest.raises(
        CorpusError, match=r"'rec' is listed twice: recordings\.jsonl line 1 and recordings\.jsonl line 2"
    ):
        corpus(write, lines(recording(), recording()))
    with pytest.raises(CorpusError, match=r"'u1' is listed twice: supervisions\.jsonl line 1"):
        corpus(write, None, lines(supervision(), supervision()))


def test_cuts_are_refused_with_the_command_that_takes_them_apart(write: Write) -> None:
    write("audio/a.wav")
    with pytest.raises(CorpusError, match="holds lhotse cuts") as caught:
        read_corpus(write("x_cuts_train.jsonl.gz", gzip.compress(b"{}")), ReaderSettings(reader="lhotse"))
    assert "lhotse cut decompose x_cuts_train.jsonl.gz" in caught.value.hint


def test_a_folder_without_manifests_says_so(write: Write) -> None:
    write("recordings_dev.jsonl", "")
    with pytest.raises(CorpusError, match="no lhotse manifests"):
        read_corpus(write("supervisions_train.jsonl", ""), ReaderSettings(reader="lhotse"))


@pytest.mark.parametrize(
    "contents",
    [b"not gzip", gzip.compress(lines(supervision()).encode() * 50)[:-9], gzip.compress(b"x")[:11] + b"\xff" * 20, b""],
    ids=["something else", "cut short", "damaged", "empty"],
)
def test_a_damaged_archive_is_a_corpus_error(write: Write, contents: bytes) -> None:
    write("audio/a.wav"), write("recordings.jsonl.gz", gzip.compress(lines(recording()).encode()))
    with pytest.raises(CorpusError):
        read_corpus(write("supervisions.jsonl.gz", contents), ReaderSettings(reader="lhotse"))


def test_an_endless_line_and_a_file_of_something_else_are_given_up(write: Write) -> None:
    write("audio/a.wav"), write("recordings.jsonl.gz", gzip.compress(b" " * (17 << 20)))
    with pytest.raises(CorpusError, match="a line of more than 16 MiB"):
        read_corpus(write("supervisions.jsonl.gz", gzip.compress(b"")), ReaderSettings(reader="lhotse"))
    with pytest.raises(CorpusError, match="more than 1000 lines are not JSON objects"):
        corpus(write, "no\n" * 2000)
