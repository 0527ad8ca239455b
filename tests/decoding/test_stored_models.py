"""Language models beside a recogniser's weights: back as they were, and refused when anything does not fit."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from recognizers import vocabulary_of

from lowres.decoding.arpa import write_arpa
from lowres.decoding.beam_search import BeamSettings
from lowres.decoding.ngram import estimate_ngrams
from lowres.decoding.stored_models import (
    DESCRIPTION_FILE,
    LANGUAGE_MODEL_FOLDER,
    DevRates,
    StoredModel,
    StoredModels,
    TextSource,
    arpa_path,
    has_models,
    hash_file,
    lexicon_path,
    open_model,
    read_description,
    write_description,
)
from lowres.errors import CheckpointError

TEXTS = ["ba na", "na ba ba", "aba"]
VOCABULARY = vocabulary_of(TEXTS, "characters")


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    folder = tmp_path / LANGUAGE_MODEL_FOLDER
    folder.mkdir()
    write_arpa(estimate_ngrams([text.split() for text in TEXTS], order=2), arpa_path(folder, "word"))
    write_arpa(estimate_ngrams([list(text) for text in TEXTS], order=3), arpa_path(folder, "character"))
    lexicon_path(folder).write_text("aba\nba\nna", encoding="utf-8")
    write_description(folder, described(folder))
    return tmp_path


def described(folder: Path) -> StoredModels:
    word = StoredModel(
        kind="word",
        order=2,
        num_ngrams=(6, 7),
        sha256=hash_file(arpa_path(folder, "word")),
        perplexity=12.5,
        unknown_share=0.25,
        num_unspellable=0,
        settings=BeamSettings(1.75, word_bonus=-0.5, blank_penalty=1.0),
        dev=DevRates(0.5, 0.2),
    )
    character = replace(
        word,
        kind="character",
        order=3,
        num_ngrams=(6, 9, 12),
        sha256=hash_file(arpa_path(folder, "character")),
        dev=DevRates(0.4, 0.25),
    )
    sources = (TextSource("training transcripts", "", 3), TextSource("more.txt", "ab" * 32, 10, num_refused=2))
    return StoredModels(VOCABULARY.hash, sources, 4, (word, character), DevRates(0.75, 0.25))


def change(checkpoint: Path, path: tuple[str | int, ...], value: object) -> None:
    """Set one value of the description; `...` takes the key out."""
    file = checkpoint / LANGUAGE_MODEL_FOLDER / DESCRIPTION_FILE
    data = json.loads(file.read_text(encoding="utf-8"))
    inner: Any = data
    for key in path[:-1]:
        inner = inner[key]
    if value is ...:
        del inner[path[-1]]
    else:
        inner[path[-1]] = value
    file.write_text(json.dumps(data), encoding="utf-8")


def test_a_description_comes_back_as_it_was_written(checkpoint: Path) -> None:
    assert has_models(checkpoint)
    assert read_description(checkpoint, VOCABULARY) == described(checkpoint / LANGUAGE_MODEL_FOLDER)


def test_the_best_model_has_the_lowest_sum_of_both_rates(checkpoint: Path) -> None:
    models = read_description(checkpoint, VOCABULARY)
    assert models.best.kind == "character"  # 0.65 against 0.7
    assert models.find("word") == models.models[0]
    assert replace(models, models=models.models[:1]).find("character") is None


def test_a_recogniser_without_models_is_told_how_to_make_them(tmp_path: Path) -> None:
    assert not has_models(tmp_path)
    with pytest.raises(CheckpointError, match="has no language model") as caught:
        read_description(tmp_path, VOCABULARY)
    assert "lowres lm" in caught.value.hint


def test_models_of_another_vocabulary_are_refused(checkpoint: Path) -> None:
    with pytest.raises(CheckpointError, match="made for another vocabulary"):
        read_description(checkpoint, vocabulary_of(["xyz"], "characters"))


def test_another_format_version_is_named(checkpoint: Path) -> None:
    change(checkpoint, ("format_version",), 2)
    change(checkpoint, ("greedy",), ...)  # what it holds may be anything
    with pytest.raises(CheckpointError, match="has format version 2, and this lowres reads 1"):
        read_description(checkpoint, VOCABULARY)


def _keys(data: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    pairs = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    return [found for key, value in pairs for found in ((*path, key), *_keys(value, (*path, key)))]


@pytest.mark.parametrize("wrong", ["x", None, [], {}, -1.5, [1], True, "missing"])
def test_a_damaged_value_anywhere_is_a_checkpoint_error(checkpoint: Path, wrong: object) -> None:
    file = checkpoint / LANGUAGE_MODEL_FOLDER / DESCRIPTION_FILE
    whole = file.read_text(encoding="utf-8")
    expected = described(checkpoint / LANGUAGE_MODEL_FOLDER)
    refused = 0
    for path in _keys(json.loads(whole)):
        file.write_text(whole, encoding="utf-8")
        change(checkpoint, path, ... if wrong == "missing" else wrong)
        try:
            models = read_description(checkpoint, VOCABULARY)
        except CheckpointError:
            refused += 1
        else:  # a value of the right type
            assert isinstance(models.best, StoredModel)
            assert len(models.models) <= len(expected.models)
    assert refused > 20


@pytest.mark.parametrize("contents", ["", "{", "[]", "null", "3", '"x"', '{"format_version": 1}', "\xff"])
def test_what_is_no_description_is_refused(checkpoint: Path, contents: str) -> None:
    (checkpoint / LANGUAGE_MODEL_FOLDER / DESCRIPTION_FILE).write_text(contents, encoding="latin-1")
    with pytest.raises(CheckpointError, match=r"is damaged|cannot be read"):
        read_description(checkpoint, VOCABULARY)


def test_an_unknown_key_and_two_models_of_a_kind_are_refused(checkpoint: Path) -> None:
    change(checkpoint, ("models", 1, "kind"), "word")
    with pytest.raises(CheckpointError, match="two of one kind"):
        read_description(checkpoint, VOCABULARY)
    change(checkpoint, ("models", 1, "smoothing"), "none")
    with pytest.raises(CheckpointError, match=r"models\.1\.smoothing"):
        read_description(checkpoint, VOCABULARY)


def test_a_model_is_opened_with_its_words_spelled(checkpoint: Path) -> None:
    models = read_description(checkpoint, VOCABULARY)
    opened = open_model(checkpoint, models.models[0], VOCABULARY)
    assert opened.lexicon == tuple((word, tuple(VOCABULARY.encode(word))) for word in ("aba", "ba", "na"))
    assert opened.labels == VOCABULARY.tokens
    assert open_model(checkpoint, models.models[1], VOCABULARY).lexicon == ()


@pytest.mark.parametrize("is_missing", [True, False])
def test_a_changed_or_missing_arpa_file_is_refused(checkpoint: Path, is_missing: bool) -> None:
    model = read_description(checkpoint, VOCABULARY).best
    path = arpa_path(checkpoint / LANGUAGE_MODEL_FOLDER, model.kind)
    if is_missing:
        path.unlink()
    else:
        path.write_bytes(path.read_bytes().replace(b"-0.", b"-1.", 1))
    with pytest.raises(CheckpointError, match="is not the file that was made"):
        open_model(checkpoint, model, VOCABULARY)


@pytest.mark.parametrize("contents", [b"ba\nna\nba", b"\xff\xfe", None])
def test_damaged_words_are_refused(checkpoint: Path, contents: bytes | None) -> None:
    path = lexicon_path(checkpoint / LANGUAGE_MODEL_FOLDER)
    if contents is None:
        path.unlink()
    else:
        path.write_bytes(contents)
    with pytest.raises(CheckpointError, match=r"holds a word twice|cannot be read"):
        open_model(checkpoint, read_description(checkpoint, VOCABULARY).models[0], VOCABULARY)
