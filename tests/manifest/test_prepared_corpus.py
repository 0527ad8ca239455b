"""A prepared corpus is loaded whole and unchanged, or not at all."""

import json
from pathlib import Path

import pytest
from manifest_tables import make_table

from lowres.errors import CorpusError
from lowres.manifest import corpus as corpus_module
from lowres.manifest.corpus import CorpusInfo, hash_file, load_corpus, read_corpus_json, verify_shards, write_corpus
from lowres.manifest.overlap import count_overlap


def prepare(folder: Path) -> CorpusInfo:
    """Write a corpus of two utterances of 1 s, one left out, with its shard."""
    table = make_table(["one", "two", "three"], splits=["train", "test", "test"]).assign(
        num_samples=[16_000, 16_000, 0], offset_samples=[0, 16_000, 0], shard=["part-00000.pcm"] * 2 + [""]
    )
    table["included"] = [True, True, False]
    (folder / "shards").mkdir(exist_ok=True)
    shard = folder / "shards" / "part-00000.pcm"
    shard.write_bytes(bytes(64_000))
    info = CorpusInfo(
        name="Mboshi",
        language="mdw",
        text_rules=("lower case",),
        overlap=count_overlap(table),
        shard_sha256={"part-00000.pcm": hash_file(shard)},
        subset_sha256={"1h": "abc"},
    )
    return write_corpus(folder, table, info)


def test_a_corpus_comes_back_as_it_was_written(tmp_path: Path) -> None:
    info = prepare(tmp_path)
    corpus = load_corpus(tmp_path)
    assert corpus.info == info
    assert corpus.table["text"].tolist() == ["one", "two", "three"]
    assert corpus.rows("test")["text"].tolist() == ["two"]


def test_counts_and_hours_are_of_included_utterances(tmp_path: Path) -> None:
    info = prepare(tmp_path)
    assert (info.num_utterances, info.num_excluded) == (2, 1)
    assert info.utterances_per_split == {"train": 1, "dev": 0, "test": 1, "other": 0}
    assert info.hours_per_split["train"] == round(1 / 3600, 4)


def test_an_edited_manifest_is_refused(tmp_path: Path) -> None:
    prepare(tmp_path)
    path = tmp_path / "manifest.tsv"
    path.write_bytes(path.read_bytes().replace(b"two", b"toe"))
    with pytest.raises(CorpusError, match="was changed"):
        load_corpus(tmp_path)


@pytest.mark.parametrize("size", [None, 63_998])
def test_a_lost_or_short_shard_is_refused(tmp_path: Path, size: int | None) -> None:
    prepare(tmp_path)
    shard = tmp_path / "shards" / "part-00000.pcm"
    shard.unlink() if size is None else shard.write_bytes(bytes(size))
    with pytest.raises(CorpusError, match=r"part-00000\.pcm"):
        load_corpus(tmp_path)


def test_a_changed_shard_is_found_by_its_hash(tmp_path: Path) -> None:
    prepare(tmp_path)
    corpus = load_corpus(tmp_path)
    verified: list[str] = []
    verify_shards(corpus, verified.append)
    assert verified == ["part-00000.pcm"]
    (tmp_path / "shards" / "part-00000.pcm").write_bytes(bytes(63_999) + b"x")
    with pytest.raises(CorpusError, match="changed"):
        verify_shards(corpus)


def test_no_corpus_says_to_prepare(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="no prepared corpus"):
        load_corpus(tmp_path)


@pytest.mark.parametrize(("version", "hint"), [(99, "Update lowres."), (0, "Run `lowres prepare` again.")])
def test_an_unknown_version_is_refused(tmp_path: Path, version: int, hint: str) -> None:
    change_json(tmp_path, format_version=version)
    with pytest.raises(CorpusError, match=f"format version {version}") as caught:
        read_corpus_json(tmp_path)
    assert caught.value.hint == hint


def test_an_old_version_goes_through_its_upgrade(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    change_json(tmp_path, format_version=0, name="old")
    monkeypatch.setitem(corpus_module.UPGRADES, 0, lambda found: found | {"name": "upgraded"})
    assert read_corpus_json(tmp_path).name == "upgraded"


@pytest.mark.parametrize("change", [{"surprise": 1}, {"num_utterances": "many"}, {"synthetic": 1}, {"overlap": None}])
def test_unknown_keys_and_wrong_types_are_refused(tmp_path: Path, change: dict[str, object]) -> None:
    change_json(tmp_path, **change)
    with pytest.raises(CorpusError, match=next(iter(change))):
        read_corpus_json(tmp_path)


@pytest.mark.parametrize("contents", ["", "[]", "{}", "not json", '{"format_version": true}'])
def test_what_is_not_a_corpus_json_is_refused(tmp_path: Path, contents: str) -> None:
    (tmp_path / "corpus.json").write_text(contents, encoding="utf-8")
    with pytest.raises(CorpusError, match=r"corpus\.json"):
        read_corpus_json(tmp_path)


def change_json(folder: Path, **changes: object) -> None:
    """Write a corpus and change some values of its corpus.json."""
    prepare(folder)
    path = folder / "corpus.json"
    path.write_text(json.dumps(json.loads(path.read_text(encoding="utf-8")) | changes), encoding="utf-8")
