"""The catalogue of public corpora is data that loads, and says plainly what does not."""

from pathlib import Path

import pytest

from lowres.corpora.catalog import (
    find_corpora_folder,
    list_corpus_manifests,
    load_corpus_manifest,
    read_corpus_manifest,
)
from lowres.errors import CorpusError

MINIMAL = 'name = "tiny"\ntitle = "Tiny"\nlicence = "CC0"\nfolder = "tiny"\n'


def test_a_minimal_manifest_loads(tmp_path: Path) -> None:
    (tmp_path / "tiny.toml").write_text(MINIMAL + '[reader]\nreader = "kaldi"\n')
    manifest = read_corpus_manifest(tmp_path / "tiny.toml")
    assert manifest.reader is not None
    assert manifest.reader.reader == "kaldi"


@pytest.mark.parametrize(
    ("contents", "said"),
    [
        (MINIMAL + "colour = 1\n", "colour: Extra inputs are not permitted"),
        (MINIMAL + '[reader]\nreadr = "kaldi"\n', r"reader\.readr: Unexpected keyword argument"),
        (MINIMAL + '[[downloads]]\nurl = "file:///etc/passwd"\n', r"downloads\.0\.url"),
        (MINIMAL + "hours = four\n", "is not valid TOML"),
        (MINIMAL.replace('licence = "CC0"\n', ""), "licence: Field required"),
        (MINIMAL.replace('"tiny"', '"other"', 1), "differs from the file's name"),
    ],
)
def test_a_wrong_manifest_is_named_with_its_key(tmp_path: Path, contents: str, said: str) -> None:
    (tmp_path / "tiny.toml").write_text(contents)
    with pytest.raises(CorpusError, match=said):
        read_corpus_manifest(tmp_path / "tiny.toml")


def test_an_unknown_corpus_gets_the_nearest_name() -> None:
    with pytest.raises(CorpusError, match="No corpus called 'mbosi'") as caught:
        load_corpus_manifest("mbosi")
    assert "Did you mean 'mboshi'?" in caught.value.hint


def test_a_name_is_never_a_path() -> None:
    with pytest.raises(CorpusError, match="No corpus called"):
        load_corpus_manifest("../pyproject")


@pytest.mark.parametrize("name", list_corpus_manifests())
def test_every_shipped_manifest_loads(name: str) -> None:
    assert load_corpus_manifest(name).licence


def test_the_corpora_variable_decides(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOWRES_CORPORA", str(tmp_path))
    assert find_corpora_folder() == tmp_path


@pytest.mark.parametrize("named", ["gone", "~nobody-of-this-name"])
def test_a_corpora_variable_that_names_no_folder_is_an_error(
    named: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LOWRES_CORPORA", named)
    with pytest.raises(CorpusError, match="LOWRES_CORPORA names"):
        find_corpora_folder()


def test_the_folder_beside_the_working_folder_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "shared" / "corpora").mkdir(parents=True)
    (tmp_path / "project").mkdir()
    monkeypatch.delenv("LOWRES_CORPORA", raising=False)
    monkeypatch.chdir(tmp_path / "project")
    assert find_corpora_folder() == tmp_path / "shared" / "corpora"
