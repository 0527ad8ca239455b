"""Folders that are no network of ours are refused with the reason, and names that are not here with how to get them."""

import json
import shutil
import warnings
from pathlib import Path
from typing import Any

import pytest
import torch
from published import GROUP, LAYER, assert_same_context, make_peer, refusal_of, save_mms, save_peer
from safetensors.torch import load_file, save_file

from lowres.backbones.resolve import open_backbone
from lowres.errors import CheckpointError

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    pytest.importorskip("transformers")


def edit_config(folder: Path, **changes: Any) -> None:
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


@pytest.mark.parametrize(
    "change",
    [
        {"hidden_act": "relu"},
        {"feat_extract_activation": "relu"},
        {"layer_norm_eps": 1e-6},
        {"add_adapter": True},
        {"feat_proj_layer_norm": False},
        {"conv_pos_batch_norm": True},
        {"num_attention_heads": 5},
        {"conv_kernel": [10, 3]},
        {"feat_extract_norm": "batch"},
        {"hidden_size": "768"},
        {"hidden_size": 0},
        {"num_hidden_layers": None},
        {"num_hidden_layers": "2"},
        {"intermediate_size": None},
        {"intermediate_size": 10**18},
        {"num_hidden_layers": 10**9},
        {"mask_time_length": float("inf")},
        {"num_conv_pos_embeddings": None},
        {"num_conv_pos_embeddings": 0},
        {"conv_dim": [], "conv_kernel": [], "conv_stride": []},
        {"model_type": "wav2vec2-conformer"},
        {"model_type": "wav2vec2-bert"},
        {"model_type": "wavlm"},
        {"architectures": ["Wav2Vec2ForXVector"]},
        {"architectures": ["Wav2Vec2ForSequenceClassification"]},
    ],
)
def test_what_our_network_cannot_be_is_refused_by_name(change: dict[str, Any], tmp_path: Path) -> None:
    folder = save_peer(tmp_path, make_peer("Wav2Vec2Model", **GROUP))
    edit_config(folder, **change)
    message = refusal_of(folder)
    name, value = next(iter(change.items()))
    told = {
        "num_attention_heads": "num_heads",
        "conv_kernel": "shorter",
        "hidden_size": "width",
        "num_hidden_layers": "num_layers",
        "intermediate_size": "feed_forward_width",
        "num_conv_pos_embeddings": "positional_kernel",
        "conv_dim": "conv_layers",
        "mask_time_length": "infinity",
        "model_type": str(value),
    }
    told["architectures"] = value[0] if name == "architectures" else ""
    assert str(folder) in message
    assert told.get(name, name) in message


def test_an_unreadable_list_of_architectures_is_as_good_as_none(tmp_path: Path) -> None:
    folder = save_peer(tmp_path, make_peer("Wav2Vec2Model", **GROUP))
    edit_config(folder, architectures=3)
    assert open_backbone(folder).config.width == 32


def test_a_quantiser_with_a_dropout_that_is_no_number_is_refused(tmp_path: Path) -> None:
    folder = save_peer(tmp_path, make_peer("Wav2Vec2ForPreTraining", **GROUP))
    edit_config(folder, feat_quantizer_dropout=None)
    assert "does not fit the network that it describes" in refusal_of(folder)


def test_weights_of_adapters_alone_are_refused(tmp_path: Path) -> None:
    save_mms(tmp_path)
    whole = load_file(tmp_path / "model.safetensors")
    adapters = {name: tensor for name, tensor in whole.items() if ".adapter_layer." in name}
    save_file(adapters, tmp_path / "model.safetensors")
    assert "holds no wav2vec 2.0 network: nothing but adapters" in refusal_of(tmp_path)


def test_the_first_missing_misshapen_or_unexpected_tensor_is_named_as_in_the_file(tmp_path: Path) -> None:
    folder = save_peer(tmp_path, make_peer("Wav2Vec2ForCTC", **LAYER))
    whole = load_file(folder / "model.safetensors")
    attention = "wav2vec2.encoder.layers.1.attention.k_proj.weight"

    def rewrite(tensors: dict[str, torch.Tensor]) -> str:
        save_file(tensors, folder / "model.safetensors")
        return refusal_of(folder)

    lacking = {name: tensor for name, tensor in whole.items() if not name.startswith("wav2vec2.encoder.layers.1.")}
    assert f"the tensor {attention.replace('k_proj', 'q_proj')} is missing" in rewrite(lacking)
    assert f"{attention} is 32 x 31 instead of 32 x 32" in rewrite(whole | {attention: torch.zeros(32, 31)})
    more = "wav2vec2.encoder.layers.2.attention.k_proj.weight"
    assert f"the tensor {more} is unexpected" in rewrite(whole | {more: torch.zeros(1)})
    g = "wav2vec2.encoder.pos_conv_embed.conv.parametrizations.weight.original0"
    assert f"{g} is 32 x 1 x 1 instead of 1 x 1 x 16" in rewrite(whole | {g: torch.zeros(32, 1, 1)})


