"""Files of bare tensors: fairseq2's published names, torchaudio's own classes, and what cannot be told from shapes."""

import warnings
from pathlib import Path
from typing import Any

import pytest
import torch
from published import GROUP, LAYER, assert_as_near_in_bfloat16, assert_same_context, build, make_batch, make_peer
from safetensors.torch import save_file
from torch import Tensor
from torch.testing import assert_close

from lowres.backbones.resolve import open_backbone
from lowres.errors import CheckpointError

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    pytest.importorskip("transformers")

# Shapes do not tell the number of heads, which follows from published widths: 12 at 768, 16 at 1024.
BASE: dict[str, Any] = GROUP | {"hidden_size": 768, "num_attention_heads": 12, "num_hidden_layers": 1}
LARGE: dict[str, Any] = LAYER | {"hidden_size": 1024, "num_attention_heads": 16, "num_hidden_layers": 1}
VARIANTS = pytest.mark.parametrize("variant", [BASE, LARGE], ids=["base", "large"])


def fairseq2_names(network: Any, *, is_pre_norm: bool) -> dict[str, Tensor]:
    """Write the tensors of transformers' base model as fairseq2's models/wav2vec2 calls them."""
    tensors: dict[str, Tensor] = {"masker.temporal_mask_embed": network.masked_spec_embed}

    def put(name: str, module: Any) -> None:
        tensors[f"{name}.weight"] = module.weight
        if module.bias is not None:
            tensors[f"{name}.bias"] = module.bias

    frontend = "encoder_frontend"
    for index, layer in enumerate(network.feature_extractor.conv_layers):
        put(f"{frontend}.feature_extractor.layers.{index}.conv", layer.conv)
        if isinstance(getattr(layer, "layer_norm", None), torch.nn.GroupNorm):
            put(f"{frontend}.feature_extractor.layers.{index}.group_norm", layer.layer_norm)
        elif hasattr(layer, "layer_norm"):
            put(f"{frontend}.feature_extractor.layers.{index}.layer_norm", layer.layer_norm)
    put(f"{frontend}.post_extract_layer_norm", network.feature_projection.layer_norm)
    put(f"{frontend}.model_dim_proj", network.feature_projection.projection)
    convolution = network.encoder.pos_conv_embed.conv
    tensors[f"{frontend}.pos_encoder.conv.weight_g"] = convolution.parametrizations.weight.original0
    tensors[f"{frontend}.pos_encoder.conv.weight_v"] = convolution.parametrizations.weight.original1
    tensors[f"{frontend}.pos_encoder.conv.bias"] = convolution.bias
    put("encoder.layer_norm" if is_pre_norm else f"{frontend}.layer_norm", network.encoder.layer_norm)
    for index, layer in enumerate(network.encoder.layers):
        block = f"encoder.layers.{index}"
        for letter in "qkv":
            put(f"{block}.self_attn.{letter}_proj", getattr(layer.attention, f"{letter}_proj"))
        put(f"{block}.self_attn.output_proj", layer.attention.out_proj)
        put(f"{block}.self_attn_layer_norm", layer.layer_norm)
        put(f"{block}.ffn.inner_proj", layer.feed_forward.intermediate_dense)
        put(f"{block}.ffn.output_proj", layer.feed_forward.output_dense)
        put(f"{block}.ffn_layer_norm", layer.final_layer_norm)
    return {name: tensor.detach().clone() for name, tensor in tensors.items()}


def without_normalising(backbone: Any) -> Any:
    from dataclasses import replace

    return replace(backbone, config=replace(backbone.config, normalize_waveforms=False))


