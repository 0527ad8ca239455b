"""Checkpoints with fairseq's published names and settings, written from transformers' networks, give their output."""

import argparse
import os
import sys
import types
import warnings
import zipfile
from pathlib import Path
from typing import Any

import numpy
import pytest
import torch
from published import GROUP, LAYER, assert_as_near_in_bfloat16, assert_same_context, make_peer
from torch import Tensor
from torch.testing import assert_close

from lowres.backbones.native import Backbone
from lowres.backbones.resolve import open_backbone
from lowres.backbones.safe_pickle import plain, read_pickled
from lowres.errors import CheckpointError

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    pytest.importorskip("transformers")


def fairseq_names(network: Any) -> dict[str, Tensor]:
    """Write the tensors of transformers' base model as fairseq's wav2vec2.py, hubert.py and data2vec_audio.py do."""
    tensors: dict[str, Tensor] = {"mask_emb": network.masked_spec_embed}

    def put(name: str, module: Any) -> None:
        tensors[f"{name}.weight"] = module.weight
        if module.bias is not None:
            tensors[f"{name}.bias"] = module.bias

    for index, layer in enumerate(network.feature_extractor.conv_layers):
        put(f"feature_extractor.conv_layers.{index}.0", layer.conv)
        if isinstance(getattr(layer, "layer_norm", None), torch.nn.GroupNorm):
            put(f"feature_extractor.conv_layers.{index}.2", layer.layer_norm)
        elif hasattr(layer, "layer_norm"):
            put(f"feature_extractor.conv_layers.{index}.2.1", layer.layer_norm)
    put("layer_norm", network.feature_projection.layer_norm)
    put("post_extract_proj", network.feature_projection.projection)
    positional = network.encoder.pos_conv_embed
    if hasattr(positional, "layers"):
        for index, layer in enumerate(positional.layers):
            put(f"encoder.pos_conv.{index}.0", layer.conv)
    else:
        normed = positional.conv.parametrizations.weight
        tensors["encoder.pos_conv.0.weight_g"] = normed.original0
        tensors["encoder.pos_conv.0.weight_v"] = normed.original1
        tensors["encoder.pos_conv.0.bias"] = positional.conv.bias
    for index, layer in enumerate(network.encoder.layers):
        block = f"encoder.layers.{index}"
        for letter in "kvq":
            put(f"{block}.self_attn.{letter}_proj", getattr(layer.attention, f"{letter}_proj"))
        put(f"{block}.self_attn.out_proj", layer.attention.out_proj)
        put(f"{block}.self_attn_layer_norm", layer.layer_norm)
        put(f"{block}.fc1", layer.feed_forward.intermediate_dense)
        put(f"{block}.fc2", layer.feed_forward.output_dense)
        put(f"{block}.final_layer_norm", layer.final_layer_norm)
    put("encoder.layer_norm", network.encoder.layer_norm)
    return {name: tensor.detach().clone() for name, tensor in tensors.items()}


def pretraining_names(peer: Any) -> dict[str, Tensor]:
    """Write what pretraining adds as fairseq's wav2vec2.py and gumbel_vector_quantizer.py do."""
    tensors = {"quantizer.vars": peer.quantizer.codevectors}
    modules = {"quantizer.weight_proj": peer.quantizer.weight_proj, "project_q": peer.project_q}
    for name, module in (modules | {"final_proj": peer.project_hid}).items():
        tensors |= {f"{name}.weight": module.weight, f"{name}.bias": module.bias}
    return {name: tensor.detach().clone() for name, tensor in tensors.items()}


