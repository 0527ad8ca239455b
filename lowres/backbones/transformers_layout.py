"""What a lowres network is called in Hugging Face transformers: its config, and its tensors, one to one or to three.

Names and numbers as in transformers' `Wav2Vec2Config` and, for networks with data2vec's positional embedding,
`Data2VecAudioConfig`, and in the checkpoints published for them; read both ways, so that weights come in and go out by
one table. Nothing here imports transformers.
"""

from collections.abc import Mapping
from typing import Any, Final

import torch
from torch import Tensor

from lowres.model.config import Wav2Vec2Config

TensorNames = dict[str, tuple[str, ...]]
"""Our name of each tensor to theirs: one, or three whose rows ours stacks (queries, keys and values)."""

CODEBOOKS: Final = "quantizer.codebooks"
"""The one tensor that has another shape there: ours is (G, V, d), theirs (1, G V, d)."""

_AROUND_THE_BLOCKS: Final = {
    "latent_norm": "feature_projection.layer_norm",
    "projection": "feature_projection.projection",
    "context_network.norm": "encoder.layer_norm",
}
_BLOCK_PARTS: Final = {
    "attention.output": "attention.out_proj",
    "attention_norm": "layer_norm",
    "feed_forward.inner": "feed_forward.intermediate_dense",
    "feed_forward.output": "feed_forward.output_dense",
    "feed_forward_norm": "final_layer_norm",
}
_ADAPTER_PARTS: Final = {
    "adapter.norm": "adapter_layer.norm",
    "adapter.inner": "adapter_layer.linear_1",
    "adapter.output": "adapter_layer.linear_2",
}
_PRETRAINING_HEADS: Final = {
    "quantizer.logits": "quantizer.weight_proj",
    "context_projection": "project_hid",
    "target_projection": "project_q",
}


def transformers_config(config: Wav2Vec2Config) -> dict[str, Any]:
    """Give the keyword arguments of transformers' config class for the same network, dropout and masking.

    It knows neither low-rank updates nor `normalize_waveforms`, which its feature extractor has.
    """
    channels, kernels, strides = (list(numbers) for numbers in zip(*config.conv_layers, strict=True))
    return {
        "conv_dim": channels,
        "conv_kernel": kernels,
        "conv_stride": strides,
        "conv_bias": config.conv_bias,
        "num_feat_extract_layers": len(channels),
        "feat_extract_norm": config.feature_norm,
        "hidden_size": config.width,
        "num_hidden_layers": config.num_layers,
        "num_attention_heads": config.num_heads,
        "intermediate_size": config.feed_forward_width,
        "do_stable_layer_norm": config.transformer_norm == "pre",
        **_positional_numbers(config),
        "adapter_attn_dim": config.adapter_width or None,
        **_regularisation(config),
    }


def _positional_numbers(config: Wav2Vec2Config) -> dict[str, int]:
    # "num_conv_pos_embeddings" is the kernel in one config class, and the number of convolutions in the other.
    if config.positional_layers == 1:
        numbers = {"num_conv_pos_embeddings": config.positional_kernel}
    else:
        numbers = {
            "num_conv_pos_embeddings": config.positional_layers,
            "conv_pos_kernel_size": config.positional_kernel,
        }
    return numbers | {"num_conv_pos_embedding_groups": config.positional_groups}


def _regularisation(config: Wav2Vec2Config) -> dict[str, Any]:
    return {
        "feat_proj_dropout": config.input_dropout,
        "hidden_dropout": config.dropout,
        "attention_dropout": config.attention_dropout,
        "activation_dropout": config.activation_dropout,
        "final_dropout": config.final_dropout,
        "layerdrop": config.layer_drop,
        # Its mask_prob is the paper's p times the span length.
        "mask_time_prob": config.span_start_probability * config.span_length,
        "mask_time_length": config.span_length,
        "mask_time_min_masks": 1,
        "mask_feature_prob": config.channel_span_start_probability * config.channel_span_length,
        "mask_feature_length": config.channel_span_length,
    }


def model_type(config: Wav2Vec2Config) -> str:
    """Return transformers' name of this kind of network, as its config.json has it."""
    return "wav2vec2" if config.positional_layers == 1 else "data2vec-audio"


def backbone_prefix(config: Wav2Vec2Config) -> str:
    """Return what stands before every name of the backbone where it is a part of something."""
    return "wav2vec2." if config.positional_layers == 1 else "data2vec_audio."


def backbone_names(config: Wav2Vec2Config) -> TensorNames:
    """Name every tensor of a `Wav2Vec2` in transformers' `Wav2Vec2Model`; low-rank updates have no name there."""
    names: TensorNames = {"mask_embedding": ("masked_spec_embed",)}
    for index in range(len(config.conv_layers)):
        names |= _convolution_names(index, config)
    for ours, theirs in _AROUND_THE_BLOCKS.items():
        names |= _weight_and_bias(ours, theirs)
    names |= _positional_names(config)
    for index in range(config.num_layers):
        names |= _block_names(index, has_adapter=config.adapter_width > 0)
    return names


