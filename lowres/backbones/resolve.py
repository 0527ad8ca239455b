"""Any backbone by one word: a lowres checkpoint, a Hugging Face folder or name, a fairseq, fairseq2 or torchaudio file.

    runs/NAME/checkpoints/best      a folder of lowres's own (checkpoint.json)
    models/xls-r                    a Hugging Face folder (config.json)
    models/mms-1b-all:mos           one with adapters, and the language whose adapters are wanted
    models/xlsr_53_56k.pt           a file of fairseq, fairseq2 or torchaudio, told apart by what is in it
    lowres-small                    the one that comes with lowres
    facebook/wav2vec2-base          a Hugging Face name, looked up in lowres's cache and in its own
    omniASR_W2V_300M                a name of the catalogue, looked up in lowres's cache
    WAV2VEC2_XLSR_300M              a bundle of torchaudio, looked up in its cache

Nothing is downloaded here; `lowres backbones get` does that.
"""

import re
from pathlib import Path
from typing import Final

from lowres.backbones.bundled import bundled_folder
from lowres.backbones.cache import HUB_NAME, cached_folder, downloaded_folder, expand_home
from lowres.backbones.catalogue import find_entry, nearest_name
from lowres.backbones.checkpoint_folder import METADATA_FILE, has_checkpoint
from lowres.backbones.fairseq import is_fairseq, open_fairseq
from lowres.backbones.foreign import import_backbone, recognise_weights
from lowres.backbones.huggingface import CONFIG_FILE, open_hugging_face
from lowres.backbones.inferred_config import config_from_shapes
from lowres.backbones.native import Backbone, load_backbone
from lowres.backbones.tensor_files import hash_files, is_state_dict, read_any
from lowres.backbones.torchaudio_bundles import find_bundle, open_bundle
from lowres.errors import CheckpointError

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
    name = str(reference)
    path, language = locate_backbone(name, base=base)
    if path is None:
        if (bundle := find_bundle(name)) is not None:
            return open_bundle(name, bundle)
        raise _nowhere(name, base)
    if language and not (path / CONFIG_FILE).is_file():
        raise CheckpointError(f"{path} has no adapters, so no language can be chosen.", f"Leave :{language} out.")
    return open_hugging_face(path, language=language) if language else _open(path)


def locate_backbone(reference: str, *, base: Path) -> tuple[Path | None, str]:
    """Find the folder or file that `reference` names, and the language that it names, "" for none.

    The folder is None where there is none; a bundle of torchaudio has none.
    """
    path = _locate(reference, base)
    if path is None and (match := _LANGUAGE.fullmatch(reference)):
        return _locate(match[1], base), match[2]
    return path, ""


def _locate(name: str, base: Path) -> Path | None:
    """Find the folder or file of this name, lowres's own, what `lowres backbones get` brought, or Hugging Face's."""
    path = base / expand_home(name)
    if path.exists() or has_checkpoint(path):
        return path
    return bundled_folder(name) or downloaded_folder(name) or cached_folder(name)


def _open(path: Path) -> Backbone:
    if path.is_file():
        return _open_file(path)
    if has_checkpoint(path):
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
    best = path / "checkpoints" / "best"
    raise CheckpointError(
        f"{path} is no backbone: it has neither {METADATA_FILE} nor {CONFIG_FILE}.",
        f"Name the checkpoint in it: {best}"
        if has_checkpoint(best)
        else "Name a checkpoint folder, a Hugging Face folder, or a file of weights.",
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


def _nowhere(reference: str, base: Path) -> CheckpointError:
    match = _LANGUAGE.fullmatch(reference)
    name = match[1] if match else reference
    path = base / expand_home(name)
    if find_entry(name) or (HUB_NAME.fullmatch(name) and not path.parent.is_dir()):
        return CheckpointError(
            f"There is no backbone in {path}, nor has {name} been downloaded.", f"lowres backbones get {reference}"
        )
    nearest = None if "/" in name else nearest_name(name)
    return CheckpointError(
        f"There is no backbone in {path}.",
        (f"Did you mean {nearest}? " if nearest else "")
        + "Name a checkpoint folder, a Hugging Face folder or name, or a file of weights; lowres backbones lists some.",
    )