def settings_of(network: Any, **more: Any) -> dict[str, Any]:
    """fairseq's settings of this network."""
    config = network.config
    is_data2vec = config.model_type == "data2vec-audio"
    is_layer = is_data2vec or config.feat_extract_norm == "layer"
    return {
        "extractor_mode": "layer_norm" if is_layer else "default",
        "conv_feature_layers": "[(16, 10, 5)] + [(16, 3, 2)] * 4 + [(16,2,2)] + [(16,2,2)]",
        "conv_bias": config.conv_bias,
        "encoder_embed_dim": 32,
        "encoder_layers": 2,
        "encoder_attention_heads": 4,
        "encoder_ffn_embed_dim": 48,
        "layer_norm_first": not is_data2vec and config.do_stable_layer_norm,
        "activation_fn": "gelu",
        "conv_pos": 15 if is_data2vec else 16,
        "conv_pos_groups": 4,
        "mask_prob": 0.65,
        "mask_length": 10,
        **({"pos_conv_depth": 3} if is_data2vec else {}),
        **more,
    }


class Node:
    """Pickles as omegaconf's containers and leaves do: an object of a class with its state in a dictionary."""

    def __init__(self, **state: Any) -> None:
        self.__dict__.update(state)


@pytest.fixture
def omegaconf(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Returns what turns a dictionary into an object that pickles as omegaconf's; call `forget` before reading it."""
    classes = {}
    monkeypatch.setitem(sys.modules, "omegaconf", types.ModuleType("omegaconf"))
    for module, name in (("dictconfig", "DictConfig"), ("listconfig", "ListConfig"), ("nodes", "AnyNode")):
        kind = type(name, (Node,), {"__module__": f"omegaconf.{module}"})
        holder = types.ModuleType(f"omegaconf.{module}")
        setattr(holder, name, kind)
        monkeypatch.setitem(sys.modules, f"omegaconf.{module}", holder)
        classes[name] = kind

    def convert(value: Any) -> Any:
        if isinstance(value, dict):
            items = {name: convert(item) for name, item in value.items()}
            return classes["DictConfig"](_metadata=None, _parent=None, _content=items)
        return classes["AnyNode"](_metadata=None, _parent=None, _val=value)

    def forget() -> None:
        for module in ("omegaconf", "omegaconf.dictconfig", "omegaconf.listconfig", "omegaconf.nodes"):
            monkeypatch.delitem(sys.modules, module)

    convert.forget = forget  # type: ignore[attr-defined]
    return convert


def save(path: Path, tensors: dict[str, Tensor], **settings: Any) -> Path:
    torch.save({"model": tensors, "last_optimizer_state": None, "extra_state": {"epoch": 3}, **settings}, path)
    return path


VARIANTS = pytest.mark.parametrize("variant", [GROUP, LAYER], ids=["base", "large"])


@VARIANTS
@pytest.mark.parametrize("is_zip", [True, False], ids=["zip", "before PyTorch 1.6"])
def test_the_older_flat_settings_are_read(variant: dict[str, Any], is_zip: bool, tmp_path: Path) -> None:
    peer = make_peer("Wav2Vec2ForPreTraining", **variant)
    args = argparse.Namespace(**settings_of(peer), normalize=True, dropout_features=0.3)
    tensors = fairseq_names(peer.wav2vec2) | pretraining_names(peer)
    path = tmp_path / "wav2vec_small.pt"
    torch.save({"args": args, "model": tensors}, path, _use_new_zipfile_serialization=is_zip)
    backbone = open_backbone(path)
    assert backbone.config.normalize_waveforms
    assert_right_heads(backbone, peer, latent_dropout=0.3)
    assert_same_context(without_normalising(backbone), peer.wav2vec2)


@VARIANTS
def test_settings_kept_by_omegaconf_are_read_without_it(
    variant: dict[str, Any], omegaconf: Any, tmp_path: Path
) -> None:
    peer = make_peer("Wav2Vec2ForPreTraining", **variant)
    cfg = omegaconf({"model": settings_of(peer), "task": {"normalize": False, "sample_rate": 16_000}})
    path = save(tmp_path / "xlsr2_300m.pt", fairseq_names(peer.wav2vec2) | pretraining_names(peer), cfg=cfg, args=None)
    omegaconf.forget()
    backbone = open_backbone(path)
    assert_right_heads(backbone, peer, latent_dropout=0.1)
    assert_same_context(backbone, peer.wav2vec2)


def assert_right_heads(backbone: Backbone, peer: Any, *, latent_dropout: float) -> None:
    assert backbone.heads is not None
    assert backbone.heads.config.latent_dropout == latent_dropout
    assert_close(backbone.heads.weights["quantizer.codebooks"].flatten(0, 1)[None], peer.quantizer.codevectors.detach())
    assert_close(backbone.heads.weights["context_projection.weight"], peer.project_hid.weight.detach())
    assert_close(backbone.heads.weights["target_projection.weight"], peer.project_q.weight.detach())


def without_normalising(backbone: Backbone) -> Backbone:
    from dataclasses import replace

    return replace(backbone, config=replace(backbone.config, normalize_waveforms=False))


@VARIANTS
def test_hubert_is_read_without_its_clusters(variant: dict[str, Any], tmp_path: Path) -> None:
    peer = make_peer("HubertModel", **variant)
    clusters = {"label_embs_concat": torch.zeros(5, 8), "final_proj.weight": torch.zeros(8, 32)}
    cfg = {"model": settings_of(peer, _name="hubert"), "task": {"normalize": False}}
    backbone = open_backbone(save(tmp_path / "hubert.pt", fairseq_names(peer) | clusters, cfg=cfg))
    assert "What only the backbone's pretraining needed was left out." in backbone.notes
    assert_same_context(backbone, peer)


@VARIANTS
def test_fairseqs_networks_are_as_near_to_float32_in_bfloat16(variant: dict[str, Any], tmp_path: Path) -> None:
    peer = make_peer("Wav2Vec2Model", **variant)
    cfg = {"model": settings_of(peer), "task": {"normalize": False}}
    assert_as_near_in_bfloat16(open_backbone(save(tmp_path / "wav2vec.pt", fairseq_names(peer), cfg=cfg)), peer)


def test_data2vec_shares_its_kernel_out_among_its_convolutions(tmp_path: Path) -> None:
    peer = make_peer("Data2VecAudioModel")
    teacher: dict[str, Any] = {"final_proj.0.weight": torch.zeros(2, 32)}
    teacher["_ema"] = {"0.fc1.weight": torch.zeros(3)}  # as data2vec_audio.py's state_dict() has it
    cfg = {"model": settings_of(peer, _name="data2vec_audio"), "task": {"normalize": False}}
    backbone = open_backbone(save(tmp_path / "audio_base_ls.pt", fairseq_names(peer) | teacher, cfg=cfg))
    assert "What only the backbone's pretraining needed was left out." in backbone.notes
    assert_same_context(backbone, peer)


@pytest.mark.parametrize("is_nested", [True, False])
def test_a_fine_tuned_checkpoint_gives_the_network_inside(is_nested: bool, tmp_path: Path) -> None:
    peer = make_peer("Wav2Vec2Model", **LAYER)
    tensors = {f"w2v_encoder.w2v_model.{name}": tensor for name, tensor in fairseq_names(peer).items()}
    tensors |= {"w2v_encoder.proj.weight": torch.zeros(5, 32), "w2v_encoder.proj.bias": torch.zeros(5)}
    inside: Any = argparse.Namespace(**settings_of(peer))
    if is_nested:
        inside = {"model": settings_of(peer), "task": {"normalize": True}}
    cfg = {"model": {"_name": "wav2vec_ctc", "w2v_args": inside}, "task": {"normalize": False}}
    backbone = open_backbone(save(tmp_path / "wav2vec_vox_960h_pl.pt", tensors, cfg=cfg))
    assert "The backbone's CTC head was left out." in backbone.notes
    assert_same_context(backbone, peer)


def refusal_of(path: Path) -> str:
    with pytest.raises(CheckpointError) as refusal:
        open_backbone(path)
    assert refusal.value.hint
    assert "\n" not in refusal.value.message
    return refusal.value.message


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"activation_fn": "relu"}, "activation_fn = relu"),
        ({"layer_type": "conformer"}, "layer_type = conformer"),
        ({"conv_feature_layers": "__import__('os').system('exit')"}, "conv_feature_layers holds"),
        ({"conv_feature_layers": "[(16, 10, 5)] * 1000000"}, "conv_feature_layers holds"),
        ({"conv_feature_layers": "[(16, 10, 5)] * 100 * 100"}, "conv_feature_layers holds"),
        ({"conv_feature_layers": "[]"}, "conv_layers holds no convolution"),
        ({"mask_length": 0}, "lowres cannot build"),
        ({"dropout_features": None}, "lowres cannot build"),
        ({"conv_feature_layers": "(16, 10, 5)"}, "conv_feature_layers is"),
        ({"encoder_attention_heads": 5}, "num_heads 5"),
        ({"encoder_layers": 3}, "the tensor encoder.layers.2.self_attn.q_proj.weight is missing"),
        ({"encoder_layers": 1}, "the tensor encoder.layers.1.self_attn.k_proj.weight is unexpected"),
        ({"encoder_ffn_embed_dim": 64}, "encoder.layers.0.fc1.weight is 48 x 32 instead of 64 x 32"),
    ],
)
def test_what_our_network_cannot_be_is_refused_by_name(change: dict[str, Any], told: str, tmp_path: Path) -> None:
    peer = make_peer("Wav2Vec2Model", **GROUP)
    cfg = {"model": settings_of(peer, **change), "task": {}}
    assert told in refusal_of(save(tmp_path / "checkpoint.pt", fairseq_names(peer), cfg=cfg))


