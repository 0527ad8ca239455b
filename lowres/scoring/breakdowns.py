"""Where the errors fall: by speaker, duration, speaking rate and loudness, and in which utterances most."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from lowres.scoring.alignment import Alignment
from lowres.scoring.bootstrap import Interval, interval_over_utterances
from lowres.scoring.error_rates import ErrorCounts, count_errors

DURATION_EDGES_SECONDS = (2.0, 4.0, 6.0, 8.0, 10.0, 15.0, 20.0, 30.0)
LEVEL_EDGES_DB = (-45.0, -40.0, -35.0, -30.0, -25.0, -20.0, -15.0)
_Aligned = tuple[Sequence[Alignment], Sequence[Alignment]]


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
    return _score_bins(durations_seconds, DURATION_EDGES_SECONDS, duration_bin, durations_seconds, (words, characters))


def duration_bin(seconds: float) -> str:
    """Name the bin of a duration: "under 2 s", "2-4 s", ..., "30 s and over"; a bin holds its lower edge."""
    return _name_bin(seconds, DURATION_EDGES_SECONDS, "-", "s")


def score_speaking_rates(
    durations_seconds: Sequence[float], words: Sequence[Alignment], characters: Sequence[Alignment]
) -> list[GroupScore]:
    """Score the slow, the middling and the fast third of the utterances, slowest first.

    Speaking rate is characters of the reference, spaces included, per second. The names tell the edges, rounded to a
    tenth, and the utterances are divided at those; where many speak alike there are fewer than three groups.
    Utterances without a reference or without a length are left out.
    """
    rates = [
        alignment.num_reference / seconds if alignment.num_reference and seconds > 0 else None
        for alignment, seconds in zip(characters, durations_seconds, strict=True)
    ]
    known = [rate for rate in rates if rate is not None]
    if not known:
        return []
    edges = sorted({round(float(edge), 1) for edge in np.quantile(known, [1 / 3, 2 / 3])})
    return _score_bins(
        rates,
        edges,
        lambda rate: _name_bin(rate, edges, "-", "characters/s", digits=1),
        durations_seconds,
        (words, characters),
    )


def score_levels(
    levels_db: Sequence[float | None],
    durations_seconds: Sequence[float],
    words: Sequence[Alignment],
    characters: Sequence[Alignment],
) -> list[GroupScore]:
    """Score utterances by how loud they were recorded, in the bins between `LEVEL_EDGES_DB`, quietest first.

    Args:
        levels_db: of each utterance, its level in dB below full scale (0 and less), as `rms_dbfs` of
            `lowres.audio.measure`; None where it is not known. Those make a last group, "unknown".
        durations_seconds: of each utterance.
        words: its word alignment.
        characters: its character alignment.
    """
    groups = _score_bins(levels_db, LEVEL_EDGES_DB, level_bin, durations_seconds, (words, characters))
    unknown = [i for i, level in enumerate(levels_db) if level is None]
    if not unknown or not groups:
        return groups
    return [*groups, *_score_some(unknown, ["unknown"] * len(unknown), durations_seconds, (words, characters))]


def level_bin(level_db: float) -> str:
    """Name the bin of a level: "under -45 dB", "-45 to -40 dB", ..., "-15 dB and over"; it holds its lower edge."""
    return _name_bin(level_db, LEVEL_EDGES_DB, " to ", "dB")


def _score_bins(
    values: Sequence[float | None],
    edges: Sequence[float],
    name: Callable[[float], str],
    durations_seconds: Sequence[float],
    aligned: _Aligned,
) -> list[GroupScore]:
    """Score the bins of the values that are known, lowest first; empty bins are left out."""
    known = [(value, index) for index, value in enumerate(values) if value is not None]
    known.sort(key=lambda one: bisect_right(edges, one[0]))
    return _score_some([i for _, i in known], [name(value) for value, _ in known], durations_seconds, aligned)


def _score_some(
    indices: Sequence[int], names: Sequence[str], durations_seconds: Sequence[float], aligned: _Aligned
) -> list[GroupScore]:
    words, characters = aligned
    return score_groups(
        names, [durations_seconds[i] for i in indices], [words[i] for i in indices], [characters[i] for i in indices]
    )


def _name_bin(value: float, edges: Sequence[float], between: str, unit: str, *, digits: int | None = None) -> str:
    place = bisect_right(edges, value)
    shown = [f"{edge:g}" if digits is None else f"{edge:.{digits}f}" for edge in edges]
    if place == 0:
        return f"under {shown[0]} {unit}"
    if place == len(edges):
        return f"{shown[-1]} {unit} and over"
    return f"{shown[place - 1]}{between}{shown[place]} {unit}"


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
