"""Folders that transformers' own classes wrote give their output in our network."""

import json
import shutil
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
    save_peer,
    write_feature_extractor,
)
from safetensors.torch import load_file, save_file
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


def edit_config(folder: Path, **changes: Any) -> None:
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def refusal_of(reference: str | Path) -> str:
    with pytest.raises(CheckpointError) as refusal:
        open_backbone(reference)
    assert refusal.value.hint
    assert "\n" not in refusal.value.message
    return refusal.value.message


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
    import hashlib

    folder = save_peer(tmp_path, make_peer("Wav2Vec2Model", **GROUP))
    expected = hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest()
    assert open_backbone(folder).sha256 == expected


def save_mms(folder: Path) -> Any:
    """A network with adapters, whose file holds English ones, with Mooré's in a file of their own as on the hub."""
    english = make_peer("Wav2Vec2ForCTC", **LAYER, adapter_attn_dim=4)
    save_peer(folder, english)
    moore = make_peer("Wav2Vec2ForCTC", **LAYER, adapter_attn_dim=4)
    generator = torch.Generator().manual_seed(11)
    with torch.no_grad():
        for parameter in moore._get_adapters().values():
            parameter.add_(torch.randn(parameter.shape, generator=generator))
    adapters = {name: parameter.detach().clone() for name, parameter in moore._get_adapters().items()}
    save_file(adapters, folder / "adapter.mos.safetensors")
    return moore


def test_the_adapters_of_a_language_give_transformers_context(tmp_path: Path) -> None:
    moore = save_mms(tmp_path)
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
    (folder / "config.json").write_text("{")
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
