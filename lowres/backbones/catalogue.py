"""The published backbones that lowres knows: `catalogue.toml`, read and checked."""

import difflib
import json
import tomllib
from functools import cache
from pathlib import Path
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from lowres.backbones.licences import forbids_commercial_use

CATALOGUE_FILE: Final = Path(__file__).with_name("catalogue.toml")
_BYTES_PER_PARAMETER: Final = 4

Home = Literal["lowres", "Hugging Face", "Meta", "torchaudio"]


class CatalogueEntry(BaseModel):
    """One backbone."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    name: str = Field(pattern=r"^[\w.-]+(/[\w.-]+)?$")
    """What a recipe calls it."""
    home: Home
    """Where it is downloaded from."""
    parameters: int = Field(ge=1)
    languages: int = Field(ge=1)
    licence: str = Field(min_length=1)
    about: str = Field(min_length=1)
    adapters: bool = False
    """Whether there are adapters to choose with NAME:LANGUAGE."""
    url: str = Field(default="", pattern=r"^(https://.+)?$")
    """The one file it consists of, where its home is Meta."""
    sha256: str = Field(default="", pattern=r"^([0-9a-f]{64})?$")
    """Of that file; "" where nobody publishes it."""

    @model_validator(mode="after")
    def _has_an_address(self) -> "CatalogueEntry":
        if (self.home == "Meta") != bool(self.url) or (self.home == "Hugging Face") != ("/" in self.name):
            raise ValueError(f"{self.name}: home {self.home} does not go with its name and url {self.url!r}")
        return self

    @property
    def megabytes(self) -> float:
        """Size of its weights in float32, which is about what is downloaded."""
        return self.parameters * _BYTES_PER_PARAMETER / 1e6

    @property
    def allows_commercial_use(self) -> bool:
        """Whether its licence does."""
        return not forbids_commercial_use(self.licence)


class _Catalogue(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    backbones: tuple[CatalogueEntry, ...]


@cache
def load_catalogue() -> tuple[CatalogueEntry, ...]:
    """Return all entries, the smallest first within a kind, as the file has them."""
    contents = tomllib.loads(CATALOGUE_FILE.read_text(encoding="utf-8"))
    # Through JSON, because strict validation takes a list for a tuple only there.
    return _Catalogue.model_validate_json(json.dumps(contents)).backbones


def find_entry(reference: str) -> CatalogueEntry | None:
    """Return the entry that a recipe's NAME or NAME:LANGUAGE means; None where there is none."""
    name = reference.partition(":")[0]
    return next((entry for entry in load_catalogue() if entry.name == name), None)


def licence_of(reference: str) -> str:
    """Return the licence of the backbone that a recipe's NAME or NAME:LANGUAGE means; "" where it is not known."""
    entry = find_entry(reference)
    return entry.licence if entry else ""


def nearest_name(name: str) -> str | None:
    """Return the catalogue's name that is most like `name`, if any is: one it is a part of, else one spelt alike."""
    spelt = {entry.name.lower().rpartition("/")[2]: entry.name for entry in load_catalogue()}
    wanted = name.lower().rpartition("/")[2]
    nearest = [known for known in spelt if wanted in known] or difflib.get_close_matches(wanted, spelt, n=1, cutoff=0.5)
    return spelt[nearest[0]] if nearest else None