def test_another_sampling_rate_is_refused(tmp_path: Path) -> None:
    peer = make_peer("Wav2Vec2Model", **GROUP)
    cfg = {"model": settings_of(peer), "task": {"sample_rate": 8_000}}
    assert "hears 8000 samples" in refusal_of(save(tmp_path / "checkpoint.pt", fairseq_names(peer), cfg=cfg))


def test_adapters_in_fairseqs_form_are_refused_with_where_to_take_them_from(tmp_path: Path) -> None:
    peer = make_peer("Wav2Vec2Model", **LAYER)
    tensors = fairseq_names(peer) | {"encoder.layers.0.adapter_layer.W_a": torch.zeros(1, 4, 32)}
    cfg = {"model": settings_of(peer), "task": {}}
    assert "adapters in fairseq's form" in refusal_of(save(tmp_path / "mms1b_all.pt", tensors, cfg=cfg))


@pytest.mark.parametrize("settings", [{}, {"args": None}, {"cfg": None, "args": [1, 2]}])
def test_weights_without_their_settings_are_refused(settings: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.pt"
    torch.save({"model": fairseq_names(make_peer("Wav2Vec2Model", **GROUP)), **settings}, path)
    assert "without its settings" in refusal_of(path)


class Malice:
    """Pickles as a call of any function."""

    def __init__(self, *call: Any) -> None:
        self.call = call

    def __reduce__(self) -> tuple[Any, ...]:
        return self.call[0], self.call[1:]


@pytest.mark.parametrize("is_zip", [True, False])
@pytest.mark.parametrize("where", ["args", "model", "fairseq's own object"])
@pytest.mark.parametrize("function", [os.system, eval, exec, os.mkdir], ids=["system", "eval", "exec", "mkdir"])
def test_code_in_a_checkpoint_is_refused_and_nothing_is_run(
    function: Any, where: str, is_zip: bool, tmp_path: Path
) -> None:
    trace = tmp_path / "ran"
    what = {os.system: f"touch {trace}", os.mkdir: str(trace)}.get(function, f"__import__('os').mkdir({str(trace)!r})")
    malice: Any = Malice(function, what)
    if where == "fairseq's own object":
        malice = argparse.Namespace(encoder_layers=malice)
    path = tmp_path / "checkpoint.pt"
    contents = {"args": {}, "model": {"mask_emb": torch.zeros(3)}, "model" if where == "model" else "args": malice}
    torch.save(contents, path, _use_new_zipfile_serialization=is_zip)
    message = refusal_of(path)
    assert "holds more than weights" in message
    assert "Nothing in it was run." in message
    assert not trace.exists()


@pytest.mark.parametrize("is_zip", [True, False])
@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.99])
def test_a_truncated_download_is_refused(share: float, is_zip: bool, tmp_path: Path) -> None:
    peer = make_peer("Wav2Vec2Model", **GROUP)
    path = tmp_path / "checkpoint.pt"
    contents = {"args": argparse.Namespace(**settings_of(peer)), "model": fairseq_names(peer)}
    torch.save(contents, path, _use_new_zipfile_serialization=is_zip)
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    assert f"{path} is damaged or was cut short" in refusal_of(path)


