"""Which files of a Hugging Face repository a backbone consists of, with the hashes that the hub states for them.

The hub answers `/api/models/OWNER/NAME?blobs=true` with a revision and, for each file, its size and its hash: a sha256
where the file is stored apart from the repository, else git's own, the sha1 of `blob SIZE\\0` and the contents.
"""

import hashlib
import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from lowres.errors import ON_NONSENSE, CheckpointError

SETTINGS_FILES: Final = ("config.json", "preprocessor_config.json", "processor_config.json")
WEIGHTS_FILES: Final = (
    "model.safetensors",
    "model.safetensors.index.json",
    "pytorch_model.bin",
    "pytorch_model.bin.index.json",
)
"""Where weights may be, the best place first: one file, or the index of several."""


@dataclass(frozen=True)
class HubFile:
    """One file to download."""

    name: str
    url: str
    num_bytes: int
    sha256: str
    """"" where the hub states git's hash instead."""

    git_sha1: str

    @property
    def is_adapter(self) -> bool:
        """Whether it holds the adapters of a language, and nothing of the network."""
        return self.name.startswith("adapter.")


@dataclass(frozen=True)
class HubListing:
    """What there is to download of a repository."""

    revision: str
    licence: str
    """As its model card states it; "" where it does not."""

    files: tuple[HubFile, ...]


def listing_url(name: str) -> str:
    """Return the address of a repository's listing.

    Raises:
        CheckpointError: HF_ENDPOINT is no address.
    """
    return f"{_endpoint()}/api/models/{name}?blobs=true"


def read_listing(path: Path, name: str, language: str = "") -> HubListing:
    """Pick out of a listing the files that a backbone consists of.

    Args:
        path: the hub's answer.
        name: of the repository.
        language: whose adapters are wanted too; "" for none.

    Raises:
        CheckpointError: the answer is no listing, or there are no weights, settings or adapters in the repository.
    """
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        revision = re.fullmatch(r"[0-9a-f]{40}", data["sha"])
        found = {str(file["rfilename"]): file for file in data["siblings"]}
        if revision is None:
            raise ValueError("no revision")
        files = [_hub_file(name, data["sha"], found[file]) for file in _choose(found, name, language)]
        licence = str((data.get("cardData") or {}).get("license") or "")
    except ON_NONSENSE as error:
        raise CheckpointError(
            f"{listing_url(name)} did not answer with a list of files.", "Give the command again later."
        ) from error
    return HubListing(data["sha"], licence, tuple(files))


def demand_same(file: HubFile, path: Path) -> None:
    """Compare a downloaded file with what the hub states of it.

    Raises:
        CheckpointError: it was cut short or altered.
    """
    size = path.stat().st_size
    digest = hashlib.sha256() if file.sha256 else hashlib.sha1(f"blob {size}\0".encode(), usedforsecurity=False)
    with path.open("rb") as opened:
        while chunk := opened.read(1 << 20):
            digest.update(chunk)
    if size != file.num_bytes or digest.hexdigest() != (file.sha256 or file.git_sha1):
        raise CheckpointError(
            f"{file.url} came cut short or altered: {size:,} bytes of {file.num_bytes:,}, with another hash than the "
            "hub states.",
            "The file was not kept. Give the command again, from another network if it happens again.",
        )


def _endpoint() -> str:
    endpoint = (os.environ.get("HF_ENDPOINT") or "https://huggingface.co").rstrip("/")
    if not endpoint.startswith(("http://", "https://")):
        raise CheckpointError(
            f"HF_ENDPOINT is {endpoint}, which is no address.", f"Write it in full: HF_ENDPOINT=https://{endpoint}"
        )
    return endpoint


def _choose(found: Mapping[str, Any], name: str, language: str) -> list[str]:
    chosen = [file for file in SETTINGS_FILES if file in found]
    weights = _choose_weights(found)
    if "config.json" not in chosen or not weights:
        raise CheckpointError(
            f"{name} on Hugging Face holds no network: it has no config.json or no weights.",
            "`lowres backbones` lists those that lowres knows.",
        )
    if not language:
        return chosen + weights
    adapters = [file for end in ("safetensors", "bin") if (file := f"adapter.{language}.{end}") in found]
    if not adapters:
        raise CheckpointError(
            f"{name} on Hugging Face has no adapters of the language {language!r}.",
            "Write the language as its ISO 639-3 code, or leave it out.",
        )
    return chosen + weights + adapters[:1]


def _choose_weights(found: Mapping[str, Any]) -> list[str]:
    best = next((file for file in WEIGHTS_FILES if file in found), "")
    stem, _, suffix = best.removesuffix(".index.json").rpartition(".")
    parts = re.compile(rf"{stem}-\d+-of-\d+\.{suffix}")
    return [file for file in sorted(found) if file == best or (best.endswith(".json") and parts.fullmatch(file))]


def _hub_file(name: str, revision: str, sibling: Mapping[str, Any]) -> HubFile:
    file = sibling["rfilename"]
    apart = sibling.get("lfs") or {}
    return HubFile(
        name=file,
        url=f"{_endpoint()}/{name}/resolve/{revision}/{file}",
        num_bytes=int(sibling["size"]),
        sha256=str(apart.get("sha256", "")),
        git_sha1=str(sibling["blobId"]),
    )
