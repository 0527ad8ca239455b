"""Folders that transformers' own classes wrote give their output in our network."""

import hashlib
import json
import warnings
from pathlib import Path
from typing import Any

import pytest
import torch
from published import (
    GROUP,
    LAYER,
    assert_as_near_in_bfloat16,
    assert_same_context,
    make_peer,
    refusal_of,
    save_mms,
    save_peer,
    write_feature_extractor,
)
from safetensors.torch import load_file
from torch.testing import assert_close

from lowres.backbones.native import BACKBONE_PREFIX
from lowres.backbones.origin import Origin, write_origin
from lowres.backbones.resolve import open_backbone
from lowres.errors import CheckpointError
from lowres.model.masking import Masks
from lowres.model.pretraining import PretrainingNetwork

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    pytest.importorskip("transformers")

VARIANTS = pytest.mark.parametrize(
    "variant", [GROUP, LAYER, LAYER | {"conv_bias": False}], ids=["base", "large", "xlsr"]
)


@VARIANTS
@pytest.mark.parametrize("name", ["Wav2Vec2Model", "HubertModel"])
def test_a_bare_network_gives_the_same_context(name: str, variant: dict[str, Any], tmp_path: Path) -> None:
    peer = make_peer(name, **variant)
    assert_same_context(open_backbone(save_peer(tmp_path, peer)), peer)


@pytest.mark.parametrize("bias", [False, True])
def test_data2vec_gives_the_same_context(bias: bool, tmp_path: Path) -> None:
    peer = make_peer("Data2VecAudioModel", conv_bias=bias)
    backbone = open_backbone(save_peer(tmp_path, peer))
    assert (backbone.config.positional_layers, backbone.config.positional_kernel) == (3, 5)
    assert_same_context(backbone, peer)


@pytest.mark.parametrize(
    ("name", "inside"),
    [("Wav2Vec2ForCTC", "wav2vec2"), ("HubertForCTC", "hubert"), ("Data2VecAudioForCTC", "data2vec_audio")],
)
def test_a_ctc_head_is_left_out_and_said_to_be(name: str, inside: str, tmp_path: Path) -> None:
    peer = make_peer(name, **({} if inside == "data2vec_audio" else GROUP))
    backbone = open_backbone(save_peer(tmp_path, peer))
    assert "The backbone's CTC head was left out." in backbone.notes
    assert backbone.heads is None
    assert_same_context(backbone, getattr(peer, inside))


@pytest.mark.parametrize(
    ("name", "variant"),
    [("Wav2Vec2Model", GROUP), ("Wav2Vec2Model", LAYER), ("HubertModel", LAYER), ("Data2VecAudioModel", {})],
)
def test_bfloat16_is_as_near_to_float32_as_transformers_is(name: str, variant: dict[str, Any], tmp_path: Path) -> None:
    peer = make_peer(name, **variant)
    assert_as_near_in_bfloat16(open_backbone(save_peer(tmp_path, peer)), peer)


@VARIANTS
def test_pretraining_can_go_on_with_the_codebooks_that_came_along(variant: dict[str, Any], tmp_path: Path) -> None:
    sizes = {"num_codevector_groups": 3, "num_codevectors_per_group": 5, "codevector_dim": 6, "proj_codevector_dim": 7}
    peer = make_peer("Wav2Vec2ForPreTraining", **variant, **sizes, feat_quantizer_dropout=0.2)
    backbone = open_backbone(save_peer(tmp_path, peer))
    assert backbone.heads is not None
    quantizer = backbone.heads.config
    assert (quantizer.num_codebooks, quantizer.num_entries, quantizer.code_width) == (3, 5, 6)
    assert (quantizer.projection_width, quantizer.latent_dropout) == (7, 0.2)
    network = PretrainingNetwork(backbone.config, quantizer).eval()
    weights = {f"{BACKBONE_PREFIX}{name}": tensor for name, tensor in backbone.weights.items()}
    network.load_state_dict(weights | backbone.heads.weights, strict=True)
    waveforms = torch.randn(1, 9_000, generator=torch.Generator().manual_seed(1)) * 0.3
    num_frames = int(peer._get_feat_extract_output_lengths(9_000))
    time_mask = torch.zeros(1, num_frames, dtype=torch.bool)
    time_mask[0, 3:13] = True
    with torch.no_grad():
        ours = network(waveforms, torch.tensor([9_000]), masks=Masks(time_mask, None))
        theirs = peer(waveforms, mask_time_indices=time_mask)
    assert_close(ours.predictions, theirs.projected_states[time_mask], atol=1e-4, rtol=1e-4)
    assert_close(ours.targets, theirs.projected_quantized_states[time_mask], atol=1e-4, rtol=1e-4)


