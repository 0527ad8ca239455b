"""Reference and hypothesis side by side: one pass of jiwer gives the alignment, its counts and every rate.

jiwer's own reading of the text is kept, so that a figure of ours is a figure of jiwer's: words are what single spaces
divide after outer white space is trimmed and inner white space reduced; characters are Unicode code points of the
trimmed line, with the space between words counted as a character. Lines of one letter and empty lines are kept.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import jiwer

Operation = Literal["equal", "substitute", "insert", "delete"]
SplitText = Callable[[str], list[str]]


@dataclass(frozen=True)
class AlignmentChunk:
    """A run of units that had the same thing happen to them; ends are exclusive."""

    operation: Operation
    reference_start: int
    reference_end: int
    hypothesis_start: int
    hypothesis_end: int

    @property
    def num_errors(self) -> int:
        """Substitutions, insertions and deletions in this run."""
        if self.operation == "equal":
            return 0
        return max(self.reference_end - self.reference_start, self.hypothesis_end - self.hypothesis_start)


@dataclass(frozen=True)
class AlignedUnit:
    """One place of the alignment; `reference` is None for an insertion, `hypothesis` is None for a deletion."""

    operation: Operation
    reference: str | None
    hypothesis: str | None


@dataclass(frozen=True)
class Alignment:
    """One utterance's reference and hypothesis units (words, characters or graphemes) and how they correspond."""

    reference: tuple[str, ...]
    hypothesis: tuple[str, ...]
    chunks: tuple[AlignmentChunk, ...]

    @property
    def num_errors(self) -> int:
        """Substitutions + insertions + deletions."""
        return sum(chunk.num_errors for chunk in self.chunks)

    @property
    def num_reference(self) -> int:
        """Length of the reference in units."""
        return len(self.reference)

    def count(self, operation: Operation) -> int:
        """Count the units that `operation` happened to; "equal" gives the hits."""
        return sum(
            max(chunk.reference_end - chunk.reference_start, chunk.hypothesis_end - chunk.hypothesis_start)
            for chunk in self.chunks
            if chunk.operation == operation
        )

    def units(self) -> Iterator[AlignedUnit]:
        """Walk through the alignment one unit at a time."""
        for chunk in self.chunks:
            length = max(chunk.reference_end - chunk.reference_start, chunk.hypothesis_end - chunk.hypothesis_start)
            for step in range(length):
                yield AlignedUnit(
                    chunk.operation,
                    None if chunk.operation == "insert" else self.reference[chunk.reference_start + step],
                    None if chunk.operation == "delete" else self.hypothesis[chunk.hypothesis_start + step],
                )


def align_words(references: Sequence[str], hypotheses: Sequence[str]) -> list[Alignment]:
    """Align each pair of lines word by word, as `jiwer.process_words` does.

    Raises:
        ValueError: where there are not as many hypotheses as references.
    """
    _check_lengths(references, hypotheses)
    if not references:
        return []
    return _alignments(jiwer.process_words(list(references), list(hypotheses)))


def align_characters(references: Sequence[str], hypotheses: Sequence[str]) -> list[Alignment]:
    """Align each pair of lines by Unicode code point, the space included, as `jiwer.process_characters` does.

    Raises:
        ValueError: where there are not as many hypotheses as references.
    """
    _check_lengths(references, hypotheses)
    if not references:
        return []
    return _alignments(jiwer.process_characters(list(references), list(hypotheses)))


def align_units(references: Sequence[str], hypotheses: Sequence[str], split: SplitText) -> list[Alignment]:
    """Align each pair of lines by the units that `split` cuts a line into, such as graphemes with their marks.

    Raises:
        ValueError: where there are not as many hypotheses as references.
    """
    _check_lengths(references, hypotheses)
    if not references:
        return []

    def split_lines(lines: list[str]) -> list[list[str]]:
        return [split(line) for line in lines]

    return _alignments(jiwer.process_words(list(references), list(hypotheses), split_lines, split_lines))


def _check_lengths(references: Sequence[str], hypotheses: Sequence[str]) -> None:
    if isinstance(references, str) or isinstance(hypotheses, str):
        raise ValueError("expected a list of lines, got one string: put it in a list")
    if len(references) != len(hypotheses):
        raise ValueError(f"{len(references)} references but {len(hypotheses)} hypotheses")


def _alignments(output: "jiwer.WordOutput | jiwer.CharacterOutput") -> list[Alignment]:
    return [
        Alignment(
            tuple(reference),
            tuple(hypothesis),
            tuple(
                AlignmentChunk(
                    chunk.type, chunk.ref_start_idx, chunk.ref_end_idx, chunk.hyp_start_idx, chunk.hyp_end_idx
                )
                for chunk in chunks
            ),
        )
        for reference, hypothesis, chunks in zip(output.references, output.hypotheses, output.alignments, strict=True)
    ]
