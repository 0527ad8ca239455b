"""lowres's own checkpoint folders: weights in safetensors, everything else in checkpoint.json, checked when read.

    weights.safetensors   every tensor of the network, float32
    checkpoint.json       what it is: kind, model config, vocabulary, step, where it came from, sha256 of every file
    training_state.pt     only where training can go on from (`lowres.training.checkpoint`)

A folder is written under another name and then renamed, so a killed process leaves the old one or the new one, whole.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Final, Literal

from pydantic import TypeAdapter
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from lowres import __version__
from lowres.errors import ON_NONSENSE, CheckpointError

CHECKPOINT_FORMAT_VERSION: Final = 4
METADATA_FILE: Final = "checkpoint.json"
WEIGHTS_FILE: Final = "weights.safetensors"
TRAINING_STATE_FILE: Final = "training_state.pt"
RESTORE: Final = "Restore the folder from a copy, or train again; checkpoints are not meant to be edited."

CheckpointKind = Literal["backbone", "recognizer"]


@dataclass(frozen=True, kw_only=True)
class CheckpointMetadata:
    """What checkpoint.json says about the weights beside it."""

    kind: CheckpointKind
    model_config: dict[str, Any]
    """`lowres.model.config.to_dict` of the network, the masking and dropout it was trained with included."""

    quantizer_config: dict[str, Any] | None = None
    """`lowres.model.config.quantizer_to_dict` where the quantiser and the projections of pretraining lie beside the
    network, so that pretraining can go on; else None."""

    vocabulary: dict[str, Any] | None = None
    """`Vocabulary.to_json()`; None in a backbone."""

    vocabulary_sha256: str = ""
    step: int = 0
    recipe_sha256: str = ""
    lowres_version: str = __version__
    backbone_licence: str = ""
    """Licence of the backbone it was trained from; "" when it was trained from random weights."""

    backbone_reference: str = ""
    """What the recipe called the backbone that most of the weights lie in; "" where all of them lie here."""

    backbone_sha256: str = ""
    """Hash of that backbone's weights (`Backbone.sha256`); "" where all weights lie here."""

    training: dict[str, Any] = field(default_factory=dict)
    """Seed, subset with its hash, hours of audio processed, dev error rates: plain data, for people and reports."""

    files: dict[str, str] = field(default_factory=dict)
    """sha256 of every other file of the folder, by name; filled in by `write_checkpoint`."""

    format_version: int = CHECKPOINT_FORMAT_VERSION


_METADATA: Final = TypeAdapter(CheckpointMetadata)


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint folder that was read and found whole."""

    folder: Path
    metadata: CheckpointMetadata
    weights: dict[str, Tensor]


def write_checkpoint(
    folder: Path,
    weights: Mapping[str, Tensor],
    metadata: CheckpointMetadata,
    *,
    write_more: Callable[[Path], None] = lambda _folder: None,
) -> None:
    """Write a checkpoint folder, replacing the one of that name only once the new one is whole and on disk.

    Args:
        folder: the checkpoint folder; its parents are made.
        weights: tensors by name, on any device.
        metadata: what they are; `files` is filled in here.
        write_more: writes further files into the folder it is given; they are hashed too.

    Raises:
        CheckpointError: when the disk is full or refuses; the checkpoint that was there before is untouched.
    """
    writing = _beside(folder, "writing")
    try:
        shutil.rmtree(writing, ignore_errors=True)
        writing.mkdir(parents=True)
        tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in weights.items()}
        save_file(tensors, writing / WEIGHTS_FILE)
        write_more(writing)
        files = {path.name: _hash_and_flush(path) for path in sorted(writing.iterdir())}
        _write_metadata(writing / METADATA_FILE, replace(metadata, files=files))
        shutil.copymode(writing / METADATA_FILE, writing / WEIGHTS_FILE)  # safetensors lets nobody else read it
        _swap(writing, folder)
    except (OSError, RuntimeError, SafetensorError) as error:  # torch.save reports a full disk as a RuntimeError
        shutil.rmtree(writing, ignore_errors=True)
        kept = "The checkpoint written before it is untouched." if _whole(folder) is not None else ""
        raise CheckpointError(
            f"The checkpoint {folder} could not be written: {_reason(error)}. {kept}".strip(),
            "Free some disk space or check the folder's permissions, then go on with --resume.",
        ) from error


def demand_free(folder: Path) -> None:
    """Refuse to write a new folder where something lies already; an empty folder is nothing.

    Raises:
        CheckpointError: something does.
    """
    if folder.is_dir() and not any(folder.iterdir()):
        return
    if folder.exists():
        raise CheckpointError(f"{folder} exists already.", "Name a folder that does not exist, or delete that one.")


def has_checkpoint(folder: Path) -> bool:
    """Say whether there is a checkpoint, or the one before where a process was killed while replacing it."""
    return _whole(folder) is not None


def read_checkpoint(folder: Path, *, device: str = "cpu") -> Checkpoint:
    """Read a checkpoint folder strictly.

    Args:
        folder: the checkpoint folder. Where a process was killed while replacing it, the one before is read.
        device: where to put the tensors.

    Raises:
        CheckpointError: the folder or a file is missing, a file was changed or cut short, or the version is unknown.
    """
    whole = _whole(folder)
    if whole is None:
        raise CheckpointError(
            f"There is no checkpoint in {folder}.", "Name a folder that holds checkpoint.json and weights.safetensors."
        )
    metadata = read_metadata(folder)
    for name, expected in metadata.files.items():
        check_file(whole / name, expected)
    try:
        weights = load_file(whole / WEIGHTS_FILE, device=device)
    except SafetensorError as error:
        raise CheckpointError(f"{whole / WEIGHTS_FILE} is damaged: {_reason(error)}.", RESTORE) from error
    return Checkpoint(whole, metadata, weights)


def read_metadata(folder: Path) -> CheckpointMetadata:
    """Read and check checkpoint.json alone.

    Raises:
        CheckpointError: it is missing, was edited, or has a version this lowres does not know.
    """
    path = (_whole(folder) or folder) / METADATA_FILE
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        version = int(found["format_version"])
        is_unchanged = found.pop("metadata_sha256", "") == _metadata_hash(found)
    except FileNotFoundError as error:
        raise CheckpointError(f"There is no {METADATA_FILE} in {folder}.", "Is this a checkpoint folder?") from error
    except (OSError, *ON_NONSENSE) as error:
        raise CheckpointError(f"{path} cannot be read: it is not what lowres writes.", RESTORE) from error
    if version != CHECKPOINT_FORMAT_VERSION and version not in UPGRADES:
        raise CheckpointError(
            f"{path} has format version {version}; this lowres ({__version__}) knows {CHECKPOINT_FORMAT_VERSION}.",
            "Use the lowres version that wrote it, or a newer one.",
        )
    try:
        while is_unchanged and found["format_version"] in UPGRADES:
            found = UPGRADES[found["format_version"]](found)
        metadata = _METADATA.validate_python(found)
        names = {item.name for item in fields(CheckpointMetadata)}
        if not is_unchanged or set(found) != names or WEIGHTS_FILE not in metadata.files:
            raise ValueError("another hash, other fields, or no weights")
    except ON_NONSENSE as error:
        raise CheckpointError(f"{path} was changed after it was written.", RESTORE) from error
    return metadata


def _add_quantizer_config(found: dict[str, Any]) -> dict[str, Any]:
    """Upgrade from version 1, which knew no pretraining."""
    return found | {"quantizer_config": None, "format_version": 2}


def _add_adapters(found: dict[str, Any]) -> dict[str, Any]:
    """Upgrade from version 2, which knew neither adapters nor data2vec's positional embedding."""
    new_fields = {"positional_layers": 1, "adapter_width": 0, "lora_rank": 0}
    config = found["model_config"] | new_fields
    return found | {"model_config": config, "backbone_reference": "", "backbone_sha256": "", "format_version": 3}


