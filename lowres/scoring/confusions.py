"""What kind of errors were made: which letters and words are confused, how much is marks alone, how much spacing."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from lowres.scoring.alignment import AlignedUnit, Alignment, AlignmentChunk
from lowres.scoring.marks import differ_only_in_marks, remove_marks


@dataclass(frozen=True)
class Confusion:
    """One thing that went wrong repeatedly; `reference` "" is an insertion, `hypothesis` "" a deletion.

    `num_reference` is how often the reference unit was said at all (0 for insertions); `example` is the index of the
    first utterance in which it happened.
    """

    reference: str
    hypothesis: str
    count: int
    num_reference: int
    example: int


@dataclass(frozen=True)
class Confusions:
    """The most frequent errors of each kind, most frequent first, ties in the order of the letters."""

    substitutions: list[Confusion]
    insertions: list[Confusion]
    deletions: list[Confusion]


def count_confusions(alignments: Sequence[Alignment], limit: int = 20) -> Confusions:
    """Return the `limit` most frequent substitutions, insertions and deletions over all utterances."""
    counts: Counter[tuple[str, str]] = Counter()
    said: Counter[str] = Counter()
    examples: dict[tuple[str, str], int] = {}
    for index, alignment in enumerate(alignments):
        said.update(alignment.reference)
        for unit in alignment.units():
            if unit.operation != "equal":
                pair = (unit.reference or "", unit.hypothesis or "")
                counts[pair] += 1
                examples.setdefault(pair, index)
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    found = [Confusion(*pair, count, said[pair[0]], examples[pair]) for pair, count in ordered]
    return Confusions(
        substitutions=[c for c in found if c.reference and c.hypothesis][:limit],
        insertions=[c for c in found if not c.reference][:limit],
        deletions=[c for c in found if not c.hypothesis][:limit],
    )


@dataclass(frozen=True)
class MarkErrors:
    """How many of all errors concern diacritics or tone marks alone, with the most frequent of them."""

    num_errors: int
    num_mark_only: int
    most_frequent: list[Confusion]

    @property
    def share(self) -> float:
        """Share of the errors that are marks alone, 0-1."""
        return self.num_mark_only / self.num_errors if self.num_errors else 0.0


def count_mark_errors(alignments: Sequence[Alignment], limit: int = 20) -> MarkErrors:
    """Count the errors that vanish when diacritics and tone marks are set aside; the score itself never changes.

    A substituted word or grapheme counts when both sides are the same letters without their marks; an inserted or
    deleted unit counts when it is nothing but marks, such as a tone letter.
    """
    counts: Counter[tuple[str, str]] = Counter()
    said: Counter[str] = Counter()
    examples: dict[tuple[str, str], int] = {}
    num_errors = 0
    for index, alignment in enumerate(alignments):
        said.update(alignment.reference)
        num_errors += alignment.num_errors
        for unit in alignment.units():
            if unit.operation != "equal" and _is_mark_only(unit):
                pair = (unit.reference or "", unit.hypothesis or "")
                counts[pair] += 1
                examples.setdefault(pair, index)
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:limit]
    frequent = [Confusion(*pair, count, said[pair[0]], examples[pair]) for pair, count in ordered]
    return MarkErrors(num_errors, counts.total(), frequent)


def _is_mark_only(unit: AlignedUnit) -> bool:
    if unit.reference is not None and unit.hypothesis is not None:
        return differ_only_in_marks(unit.reference, unit.hypothesis)
    return remove_marks(unit.reference or unit.hypothesis or "") == ""


@dataclass(frozen=True)
class SpacingErrors:
    """Errors at word boundaries.

    `num_word_errors` of all word errors vanish when spaces are set aside ("la mi" heard as "lami"); `num_spaces` were
    written in the references, of which `num_missed` were not heard, and `num_added` were heard inside words.
    """

    num_word_errors: int
    num_spaces: int
    num_missed: int
    num_added: int
    examples: list[tuple[str, str]]


def count_spacing_errors(words: Sequence[Alignment], characters: Sequence[Alignment], limit: int = 20) -> SpacingErrors:
    """Count errors of word boundaries from the word and the character alignments of the same utterances."""
    num_word_errors = 0
    examples: Counter[tuple[str, str]] = Counter()
    for alignment in words:
        for run in _error_runs(alignment.chunks):
            said = alignment.reference[run[0].reference_start : run[-1].reference_end]
            heard = alignment.hypothesis[run[0].hypothesis_start : run[-1].hypothesis_end]
            if "".join(said) == "".join(heard):
                num_word_errors += sum(chunk.num_errors for chunk in run)
                examples[" ".join(said), " ".join(heard)] += 1
    units = [unit for alignment in characters for unit in alignment.units()]
    return SpacingErrors(
        num_word_errors=num_word_errors,
        num_spaces=sum(unit.reference == " " for unit in units),
        num_missed=sum(unit.reference == " " and unit.hypothesis != " " for unit in units),
        num_added=sum(unit.hypothesis == " " and unit.reference != " " for unit in units),
        examples=[pair for pair, _ in sorted(examples.items(), key=lambda item: (-item[1], item[0]))][:limit],
    )


def _error_runs(chunks: Iterable[AlignmentChunk]) -> list[list[AlignmentChunk]]:
    """Cut the alignment at its correct words and return the stretches of errors between them."""
    runs: list[list[AlignmentChunk]] = [[]]
    for chunk in chunks:
        if chunk.operation == "equal":
            runs.append([])
        else:
            runs[-1].append(chunk)
    return [run for run in runs if run]
