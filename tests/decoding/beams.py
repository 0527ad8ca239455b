"""Small recognisers' scores and models to search them with, and a search that tries every path."""

from collections.abc import Callable, Sequence
from itertools import groupby, product
from pathlib import Path

import numpy as np

from lowres.decoding.arpa import write_arpa
from lowres.decoding.beam_search import BLANK_ID, BeamModel, LogProbs
from lowres.decoding.ngram import BEGIN, NgramModel, estimate_ngrams

LABELS = ("-", "|", "a", "b", "c")
BOUNDARY_ID = 1
Labels = tuple[int, ...]


def spell(text: str) -> Labels:
    """Label ids of a text over the letters of LABELS."""
    return tuple(LABELS.index(letter) for letter in text.replace(" ", "|"))


def read(token_ids: Sequence[int]) -> str:
    """The text of label ids."""
    return "".join(LABELS[token] for token in token_ids).replace("|", " ").strip()


def scores_of(path: str, *, sure: float = 0.9, labels: Sequence[str] = LABELS) -> LogProbs:
    """Log-probabilities (T, V) whose likeliest path is `path`, a sign a frame, each with probability `sure`."""
    best = [labels.index(sign) for sign in path.replace(" ", "|")]
    scores = np.full((len(best), len(labels)), (1 - sure) / (len(labels) - 1))
    scores[np.arange(len(best)), best] = sure
    return np.log(scores).astype(np.float32)


def random_scores(num_frames: int, *, seed: int, num_labels: int = len(LABELS), peak: float = 2.0) -> LogProbs:
    """Log-probabilities (T, V) of no likely path."""
    logits = np.random.default_rng(seed).normal(size=(num_frames, num_labels)) * peak
    return (logits - np.logaddexp.reduce(logits, axis=1, keepdims=True)).astype(np.float32)


def character_model(folder: Path, texts: Sequence[str], *, order: int = 3) -> tuple[BeamModel, NgramModel]:
    """A model of the letters of some texts."""
    ngrams = estimate_ngrams([[LABELS[i] for i in spell(text)] for text in texts], order=order, vocabulary=LABELS[1:])
    write_arpa(ngrams, folder / "character.arpa")
    return BeamModel("character", folder / "character.arpa", LABELS, BOUNDARY_ID), ngrams


def word_model(
    folder: Path, texts: Sequence[str], *, order: int = 2, expected: Sequence[str] = (), share: float = 0.0
) -> tuple[BeamModel, NgramModel]:
    """A model of the words of some texts."""
    ngrams = estimate_ngrams([text.split() for text in texts], order=order, expected=expected, expected_share=share)
    write_arpa(ngrams, folder / "word.arpa")
    lexicon = tuple((word, spell(word)) for word in ngrams.words[3:])
    return BeamModel("word", folder / "word.arpa", LABELS, BOUNDARY_ID, lexicon), ngrams


def best_paths(log_probs: LogProbs) -> dict[Labels, float]:
    """The best path's score of every label sequence, by trying all paths."""
    found: dict[Labels, float] = {}
    for path in product(range(log_probs.shape[1]), repeat=len(log_probs)):
        labels = tuple(label for label, _ in groupby(path) if label != BLANK_ID)
        score = float(sum(log_probs[frame, label] for frame, label in enumerate(path)))
        found[labels] = max(score, found.get(labels, -np.inf))
    return found


def language_score(ngrams: NgramModel, words: Sequence[str]) -> float:
    """log10 of a sentence's probability, its end counted."""
    ids = [ngrams.ids[BEGIN], *(ngrams.ids[word] for word in words), ngrams.ids["</s>"]]
    return float(sum(ngrams.distribution(ids[:at])[ids[at]] for at in range(1, len(ids))))


def best_of(scored: dict[Labels, float], bonus: Callable[[Labels], float | None]) -> tuple[Labels, float]:
    """The best label sequence and its score with what `bonus` adds; None rules it out."""
    totals = {labels: score + more for labels, score in scored.items() if (more := bonus(labels)) is not None}
    winner = max(totals, key=lambda labels: totals[labels])
    return winner, totals[winner]
