"""Shards give back what was written, whole or not at all."""

import hashlib
import pickle
from pathlib import Path

import numpy as np
import pytest

from lowres.audio.shards import ShardReader, ShardWriter, to_int16
from lowres.errors import AudioError


def write_shard(corpus: Path, samples: np.ndarray) -> str:
    (corpus / "shards").mkdir(exist_ok=True)
    with ShardWriter(corpus / "shards" / "part-00000.pcm") as writer:
        writer.append(samples)
        return writer.finish()


def test_what_was_written_is_read_back(tmp_path: Path) -> None:
    samples = np.arange(-500, 500, dtype=np.int16)
    write_shard(tmp_path, samples)
    assert ShardReader(tmp_path).read("part-00000.pcm", 100, 50).tolist() == samples[100:150].tolist()


def test_reading_copies_nothing(tmp_path: Path) -> None:
    write_shard(tmp_path, np.zeros(1000, dtype=np.int16))
    view = ShardReader(tmp_path).read("part-00000.pcm", 0, 1000)
    assert view.base is not None
    assert not view.flags.writeable


def test_the_hash_is_that_of_the_file(tmp_path: Path) -> None:
    digest = write_shard(tmp_path, np.arange(100, dtype=np.int16))
    contents = (tmp_path / "shards" / "part-00000.pcm").read_bytes()
    assert digest == hashlib.sha256(contents).hexdigest()


def test_an_unfinished_shard_leaves_nothing_behind(tmp_path: Path) -> None:
    with ShardWriter(tmp_path / "part.pcm") as writer:
        writer.append(np.zeros(10, dtype=np.int16))
    assert list(tmp_path.iterdir()) == []


def test_a_recording_can_be_taken_back(tmp_path: Path) -> None:
    with ShardWriter(tmp_path / "part.pcm") as writer:
        writer.append(np.ones(10, dtype=np.int16))
        writer.append(np.full(10, 2, dtype=np.int16))
        writer.take_back(10)
        assert writer.append(np.full(5, 3, dtype=np.int16)) == 10
        writer.finish()
    assert np.fromfile(tmp_path / "part.pcm", dtype="<i2").tolist() == [1] * 10 + [3] * 5


def test_a_stretch_beyond_the_shard_is_refused(tmp_path: Path) -> None:
    write_shard(tmp_path, np.zeros(10, dtype=np.int16))
    with pytest.raises(AudioError, match="holds 10 samples, but the manifest asks for 5 to 15"):
        ShardReader(tmp_path).read("part-00000.pcm", 5, 10)


def test_a_missing_shard_is_named(tmp_path: Path) -> None:
    with pytest.raises(AudioError, match=r"part-00007\.pcm cannot be read"):
        ShardReader(tmp_path).read("part-00007.pcm", 0, 1)


def test_a_reader_travels_to_another_process_without_its_maps(tmp_path: Path) -> None:
    write_shard(tmp_path, np.arange(10, dtype=np.int16))
    reader = ShardReader(tmp_path)
    reader.read("part-00000.pcm", 0, 10)
    sent = pickle.dumps(reader)
    assert len(sent) < 1000
    assert pickle.loads(sent).read("part-00000.pcm", 3, 2).tolist() == [3, 4]


def test_samples_are_rounded_and_clipped_never_wrapped() -> None:
    waveform = np.array([0.0, 1.0, -1.0, 2.5, -2.5, 0.4 / 32768, 0.6 / 32768], dtype=np.float32)
    assert to_int16(waveform).tolist() == [0, 32767, -32768, 32767, -32768, 0, 1]
