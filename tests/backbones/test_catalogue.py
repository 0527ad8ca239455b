"""The catalogue of backbones is whole, and says what is forbidden."""

import sys
from pathlib import Path

import pytest
from pydantic import ValidationError

from lowres.backbones.cache import backbone_folder, cache_folder, downloaded_folder
from lowres.backbones.catalogue import CatalogueEntry, find_entry, licence_of, load_catalogue, nearest_name
from lowres.cli.backbones import WIDEST_NAME

ENTRY = {"name": "a/b", "home": "Hugging Face", "parameters": 1, "languages": 1, "licence": "MIT", "about": "x"}


def test_every_name_is_listed_once_and_fits_its_column() -> None:
    names = [entry.name for entry in load_catalogue()]
    assert len(set(names)) == len(names) > 10
    assert max(map(len, names)) == WIDEST_NAME


@pytest.mark.parametrize(
    ("name", "licence", "may_be_sold"),
    [
        ("facebook/wav2vec2-xls-r-300m", "Apache-2.0", True),
        ("facebook/mms-1b-all:mos", "CC-BY-NC-4.0", False),
        ("utter-project/mHuBERT-147", "CC-BY-NC-SA-4.0", False),
        ("omniASR_W2V_300M", "Apache-2.0", True),
    ],
)
def test_licences_are_those_of_the_model_cards(name: str, licence: str, may_be_sold: bool) -> None:
    entry = find_entry(name)
    assert entry is not None
    assert (entry.licence, entry.allows_commercial_use) == (licence, may_be_sold)
    assert licence_of(name) == licence


def test_a_size_is_that_of_float32() -> None:
    entry = find_entry("facebook/wav2vec2-xls-r-2b")
    assert entry is not None
    assert entry.megabytes == pytest.approx(8650, rel=0.01)  # as Hugging Face shows its pytorch_model.bin


@pytest.mark.parametrize(
    "change", [{"colour": "red"}, {"home": "Meta"}, {"name": "b"}, {"sha256": "12"}, {"languages": "many"}]
)
def test_an_entry_that_does_not_fit_is_refused(change: dict[str, str]) -> None:
    assert CatalogueEntry.model_validate(ENTRY).name == "a/b"
    with pytest.raises(ValidationError):
        CatalogueEntry.model_validate(ENTRY | change)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("xlsr-53", "facebook/wav2vec2-large-xlsr-53"), ("mhubert_147", "utter-project/mHuBERT-147"), ("qqq", None)],
)
def test_the_nearest_name_is_found(typed: str, meant: str | None) -> None:
    assert nearest_name(typed) == meant


def test_the_cache_is_where_it_is_asked_to_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOWRES_CACHE", str(tmp_path))
    assert backbone_folder("a/b") == tmp_path / "backbones" / "a--b"
    assert downloaded_folder("a/b") is None
    backbone_folder("a/b").mkdir(parents=True)
    assert downloaded_folder("a/b") == tmp_path / "backbones" / "a--b"


def test_without_a_wish_the_cache_is_the_operating_systems(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LOWRES_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", "/somewhere")
    monkeypatch.setattr(sys, "platform", "linux")
    assert cache_folder() == Path("/somewhere/lowres")
    monkeypatch.setattr(sys, "platform", "darwin")
    assert cache_folder() == Path.home() / "Library" / "Caches" / "lowres"


@pytest.mark.parametrize("name", ["", ".", "..", "../backbones", "a/../b", "x" * 300, "a/b/c", "/etc"])
def test_a_path_is_not_looked_up_in_the_cache(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOWRES_CACHE", str(tmp_path))
    (tmp_path / "backbones").mkdir()
    assert downloaded_folder(name) is None