def _add_front_end(found: dict[str, Any]) -> dict[str, Any]:
    """Upgrade from version 3, which at first knew waveforms only."""
    config = {"front_end": "waveform"} | found["model_config"]
    return found | {"model_config": config, "format_version": 4}


UPGRADES: Final[dict[int, Callable[[dict[str, Any]], dict[str, Any]]]] = {
    1: _add_quantizer_config,
    2: _add_adapters,
    3: _add_front_end,
}
"""From an old format version to the function that turns its checkpoint.json into the next version's."""


def check_file(path: Path, expected_sha256: str) -> None:
    """Compare a file with the sha256 that checkpoint.json states.

    Raises:
        CheckpointError: the file is missing or differs.
    """
    if not path.is_file():
        raise CheckpointError(f"{path} is missing from its checkpoint.", RESTORE)
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != expected_sha256:
        raise CheckpointError(f"{path} was changed or cut short after it was written.", RESTORE)


def _whole(folder: Path) -> Path | None:
    """Return the folder, or the one it was about to replace when its process was killed between two renames."""
    return next((path for path in (folder, _beside(folder, "previous")) if (path / METADATA_FILE).is_file()), None)


def _beside(folder: Path, what: str) -> Path:
    whole = folder if folder.name else folder.absolute()  # "." has no name of its own
    return whole.parent / f".{whole.name}.{what}"


def _swap(writing: Path, folder: Path) -> None:
    previous = _beside(folder, "previous")
    if folder.exists():
        shutil.rmtree(previous, ignore_errors=True)
        folder.rename(previous)
    writing.rename(folder)
    _flush_folder(folder.parent)
    shutil.rmtree(previous, ignore_errors=True)


def _write_metadata(path: Path, metadata: CheckpointMetadata) -> None:
    content = asdict(metadata)
    content["metadata_sha256"] = _metadata_hash(content)
    path.write_text(json.dumps(content, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    _hash_and_flush(path)
    _flush_folder(path.parent)


def _metadata_hash(content: Mapping[str, Any]) -> str:
    text = json.dumps(content, ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def _hash_and_flush(path: Path) -> str:
    with path.open("r+b") as file:
        os.fsync(file.fileno())
        return hashlib.file_digest(file, "sha256").hexdigest()


def _flush_folder(folder: Path) -> None:
    if os.name == "nt":  # Windows has no handle of a folder to flush
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _reason(error: BaseException) -> str:
    return str(getattr(error, "strerror", None) or error).rstrip(".")
