"""What kind of error each wrong word is: tone alone, length alone, other marks alone, its boundaries, or its letters.

Every word error has exactly one kind, so that the kinds add up to the word errors that were counted.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal

from lowres.scoring.alignment import Alignment, ErrorRun
from lowres.scoring.marks import differ_only_in_length, differ_only_in_marks, differ_only_in_tone

ErrorKind = Literal["tone", "length", "diacritic", "boundary", "added", "left out", "other"]
ERROR_KINDS: Final[tuple[ErrorKind, ...]] = ("tone", "length", "diacritic", "boundary", "added", "left out", "other")


@dataclass(frozen=True)
class KindCount:
    """One kind of error: how many word errors are of it, and what was said and heard, how often, most frequent first.

    Of a boundary error both sides are the whole run of words ("la mi", "lami"), which may be several word errors; an
    added word was said as "", one left out was heard as "".
    """

    kind: ErrorKind
    num_errors: int
    examples: list[tuple[str, str, int]]


@dataclass(frozen=True)
class ErrorKinds:
    """All kinds in the order of `ERROR_KINDS`, and for each of N utterances its word errors by kind.

    A kind that an utterance has no error of is missing from its entry, so the entry of a faultless one is empty.
    Utterances with the same errors may share one entry: read it, never change it.
    """

    counts: list[KindCount]
    by_utterance: list[Mapping[ErrorKind, int]]


def classify_errors(words: Sequence[Alignment], limit: int = 20) -> ErrorKinds:
    """Give every word error its kind.

    * `boundary`: the stretch of errors it belongs to has the right letters once spaces are set aside.
    * `tone`, `length`: a word heard as another that differs in tone marks alone, or in the length of sounds alone.
    * `diacritic`: it differs in marks alone, and not all of them write tone.
    * `added`, `left out`: a word nobody said, or nobody heard.
    * `other`: its letters differ, or several of these at once.

    `lowres.scoring.marks` says which mark counts as what.

    Args:
        words: N word alignments.
        limit: how many examples of each kind are kept.
    """
    totals: Counter[ErrorKind] = Counter()
    examples: dict[ErrorKind, Counter[tuple[str, str]]] = {kind: Counter() for kind in ERROR_KINDS}
    by_utterance: list[Mapping[ErrorKind, int]] = []
    shared: dict[frozenset[tuple[ErrorKind, int]], Mapping[ErrorKind, int]] = {}
    for alignment in words:
        found: Counter[ErrorKind] = Counter()
        for run in alignment.error_runs():
            for kind, said, heard, num_errors in _kinds_of(run):
                found[kind] += num_errors
                examples[kind][said, heard] += 1
        totals.update(found)
        by_utterance.append(shared.setdefault(frozenset(found.items()), dict(found)))
    return ErrorKinds(
        counts=[KindCount(kind, totals[kind], _most_frequent(examples[kind], limit)) for kind in ERROR_KINDS],
        by_utterance=by_utterance,
    )


def _kinds_of(run: ErrorRun) -> Iterator[tuple[ErrorKind, str, str, int]]:
    """Yield kind, what was said and heard, and the number of word errors."""
    if run.is_spacing:
        yield "boundary", " ".join(run.said), " ".join(run.heard), run.num_errors
        return
    for unit in run.units:
        if unit.reference is None:
            yield "added", "", unit.hypothesis or "", 1
        elif unit.hypothesis is None:
            yield "left out", unit.reference, "", 1
        else:
            yield kind_of_pair(unit.reference, unit.hypothesis), unit.reference, unit.hypothesis, 1


@lru_cache(maxsize=65536)
def kind_of_pair(said: str, heard: str) -> ErrorKind:
    """Tell how one word differs from another: "tone", "length", "diacritic" or "other"."""
    if differ_only_in_tone(said, heard):
        return "tone"
    if differ_only_in_length(said, heard):
        return "length"
    # The same letters written as one code point and as two look the same: no sound is wrong, only its marks' coding.
    return "diacritic" if differ_only_in_marks(said, heard) else "other"


def _most_frequent(counts: Counter[tuple[str, str]], limit: int) -> list[tuple[str, str, int]]:
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:limit]
    return [(said, heard, count) for (said, heard), count in ordered]
