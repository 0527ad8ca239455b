"""The store alone: what is read is what was written, and what is not whole does not count."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from lowres.model.config import FeatureNorm, Wav2Vec2Config
from lowres.model.feature_encoder import FeatureEncoder
from lowres.model.wav2vec2 import Encoded, encode
from lowres.training.feed import TrainingSpeech, load_batch
from lowres.training.latents import forget_latents, open_latents, write_latents

NUM_FRAMES = [3, 1, 4]


def batches(dtype: torch.dtype) -> list[Encoded]:
    rows = torch.randn(8, 5, generator=torch.Generator().manual_seed(0)).to(dtype)
    return [Encoded(rows[:4], NUM_FRAMES[:2]), Encoded(rows[4:], NUM_FRAMES[2:])]


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_every_utterance_comes_back_to_the_bit(tmp_path: Path, dtype: torch.dtype) -> None:
    written = batches(dtype)
    write_latents(tmp_path / "latents", "speech", written)
    store = open_latents(tmp_path / "latents", "speech")
    assert store is not None
    for index, expected in enumerate(torch.cat([batch.rows for batch in written]).split(NUM_FRAMES)):
        found = store.read(index)
        assert found.dtype == dtype
        assert torch.equal(found, expected)


def test_bfloat16_takes_two_bytes_a_number(tmp_path: Path) -> None:
    write_latents(tmp_path / "latents", "speech", batches(torch.bfloat16))
    assert (tmp_path / "latents" / "rows.bin").stat().st_size == 8 * 5 * 2


def test_latents_of_something_else_are_not_opened(tmp_path: Path) -> None:
    write_latents(tmp_path / "latents", "speech", batches(torch.float32))
    assert open_latents(tmp_path / "latents", "other speech") is None
    assert open_latents(tmp_path / "none", "speech") is None


def test_a_store_cut_short_or_damaged_is_not_opened(tmp_path: Path) -> None:
    folder = tmp_path / "latents"
    write_latents(folder, "speech", batches(torch.float32))
    whole = (folder / "rows.bin").read_bytes()
    (folder / "rows.bin").write_bytes(whole[:-4])
    assert open_latents(folder, "speech") is None
    (folder / "rows.bin").write_bytes(whole)
    assert open_latents(folder, "speech") is not None
    index = json.loads((folder / "index.json").read_text())
    for damaged in ("{", json.dumps(index | {"dtype": "int8"}), json.dumps(index | {"format_version": 2}), "[]"):
        (folder / "index.json").write_text(damaged)
        assert open_latents(folder, "speech") is None


def test_a_store_that_could_not_be_finished_leaves_nothing_behind(tmp_path: Path) -> None:
    def breaking_off() -> Iterator[Encoded]:
        yield batches(torch.float32)[0]
        raise OSError("the disk is full")

    write_latents(tmp_path / "latents", "old", batches(torch.float32))
    with pytest.raises(OSError, match="the disk is full"):
        write_latents(tmp_path / "latents", "new", breaking_off())
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_run_left_unfinished_is_written_over(tmp_path: Path) -> None:
    (tmp_path / ".latents.writing").mkdir()
    (tmp_path / ".latents.writing" / "rows.bin").write_bytes(b"half")
    assert open_latents(tmp_path / "latents", "speech") is None
    write_latents(tmp_path / "latents", "speech", batches(torch.float32))
    assert [path.name for path in tmp_path.iterdir()] == ["latents"]
    forget_latents(tmp_path / "latents")
    assert list(tmp_path.iterdir()) == []


def test_a_closed_store_is_not_read(tmp_path: Path) -> None:
    write_latents(tmp_path / "latents", "speech", batches(torch.float32))
    store = open_latents(tmp_path / "latents", "speech")
    assert store is not None
    store.close()
    with pytest.raises(ValueError, match="closed"):
        store.read(0)


def test_a_batch_takes_latents_in_place_of_waveforms_where_they_are_kept() -> None:
    kept = torch.arange(16.0).view(8, 2).split(NUM_FRAMES)

    def read_samples(index: int) -> np.ndarray:
        raise AssertionError("samples were read")

    speech = TrainingSpeech(
        np.array([1_400, 500, 1_700]), [[1, 2], [3], [4]], read_samples, read_encoded=kept.__getitem__
    )
    batch = load_batch(speech, [2, 0])
    assert batch.encoded is not None
    assert torch.equal(batch.encoded.rows, torch.cat([kept[2], kept[0]]))
    assert batch.encoded.num_frames == [4, 3]
    assert batch.waveforms.shape == (2, 0)
    assert batch.num_samples.tolist() == [1_700, 1_400]
    assert batch.token_ids.tolist() == [[4, 0], [1, 2]]


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("norm", ["group", "layer"])
def test_latents_are_the_same_to_the_bit_whatever_they_are_batched_with(norm: FeatureNorm, dtype: torch.dtype) -> None:
    convolutions = ((32, 10, 5), (32, 3, 2), (32, 3, 2), (32, 3, 2), (32, 3, 2), (32, 2, 2), (32, 2, 2))
    config = Wav2Vec2Config(conv_layers=convolutions, feature_norm=norm, normalize_waveforms=norm == "layer")
    encoder = FeatureEncoder(convolutions, norm=norm, bias=False).requires_grad_(False)
    num_samples = torch.tensor([100_001, 401, 40_000, 71_234])
    waveforms = torch.randn(4, 100_001, generator=torch.Generator().manual_seed(0)) * 0.1
    with torch.autocast("cpu", torch.bfloat16, enabled=dtype == torch.bfloat16):
        together = encode(encoder, config, waveforms, num_samples)
        alone = [
            encode(encoder, config, waveform[None, :length].clone(), torch.tensor([length])).rows
            for waveform, length in zip(waveforms, num_samples.tolist(), strict=True)
        ]
    assert together.rows.dtype == dtype
    assert torch.equal(together.rows, torch.cat(alone))