def test_weights_in_several_files_are_put_together(tmp_path: Path) -> None:
    peer = make_peer("Wav2Vec2Model", **LAYER)
    save_peer(tmp_path, peer, max_shard_size="20KB")
    assert len(list(tmp_path.glob("*.safetensors"))) > 2
    backbone = open_backbone(tmp_path)
    assert_same_context(backbone, peer)
    shard = min(tmp_path.glob("*.safetensors"))
    shard.unlink()
    assert f"{shard} is missing" in refusal_of(tmp_path)


@pytest.mark.parametrize("spelling", ["weight_g", "parametrizations"])
def test_a_bin_file_and_the_older_names_of_weight_norm_are_read(spelling: str, tmp_path: Path) -> None:
    peer = make_peer("Wav2Vec2ForPreTraining", **GROUP)
    save_peer(tmp_path, peer)
    tensors = load_file(tmp_path / "model.safetensors")
    if spelling == "weight_g":
        for number, letter in enumerate("gv"):
            name = f"wav2vec2.encoder.pos_conv_embed.conv.parametrizations.weight.original{number}"
            tensors[name.replace(f"parametrizations.weight.original{number}", f"weight_{letter}")] = tensors.pop(name)
    (tmp_path / "model.safetensors").unlink()
    torch.save(tensors, tmp_path / "pytorch_model.bin")
    assert_same_context(open_backbone(tmp_path), peer.wav2vec2)


def test_half_precision_weights_become_float32(tmp_path: Path) -> None:
    peer = make_peer("Wav2Vec2Model", **LAYER).half()
    backbone = open_backbone(save_peer(tmp_path, peer))
    assert {tensor.dtype for tensor in backbone.weights.values()} == {torch.float32}
    assert_same_context(backbone, peer.float())


def test_the_config_says_what_the_folder_said(tmp_path: Path) -> None:
    changes = {"mask_time_prob": 0.3, "mask_time_length": 6, "mask_feature_prob": 0.2, "mask_feature_length": 4}
    rates = {"hidden_dropout": 0.11, "attention_dropout": 0.12, "activation_dropout": 0.13, "layerdrop": 0.14}
    peer = make_peer("Wav2Vec2Model", **GROUP, **changes, **rates, feat_proj_dropout=0.15, final_dropout=0.16)
    config = open_backbone(save_peer(tmp_path, peer)).config
    assert config.span_start_probability == pytest.approx(0.3 / 6)
    assert config.channel_span_start_probability == pytest.approx(0.2 / 4)
    assert (config.span_length, config.channel_span_length) == (6, 4)
    assert (config.dropout, config.attention_dropout, config.activation_dropout) == (0.11, 0.12, 0.13)
    assert (config.layer_drop, config.input_dropout, config.final_dropout) == (0.14, 0.15, 0.16)


def test_waveforms_are_normalised_as_the_feature_extractor_says(tmp_path: Path) -> None:
    folder = save_peer(tmp_path, make_peer("Wav2Vec2Model", **GROUP))
    write_feature_extractor(folder, do_normalize=True)
    assert open_backbone(folder).config.normalize_waveforms


@pytest.mark.parametrize(("variant", "is_normalised"), [(GROUP, False), (LAYER, True)])
def test_without_a_feature_extractor_the_norm_decides_and_it_is_said(
    variant: dict[str, Any], is_normalised: bool, tmp_path: Path
) -> None:
    folder = save_peer(tmp_path, make_peer("Wav2Vec2Model", **variant))
    (folder / "preprocessor_config.json").unlink()
    backbone = open_backbone(folder)
    assert backbone.config.normalize_waveforms == is_normalised
    assert any("no preprocessor_config.json" in note for note in backbone.notes)


def test_a_processors_settings_are_found_where_newer_transformers_puts_them(tmp_path: Path) -> None:
    folder = save_peer(tmp_path, make_peer("Wav2Vec2Model", **GROUP))
    (folder / "preprocessor_config.json").unlink()
    settings = {"feature_extractor": {"do_normalize": True, "sampling_rate": 8_000}}
    (folder / "processor_config.json").write_text(json.dumps(settings))
    assert "hears 8000 samples per second" in refusal_of(folder)


def test_a_processor_that_says_nothing_of_waveforms_counts_as_none(tmp_path: Path) -> None:
    folder = save_peer(tmp_path, make_peer("Wav2Vec2Model", **GROUP))
    (folder / "preprocessor_config.json").rename(folder / "processor_config.json")
    backbone = open_backbone(folder)
    assert not backbone.config.normalize_waveforms
    assert any("no preprocessor_config.json" in note for note in backbone.notes)


