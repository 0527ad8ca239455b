"""fairseq's checkpoints (*.pt), read without fairseq: wav2vec 2.0, XLSR, XLS-R, HuBERT and data2vec for speech.

A checkpoint holds {"model": tensors by name} and its settings: {"cfg": {"model": ..., "task": ...}} since 2021, and
{"args": one flat namespace} before. A fine-tuned one holds those of its pretraining once more, as `w2v_args`.
"""

import ast
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from lowres.audio.constants import SAMPLE_RATE
from lowres.backbones.foreign import import_backbone, recognise_weights
from lowres.backbones.native import Backbone
from lowres.backbones.safe_pickle import plain
from lowres.backbones.spellings import fairseq
from lowres.backbones.tensor_files import hash_files, is_state_dict
from lowres.errors import ON_NONSENSE, CheckpointError
from lowres.model.config import Wav2Vec2Config

PUBLISHED_CONVOLUTIONS: Final = "[(512, 10, 5)] + [(512, 3, 2)] * 4 + [(512, 2, 2)] + [(512, 2, 2)]"
_ANOTHER: Final = "Take another backbone: lowres backbones lists those it knows."


def is_fairseq(found: Any) -> bool:
    """Say whether a file's contents are laid out as a fairseq checkpoint."""
    return isinstance(found, Mapping) and is_state_dict(_network(found)) and isinstance(_all_settings(found), dict)


def open_fairseq(path: Path, found: Mapping[str, Any]) -> Backbone:
    """Import the network of a fairseq checkpoint.

    Args:
        path: of the file, for sentences and its hash.
        found: its contents, as `safe_pickle.read_pickled` gives them.

    Raises:
        CheckpointError: it is of another kind, misses a setting or a tensor, or was trained at another sampling rate.
    """
    model, task = _settings(found)
    _demand_known(path, model, task)
    tensors = _network(found)
    if any(".adapter_layer." in name for name in tensors):
        raise CheckpointError(
            f"{path} is an MMS network with adapters in fairseq's form, which lowres does not read.",
            "Take it from Hugging Face, as facebook/mms-1b-all:LANGUAGE.",
        )
    choices = [fairseq(norms_first_only=is_first_only) for is_first_only in (False, True)]
    weights = recognise_weights(str(path), tensors, hash_files([path]), choices=choices)
    try:
        config = _config(model, normalize_waveforms=bool(task.get("normalize", False)))
        latent_dropout = float(model.get("dropout_features", 0.1))
    except (*ON_NONSENSE, SyntaxError) as error:
        raise CheckpointError(f"{path} describes a network that lowres cannot build: {error}.", _ANOTHER) from error
    return import_backbone(weights, config, latent_dropout=latent_dropout)


def _network(found: Mapping[str, Any]) -> Any:
    """Return the network's tensors, without data2vec's teacher, which lies among them as a mapping of its own."""
    network = found.get("model")
    if not isinstance(network, Mapping):
        return network
    return {name: item for name, item in network.items() if name != "_ema" or not isinstance(item, Mapping)}


def _all_settings(found: Mapping[str, Any]) -> Any:
    try:
        return plain(found.get("cfg") or found.get("args"))
    except RecursionError:  # settings that hold themselves
        return None


