"""Counts of n-grams for Kneser-Ney smoothing (Chen and Goodman 1999; Heafield et al. 2013, section 3)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

IntArray = npt.NDArray[np.int64]

UNKNOWN_ID: Final = 0
BEGIN_ID: Final = 1
END_ID: Final = 2


@dataclass(frozen=True)
class NgramCounts:
    """The different n-grams of one order, sorted by `context` and then by `word`.

    Attributes:
        context: (N,) which (n-1)-gram stands before the last word, an index into the order below; all 0 for unigrams.
        word: (N,) the last word.
        suffix: (N,) the n-gram without its first word, an index into the order below; all 0 for unigrams.
        times: (N,) how often it occurs.
        adjusted: (N,) its Kneser-Ney count: `times` in the highest order and after the begin of a sentence, else the
            number of different words that stand before it.
    """

    context: IntArray
    word: IntArray
    suffix: IntArray
    times: IntArray
    adjusted: IntArray


def count_ngrams(sentences: Sequence[Sequence[int]], *, order: int, num_words: int) -> list[NgramCounts]:
    """Count the n-grams of all orders from 1 to `order`, within sentences.

    Args:
        sentences: word ids, without begin and end, which are put around each.
        order: the highest n, at least 1.
        num_words: the size of the vocabulary, with unknown, begin and end (ids 0, 1, 2).

    Returns:
        `order` tables; the unigrams are all words of the vocabulary, at the index of their id, also those that never
        occur. A high order that no sentence is long enough for is empty.
    """
    words, place = _flatten(sentences)
    times = np.bincount(words, minlength=num_words).astype(np.int64)
    ids = np.arange(num_words, dtype=np.int64)
    zeros = np.zeros(num_words, dtype=np.int64)
    found = [NgramCounts(zeros, ids, zeros, times, times)]
    ending_here = words  # index of the n-gram that ends at each place; -1 where the sentence is still too short
    for length in range(2, order + 1):
        at = np.flatnonzero(place >= length - 1)
        keys, first, inverse, counts = np.unique(
            ending_here[at - 1] * num_words + words[at], return_index=True, return_inverse=True, return_counts=True
        )
        suffix = ending_here[at][first] if len(at) else np.zeros(0, dtype=np.int64)
        counts = counts.astype(np.int64)
        found.append(NgramCounts(keys // num_words, keys % num_words, suffix, counts, counts))
        ending_here = np.full(len(words), -1, dtype=np.int64)
        ending_here[at] = inverse
    return _adjust(found)


def _flatten(sentences: Sequence[Sequence[int]]) -> tuple[IntArray, IntArray]:
    """Return (W,) the words of all sentences with begin and end, and the place of each in its sentence."""
    lengths = np.array([len(sentence) + 2 for sentence in sentences], dtype=np.int64)
    words = np.fromiter(
        (word for sentence in sentences for word in (BEGIN_ID, *sentence, END_ID)), np.int64, int(lengths.sum())
    )
    starts = np.cumsum(lengths) - lengths
    return words, np.arange(len(words)) - np.repeat(starts, lengths)


def _adjust(found: list[NgramCounts]) -> list[NgramCounts]:
    adjusted = []
    begins = np.arange(len(found[0].word)) == BEGIN_ID
    for here, above in zip(found, [*found[1:], None], strict=True):
        if here is not found[0]:
            begins = begins[here.context]
        counts = here.times
        if above is not None:
            predecessors = np.bincount(above.suffix, minlength=len(here.word)).astype(np.int64)
            counts = np.where(begins, here.times, predecessors)
        adjusted.append(NgramCounts(here.context, here.word, here.suffix, here.times, counts))
    return adjusted
