"""Which word was heard as which, where some are missing: the free choice of a shortest alignment, made by likeness.

"ba mwána" heard as "mwana" is one word left out and one wrong, whichever is which; jiwer takes any. Here the word left
out is the one least like what was heard. No count changes.
"""

from collections.abc import Sequence

from rapidfuzz.distance import Levenshtein

_MOST_COMPARED = 4_096


def closest_places(shorter: Sequence[str], longer: Sequence[str]) -> list[int] | None:
    """Pair every word of the shorter list with one of the longer, in order, so that the fewest letters differ.

    Args:
        shorter: (n,) words said or heard.
        longer: (m,) words of the other side, m >= n.

    Returns:
        (n,) rising places in `longer`, the earliest of equally good ones; None where there are too many to compare.
    """
    num_spare = len(longer) - len(shorter)
    if len(shorter) * (num_spare + 1) > _MOST_COMPARED:
        return None
    # best[spare]: fewest different letters from this word of the shorter list to its end, with so many words of the
    # longer list skipped before it; the way back is read forward from `paired`.
    best = [0] * (num_spare + 1)
    paired: list[list[bool]] = []
    for place in reversed(range(len(shorter))):
        row, is_paired = [0] * (num_spare + 1), [True] * (num_spare + 1)
        for spare in reversed(range(num_spare + 1)):
            row[spare] = Levenshtein.distance(shorter[place], longer[place + spare]) + best[spare]
            if spare < num_spare and row[spare + 1] < row[spare]:
                row[spare], is_paired[spare] = row[spare + 1], False
        best = row
        paired.append(is_paired)
    places, spare = [], 0
    for place, is_paired in enumerate(reversed(paired)):
        while not is_paired[spare]:
            spare += 1
        places.append(place + spare)
    return places