@pytest.mark.slow
@VARIANTS
@pytest.mark.parametrize("is_wrapped", [True, False])
def test_fairseq2s_pretrained_networks_give_the_same_context(
    variant: dict[str, Any], is_wrapped: bool, tmp_path: Path
) -> None:
    peer = make_peer("Wav2Vec2ForPreTraining", **variant)
    tensors = fairseq2_names(peer.wav2vec2, is_pre_norm=variant["do_stable_layer_norm"])
    tensors |= {"quantizer.entries": peer.quantizer.codevectors, "quantizer.num_updates": torch.tensor(7)}
    heads = {"quantizer.entry_proj": peer.quantizer.weight_proj, "final_proj": peer.project_hid}
    for name, module in (heads | {"final_target_proj": peer.project_q}).items():
        tensors |= {f"{name}.weight": module.weight, f"{name}.bias": module.bias}
    tensors = {name: tensor.detach() for name, tensor in tensors.items()}
    path = tmp_path / "omniASR-W2V-300M.pt"
    torch.save({"model": tensors} if is_wrapped else tensors, path)
    backbone = open_backbone(path)
    assert backbone.config.normalize_waveforms == (variant["feat_extract_norm"] == "layer")
    assert backbone.heads is not None
    assert_close(backbone.heads.weights["context_projection.weight"], peer.project_hid.weight.detach())
    assert any("those of its size" in note for note in backbone.notes)
    assert_same_context(without_normalising(backbone), peer.wav2vec2)


@VARIANTS
def test_fairseq2s_ctc_models_lose_their_head(variant: dict[str, Any], tmp_path: Path) -> None:
    peer = make_peer("Wav2Vec2Model", **variant)
    tensors = fairseq2_names(peer, is_pre_norm=variant["do_stable_layer_norm"])
    del tensors["masker.temporal_mask_embed"]  # as in Omnilingual ASR's, which were trained without masks
    tensors |= {"final_proj.weight": torch.zeros(5, 4), "final_proj.bias": torch.zeros(5)}
    path = tmp_path / "omniASR-CTC-300M.pt"
    torch.save({"model": tensors}, path)
    backbone = open_backbone(tmp_path)  # a folder with that one file, as the hub has them
    assert backbone.heads is None
    assert "The backbone's CTC head was left out." in backbone.notes
    assert_same_context(without_normalising(backbone), peer)


def test_fairseq2s_language_models_are_no_backbones(tmp_path: Path) -> None:
    tensors = fairseq2_names(make_peer("Wav2Vec2Model", **LARGE), is_pre_norm=True)
    path = tmp_path / "omniASR-LLM-300M.pt"
    torch.save({"model": tensors | {"llama_decoder.layers.0.ffn.inner_proj.weight": torch.zeros(2, 2)}}, path)
    assert "llama_decoder.layers.0.ffn.inner_proj.weight is unexpected" in refusal_of(path)


def make_torchaudio(variant: dict[str, Any], *, num_outputs: int | None = None) -> Any:
    from peers import randomize
    from torchaudio.models import wav2vec2_model

    is_layer = variant["feat_extract_norm"] == "layer"
    torch.manual_seed(4)
    peer = wav2vec2_model(
        extractor_mode="layer_norm" if is_layer else "group_norm",
        extractor_conv_layer_config=[(16, 10, 5)] + [(16, 3, 2)] * 4 + [(16, 2, 2)] * 2,
        extractor_conv_bias=is_layer,
        encoder_embed_dim=variant["hidden_size"],
        encoder_projection_dropout=0.1,
        encoder_pos_conv_kernel=16,
        encoder_pos_conv_groups=16,
        encoder_num_layers=1,
        encoder_num_heads=variant["num_attention_heads"],
        encoder_attention_dropout=0.1,
        encoder_ff_interm_features=48,
        encoder_ff_interm_dropout=0.0,
        encoder_dropout=0.1,
        encoder_layer_norm_first=is_layer,
        encoder_layer_drop=0.05,
        aux_num_out=num_outputs,
    )
    randomize(peer)
    return peer.eval()


