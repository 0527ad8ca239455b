"""Word and character error rates over a whole set of utterances, from 0 to 1 (more where there are many insertions).

Corpus level: the errors of all utterances divided by the length of all references, so that a long utterance weighs
more than a short one. Spaces count as characters, as in jiwer. An empty reference adds its insertions to the errors
and nothing to the length. Nothing is lower-cased, stripped or replaced here: normalise before, by named rules.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from lowres.scoring.alignment import Alignment, align_characters, align_words


@dataclass(frozen=True, slots=True)
class ErrorCounts:
    """How often each thing happened, over one or many utterances, in words or in characters."""

    hits: int
    substitutions: int
    insertions: int
    deletions: int

    @property
    def num_errors(self) -> int:
        """Substitutions + insertions + deletions."""
        return self.substitutions + self.insertions + self.deletions

    @property
    def num_reference(self) -> int:
        """Length of the references in units."""
        return self.hits + self.substitutions + self.deletions

    @property
    def error_rate(self) -> float:
        """Errors per reference unit, 0-1 and above; 0 where nothing was said and nothing heard, else infinite."""
        if self.num_reference == 0:
            return float("inf") if self.num_errors else 0.0
        return self.num_errors / self.num_reference


def count_errors(alignments: Iterable[Alignment]) -> ErrorCounts:
    """Add up what happened to the units of all `alignments`."""
    hits = substitutions = insertions = deletions = 0
    for alignment in alignments:
        hits += alignment.count("equal")
        substitutions += alignment.count("substitute")
        insertions += alignment.count("insert")
        deletions += alignment.count("delete")
    return ErrorCounts(hits, substitutions, insertions, deletions)


def sum_counts(counts: Iterable[ErrorCounts]) -> ErrorCounts:
    """Add up the counts of several sets."""
    hits = substitutions = insertions = deletions = 0
    for one in counts:
        hits += one.hits
        substitutions += one.substitutions
        insertions += one.insertions
        deletions += one.deletions
    return ErrorCounts(hits, substitutions, insertions, deletions)


def word_error_rate(references: Sequence[str], hypotheses: Sequence[str]) -> float:
    """Return the word error rate of all lines together, 0-1 and above.

    Raises:
        ValueError: where there are not as many hypotheses as references.
    """
    return count_errors(align_words(references, hypotheses)).error_rate


def character_error_rate(references: Sequence[str], hypotheses: Sequence[str]) -> float:
    """Return the character error rate of all lines together, 0-1 and above; spaces count, as in jiwer.

    Raises:
        ValueError: where there are not as many hypotheses as references.
    """
    return count_errors(align_characters(references, hypotheses)).error_rate