def recognizer_names(config: Wav2Vec2Config) -> TensorNames:
    """Name every tensor of a `CTCRecognizer` in transformers' `Wav2Vec2ForCTC` or `Data2VecAudioForCTC`."""
    return _prefixed(backbone_names(config), backbone_prefix(config)) | _weight_and_bias("head", "lm_head")


def pretraining_names(config: Wav2Vec2Config) -> TensorNames:
    """Name every tensor of a `PretrainingNetwork` in transformers' `Wav2Vec2ForPreTraining`."""
    names = _prefixed(backbone_names(config), backbone_prefix(config)) | {CODEBOOKS: ("quantizer.codevectors",)}
    for ours, theirs in _PRETRAINING_HEADS.items():
        names |= _weight_and_bias(ours, theirs)
    return names


def under_transformers_names(tensors: Mapping[str, Tensor], names: TensorNames) -> dict[str, Tensor]:
    """Rename tensors (parameters or gradients, all or some of them), cut and reshaped as theirs are."""
    renamed: dict[str, Tensor] = {}
    for ours, tensor in tensors.items():
        theirs = names[ours]
        shaped = tensor.flatten(0, 1)[None] if ours == CODEBOOKS else tensor
        renamed |= zip(theirs, shaped.chunk(len(theirs)) if len(theirs) > 1 else [shaped], strict=True)
    return renamed


def under_our_names(tensors: Mapping[str, Tensor], names: TensorNames, *, num_codebooks: int = 2) -> dict[str, Tensor]:
    """Rename tensors that came from transformers, stacked and reshaped as ours are.

    Args:
        tensors: by their names; those that `names` does not list are left out.
        names: which of them to look for.
        num_codebooks: G, to tell their codebooks apart.

    Raises:
        KeyError: with the name of the first that is missing.
    """
    renamed = {
        ours: torch.cat([tensors[name] for name in theirs]) if len(theirs) > 1 else tensors[theirs[0]]
        for ours, theirs in names.items()
    }
    if CODEBOOKS in renamed:
        entries = renamed[CODEBOOKS]
        renamed[CODEBOOKS] = entries.reshape(num_codebooks, -1, entries.shape[-1])
    return renamed


def _convolution_names(index: int, config: Wav2Vec2Config) -> TensorNames:
    ours = "feature_encoder.first" if index == 0 else f"feature_encoder.others.{index - 1}"
    theirs = f"feature_extractor.conv_layers.{index}"
    names: TensorNames = {f"{ours}.convolution.weight": (f"{theirs}.conv.weight",)}
    if config.conv_bias:
        names[f"{ours}.convolution.bias"] = (f"{theirs}.conv.bias",)
    if index == 0 or config.feature_norm == "layer":
        names |= _weight_and_bias(f"{ours}.norm", f"{theirs}.layer_norm")
    return names


def _positional_names(config: Wav2Vec2Config) -> TensorNames:
    ours, theirs = "context_network.positional_embedding", "encoder.pos_conv_embed"
    if config.positional_layers == 1:
        return {
            f"{ours}.weight_g": (f"{theirs}.conv.parametrizations.weight.original0",),
            f"{ours}.weight_v": (f"{theirs}.conv.parametrizations.weight.original1",),
            f"{ours}.bias": (f"{theirs}.conv.bias",),
        }
    names: TensorNames = {}
    for index in range(config.positional_layers):
        names |= _weight_and_bias(f"{ours}.layers.{index}", f"{theirs}.layers.{index}.conv")
    return names


def _block_names(index: int, *, has_adapter: bool) -> TensorNames:
    ours, theirs = f"context_network.blocks.{index}", f"encoder.layers.{index}"
    names: TensorNames = {
        f"{ours}.attention.query_key_value.{leaf}": tuple(f"{theirs}.attention.{part}_proj.{leaf}" for part in "qkv")
        for leaf in ("weight", "bias")
    }
    for our_part, their_part in (_BLOCK_PARTS | (_ADAPTER_PARTS if has_adapter else {})).items():
        names |= _weight_and_bias(f"{ours}.{our_part}", f"{theirs}.{their_part}")
    return names


def _weight_and_bias(ours: str, theirs: str) -> TensorNames:
    return {f"{ours}.{leaf}": (f"{theirs}.{leaf}",) for leaf in ("weight", "bias")}


def _prefixed(names: TensorNames, prefix: str) -> TensorNames:
    return {f"backbone.{ours}": tuple(f"{prefix}{name}" for name in theirs) for ours, theirs in names.items()}