def assert_same_as_torchaudio(backbone: Any, peer: Any) -> None:
    """Each utterance alone, and a padded batch given its lengths where torchaudio's norms look at no padding."""
    network, (waveforms, num_samples) = build(without_normalising(backbone)), make_batch()
    with torch.no_grad():
        ours = network(waveforms, num_samples)
        padded = context_of(peer, waveforms, num_samples)
        for index, length in enumerate(num_samples.tolist()):
            context = ours.context[index, : ours.num_frames[index]]
            assert_close(context, context_of(peer, waveforms[index : index + 1, :length])[0], atol=1e-4, rtol=1e-4)
            if backbone.config.feature_norm == "layer":
                assert_close(context, padded[index, : len(context)], atol=1e-4, rtol=1e-4)


def context_of(peer: Any, waveforms: Tensor, num_samples: Tensor | None = None) -> Tensor:
    """The context, which torchaudio returns where it has no output layer."""
    aux, peer.aux = peer.aux, None
    context: Tensor = peer(waveforms, num_samples)[0]
    peer.aux = aux
    return context


@VARIANTS
@pytest.mark.parametrize("suffix", [".pt", ".safetensors"])
def test_a_state_dict_of_torchaudios_gives_the_same_context(
    variant: dict[str, Any], suffix: str, tmp_path: Path
) -> None:
    peer = make_torchaudio(variant, num_outputs=5)
    path = tmp_path / f"model{suffix}"
    save_file(peer.state_dict(), path) if suffix == ".safetensors" else torch.save(peer.state_dict(), path)
    backbone = open_backbone(path)
    assert "The backbone's CTC head was left out." in backbone.notes
    assert_same_as_torchaudio(backbone, peer)


@VARIANTS
def test_torchaudios_networks_are_as_near_to_float32_in_bfloat16(variant: dict[str, Any], tmp_path: Path) -> None:
    peer = make_torchaudio(variant, num_outputs=5)
    torch.save(peer.state_dict(), tmp_path / "model.pt")
    backbone = without_normalising(open_backbone(tmp_path / "model.pt"))
    assert_as_near_in_bfloat16(backbone, peer, context_of)


def refusal_of(reference: str | Path) -> str:
    with pytest.raises(CheckpointError) as refusal:
        open_backbone(reference)
    assert refusal.value.hint
    assert "\n" not in refusal.value.message
    return refusal.value.message


def test_a_missing_block_in_the_middle_is_named(tmp_path: Path) -> None:
    tensors = make_torchaudio(BASE).state_dict()
    shifted = {name.replace(".layers.0.", ".layers.1."): tensor for name, tensor in tensors.items()}
    torch.save(shifted, tmp_path / "model.pt")
    assert "the tensor encoder.transformer.layers.0." in refusal_of(tmp_path / "model.pt")


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("encoder.feature_projection.projection.weight", "projection.weight is missing"),
        ("encoder.transformer.layer_norm.weight", "layer_norm.weight is missing"),
        ("feature_extractor.conv_layers.6.conv.weight", "kernels of 10, 3, 3, 3, 3, 2"),
        ("feature_extractor.conv_layers.0.conv.weight", "layers.0.conv.weight is missing"),
    ],
)
def test_the_first_missing_tensor_is_named(name: str, told: str, tmp_path: Path) -> None:
    tensors = dict(make_torchaudio(BASE).state_dict())
    del tensors[name]
    torch.save(tensors, tmp_path / "model.pt")
    assert told in refusal_of(tmp_path / "model.pt")


@pytest.mark.parametrize("shape", [(768, 100, 16), (768, 0, 16)])
def test_a_positional_embedding_that_fits_no_network_is_refused(shape: tuple[int, ...], tmp_path: Path) -> None:
    tensors = dict(make_torchaudio(BASE).state_dict())
    name = next(name for name in tensors if name.endswith(("original1", "weight_v")))
    torch.save(tensors | {name: torch.zeros(shape)}, tmp_path / "model.pt")
    assert "has shapes that fit no network" in refusal_of(tmp_path / "model.pt")


def test_a_width_that_nobody_published_is_refused(tmp_path: Path) -> None:
    torch.save(
        make_torchaudio(BASE | {"hidden_size": 64, "num_attention_heads": 4}).state_dict(), tmp_path / "model.pt"
    )
    assert "how many attention heads its 64 wide network has" in refusal_of(tmp_path / "model.pt")