def _settings(found: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the network's settings and the task's, those of its pretraining where it was fine-tuned."""
    settings = _all_settings(found)
    model = settings.get("model") if isinstance(settings.get("model"), dict) else settings
    task = settings.get("task") if isinstance(settings.get("task"), dict) else settings
    inside = model.get("w2v_args")
    if isinstance(inside, dict):
        model = inside["model"] if isinstance(inside.get("model"), dict) else inside
    return model, task


def _demand_known(path: Path, model: Mapping[str, Any], task: Mapping[str, Any]) -> None:
    """Refuse what lowres has no network for, naming the setting."""
    expected = {
        "activation_fn": "gelu",
        "layer_type": "transformer",
        "pos_enc_type": "abs",
        "conv_pos_batch_norm": False,
        "quantize_input": False,
    }
    for name, value in expected.items():
        if (stated := model.get(name, value)) != value:
            raise CheckpointError(f"{path} has {name} = {stated}, which lowres has no network for.", _ANOTHER)
    if (rate := task.get("sample_rate", SAMPLE_RATE)) != SAMPLE_RATE:
        raise CheckpointError(
            f"{path} hears {rate} samples per second; lowres's networks hear {SAMPLE_RATE}.", _ANOTHER
        )


def _config(model: Mapping[str, Any], *, normalize_waveforms: bool) -> Wav2Vec2Config:
    num_layers, kernel = int(model.get("pos_conv_depth", 1)), int(model.get("conv_pos", 128))
    return Wav2Vec2Config(
        conv_layers=_conv_layers(str(model.get("conv_feature_layers", PUBLISHED_CONVOLUTIONS))),
        feature_norm="layer" if model.get("extractor_mode", "default") == "layer_norm" else "group",
        conv_bias=bool(model.get("conv_bias", False)),
        normalize_waveforms=normalize_waveforms,
        width=int(model.get("encoder_embed_dim", 768)),
        num_layers=int(model.get("encoder_layers", 12)),
        num_heads=int(model.get("encoder_attention_heads", 12)),
        feed_forward_width=int(model.get("encoder_ffn_embed_dim", 3072)),
        transformer_norm="pre" if model.get("layer_norm_first", False) else "post",
        # Its conv_pos is shared out among the layers where there are several.
        positional_kernel=kernel if num_layers == 1 else max(3, kernel // num_layers),
        positional_groups=int(model.get("conv_pos_groups", 16)),
        positional_layers=num_layers,
        **_regularisation(model),
    )


def _regularisation(model: Mapping[str, Any]) -> dict[str, Any]:
    span, channel_span = int(model.get("mask_length", 10)), int(model.get("mask_channel_length", 10))
    return {
        "input_dropout": float(model.get("dropout_input", 0.0)),
        "dropout": float(model.get("dropout", 0.1)),
        "attention_dropout": float(model.get("attention_dropout", 0.1)),
        "activation_dropout": float(model.get("activation_dropout", 0.0)),
        "layer_drop": float(model.get("encoder_layerdrop", 0.0)),
        # Its mask_prob is the paper's p times the span length.
        "span_start_probability": float(model.get("mask_prob", 0.65)) / span,
        "span_length": span,
        "channel_span_start_probability": float(model.get("mask_channel_prob", 0.0)) / channel_span,
        "channel_span_length": channel_span,
    }


def _conv_layers(expression: str) -> tuple[tuple[int, int, int], ...]:
    """Compute "[(512, 10, 5)] + [(512, 3, 2)] * 4", which fairseq evaluates as Python, without doing so.

    Raises:
        ValueError: it is anything but sums and repetitions of lists of three whole numbers.
        SyntaxError: it is no expression.
    """
    layers = _evaluate(ast.parse(expression, mode="eval").body)
    if not isinstance(layers, list) or not all(isinstance(layer, tuple) and len(layer) == 3 for layer in layers):
        raise ValueError(f"conv_feature_layers is {expression}")
    return tuple(layers)


def _evaluate(node: ast.expr) -> Any:
    match node:
        case ast.Constant(value=int(number)):
            return number
        case ast.Tuple(elts=items):
            return tuple(_evaluate(item) for item in items)
        case ast.List(elts=items):
            return [_evaluate(item) for item in items]
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return _evaluate(left) + _evaluate(right)
        case ast.BinOp(left=ast.List() as layers, op=ast.Mult(), right=ast.Constant(value=int(times))) if times <= 100:
            return _evaluate(layers) * times
        case _:
            raise ValueError(f"conv_feature_layers holds {ast.unparse(node)}")
