"""What is new in a draft transcript: runs of labels that the training text does not have."""

from collections.abc import Iterable, Sequence

RUN_LENGTH = 3


def runs_of(token_ids: Sequence[int]) -> set[tuple[int, ...]]:
    """Return the different runs of three labels, word boundaries included."""
    return {tuple(token_ids[place : place + RUN_LENGTH]) for place in range(len(token_ids) - RUN_LENGTH + 1)}


def all_runs(texts: Iterable[Sequence[int]]) -> set[tuple[int, ...]]:
    """Return the different runs of many texts."""
    found: set[tuple[int, ...]] = set()
    for token_ids in texts:
        found |= runs_of(token_ids)
    return found