def test_a_file_from_before_zip_that_ends_inside_a_length_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.pt"
    torch.save({"model": {"a": torch.ones(2)}}, path, _use_new_zipfile_serialization=False)
    whole = path.read_bytes()
    for length in range(len(whole)):  # the keys of the tensors, a fifth pickle, are behind the four that name classes
        path.write_bytes(whole[:length])
        with pytest.raises(CheckpointError, match="is damaged or was cut short"):
            read_pickled(path)


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA])
def test_a_compressed_zip_file_with_a_damaged_pickle_is_refused(method: int, tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.pt"
    with zipfile.ZipFile(path, "w", method) as archive:
        archive.writestr("archive/data.pkl", bytes(range(256)) * 20)
    damaged = bytearray(path.read_bytes())
    damaged[60:90] = b"\xff" * 30
    path.write_bytes(damaged)
    assert f"{path} is damaged or was cut short" in refusal_of(path)


def test_settings_that_hold_themselves_are_none(tmp_path: Path) -> None:
    settings = argparse.Namespace()
    settings.model = settings
    path = tmp_path / "checkpoint.pt"
    torch.save({"model": fairseq_names(make_peer("Wav2Vec2Model", **GROUP)), "args": settings}, path)
    assert "without its settings" in refusal_of(path)


def test_a_whole_python_object_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "model.pt"
    torch.save(torch.nn.Linear(2, 2), path)
    assert "torch.nn.modules.linear.Linear" in refusal_of(path)


@pytest.mark.parametrize("is_zip", [True, False])
@pytest.mark.parametrize("best", [numpy.float64(3.0), numpy.arange(3)], ids=["scalar", "array"])
def test_numbers_of_numpys_among_the_settings_do_no_harm(best: Any, is_zip: bool, tmp_path: Path) -> None:
    contents = {"model": {"a": torch.ones(2)}, "args": argparse.Namespace(a=1), "best": best}
    torch.save(contents, tmp_path / "checkpoint.pt", _use_new_zipfile_serialization=is_zip)
    found = read_pickled(tmp_path / "checkpoint.pt")
    assert torch.equal(found["model"]["a"], torch.ones(2))
    assert plain(found["args"]) == {"a": 1}


@pytest.mark.parametrize("is_zip", [True, False])
def test_a_sound_file_of_another_pickle_protocol_is_not_called_damaged(is_zip: bool, tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.pt"
    torch.save({"a": torch.ones(2)}, path, pickle_protocol=4, _use_new_zipfile_serialization=is_zip)
    assert "pickle protocol 4" in refusal_of(path)


def test_a_zip_file_with_a_damaged_pickle_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.pt"
    torch.save({"a": torch.ones(2)}, path)
    path.write_bytes(path.read_bytes().replace(b"collections", b"confections"))
    assert f"{path} is damaged or was cut short" in refusal_of(path)
