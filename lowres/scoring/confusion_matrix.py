"""Which letters are heard as which: the matrix of those most involved in errors."""

from collections import Counter
from dataclasses import dataclass

from lowres.scoring.marks import remove_marks
from lowres.scoring.tally import PairTally

NUM_GRAPHEMES = 24


@dataclass(frozen=True)
class ConfusionMatrix:
    """How often each of G graphemes was heard as each.

    Attributes:
        graphemes: (G,) those most involved in errors, said or heard; letters that differ in marks alone stand side by
            side. The space may be one of them.
        counts: (G + 1, G + 1). Row: what was said, the last row what nobody said (added). Column: what was heard, the
            last column what nobody heard (left out). The diagonal is what was right; the last corner is 0.
        num_said: (G,) how often each was said. What a row lacks was heard as a grapheme outside of the matrix.
    """

    graphemes: list[str]
    counts: list[list[int]]
    num_said: list[int]

    @property
    def row_names(self) -> list[str]:
        """(G + 1,) what was said; "" for what nobody said."""
        return [*self.graphemes, ""]

    @property
    def column_names(self) -> list[str]:
        """(G + 1,) what was heard; "" for what nobody heard."""
        return [*self.graphemes, ""]


def confusion_matrix(graphemes: PairTally, limit: int = NUM_GRAPHEMES) -> ConfusionMatrix:
    """Lay out the errors of the `limit` graphemes most involved in them; without errors the matrix has no grapheme."""
    involved: Counter[str] = Counter()
    wrong: Counter[str] = Counter()
    for (said, heard), count in graphemes.errors.items():
        wrong[said] += count
        involved[said] += count
        involved[heard] += count
    del involved[""]
    most = sorted(involved, key=lambda unit: (-involved[unit], unit))[:limit]
    chosen = sorted(most, key=lambda unit: (remove_marks(unit), unit))
    ends = [*chosen, ""]
    counts = [[graphemes.errors.get((said, heard), 0) for heard in ends] for said in ends]
    for place, unit in enumerate(chosen):
        counts[place][place] = graphemes.said[unit] - wrong[unit]
    return ConfusionMatrix(chosen, counts, [graphemes.said[unit] for unit in chosen])
