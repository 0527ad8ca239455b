"""Tensors out of safetensors and PyTorch files, one file or several, with a hash that names them."""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from lowres.backbones.safe_pickle import GET_AGAIN, read_pickled
from lowres.errors import CheckpointError

_LFS_POINTER = b"version https://git-lfs"


def read_tensors(path: Path) -> dict[str, Tensor]:
    """Read a file of tensors by name: *.safetensors, or else one that `torch.save` wrote.

    Raises:
        CheckpointError: it is missing, cut short, holds code, or something else than named tensors.
    """
    found = read_any(path)
    if not is_state_dict(found):
        raise CheckpointError(f"{path} holds no tensors by name.", "Name a file of weights (a state dict).")
    return dict(found)


def read_any(path: Path) -> Any:
    """Read what a file of weights holds, tensors by name or more than that.

    Raises:
        CheckpointError: it is missing, cut short or holds code.
    """
    _demand_weights(path)
    if path.suffix != ".safetensors":
        return read_pickled(path)
    try:
        return load_file(path)
    except (SafetensorError, OSError) as error:
        raise CheckpointError(f"{path} is damaged or was cut short: {error}.", GET_AGAIN) from error


def is_state_dict(found: Any) -> bool:
    """Say whether `found` is a mapping from names to tensors, with at least one of them."""
    if not isinstance(found, Mapping) or not found:
        return False
    return all(isinstance(name, str) and isinstance(item, Tensor) for name, item in found.items())


def hash_files(paths: Sequence[Path]) -> str:
    """Hash files: the sha256 of a single one, that of their sha256s one after another of several.

    Raises:
        CheckpointError: one of them cannot be read.
    """
    hashes = []
    for path in paths:
        try:
            with path.open("rb") as file:
                hashes.append(hashlib.file_digest(file, "sha256").hexdigest())
        except OSError as error:
            raise CheckpointError(f"{path} cannot be read: {error.strerror or error}.", GET_AGAIN) from error
    return hashes[0] if len(hashes) == 1 else hash_parts(hashes)


def hash_parts(parts: Sequence[str]) -> str:
    """Hash what several hashes, or other words that tell networks apart, are one after another."""
    return hashlib.sha256("".join(parts).encode()).hexdigest()


def _demand_weights(path: Path) -> None:
    try:
        with path.open("rb") as file:
            beginning = file.read(len(_LFS_POINTER))
    except OSError as error:
        raise CheckpointError(f"{path} cannot be read: {error.strerror or error}.", GET_AGAIN) from error
    if beginning == _LFS_POINTER:
        raise CheckpointError(
            f"{path} is not the weights but a pointer to them: they were never downloaded.",
            "Run `git lfs pull` in its folder, or download the file itself.",
        )
