"""Correcting and preparing at the same time lose nothing, and a corpus that cannot be corrected says why."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from lowres.errors import CorpusError
from lowres.manifest.corpus import load_corpus
from lowres.manifest.corrections import read_corrections
from lowres.recipe import Recipe, parse_recipe
from lowres.stages import prepare as prepare_module
from lowres.stages.correct import Corrected, Edit, correct_transcript, version_of, why_not_to_correct
from lowres.stages.prepare import PrepareOptions, prepare

NAME = "train/a"


@pytest.fixture
def recipe(tmp_path: Path) -> Recipe:
    folder = tmp_path / "recordings"
    for name, text in ((NAME, "Mbote."), ("train/b", "Na yo."), ("dev/c", "Tata.")):
        path = folder / f"{name}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, 0.1 * np.random.default_rng(1).standard_normal(16_000), 16_000)
        path.with_suffix(".txt").write_text(text, encoding="utf-8")
    return parse_recipe(
        f'name = "tiny"\n[corpus]\nfolder = "{folder.as_posix()}"\n'
        '[text]\nrules = ["nfc", "lowercase", "strip_punctuation"]'
    )


def run(project: Path, recipe: Recipe) -> None:
    prepare(project, recipe, PrepareOptions(num_workers=1), lambda *_: None)


def correct(project: Path, recipe: Recipe, raw_text: str, **changes: str) -> Corrected:
    corpus, history = load_corpus(project / "corpus"), read_corrections(project)
    now = str(corpus.table.set_index("utterance_id").loc[NAME, "raw_text"])
    edit = Edit(NAME, raw_text, version_of(now, history.get(NAME, ())))
    return correct_transcript(project, recipe, corpus, history, replace(edit, **changes))


def text_of(project: Path) -> str:
    return str(load_corpus(project / "corpus").table.set_index("utterance_id").loc[NAME, "raw_text"])


def test_a_correction_made_while_the_corpus_is_prepared_is_in_it(
    tmp_path: Path, recipe: Recipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = tmp_path / "project"
    run(project, recipe)
    original = prepare_module.decode_parts

    def decode(*args: object, **options: object) -> object:
        found = original(*args, **options)  # type: ignore[arg-type]
        assert correct(project, recipe, "Meanwhile.").outcome == "saved"
        return found

    monkeypatch.setattr(prepare_module, "decode_parts", decode)
    run(project, recipe)
    row = load_corpus(project / "corpus").table.set_index("utterance_id").loc[NAME]
    assert (row["raw_text"], row["text"]) == ("Meanwhile.", "meanwhile ")


def test_what_was_corrected_in_the_corpus_too_can_be_corrected_again(tmp_path: Path, recipe: Recipe) -> None:
    project, own = tmp_path / "project", tmp_path / "recordings" / f"{NAME}.txt"
    run(project, recipe)
    correct(project, recipe, "Once.")
    own.write_text("Once.", encoding="utf-8")
    run(project, recipe)
    assert load_corpus(project / "corpus").info.taken_over == (NAME,)

    for text in ("Twice.", "Thrice."):
        assert correct(project, recipe, text).outcome == "saved"
    assert load_corpus(project / "corpus").info.taken_over == ()
    run(project, recipe)
    assert text_of(project) == "Thrice."

    # What is changed in the corpus itself after that counts.
    own.write_text("Otherwise.", encoding="utf-8")
    run(project, recipe)
    assert text_of(project) == "Otherwise."


def test_a_corpus_that_cannot_be_corrected_says_why(tmp_path: Path, recipe: Recipe) -> None:
    project = tmp_path / "project"
    run(project, recipe)
    corpus = load_corpus(project / "corpus")
    assert why_not_to_correct(corpus, recipe) == ""
    others = (
        (replace(corpus, info=replace(corpus.info, transcribed=False)), recipe, "no transcripts"),
        (corpus, recipe.model_copy(update={"name": "other"}), "prepared by the recipe 'tiny'"),
        (corpus, parse_recipe('name = "tiny"'), "joined of several"),
        (replace(corpus, info=replace(corpus.info, text_rules=("other",))), recipe, "text rules changed"),
    )
    for other, its_recipe, reason in others:
        assert reason in why_not_to_correct(other, its_recipe)
        with pytest.raises(CorpusError, match=reason):
            correct_transcript(project, its_recipe, other, {}, Edit(NAME, "x", ""))
    with pytest.raises(CorpusError, match="no utterance 'gone'"):
        correct(project, recipe, "x", utterance_id="gone")


def test_a_version_changes_with_the_text_and_with_the_history(tmp_path: Path, recipe: Recipe) -> None:
    project = tmp_path / "project"
    run(project, recipe)
    first = version_of("Mbote.", ())
    correct(project, recipe, "Other.")
    correct(project, recipe, "Mbote.")
    assert version_of("Mbote.", read_corrections(project)[NAME]) != first
    assert version_of("x", ()) != version_of("y", ())
