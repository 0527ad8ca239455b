"""Beam search with every kind of vocabulary: spelled as the recogniser spells, with words and without."""

from itertools import chain
from pathlib import Path

import numpy as np
import pytest
from recognizers import KINDS, vocabulary_of

from lowres.decoding.arpa import write_arpa
from lowres.decoding.beam_search import BeamDecoder, BeamHypothesis, BeamSettings, LogProbs
from lowres.decoding.ngram import RESERVED, estimate_ngrams
from lowres.decoding.stored_models import beam_model
from lowres.text.vocabulary import Vocabulary

TEXTS = ["ba ɓa tsa na", "tsé ngo ba bá", "a ngo tsa ng é", "na na bo ɓo", "baa naa tsaa ba", "na ba"]


def open_decoder(folder: Path, kind: str, vocabulary: Vocabulary) -> BeamDecoder:
    if kind == "word":
        ngrams = estimate_ngrams([text.split() for text in TEXTS], order=2)
    else:
        spelled = [[vocabulary.tokens[token] for token in vocabulary.encode(text)] for text in TEXTS]
        ngrams = estimate_ngrams(spelled, order=4, vocabulary=vocabulary.tokens[1:])
    path = folder / f"{kind}.arpa"
    write_arpa(ngrams, path)
    words = list(ngrams.words[len(RESERVED) :]) if kind == "word" else []
    return BeamDecoder(beam_model("word" if kind == "word" else "character", path, vocabulary, words))


def say(text: str, vocabulary: Vocabulary, *, frames_per_label: int, blanks: int, sure: float = 0.9) -> LogProbs:
    """Frames of a text: each label some frames long, blanks between, one at least where a label follows itself."""
    path: list[int] = [0]
    for token in vocabulary.encode(text):
        path += [0] * max(blanks, int(path[-1] == token)) + [token] * frames_per_label
    scores = np.full((len(path), len(vocabulary)), (1 - sure) / (len(vocabulary) - 1))
    scores[np.arange(len(path)), path] = sure
    return np.log(scores).astype(np.float32)


def write(best: BeamHypothesis, vocabulary: Vocabulary) -> str:
    return " ".join(best.words) if best.words is not None else vocabulary.decode(best.token_ids).strip()


@pytest.mark.parametrize("vocabulary_kind", KINDS)
@pytest.mark.parametrize("model_kind", ["word", "character"])
@pytest.mark.parametrize(("frames_per_label", "blanks"), [(1, 0), (1, 2), (2, 0), (3, 1), (5, 3)])
def test_what_was_said_clearly_comes_out(
    tmp_path: Path, vocabulary_kind: str, model_kind: str, frames_per_label: int, blanks: int
) -> None:
    vocabulary = vocabulary_of(TEXTS, vocabulary_kind)
    decoder = open_decoder(tmp_path, model_kind, vocabulary)
    for text in TEXTS:
        frames = say(text, vocabulary, frames_per_label=frames_per_label, blanks=blanks)
        assert write(decoder.decode(frames, BeamSettings(0.5))[0], vocabulary) == text


@pytest.mark.parametrize("vocabulary_kind", KINDS)
def test_only_words_of_the_lexicon_come_out(tmp_path: Path, vocabulary_kind: str) -> None:
    vocabulary = vocabulary_of(TEXTS, vocabulary_kind)
    decoder = open_decoder(tmp_path, "word", vocabulary)
    known = set(chain.from_iterable(text.split() for text in TEXTS))
    logits = np.random.default_rng(1).normal(size=(60, len(vocabulary))) * 2
    frames = (logits - np.logaddexp.reduce(logits, axis=1, keepdims=True)).astype(np.float32)
    found = decoder.decode(frames, BeamSettings(0.5, word_bonus=2.0))[0].words
    assert found
    assert set(found) <= known


def test_a_last_piece_of_several_frames_is_one_piece(tmp_path: Path) -> None:
    """flashlight leaves a word with the first frame of its last label: without care the rest became other words."""
    vocabulary = vocabulary_of(TEXTS, "sentencepiece")
    decoder = open_decoder(tmp_path, "word", vocabulary)
    for frames_per_label in (1, 2, 4, 9):
        best = decoder.decode(say("na ba", vocabulary, frames_per_label=frames_per_label, blanks=0), BeamSettings(0.0))
        assert best[0].words == ("na", "ba")


def test_words_that_cannot_be_spelled_are_left_out(tmp_path: Path) -> None:
    vocabulary = vocabulary_of(["ba na"], "characters")
    model = beam_model("word", tmp_path / "x.arpa", vocabulary, ["ba", "baz", "", "zzz", "an"])
    assert [word for word, _ in model.lexicon] == ["ba", "an"]


@pytest.mark.parametrize("vocabulary_kind", KINDS)
@pytest.mark.parametrize("model_kind", ["word", "character"])
def test_the_best_few_read_differently(tmp_path: Path, vocabulary_kind: str, model_kind: str) -> None:
    """Pieces and multigraphs spell one text in several ways."""
    vocabulary = vocabulary_of(TEXTS, vocabulary_kind)
    decoder = open_decoder(tmp_path, model_kind, vocabulary)
    for seed, text in enumerate(TEXTS):
        noise = np.random.default_rng(seed).normal(size=(1, len(vocabulary)))
        frames = say(text, vocabulary, frames_per_label=1, blanks=1, sure=0.3) + noise.astype(np.float32)
        found = decoder.decode(frames, BeamSettings(0.5, beam_size=200), num_best=12)
        read = [" ".join(write(one, vocabulary).split()) for one in found]
        assert len(set(read)) == len(read) > 1