def test_a_network_without_a_mask_embedding_gets_the_same_one_each_time(tmp_path: Path) -> None:
    folder = save_peer(tmp_path, make_peer("Wav2Vec2Model", **GROUP, mask_time_prob=0.0, mask_feature_prob=0.0))
    first, second = open_backbone(folder), open_backbone(folder)
    assert torch.equal(first.weights["mask_embedding"], second.weights["mask_embedding"])
    assert any("masked frames" in note for note in first.notes)


def test_the_hash_is_that_of_the_file(tmp_path: Path) -> None:
    folder = save_peer(tmp_path, make_peer("Wav2Vec2Model", **GROUP))
    expected = hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest()
    assert open_backbone(folder).sha256 == expected


@pytest.mark.parametrize("suffix", [".safetensors", ".bin"])
def test_the_adapters_of_a_language_give_transformers_context(suffix: str, tmp_path: Path) -> None:
    moore = save_mms(tmp_path)
    if suffix == ".bin":
        adapters = tmp_path / "adapter.mos.safetensors"
        torch.save(load_file(adapters), adapters.with_suffix(suffix))
        adapters.unlink()
    backbone = open_backbone(f"{tmp_path}:mos")
    assert backbone.config.adapter_width == 4
    assert_same_context(backbone, moore.wav2vec2)
    assert open_backbone(tmp_path).sha256 != backbone.sha256


def test_without_a_language_adapters_are_left_out_and_said_to_be(tmp_path: Path) -> None:
    save_mms(tmp_path)
    backbone = open_backbone(tmp_path)
    assert backbone.config.adapter_width == 0
    assert any(f"{tmp_path}:LANGUAGE" in note for note in backbone.notes)
    plain = make_peer("Wav2Vec2ForCTC", **LAYER)
    plain.load_state_dict(load_file(tmp_path / "model.safetensors"), strict=False)
    assert_same_context(backbone, plain.wav2vec2)


def test_the_adapters_of_a_fine_tuned_network_are_kept(tmp_path: Path) -> None:
    save_mms(tmp_path)
    (tmp_path / "adapter.mos.safetensors").unlink()
    backbone = open_backbone(tmp_path)
    assert "The backbone has the adapters that lie among its weights." in backbone.notes
    assert_same_context(backbone, make_peer("Wav2Vec2ForCTC", **LAYER, adapter_attn_dim=4).wav2vec2)


def test_a_network_with_its_own_adapters_is_known_by_another_hash_than_without_them(tmp_path: Path) -> None:
    save_mms(tmp_path)
    bare = open_backbone(tmp_path).sha256
    assert bare == hashlib.sha256((tmp_path / "model.safetensors").read_bytes()).hexdigest()
    (tmp_path / "adapter.mos.safetensors").unlink()
    assert open_backbone(tmp_path).sha256 not in ("", bare)


def test_a_download_of_hugging_faces_own_comes_bare_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    cached = tmp_path / "models--facebook--mms-1b-all"
    save_mms(cached / "snapshots" / "abc")
    (cached / "snapshots" / "abc" / "adapter.mos.safetensors").unlink()
    (cached / "refs").mkdir()
    (cached / "refs" / "main").write_text("abc")
    assert open_backbone("facebook/mms-1b-all").config.adapter_width == 0
    with pytest.raises(CheckpointError) as refusal:
        open_backbone("facebook/mms-1b-all:yor")
    assert refusal.value.hint.startswith("lowres backbones get facebook/mms-1b-all:yor")


def test_a_download_whose_languages_can_be_chosen_comes_bare_and_says_how_to_choose(tmp_path: Path) -> None:
    save_mms(tmp_path)
    (tmp_path / "adapter.mos.safetensors").unlink()
    write_origin(tmp_path, Origin("facebook/mms-1b-all", "https://huggingface.co"))
    assert open_backbone(tmp_path).config.adapter_width == 0
    with pytest.raises(CheckpointError) as refusal:
        open_backbone(f"{tmp_path}:yor")
    assert refusal.value.hint.startswith("lowres backbones get facebook/mms-1b-all:yor")


def test_a_language_without_adapters_names_those_there_are(tmp_path: Path) -> None:
    save_mms(tmp_path)
    assert "no adapter of the language yor: it has those of mos" in refusal_of(f"{tmp_path}:yor")


def test_a_language_cannot_be_chosen_where_there_are_no_adapters(tmp_path: Path) -> None:
    save_peer(tmp_path, make_peer("Wav2Vec2ForCTC", **LAYER))
    assert "no adapters" in refusal_of(f"{tmp_path}:yor")
