"""Interpolated modified Kneser-Ney smoothing as the papers write it, word by word, to compare the fast one with."""

from collections import Counter
from collections.abc import Iterable, Sequence

from lowres.decoding.ngram import RESERVED

UNKNOWN, BEGIN, END = RESERVED
Ngram = tuple[str, ...]


class SlowKneserNey:
    """Chen and Goodman 1999, section 4.1.6, with KenLM's conventions; every figure is looked up in dictionaries."""

    def __init__(self, sentences: Sequence[Sequence[str]], order: int, vocabulary: Iterable[str] = ()) -> None:
        self.order = order
        known = [[UNKNOWN if word in RESERVED else word for word in sentence] for sentence in sentences]
        padded = [[BEGIN, *sentence, END] for sentence in known]
        self.words = {UNKNOWN, END} | {word for sentence in known for word in sentence} | set(vocabulary)
        counts = {n: Counter(_ngrams(padded, n)) for n in range(1, order + 2)}
        self.adjusted: dict[int, dict[Ngram, int]] = {}
        for n in range(1, order + 1):
            before = Counter(longer[1:] for longer in counts[n + 1])
            self.adjusted[n] = {
                ngram: times if n == order or ngram[0] == BEGIN else before[ngram]
                for ngram, times in counts[n].items()
                if ngram != (BEGIN,)
            }
        self.discounts = {n: _discounts(list(self.adjusted[n].values())) for n in self.adjusted}

    def probability(self, word: str, context: Ngram) -> float:
        """P(word | context), of which only the last order - 1 words count."""
        context = context[max(len(context) - self.order + 1, 0) :] if self.order > 1 else ()
        n = len(context) + 1
        shorter = self.probability(word, context[1:]) if context else 1 / len(self.words)
        following = {ngram[-1]: count for ngram, count in self.adjusted[n].items() if ngram[:-1] == context}
        total = sum(following.values())
        if not total:
            return shorter
        taken = {other: self.discounts[n][min(count, 3)] for other, count in following.items()}
        own = (following[word] - taken[word]) / total if word in following else 0.0
        return own + sum(taken.values()) / total * shorter


def _ngrams(sentences: Sequence[Sequence[str]], n: int) -> list[Ngram]:
    return [tuple(one[at : at + n]) for one in sentences for at in range(len(one) - n + 1)]


def _discounts(counts: list[int]) -> tuple[float, float, float, float]:
    t1, t2, t3, t4 = (counts.count(times) for times in (1, 2, 3, 4))
    if t1 and t2 and t3 and t4:
        y = t1 / (t1 + 2 * t2)
        found = (1 - 2 * y * t2 / t1, 2 - 3 * y * t3 / t2, 3 - 4 * y * t4 / t3)
        if all(0 <= discount <= count for count, discount in enumerate(found, start=1)):
            return (0.0, *found)
    return (0.0, 0.5, 1.0, 1.5)
