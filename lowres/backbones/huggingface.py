"""Folders as Hugging Face transformers writes them: config.json beside safetensors or, for want of them, a *.bin file.

Wav2Vec2 (XLSR-53, XLS-R, MMS with its adapters), HuBERT (mHuBERT-147) and data2vec for speech. transformers itself is
not needed.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from torch import Tensor

from lowres.backbones.cache import cached_name
from lowres.backbones.catalogue import find_entry
from lowres.backbones.foreign import ForeignWeights, import_backbone, recognise_weights
from lowres.backbones.hub_listing import WEIGHTS_FILES
from lowres.backbones.huggingface_config import config_from_transformers
from lowres.backbones.native import Backbone
from lowres.backbones.origin import read_origin
from lowres.backbones.safe_pickle import GET_AGAIN
from lowres.backbones.spellings import HUGGING_FACE
from lowres.backbones.tensor_files import hash_files, hash_parts, read_tensors
from lowres.errors import ON_NONSENSE, CheckpointError
from lowres.model.config import Wav2Vec2Config

CONFIG_FILE: Final = "config.json"
_FEATURE_EXTRACTOR: Final = ("preprocessor_config.json", "processor_config.json")
_ADAPTER: Final = ".adapter_layer."


def open_hugging_face(folder: Path, *, language: str = "") -> Backbone:
    """Import the network of a Hugging Face folder.

    Args:
        folder: with config.json and the weights.
        language: of the adapter to put in, where the folder has adapters (MMS: "mos"); "" leaves adapters out.

    Raises:
        CheckpointError: a file is missing or damaged, the model is one that lowres has no network for, it hears another
            sampling rate, or its weights do not fit it.
    """
    data, config, notes = read_settings(folder, has_adapters=bool(language))
    files = _weight_files(folder)
    tensors: dict[str, Tensor] = {}
    for path in files:
        tensors |= read_tensors(path)
    sha256 = hash_files(files)
    if language:
        adapter = _adapter_file(folder, language)
        tensors |= read_tensors(adapter)
        sha256 = hash_files([*files, adapter])
        notes.append(f"The backbone has its adapters of {language}.")
    elif any(_ADAPTER in name for name in tensors):
        if _has_languages(folder):
            tensors = {name: tensor for name, tensor in tensors.items() if _ADAPTER not in name}
            notes.append(f"The backbone's adapters were left out; for those of a language, write {folder}:LANGUAGE.")
        else:  # an MMS network fine-tuned to one language, which is another one than its file's without them
            sha256 = hash_parts([sha256, _ADAPTER])
            data, config, notes = read_settings(folder, has_adapters=True)
            notes.append("The backbone has the adapters that lie among its weights.")
    found = _recognise(folder, data, tensors, sha256)
    return import_backbone(found, config, notes=notes, latent_dropout=data.get("feat_quantizer_dropout", 0.0))


def read_settings(
    folder: Path, *, has_adapters: bool, place: str = ""
) -> tuple[dict[str, Any], Wav2Vec2Config, list[str]]:
    """Read a folder's settings, which may lie there without weights.

    Args:
        folder: with config.json.
        has_adapters: whether the adapters of a language are wanted.
        place: what sentences call the folder; "" for its path.

    Returns:
        config.json, the network it describes, and a sentence for each thing that the folder does not state.

    Raises:
        CheckpointError: a file is missing or damaged, the model is one that lowres has no network for, or it hears
            another sampling rate.
    """
    data = _read_json(folder / CONFIG_FILE)
    config, notes = config_from_transformers(
        place or str(folder), data, feature_extractor=_feature_extractor(folder), has_adapters=has_adapters
    )
    return data, config, notes


def _has_languages(folder: Path) -> bool:
    """Say whether adapters can be chosen by their language: here, or where the folder was downloaded from."""
    entry = find_entry(published_name(folder))
    return any(folder.glob("adapter.*.*")) or (entry is not None and entry.adapters)


def published_name(folder: Path) -> str:
    """Return the name that a folder was downloaded under, by lowres or into Hugging Face's cache; "" for none."""
    origin = read_origin(folder)
    return origin.name if origin else cached_name(folder)


def _recognise(folder: Path, data: Mapping[str, Any], tensors: Mapping[str, Tensor], sha256: str) -> ForeignWeights:
    found = recognise_weights(str(folder), tensors, sha256, choices=[HUGGING_FACE])
    # The whole network carries its kind's name where a head lies beside it.
    prefix = str(data["model_type"]).replace("-", "_") + "."
    is_prefixed = any(name.startswith(prefix) for name in tensors)
    return ForeignWeights(found.place, found.tensors, sha256, found.spelling, prefix if is_prefixed else found.prefix)


def _weight_files(folder: Path) -> list[Path]:
    """List the files that hold the weights, all of one kind, in the order of their names."""
    path = next((folder / name for name in WEIGHTS_FILES if (folder / name).exists()), None)
    if path is None:
        raise CheckpointError(
            f"There are no weights in {folder}: neither model.safetensors nor pytorch_model.bin.", GET_AGAIN
        )
    if path.suffix != ".json":
        return [path]
    index = _read_json(path).get("weight_map")
    if not isinstance(index, dict) or not index:
        raise CheckpointError(f"{path} does not say which file holds which tensor.", GET_AGAIN)
    files = [folder / name for name in sorted({str(name) for name in index.values()})]
    missing = next((file for file in files if file.parent != folder or not file.is_file()), None)
    if missing is not None:
        raise CheckpointError(f"{missing} is missing, one of the {len(files)} files that {path.name} lists.", GET_AGAIN)
    return files


def _adapter_file(folder: Path, language: str) -> Path:
    names = [f"adapter.{language}.safetensors", f"adapter.{language}.bin"]
    path = next((folder / name for name in names if (folder / name).is_file()), None)
    if path is not None and path.parent == folder:
        return path
    languages = sorted({file.name.split(".")[1] for file in folder.glob("adapter.*.*")})
    known = f"it has those of {', '.join(languages[:10])}" if languages else "it has none"
    more = f" and {len(languages) - 10} more" if len(languages) > 10 else ""
    name = published_name(folder)
    remedy = f"lowres backbones get {name}:{language}" if name else f"Download {names[0]} into that folder"
    raise CheckpointError(
        f"{folder} has no adapter of the language {language}: {known}{more}.", f"{remedy}, or leave :{language} out."
    )


def _feature_extractor(folder: Path) -> dict[str, Any] | None:
    """Return the settings of the feature extractor, which newer transformers wraps into those of the processor."""
    for name in _FEATURE_EXTRACTOR:
        if (folder / name).is_file():
            data = _read_json(folder / name)
            inside = data.get("feature_extractor", data if name == _FEATURE_EXTRACTOR[0] else None)
            return inside if isinstance(inside, dict) else None
    return None


def _read_json(path: Path) -> dict[str, Any]:
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, *ON_NONSENSE) as error:
        raise CheckpointError(f"{path} is missing or damaged.", GET_AGAIN) from error
    if not isinstance(data, dict):
        raise CheckpointError(f"{path} holds no settings.", GET_AGAIN)
    return data
