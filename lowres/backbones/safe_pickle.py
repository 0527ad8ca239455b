"""PyTorch's pickled files, read so that nothing in them can run: tensors and plain settings, or a refusal.

Everything goes through `torch.load(weights_only=True)`, which calls nothing but what rebuilds tensors. fairseq's files
also hold settings as objects of argparse, omegaconf and fairseq; each of these becomes an empty object that only keeps
what it was given, so none of those libraries is needed and none of their code runs. Anything else is refused.
"""

import lzma
import pickle
import pickletools
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, Final

import torch

from lowres.errors import ON_NONSENSE, CheckpointError

GET_AGAIN: Final = "Download it again, and compare its size with the one its publisher states."
_HARMLESS_LIBRARIES: Final = {"argparse", "enum", "fairseq", "numpy", "omegaconf", "typing"}
_HARMLESS_TYPES: Final = {"dict", "list", "tuple", "int", "float", "str", "bool", "object"}
_LEGACY_PICKLES: Final = 4
"""Files from before PyTorch 1.6 hold four pickles one after another: magic number, protocol, machine, contents."""
_UNREADABLE_PROTOCOLS: Final = (4, 5)
"""Of pickle. `torch.save` writes 2 unless told otherwise, and its safe reader knows no more."""

_ON_NONSENSE: Final = (
    *(*ON_NONSENSE, EOFError, RuntimeError, AssertionError, MemoryError),
    *(struct.error, zlib.error, lzma.LZMAError, zipfile.BadZipFile),
)
"""What the unpicklers, PyTorch's zip reader and Python's raise on bytes that stop or make no sense."""


class StandIn:
    """Stands for any object of a library that is not needed; it does nothing and keeps what it was given."""

    def __new__(cls, *arguments: Any) -> "StandIn":
        stand_in = super().__new__(cls)
        stand_in.__dict__["arguments"] = arguments
        return stand_in

    def __init__(self, *arguments: Any) -> None:
        pass

    def __setstate__(self, state: Any) -> None:
        self.__dict__.update(state if isinstance(state, dict) else {"state": state})  # numpy's types have tuples


def read_pickled(path: Path) -> Any:
    """Read what `torch.save` wrote: containers, numbers, text and tensors; settings objects as `StandIn`.

    Raises:
        CheckpointError: the file is cut short, holds code, has a pickle protocol that PyTorch does not read safely, or
            is no PyTorch file at all.
    """
    try:
        stand_ins: Any = [(StandIn, name) for name in sorted(set(_harmless_globals(path)))]
        with torch.serialization.safe_globals(stand_ins):
            return torch.load(path, map_location="cpu", weights_only=True, mmap=zipfile.is_zipfile(path))
    except pickle.UnpicklingError as error:
        found = re.search(r"GLOBAL (\S+)", str(error))
        if found is None:
            raise _damaged(path) from error
        raise CheckpointError(
            f"{path} holds more than weights: {found[1]}, which could run anything. Nothing in it was run.",
            "Take the model from its publisher as safetensors, or as a plain state dict.",
        ) from error
    except OSError as error:
        raise CheckpointError(f"{path} cannot be read: {error.strerror or error}.", GET_AGAIN) from error
    except _ON_NONSENSE as error:
        raise _damaged(path) from error


def plain(value: Any) -> Any:
    """Turn settings as `read_pickled` gives them into dictionaries, lists, numbers and text.

    Raises:
        RecursionError: they hold themselves.
    """
    if isinstance(value, StandIn):
        state = dict(vars(value))
        arguments = state.pop("arguments", ())
        for name in ("_content", "_val"):  # omegaconf's containers and its leaves
            if name in state:
                return plain(state[name])
        return plain(arguments[0]) if not state and len(arguments) == 1 else plain(state)  # or an enum's value
    if isinstance(value, dict):
        return {str(plain(name)): plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value


def _harmless_globals(path: Path) -> Iterator[str]:
    """List the classes that the file's pickles name and that a `StandIn` can take the place of."""
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            for name in archive.namelist():
                if name.endswith("/data.pkl"):
                    with archive.open(name) as file:
                        yield from _harmless_in(file, path)
        return
    with path.open("rb") as file:
        for _ in range(_LEGACY_PICKLES):
            yield from _harmless_in(file, path)


def _harmless_in(file: IO[bytes], path: Path) -> Iterator[str]:
    for operation, argument, _ in pickletools.genops(file):
        if operation.name == "PROTO" and argument in _UNREADABLE_PROTOCOLS:
            raise CheckpointError(
                f"{path} was saved with pickle protocol {argument}, which is not read: it could run anything.",
                "Save it again without `pickle_protocol`, or as safetensors.",
            )
        if operation.name == "GLOBAL":
            module, name = str(argument).split(" ", 1)
            if module.split(".")[0] in _HARMLESS_LIBRARIES:
                yield f"{module}.{name}"
            elif module in ("__builtin__", "builtins") and name in _HARMLESS_TYPES:
                yield f"builtins.{name}"


def _damaged(path: Path) -> CheckpointError:
    return CheckpointError(f"{path} is damaged or was cut short: it is not a whole PyTorch file.", GET_AGAIN)
