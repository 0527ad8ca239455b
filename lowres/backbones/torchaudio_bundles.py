"""torchaudio's bundles (`torchaudio.pipelines`): their files where torchaudio keeps them, and their settings.

torchaudio has no public way to ask where a bundle's file lies or what network it is without downloading it, hence the
private names `_path`, `_params`, `_model_type` and `_normalize_waveform` of its `Wav2Vec2Bundle`.
"""

import re
from pathlib import Path
from typing import Any, Final

import torch

from lowres.backbones.foreign import import_backbone, recognise_weights
from lowres.backbones.native import Backbone
from lowres.backbones.spellings import TORCHAUDIO
from lowres.backbones.tensor_files import hash_files, read_tensors
from lowres.errors import CheckpointError
from lowres.model.config import Wav2Vec2Config

_MODELS: Final = "https://download.pytorch.org/torchaudio/models"
_BUNDLE_NAME: Final = re.compile(r"[A-Z][A-Z0-9]*(_[A-Z0-9]+)+")


def find_bundle(name: str) -> Any | None:
    """Return torchaudio's bundle of a wav2vec 2.0 network called `name`; None where there is none.

    Raises:
        CheckpointError: torchaudio itself cannot be loaded.
    """
    if not _BUNDLE_NAME.fullmatch(name):
        return None
    try:
        from torchaudio import pipelines
    except (ImportError, OSError) as error:
        raise CheckpointError(
            f"{name} is a model of torchaudio, which cannot be loaded here: {error}.",
            "Run lowres doctor to see which versions fit together.",
        ) from error
    bundle = getattr(pipelines, name, None)
    return bundle if hasattr(bundle, "_params") and hasattr(bundle, "_normalize_waveform") else None


def bundle_file(bundle: Any) -> Path:
    """Say where torchaudio keeps a bundle's weights once they are downloaded (`torch.hub`'s folder)."""
    return Path(torch.hub.get_dir()) / "checkpoints" / str(bundle._path).rsplit("/", 1)[-1]


def bundle_url(bundle: Any) -> str:
    """Say where torchaudio downloads a bundle's weights from, as its `_get_state_dict` puts it together."""
    path = str(bundle._path)
    return path if path.startswith("https") else f"{_MODELS}/{path}"


def demand_known(name: str, bundle: Any) -> None:
    """Refuse a bundle that lowres has no network for.

    Raises:
        CheckpointError: it is a WavLM network.
    """
    if bundle._model_type != "Wav2Vec2":
        raise CheckpointError(
            f"{name} is a {bundle._model_type} network, which lowres has no network for.",
            "Take another backbone: lowres backbones lists those it knows.",
        )


def open_bundle(name: str, bundle: Any) -> Backbone:
    """Import the network of a bundle that was downloaded before; nothing is downloaded here.

    Raises:
        CheckpointError: it was never downloaded, is damaged, or is no wav2vec 2.0 network.
    """
    demand_known(name, bundle)
    path = bundle_file(bundle)
    if not path.is_file():
        raise CheckpointError(f"{name} is not on this computer: there is no {path}.", f"lowres backbones get {name}")
    found = recognise_weights(str(path), read_tensors(path), hash_files([path]), choices=[TORCHAUDIO])
    return import_backbone(found, _config(bundle._params, normalize_waveforms=bundle._normalize_waveform))


def _config(params: dict[str, Any], *, normalize_waveforms: bool) -> Wav2Vec2Config:
    return Wav2Vec2Config(
        conv_layers=tuple(
            (channels, kernel, stride) for channels, kernel, stride in params["extractor_conv_layer_config"]
        ),
        feature_norm="layer" if params["extractor_mode"] == "layer_norm" else "group",
        conv_bias=params["extractor_conv_bias"],
        normalize_waveforms=normalize_waveforms,
        width=params["encoder_embed_dim"],
        num_layers=params["encoder_num_layers"],
        num_heads=params["encoder_num_heads"],
        feed_forward_width=params["encoder_ff_interm_features"],
        transformer_norm="pre" if params["encoder_layer_norm_first"] else "post",
        positional_kernel=params["encoder_pos_conv_kernel"],
        positional_groups=params["encoder_pos_conv_groups"],
        input_dropout=params["encoder_projection_dropout"],
        dropout=params["encoder_dropout"],
        attention_dropout=params["encoder_attention_dropout"],
        activation_dropout=params["encoder_ff_interm_dropout"],
        layer_drop=params["encoder_layer_drop"],
    )
