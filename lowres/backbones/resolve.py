"""Any backbone by one word: a lowres checkpoint, a Hugging Face folder or name, a fairseq, fairseq2 or torchaudio file.

    runs/NAME/checkpoints/best      a folder of lowres's own (checkpoint.json)
    models/xls-r                    a Hugging Face folder (config.json)
    models/mms-1b-all:mos           one with adapters, and the language whose adapters are wanted
    models/xlsr_53_56k.pt           a file of fairseq, fairseq2 or torchaudio, told apart by what is in it
    facebook/wav2vec2-base          a Hugging Face name, looked up in lowres's cache and in its own
    omniASR_W2V_300M                a name of the catalogue, looked up in lowres's cache
    WAV2VEC2_XLSR_300M              a bundle of torchaudio, looked up in its cache

Nothing is downloaded here; `lowres backbones get` does that.
"""

import os
import re
from pathlib import Path
from typing import Final

from lowres.backbones.cache import downloaded_folder
from lowres.backbones.checkpoint_folder import METADATA_FILE
from lowres.backbones.fairseq import is_fairseq, open_fairseq
from lowres.backbones.foreign import import_backbone, recognise_weights
from lowres.backbones.huggingface import CONFIG_FILE, open_hugging_face
from lowres.backbones.inferred_config import config_from_shapes
from lowres.backbones.native import Backbone, load_backbone
from lowres.backbones.tensor_files import hash_files, is_state_dict, read_any
from lowres.backbones.torchaudio_bundles import find_bundle, open_bundle
from lowres.errors import CheckpointError

_HUB_NAME: Final = re.compile(r"[\w-][\w.-]*/[\w-][\w.-]*")
_LANGUAGE: Final = re.compile(r"(.+):([\w-]{2,})")
_WEIGHT_FILES: Final = (".pt", ".pth", ".bin", ".safetensors")
_SPEECHBRAIN: Final = "hyperparams.yaml"


def open_backbone(reference: str | Path, *, base: Path = Path()) -> Backbone:
    """Load the backbone that `reference` names, wherever it comes from.

    Args:
        reference: see above.
        base: the folder that a path is relative to.

    Raises:
        CheckpointError: there is none, it is damaged, or it is one that lowres has no network for.
    """
    name, language = str(reference), ""
    path = _locate(name, base)
    if path is None and (match := _LANGUAGE.fullmatch(name)):
        name, language = match[1], match[2]
        path = _locate(name, base)
    if path is None:
        if not language and (bundle := find_bundle(name)) is not None:
            return open_bundle(name, bundle)
        raise _nowhere(name, base)
    if language and not (path / CONFIG_FILE).is_file():
        raise CheckpointError(f"{path} has no adapters, so no language can be chosen.", f"Leave :{language} out.")
    return open_hugging_face(path, language=language) if language else _open(path)


def _locate(name: str, base: Path) -> Path | None:
    """Find the folder or file of this name, the one that `lowres backbones get` downloaded, or Hugging Face's own."""
    path = base / Path(name).expanduser()
    if path.exists() or _replaced(path):
        return path
    return downloaded_folder(name) or (cached_folder(name) if _HUB_NAME.fullmatch(name) else None)


def cached_folder(hub_name: str) -> Path | None:
    """Return the folder where Hugging Face keeps the newest download of `hub_name`; None where it has none.

    As documented under "Understand caching": models--OWNER--NAME/refs/main names a folder of snapshots/.
    """
    home = Path(os.environ.get("XDG_CACHE_HOME", "~/.cache")) / "huggingface"
    home = Path(os.environ.get("HF_HOME", home))
    folder = Path(os.environ.get("HF_HUB_CACHE", home / "hub")).expanduser()
    folder /= "models--" + hub_name.replace("/", "--")
    try:
        revision = (folder / "refs" / "main").read_text(encoding="utf-8").strip()
    except OSError:
        return None
    snapshot = folder / "snapshots" / revision
    return snapshot if snapshot.is_dir() else None


def _open(path: Path) -> Backbone:
    if path.is_file():
        return _open_file(path)
    if (path / METADATA_FILE).is_file() or _replaced(path):
        return load_backbone(path)
    if (path / CONFIG_FILE).is_file():
        return open_hugging_face(path)
    if (path / _SPEECHBRAIN).is_file():
        raise CheckpointError(
            f"{path} holds a SpeechBrain model, such as those for speaker recognition, which lowres does not read.",
            "Name a wav2vec 2.0, HuBERT or data2vec network.",
        )
    files = sorted(file for file in path.iterdir() if file.suffix in _WEIGHT_FILES)
    if len(files) == 1:
        return _open_file(files[0])
    raise CheckpointError(
        f"{path} is no backbone: it has neither {METADATA_FILE} nor {CONFIG_FILE}.",
        "Name a checkpoint folder, a Hugging Face folder, or a file of weights.",
    )


def _open_file(path: Path) -> Backbone:
    """Import the network of one file of weights."""
    found = read_any(path)
    if is_fairseq(found):
        return open_fairseq(path, found)
    tensors = found["model"] if isinstance(found, dict) and is_state_dict(found.get("model")) else found
    if not is_state_dict(tensors):
        raise CheckpointError(f"{path} holds no tensors by name.", "Name a file of weights (a state dict).")
    weights = recognise_weights(str(path), tensors, hash_files([path]))
    if weights.spelling.home in ("Hugging Face", "fairseq"):
        needed = CONFIG_FILE if weights.spelling.home == "Hugging Face" else "settings (cfg or args)"
        raise CheckpointError(
            f"{path} has a network's weights without its {needed}.",
            "Name the folder that has both." if needed == CONFIG_FILE else "Take the checkpoint as it was published.",
        )
    config, notes = config_from_shapes(weights)
    return import_backbone(weights, config, notes=notes)


def _replaced(folder: Path) -> bool:
    """Say whether a process was killed while it replaced this checkpoint folder; the one before is then read."""
    return (folder.with_name(f".{folder.name}.previous") / METADATA_FILE).is_file()


def _nowhere(name: str, base: Path) -> CheckpointError:
    if _HUB_NAME.fullmatch(name):
        return CheckpointError(
            f"There is no backbone in {base / name}, nor has {name} been downloaded from Hugging Face.",
            f"lowres backbones get {name}",
        )
    return CheckpointError(
        f"There is no backbone in {base / Path(name).expanduser()}.",
        "Name a checkpoint folder, a Hugging Face folder or name, or a file of weights; lowres backbones lists some.",
    )
