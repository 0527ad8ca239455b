"""Several transcribed corpora of a project become one, for a recogniser of several languages."""

from pathlib import Path

import numpy as np
import pytest
import soundfile
from typer.testing import CliRunner

from lowres.audio import shards
from lowres.audio.shards import ShardReader
from lowres.cli.app import app
from lowres.errors import CorpusError
from lowres.manifest.corpus import load_corpus, verify_shards
from lowres.recipe import load_recipe
from lowres.stages.join_corpora import join_corpora

LETTERS = {"first": "mbote na yo", "second": "ọmọ àti ilé"}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Return a project with two transcribed corpora, both with an utterance u00, and one of recordings alone."""
    folder, entries = tmp_path / "project", ""
    (folder / "recipes").mkdir(parents=True)
    for place, name in enumerate(("first", "tapes", "second")):
        for number in range(9):
            path = tmp_path / name / ("train", "dev", "test")[number % 3] / f"u{number:02d}.wav"
            path.parent.mkdir(parents=True, exist_ok=True)
            noise = 0.1 * np.random.default_rng([place, number]).standard_normal(20_000 + 100 * number)
            soundfile.write(path, noise, 16_000)
            if name != "tapes":
                path.with_suffix(".txt").write_text(LETTERS[name], encoding="utf-8")
        reader = '[corpus.reader]\nreader = "recordings"\n' if name == "tapes" else ""
        text = f'[language]\nname = "{name}"\n[corpus]\nfolder = "../../{name}"\nlicence = "CC0"\n{reader}'
        (folder / "recipes" / f"{name}.toml").write_text(text)
        learns_from = 'splits = ["train", "dev"]\n' if name == "second" else ""
        entries += f'[[pretrain.corpora]]\nrecipe = "recipes/{name}.toml"\n{learns_from}'
    (folder / "lowres.toml").write_text(f'name = "both"\n{entries}')
    return folder


def prepare(project: Path) -> str:
    result = CliRunner().invoke(app, ["prepare", "--project", str(project), "--workers", "1"])
    if result.exit_code == 1 and result.exception is not None:
        raise result.exception
    assert result.exit_code == 0, result.stderr
    return result.stdout


def test_transcribed_corpora_are_joined_and_recordings_alone_are_named(project: Path) -> None:
    output = " ".join(prepare(project).split())
    assert "joined: first, second: 18 utterances" in output
    assert "not in it, since there are no transcripts: tapes" in output
    assert "lowres finetune" in output
    corpus = load_corpus(project / "corpus")
    verify_shards(corpus)
    assert corpus.info.licence == "CC0"
    assert corpus.info.utterances_per_split == {"train": 9, "dev": 3, "test": 6, "other": 0}
    assert set(corpus.rows("train")["text"]) == set(LETTERS.values())
    assert set(corpus.rows("dev")["text"]) == {LETTERS["first"]}


def test_every_utterance_keeps_its_own_audio(project: Path) -> None:
    prepare(project)
    joined = load_corpus(project / "corpus")
    for name in LETTERS:
        own = load_corpus(project / "prepared" / name)
        for row in own.table.itertuples():
            (twin,) = joined.table.loc[joined.table["utterance_id"] == f"{name}/{row.utterance_id}"].itertuples()
            heard = [
                ShardReader(corpus.folder).read(one.shard, one.offset_samples, one.num_samples)
                for corpus, one in ((own, row), (joined, twin))
            ]
            assert np.array_equal(*heard)


def test_where_the_disk_has_no_links_shards_are_copied(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_source: Path, _target: Path) -> None:
        raise OSError("no links here")

    monkeypatch.setattr(shards.os, "link", refuse)
    prepare(project)
    verify_shards(load_corpus(project / "corpus"))


def test_what_is_learnt_from_counts_for_what_splits_share(project: Path) -> None:
    prepare(project)
    info = load_corpus(project / "corpus").info
    assert info.sentence_disjoint is False  # every utterance of a corpus says the same here
    assert set(load_corpus(project / "corpus").table["language"]) == {"first", "second"}


def test_a_corpus_of_another_recipe_is_not_replaced(project: Path) -> None:
    prepare(project)
    (project / "lowres.toml").write_text((project / "lowres.toml").read_text().replace('"both"', '"others"'))
    result = CliRunner().invoke(app, ["prepare", "--project", str(project), "--workers", "1"])
    assert result.exit_code == 2
    assert "not of the recipe 'others'" in " ".join(result.stderr.split())


def test_a_corpus_is_not_joined_into_itself(project: Path) -> None:
    prepare(project)
    recipe = load_recipe(None, ["pretrain.corpora=[{folder='corpus'},{folder='prepared/first'}]"], project=project)
    with pytest.raises(CorpusError, match="itself, where its corpora would be joined"):
        join_corpora(project, recipe)


def test_a_project_with_a_corpus_of_its_own_keeps_it(project: Path) -> None:
    prepare(project)
    recipe = load_recipe(None, ["corpus.folder=../first"], project=project)
    assert join_corpora(project, recipe) is None
