"""N-gram language models with modified Kneser-Ney smoothing (Chen and Goodman 1999), as KenLM estimates them.

Every probability is interpolated with that of the shorter context (Heafield et al. 2013, section 3); the unigrams with
the uniform distribution, so that an unknown word has a probability too. Both the words of a word model and the labels
of a character model are "words" here.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
import numpy.typing as npt

from lowres.decoding.ngram_counts import BEGIN_ID, END_ID, UNKNOWN_ID, IntArray, NgramCounts, count_ngrams
from lowres.errors import CorpusError

FloatArray = npt.NDArray[np.float64]

UNKNOWN: Final = "<unk>"
BEGIN: Final = "<s>"
END: Final = "</s>"
RESERVED: Final = (UNKNOWN, BEGIN, END)

NEVER: Final = -99.0
"""log10 of what has no probability, as ARPA files write it."""

_FALLBACK_DISCOUNTS: Final = (0.5, 1.0, 1.5)
"""What KenLM's `--discount_fallback` takes where a text is too small to estimate them."""


@dataclass(frozen=True)
class NgramTable:
    """The n-grams of one order, sorted by context and word as in `NgramCounts`.

    Attributes:
        context, word, suffix: (N,) as there.
        log10_probability: (N,) of the word after its context.
        log10_backoff: (N,) what the probability after the shorter context is multiplied by where this n-gram is the
            context and no longer n-gram is there; 0 where it is no context.
    """

    context: IntArray
    word: IntArray
    suffix: IntArray
    log10_probability: FloatArray
    log10_backoff: FloatArray


@dataclass(frozen=True)
class NgramModel:
    """A back-off model. `words` begins with unknown, begin and end; `tables` holds the orders from 1 up."""

    words: tuple[str, ...]
    tables: tuple[NgramTable, ...]

    fallback_orders: tuple[int, ...] = ()
    """The orders whose discounts could not be estimated from so small a text and are KenLM's fallback."""

    @property
    def order(self) -> int:
        """The longest n."""
        return len(self.tables)

    @cached_property
    def ids(self) -> dict[str, int]:
        """Return the id of each word."""
        return {word: word_id for word_id, word in enumerate(self.words)}

    def distribution(self, context: Sequence[int]) -> FloatArray:
        """Give log10 of the probability of every word after `context`.

        Args:
            context: word ids, the last one nearest; only the last `order - 1` are looked at.

        Returns:
            (V,) for all words of the model; `NEVER` for the begin of a sentence.
        """
        scores = self.tables[0].log10_probability.copy()
        for first in range(len(context) - 1, max(len(context) - self.order, -1), -1):
            index = self._find(context[first:])
            if index is None:
                break
            table = self.tables[len(context) - first]
            scores += self.tables[len(context) - first - 1].log10_backoff[index]
            start, end = np.searchsorted(table.context, [index, index + 1])
            scores[table.word[start:end]] = table.log10_probability[start:end]
        scores[BEGIN_ID] = NEVER
        return scores

    def perplexity(self, sentences: Iterable[Sequence[str]]) -> float:
        """Give the perplexity of a text, ends of sentences counted and unknown words too, as `kenlm` does.

        Raises:
            ValueError: no sentence at all.
        """
        total, count = 0.0, 0
        for sentence in sentences:
            context = [BEGIN_ID]
            for word_id in (*(self.ids.get(word, UNKNOWN_ID) for word in sentence), END_ID):
                total += float(self.distribution(context)[word_id])
                context.append(word_id)
                count += 1
        if not count:
            raise ValueError("the perplexity of no text at all")
        return float(10.0 ** (-total / count))

    def _find(self, words: Sequence[int]) -> int | None:
        """Return the index of an n-gram in its table, or None."""
        index = words[0]
        for table, word in zip(self.tables[1:], words[1:], strict=False):
            start, end = np.searchsorted(table.context, [index, index + 1])
            place = start + int(np.searchsorted(table.word[start:end], word))
            if place == end or table.word[place] != word:
                return None
            index = place
        return int(index)


def estimate_ngrams(
    sentences: Sequence[Sequence[str]],
    *,
    order: int,
    vocabulary: Iterable[str] = (),
    expected: Collection[str] = (),
    expected_share: float = 0.0,
    prune_below: int = 1,
) -> NgramModel:
    """Estimate a model with modified Kneser-Ney smoothing.

    Args:
        sentences: each a sequence of words; words called like the reserved ones count as unknown.
        order: the longest n, at least 1.
        vocabulary: words that get a probability although they may not occur.
        expected: words, such as names, that share `expected_share` (0-1) of the unigrams' probability among them, and
            through it some in each context; what the text says about them is kept.
        prune_below: n-grams of three and more words that occur less often are left out, and what they had is given to
            the shorter contexts.

    Raises:
        CorpusError: no sentence with a word in it.
        ValueError: `order` or `prune_below` below 1.
    """
    if order < 1 or prune_below < 1:
        raise ValueError(f"an order of {order} pruned below {prune_below}: both must be at least 1")
    present = {word for sentence in sentences for word in sentence}
    if not present:
        raise CorpusError("There is no text to make a language model from.", "Are all transcripts empty?")
    expected = set(expected) - set(RESERVED)
    words = (*RESERVED, *sorted((present | set(vocabulary) | expected) - set(RESERVED)))
    ids = {word: word_id for word_id, word in enumerate(words)}
    ids |= dict.fromkeys(RESERVED, UNKNOWN_ID)
    counts = count_ngrams([[ids[word] for word in one] for one in sentences], order=order, num_words=len(words))
    counts = [table for table in counts if len(table.word)]
    mixed_in = np.zeros(len(words))
    if expected:
        mixed_in[[ids[word] for word in expected]] = expected_share / len(expected)
    tables, fallback = _smooth(counts, mixed_in)
    if prune_below > 1:
        tables = _prune(tables, [table.times for table in counts], prune_below)
    return NgramModel(words, tuple(tables), tuple(fallback))


