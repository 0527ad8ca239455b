"""transformers' config.json read as a network of ours, or refused with the one setting that we have nothing for."""

from collections.abc import Mapping
from typing import Any, Final, cast

from lowres.audio.constants import SAMPLE_RATE
from lowres.errors import ON_NONSENSE, CheckpointError
from lowres.model.config import FeatureNorm, Wav2Vec2Config

MODEL_TYPES: Final = ("wav2vec2", "hubert", "data2vec-audio")
_CLASSIFIERS: Final = ("XVector", "SequenceClassification", "AudioFrameClassification")
_EXACT: Final[dict[str, Any]] = {
    "hidden_act": "gelu",
    "feat_extract_activation": "gelu",
    "layer_norm_eps": 1e-5,
    "feat_proj_layer_norm": True,
    "conv_pos_batch_norm": False,
    "add_adapter": False,
}
"""Settings that our network has no choice of, with the value it has."""

_ANOTHER: Final = "Take another backbone: lowres backbones lists those it knows."


def config_from_transformers(
    place: str, data: Mapping[str, Any], *, feature_extractor: Mapping[str, Any] | None, has_adapters: bool
) -> tuple[Wav2Vec2Config, list[str]]:
    """Read a config; what config.json leaves out is as in transformers.

    Args:
        place: where it lies, for sentences.
        data: config.json.
        feature_extractor: the settings of the feature extractor; None where there are none.
        has_adapters: whether the adapters of a language are wanted (`adapter_attn_dim`).

    Returns:
        The config, and a sentence for each thing that the folder does not state.

    Raises:
        CheckpointError: the model is of another kind, or has a setting or a sampling rate that ours cannot have.
    """
    _demand_known(place, data)
    notes = []
    if feature_extractor is None:
        normalize_waveforms = data.get("feat_extract_norm", "group") == "layer" or _is_data2vec(data)
        how = "normalised" if normalize_waveforms else "as recorded"
        notes.append(f"The backbone has no preprocessor_config.json: waveforms are {how}, as is usual for its kind.")
    else:
        rate = feature_extractor.get("sampling_rate", SAMPLE_RATE)
        if rate != SAMPLE_RATE:
            raise CheckpointError(
                f"The model in {place} hears {rate} samples per second; lowres's networks hear {SAMPLE_RATE}.",
                "Take one that was trained at 16 kHz.",
            )
        normalize_waveforms = bool(feature_extractor.get("do_normalize", True))
    try:
        adapter_width = _adapter_width(place, data) if has_adapters else 0
        config = _network(data, normalize_waveforms=normalize_waveforms, adapter_width=adapter_width)
    except ON_NONSENSE as error:
        raise CheckpointError(f"{place} describes a network that lowres cannot build: {error}.", _ANOTHER) from error
    return config, notes


def _demand_known(place: str, data: Mapping[str, Any]) -> None:
    kind, architectures = data.get("model_type"), data.get("architectures")
    for name in architectures if isinstance(architectures, list) else ():
        if str(name).endswith(_CLASSIFIERS):
            raise CheckpointError(
                f"{place} holds a {name}, which was trained to tell speakers or sounds apart, not to hear words.",
                _ANOTHER,
            )
    if kind not in MODEL_TYPES:
        what = f"a model of the kind {kind}" if kind else "a model whose config.json does not say its kind"
        raise CheckpointError(
            f"{place} holds {what}; lowres reads {', '.join(MODEL_TYPES)}.",
            _ANOTHER,
        )
    for name, value in _EXACT.items():
        if (stated := data.get(name, value)) != value:
            raise CheckpointError(
                f"The model in {place} has {name} = {stated} where lowres's networks have {value}.", _ANOTHER
            )


def _adapter_width(place: str, data: Mapping[str, Any]) -> int:
    width = data.get("adapter_attn_dim")
    if not width or not data.get("do_stable_layer_norm", False):  # only such a network has them in transformers
        raise CheckpointError(
            f"The model in {place} has no adapters, so no language can be chosen.", "Leave :LANGUAGE out."
        )
    return int(width)


def _network(data: Mapping[str, Any], *, normalize_waveforms: bool, adapter_width: int) -> Wav2Vec2Config:
    channels = data.get("conv_dim", (512,) * 7)
    kernels, strides = data.get("conv_kernel", (10, 3, 3, 3, 3, 2, 2)), data.get("conv_stride", (5, 2, 2, 2, 2, 2, 2))
    is_data2vec = _is_data2vec(data)
    feature_norm = "layer" if is_data2vec else str(data.get("feat_extract_norm", "group"))
    if feature_norm not in ("group", "layer"):
        raise ValueError(f"feat_extract_norm is {feature_norm}")
    is_pre_norm = data.get("do_stable_layer_norm", False) and not is_data2vec
    return Wav2Vec2Config(
        conv_layers=tuple((int(c), int(k), int(s)) for c, k, s in zip(channels, kernels, strides, strict=True)),
        feature_norm=cast(FeatureNorm, feature_norm),
        conv_bias=bool(data.get("conv_bias", False)),
        normalize_waveforms=normalize_waveforms,
        width=data.get("hidden_size", 768),
        num_layers=data.get("num_hidden_layers", 12),
        num_heads=data.get("num_attention_heads", 12),
        feed_forward_width=data.get("intermediate_size", 3072),
        transformer_norm="pre" if is_pre_norm else "post",
        # data2vec uses the name of the kernel for the number of layers.
        positional_kernel=data.get("conv_pos_kernel_size", 19)
        if is_data2vec
        else data.get("num_conv_pos_embeddings", 128),
        positional_layers=data.get("num_conv_pos_embeddings", 5) if is_data2vec else 1,
        positional_groups=data.get("num_conv_pos_embedding_groups", 16),
        adapter_width=adapter_width,
        **_regularisation(data),
    )


def _regularisation(data: Mapping[str, Any]) -> dict[str, Any]:
    span, channel_span = int(data.get("mask_time_length", 10)), int(data.get("mask_feature_length", 10))
    return {
        "input_dropout": data.get("feat_proj_dropout", 0.0),
        "dropout": data.get("hidden_dropout", 0.1),
        "attention_dropout": data.get("attention_dropout", 0.1),
        "activation_dropout": data.get("activation_dropout", 0.1),
        "final_dropout": data.get("final_dropout", 0.1),
        "layer_drop": data.get("layerdrop", 0.1),
        # Its mask_prob is the paper's p times the span length.
        "span_start_probability": data.get("mask_time_prob", 0.05) / span,
        "span_length": span,
        "channel_span_start_probability": data.get("mask_feature_prob", 0.0) / channel_span,
        "channel_span_length": channel_span,
    }


def _is_data2vec(data: Mapping[str, Any]) -> bool:
    return data.get("model_type") == "data2vec-audio"
