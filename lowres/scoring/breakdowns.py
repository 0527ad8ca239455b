"""Where the errors fall: by speaker, by duration, on words never seen in training, and in which utterances most."""

from collections import Counter, defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from lowres.scoring.alignment import Alignment
from lowres.scoring.bootstrap import Interval, interval_over_utterances
from lowres.scoring.error_rates import ErrorCounts, count_errors

DURATION_EDGES_SECONDS = (2.0, 4.0, 6.0, 8.0, 10.0, 15.0, 20.0, 30.0)


@dataclass(frozen=True)
class GroupScore:
    """The error counts of one group of utterances (a speaker, a range of durations) with its CER interval."""

    name: str
    num_utterances: int
    duration_seconds: float
    words: ErrorCounts
    characters: ErrorCounts
    character_interval: Interval | None


def score_groups(
    names: Sequence[str],
    durations_seconds: Sequence[float],
    words: Sequence[Alignment],
    characters: Sequence[Alignment],
    *,
    seed: int = 1,
) -> list[GroupScore]:
    """Score every group of utterances that share a name, in the order in which the names first appear.

    All arguments hold one entry per utterance, in the same order.
    """
    members: defaultdict[str, list[int]] = defaultdict(list)
    for index, name in enumerate(names):
        members[name].append(index)
    return [
        GroupScore(
            name=name,
            num_utterances=len(indices),
            duration_seconds=sum(durations_seconds[i] for i in indices),
            words=count_errors(words[i] for i in indices),
            characters=count_errors(characters[i] for i in indices),
            character_interval=interval_over_utterances(
                [characters[i].num_errors for i in indices], [characters[i].num_reference for i in indices], seed=seed
            ),
        )
        for name, indices in members.items()
    ]


def score_speakers(
    speakers: Sequence[str],
    durations_seconds: Sequence[float],
    words: Sequence[Alignment],
    characters: Sequence[Alignment],
) -> list[GroupScore]:
    """Score every speaker, those with the most utterances first; an empty name is a speaker like any other."""
    groups = score_groups(speakers, durations_seconds, words, characters)
    return sorted(groups, key=lambda group: (-group.num_utterances, group.name))


def score_durations(
    durations_seconds: Sequence[float], words: Sequence[Alignment], characters: Sequence[Alignment]
) -> list[GroupScore]:
    """Score utterances by duration, in the bins between `DURATION_EDGES_SECONDS`; empty bins are left out."""
    order = sorted(range(len(durations_seconds)), key=lambda i: durations_seconds[i])
    return score_groups(
        [duration_bin(durations_seconds[i]) for i in order],
        [durations_seconds[i] for i in order],
        [words[i] for i in order],
        [characters[i] for i in order],
    )


def duration_bin(seconds: float) -> str:
    """Name the bin of a duration: "under 2 s", "2-4 s", ..., "30 s and over"; a bin holds its lower edge."""
    lower = [edge for edge in DURATION_EDGES_SECONDS if edge <= seconds]
    upper = [edge for edge in DURATION_EDGES_SECONDS if edge > seconds]
    if not lower:
        return f"under {upper[0]:g} s"
    return f"{lower[-1]:g}-{upper[0]:g} s" if upper else f"{lower[-1]:g} s and over"


@dataclass(frozen=True)
class WordTypeScore:
    """How often one reference word was said in the test, and how often it was heard right."""

    word: str
    num_said: int
    num_right: int


@dataclass(frozen=True)
class UnseenWords:
    """Reference words that the training text never held, against those it did.

    Rates are the share of such reference words that were not heard right, 0-1; insertions belong to no reference
    word and are left out.
    """

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


def score_unseen_words(words: Sequence[Alignment], training_words: Collection[str], limit: int = 20) -> UnseenWords:
    """Tell the words never seen in training from the others, and how often each sort was heard wrong."""
    known = frozenset(training_words)
    said: Counter[str] = Counter()
    right: Counter[str] = Counter()
    for alignment in words:
        said.update(alignment.reference)
        right.update(unit.reference for unit in alignment.units() if unit.operation == "equal" and unit.reference)
    seen = [word for word in said if word in known]
    unseen = [word for word in said if word not in known]
    return UnseenWords(
        num_seen=sum(said[word] for word in seen),
        num_seen_wrong=sum(said[word] - right[word] for word in seen),
        num_unseen=sum(said[word] for word in unseen),
        num_unseen_wrong=sum(said[word] - right[word] for word in unseen),
        most_frequent=[
            WordTypeScore(word, said[word], right[word])
            for word in sorted(unseen, key=lambda word: (-said[word], word))[:limit]
        ],
    )


def worst_utterances(characters: Sequence[Alignment], limit: int = 20) -> list[int]:
    """Return the indices of the utterances with the highest character error rate, worst first.

    An empty reference counts as one character long; of equal rates the one with more errors comes first, then the
    earlier. Utterances without an error are never among them.
    """
    wrong = [index for index, alignment in enumerate(characters) if alignment.num_errors]
    wrong.sort(
        key=lambda i: (-characters[i].num_errors / max(1, characters[i].num_reference), -characters[i].num_errors, i)
    )
    return wrong[:limit]
