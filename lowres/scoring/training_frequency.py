"""Rare words and common ones: how often a reference word stood in the training text, and how often it was heard right.

Rates are the share of such reference words that were not heard right, 0-1; insertions belong to no reference word and
are left out.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from lowres.scoring.alignment import Alignment

# The least number of times in training, and the name.
_BANDS = ((0, "never in training"), (1, "once"), (2, "2-9 times"), (10, "10 times or more"))


@dataclass(frozen=True)
class WordTypeScore:
    """How often one reference word was said in the test, and how often it was heard right."""

    word: str
    num_said: int
    num_right: int


@dataclass(frozen=True)
class UnseenWords:
    """Reference words that the training text never held, against those it did."""

    num_seen: int
    num_seen_wrong: int
    num_unseen: int
    num_unseen_wrong: int
    most_frequent: list[WordTypeScore]

    @property
    def seen_error_rate(self) -> float | None:
        """Share of the words known from training that were heard wrong; None where there are none."""
        return self.num_seen_wrong / self.num_seen if self.num_seen else None

    @property
    def unseen_error_rate(self) -> float | None:
        """Share of the words never seen in training that were heard wrong; None where there are none."""
        return self.num_unseen_wrong / self.num_unseen if self.num_unseen else None


@dataclass(frozen=True)
class FrequencyBand:
    """The reference words that stood so often in the training text.

    Attributes:
        name: how often: "never in training", "once", "2-9 times" or "10 times or more".
        num_types: how many different words.
        num_said: how often they were said in the test, together.
        num_wrong: how often they were not heard right.
        share_of_errors: `num_wrong` as a share of that of all bands, 0-1; 0 where nothing was wrong.
        most_missed: the words most often wrong.
    """

    name: str
    num_types: int
    num_said: int
    num_wrong: int
    share_of_errors: float
    most_missed: list[WordTypeScore]

    @property
    def error_rate(self) -> float | None:
        """Share of these words that were not heard right, 0-1; None where none was said."""
        return self.num_wrong / self.num_said if self.num_said else None


@dataclass(frozen=True)
class WordRecall:
    """For each reference word, how often it was said in the test and how often it was heard right."""

    said: Counter[str]
    right: Counter[str]

    def score_of(self, word: str) -> WordTypeScore:
        """Return the figures of one word."""
        return WordTypeScore(word, self.said[word], self.right[word])

    def num_wrong(self, words: Iterable[str]) -> int:
        """Add up how often these words were not heard right."""
        return sum(self.said[word] - self.right[word] for word in words)


def recall_words(words: Iterable[Alignment]) -> WordRecall:
    """Count for each reference word how often it was said and how often heard right."""
    said: Counter[str] = Counter()
    right: Counter[str] = Counter()
    for alignment in words:
        said.update(alignment.reference)
        for chunk in alignment.chunks():
            if chunk.operation == "equal":
                right.update(alignment.reference[chunk.reference_start : chunk.reference_end])
    return WordRecall(said, right)


def score_unseen_words(recall: WordRecall, training_counts: Mapping[str, int], limit: int = 20) -> UnseenWords:
    """Tell the words never seen in training from the others, and how often each sort was heard wrong."""
    seen = [word for word in recall.said if training_counts.get(word, 0)]
    unseen = [word for word in recall.said if not training_counts.get(word, 0)]
    return UnseenWords(
        num_seen=sum(recall.said[word] for word in seen),
        num_seen_wrong=recall.num_wrong(seen),
        num_unseen=sum(recall.said[word] for word in unseen),
        num_unseen_wrong=recall.num_wrong(unseen),
        most_frequent=[
            recall.score_of(word) for word in sorted(unseen, key=lambda word: (-recall.said[word], word))[:limit]
        ],
    )


def score_training_frequency(
    recall: WordRecall, training_counts: Mapping[str, int], limit: int = 20
) -> list[FrequencyBand]:
    """Score the reference words by how often they stood in the training text, in four bands, the rarest first.

    Args:
        recall: what became of each reference word.
        training_counts: how often each word stands in the training text, spelt as the references are.
        limit: how many of the most missed words each band lists.
    """
    members: list[list[str]] = [[] for _ in _BANDS]
    for word in recall.said:
        times = training_counts.get(word, 0)
        members[max(band for band, (least, _) in enumerate(_BANDS) if times >= least)].append(word)
    all_wrong = recall.num_wrong(recall.said)
    bands = []
    for (_, name), words in zip(_BANDS, members, strict=True):
        num_wrong = recall.num_wrong(words)
        scores = sorted(
            (recall.score_of(word) for word in words if recall.right[word] < recall.said[word]),
            key=lambda one: (one.num_right - one.num_said, one.word),
        )
        bands.append(
            FrequencyBand(
                name=name,
                num_types=len(words),
                num_said=sum(recall.said[word] for word in words),
                num_wrong=num_wrong,
                share_of_errors=num_wrong / all_wrong if all_wrong else 0.0,
                most_missed=scores[:limit],
            )
        )
    return bands