def test_a_speaker_recognition_network_is_refused(tmp_path: Path) -> None:
    ecapa = {"blocks.0.conv.conv.weight": torch.zeros(4, 80, 5), "fc.conv.weight": torch.zeros(192, 4, 1)}
    torch.save(ecapa, tmp_path / "embedding_model.pt")
    message = refusal_of(tmp_path / "embedding_model.pt")
    assert "holds no wav2vec 2.0 network: its first tensor is blocks.0.conv.conv.weight" in message
    (tmp_path / "hyperparams.yaml").write_text("sample_rate: 16000\n")
    assert "holds a SpeechBrain model" in refusal_of(tmp_path)


def test_a_file_of_something_else_is_refused(tmp_path: Path) -> None:
    torch.save({"epoch": 3}, tmp_path / "model.pt")
    assert "holds no tensors by name" in refusal_of(tmp_path / "model.pt")
    torch.save({0: torch.ones(2)}, tmp_path / "model.pt")
    assert "holds no tensors by name" in refusal_of(tmp_path / "model.pt")
    (tmp_path / "notes.pt").write_text("not weights at all")
    assert "is damaged or was cut short" in refusal_of(tmp_path / "notes.pt")
    (tmp_path / "empty").mkdir()
    assert "is no backbone" in refusal_of(tmp_path / "empty")


@pytest.fixture
def tiny_bundle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """torchaudio's HUBERT_BASE made small, and its download folder moved; returns the network and where to save it."""
    from torchaudio import pipelines
    from torchaudio.pipelines import Wav2Vec2Bundle

    params = pipelines.HUBERT_BASE._params | {
        "extractor_conv_layer_config": [(16, 10, 5)] + [(16, 3, 2)] * 4 + [(16, 2, 2)] * 2,
        "encoder_embed_dim": 32,
        "encoder_num_heads": 4,
        "encoder_num_layers": 2,
        "encoder_ff_interm_features": 48,
        "encoder_pos_conv_kernel": 16,
        "encoder_pos_conv_groups": 4,
    }
    monkeypatch.setattr(pipelines, "HUBERT_BASE", Wav2Vec2Bundle("tiny.pth", params, 16_000, True, "Wav2Vec2"))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    return params, tmp_path / "hub" / "checkpoints" / "tiny.pth"


def test_a_bundle_of_torchaudios_is_read_where_torchaudio_keeps_it(tiny_bundle: Any) -> None:
    from peers import randomize
    from torchaudio import pipelines
    from torchaudio.models import wav2vec2_model

    params, path = tiny_bundle
    assert "HUBERT_BASE is not on this computer" in refusal_of("HUBERT_BASE")
    saved = wav2vec2_model(**params)
    randomize(saved)
    path.parent.mkdir(parents=True)
    torch.save(saved.state_dict(), path)
    backbone = open_backbone("HUBERT_BASE")
    assert backbone.config.normalize_waveforms
    assert (backbone.config.dropout, backbone.config.layer_drop) == (0.1, 0.05)
    theirs = pipelines.HUBERT_BASE.get_model()  # finds the same file, and downloads nothing
    assert_same_as_torchaudio(backbone, theirs.model)


@pytest.mark.parametrize(
    "name", ["WAV2VEC2_BASE", "WAV2VEC2_XLSR53", "WAV2VEC2_XLSR_300M", "WAV2VEC2_XLSR_2B", "HUBERT_XLARGE", "MMS_FA"]
)
def test_every_kind_of_bundle_is_known_by_its_name(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    assert f"{name} is not on this computer" in refusal_of(name)


def test_wavlm_is_refused() -> None:
    assert "WAVLM_BASE is a WavLM network" in refusal_of("WAVLM_BASE")


def test_a_name_that_is_nothing_is_refused() -> None:
    assert "There is no backbone in" in refusal_of("NO_SUCH_BUNDLE")