def _smooth(counts: list[NgramCounts], mixed_in: FloatArray) -> tuple[list[NgramTable], list[int]]:
    """Return the tables, and the orders with fallback discounts; `mixed_in` (V,) is a part of all unigrams' 1."""
    tables: list[NgramTable] = []
    fallback = []
    below = np.zeros(1)
    for order, table in enumerate(counts, start=1):
        adjusted = table.adjusted.astype(np.float64)
        if order == 1:
            adjusted[BEGIN_ID] = 0  # it is never predicted
            below = np.array([1.0 / (len(adjusted) - 1)])  # uniform over all but the begin
        discounts = _estimate_discounts(adjusted)
        if discounts is None:
            discounts = _FALLBACK_DISCOUNTS
            fallback.append(order)
        taken = np.array([0.0, *discounts])[np.minimum(adjusted, 3).astype(np.int64)]
        num_contexts = len(counts[order - 2].word) if order > 1 else 1
        totals = np.bincount(table.context, adjusted, num_contexts)
        kept_back = np.bincount(table.context, taken, num_contexts) / np.maximum(totals, 1)
        # In an empty context everything is left to the shorter one.
        kept_back[totals == 0] = 1.0
        own = (adjusted - taken) / np.maximum(totals[table.context], 1)
        below = own + kept_back[table.context] * below[table.suffix]
        if order == 1:
            below = (1 - mixed_in.sum()) * below + mixed_in
        logs = np.log10(below)
        if order == 1:
            logs[BEGIN_ID] = NEVER
        else:
            tables[-1] = _with_backoff(tables[-1], kept_back)
        tables.append(NgramTable(table.context, table.word, table.suffix, logs, np.zeros(len(logs))))
    return tables, fallback


def _with_backoff(table: NgramTable, backoff: FloatArray) -> NgramTable:
    logs = np.log10(np.maximum(backoff, 10**NEVER))
    return NgramTable(table.context, table.word, table.suffix, table.log10_probability, logs)


def _estimate_discounts(adjusted: FloatArray) -> tuple[float, float, float] | None:
    """Return what is taken from counts of one, two, and three or more (Chen and Goodman 1999, equation 26); or None."""
    t = [int((adjusted == times).sum()) for times in range(1, 5)]
    if not all(t):
        return None
    y = t[0] / (t[0] + 2 * t[1])
    discounts = tuple(k - (k + 1) * y * t[k] / t[k - 1] for k in (1, 2, 3))
    if not all(0 <= discount <= k for k, discount in enumerate(discounts, start=1)):
        return None
    return discounts[0], discounts[1], discounts[2]


def _prune(tables: list[NgramTable], times: list[IntArray], prune_below: int) -> list[NgramTable]:
    """Leave out rare n-grams of three and more words, and let each context's probabilities sum to one again."""
    keep = [np.ones(len(table.word), dtype=bool) for table in tables]
    for level in range(len(tables) - 1, 1, -1):
        keep[level] &= times[level] >= prune_below
        if level + 1 < len(tables):  # what a longer one is made of must stay
            keep[level][tables[level + 1].context[keep[level + 1]]] = True
            keep[level][tables[level + 1].suffix[keep[level + 1]]] = True
    pruned: list[NgramTable] = []
    new_index = np.zeros(1, dtype=np.int64)
    for table, kept in zip(tables, keep, strict=True):
        context, suffix = new_index[table.context[kept]], new_index[table.suffix[kept]]
        logs = table.log10_probability[kept]
        if pruned:
            shorter = pruned[-1]
            num = len(shorter.word)
            explicit = np.bincount(context, 10**logs, num)
            covered = np.bincount(context, 10 ** shorter.log10_probability[suffix], num)
            is_context = np.bincount(context, minlength=num) > 0
            left = np.maximum(1 - explicit, 0) / np.maximum(1 - covered, 1e-12)
            pruned[-1] = _with_backoff(shorter, np.where(is_context, left, 1.0))
        pruned.append(NgramTable(context, table.word[kept], suffix, logs, np.zeros(len(logs))))
        new_index = np.cumsum(kept) - 1
    return [table for table in pruned if len(table.word)]