@pytest.mark.parametrize("length", [0, 5, 300, -1])
def test_a_truncated_download_is_refused(length: int, tmp_path: Path) -> None:
    path = save_peer(tmp_path, make_peer("Wav2Vec2Model", **GROUP)) / "model.safetensors"
    path.write_bytes(path.read_bytes()[:length])
    assert f"{path} is damaged or was cut short" in refusal_of(tmp_path)


def test_a_damaged_or_missing_config_is_refused(tmp_path: Path) -> None:
    folder = save_peer(tmp_path, make_peer("Wav2Vec2Model", **GROUP))
    for damaged in ("{", "[" * 100_000):
        (folder / "config.json").write_text(damaged)
        assert "config.json is missing or damaged" in refusal_of(folder)
    (folder / "config.json").unlink()
    assert "without its config.json" in refusal_of(folder)


def test_a_git_lfs_pointer_is_told_from_weights(tmp_path: Path) -> None:
    folder = save_peer(tmp_path, make_peer("Wav2Vec2Model", **GROUP))
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n"
    (folder / "model.safetensors").write_text(pointer)
    assert "a pointer to them" in refusal_of(folder)


def test_a_folder_without_weights_is_refused(tmp_path: Path) -> None:
    folder = save_peer(tmp_path, make_peer("Wav2Vec2Model", **GROUP))
    (folder / "model.safetensors").unlink()
    assert "no weights" in refusal_of(folder)


def test_a_hub_name_is_looked_up_in_the_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    message = refusal_of("facebook/wav2vec2-base")
    assert "nor has facebook/wav2vec2-base been downloaded" in message
    peer = make_peer("Wav2Vec2Model", **GROUP)
    cached = tmp_path / "hub" / "models--facebook--wav2vec2-base"
    shutil.copytree(save_peer(tmp_path / "saved", peer), cached / "snapshots" / "abc")
    (cached / "refs").mkdir()
    (cached / "refs" / "main").write_text("abc")
    assert_same_context(open_backbone("facebook/wav2vec2-base"), peer)


def test_a_cache_without_weights_or_revision_is_not_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    cached = tmp_path / "models--facebook--wav2vec2-base"
    (cached / "snapshots" / "abc").mkdir(parents=True)
    (cached / "snapshots" / "abc" / "config.json").write_text("{}")
    (cached / "refs").mkdir()
    for revision in ("abc", ""):
        (cached / "refs" / "main").write_text(revision)
        assert "nor has facebook/wav2vec2-base been downloaded" in refusal_of("facebook/wav2vec2-base")


@pytest.mark.parametrize(
    ("reference", "hint"),
    [
        ("facebook/mms-1b-all:mos", "lowres backbones get facebook/mms-1b-all:mos"),
        ("omniASR_W2V_300M", "lowres backbones get omniASR_W2V_300M"),
        ("xls-r-300m", "Did you mean facebook/wav2vec2-xls-r-300m?"),
        ("runs/per", "Name a checkpoint folder"),
        ("~nosuchuser/weights", "Name a checkpoint folder"),
    ],
)
def test_what_is_not_here_is_told_how_to_get(
    reference: str, hint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOWRES_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    (tmp_path / "runs").mkdir()
    with pytest.raises(CheckpointError, match="There is no backbone in") as refusal:
        open_backbone(reference, base=tmp_path)
    assert refusal.value.hint.startswith(hint)


def test_a_run_is_told_where_its_checkpoint_is(tmp_path: Path) -> None:
    best = tmp_path / "runs" / "pre" / "checkpoints" / "best"
    best.mkdir(parents=True)
    (best / "checkpoint.json").write_text("{}")
    with pytest.raises(CheckpointError, match="is no backbone") as refusal:
        open_backbone("runs/pre", base=tmp_path)
    assert refusal.value.hint == f"Name the checkpoint in it: {best}"
