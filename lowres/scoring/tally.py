"""How often each unit was heard as each other, counted in one pass over alignments that need not be kept."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from lowres.scoring.alignment import Alignment

MAX_UTTERANCES = 12
"""Of each error, the numbers of so many utterances are kept, to listen to."""

Pair = tuple[str, str]


@dataclass(frozen=True)
class PairTally:
    """What N alignments hold.

    Attributes:
        said: how often each unit stands in the references.
        errors: how often each unit was heard as another; "" said is an insertion, "" heard a deletion.
        utterances: for each such pair the numbers (0 to N - 1) of the first utterances in which it happened, each
            once, `MAX_UTTERANCES` at most.
    """

    said: Counter[str]
    errors: Counter[Pair]
    utterances: dict[Pair, tuple[int, ...]]


def tally_pairs(alignments: Iterable[Alignment]) -> PairTally:
    """Count what was said and every error of N alignments, in their order."""
    said: Counter[str] = Counter()
    errors: Counter[Pair] = Counter()
    utterances: dict[Pair, tuple[int, ...]] = {}
    for number, alignment in enumerate(alignments):
        said.update(alignment.reference)
        if not alignment.num_errors:
            continue
        for unit in alignment.errors():
            pair = (unit.reference or "", unit.hypothesis or "")
            errors[pair] += 1
            known = utterances.get(pair, ())
            if len(known) < MAX_UTTERANCES and (not known or known[-1] != number):
                utterances[pair] = (*known, number)
    return PairTally(said, errors, utterances)
