"""Reference and hypothesis side by side: one pass of jiwer gives the alignment, its counts and every rate.

jiwer's own reading of the text is kept, so that a figure of ours is a figure of jiwer's: words are what single spaces
divide after outer white space is trimmed and inner white space reduced; characters are Unicode code points of the
trimmed line, with the space between words counted as a character. Lines of one letter and empty lines are kept. Which
of several wrong words was the one left out is any of them to jiwer, and the least alike here (`pairing`).

A report keeps the alignments of its whole test set, so they are small: a line is the caller's own string, a word is
kept once however often it is said, and what happened is one number for each run of units.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Literal, NamedTuple

import jiwer

from lowres.scoring.pairing import closest_places

Operation = Literal["equal", "substitute", "insert", "delete"]
SplitText = Callable[[str], list[str]]
_OPERATIONS: tuple[Operation, ...] = ("equal", "substitute", "insert", "delete")
_CODES = {operation: code for code, operation in enumerate(_OPERATIONS)}
_SUBSTITUTED = _CODES["substitute"]
_LINES_PER_BLOCK = 1_000


@dataclass(frozen=True, slots=True)
class AlignmentChunk:
    """A run of units that had the same thing happen to them; ends are exclusive."""

    operation: Operation
    reference_start: int
    reference_end: int
    hypothesis_start: int
    hypothesis_end: int

    @property
    def length(self) -> int:
        """Places of the alignment that the run takes: units said, heard, or both."""
        return max(self.reference_end - self.reference_start, self.hypothesis_end - self.hypothesis_start)

    @property
    def num_errors(self) -> int:
        """Substitutions, insertions and deletions in this run."""
        return 0 if self.operation == "equal" else self.length


class AlignedUnit(NamedTuple):
    """One place of the alignment; `reference` is None for an insertion, `hypothesis` is None for a deletion."""

    operation: Operation
    reference: str | None
    hypothesis: str | None


@dataclass(frozen=True)
class ErrorRun:
    """A stretch of errors between two correct units, or an end of the line."""

    units: tuple[AlignedUnit, ...]

    @property
    def num_errors(self) -> int:
        """Substitutions, insertions and deletions."""
        return len(self.units)

    @property
    def said(self) -> tuple[str, ...]:
        """The units of the reference."""
        return tuple(unit.reference for unit in self.units if unit.reference is not None)

    @property
    def heard(self) -> tuple[str, ...]:
        """The units of the hypothesis."""
        return tuple(unit.hypothesis for unit in self.units if unit.hypothesis is not None)

    @property
    def is_spacing(self) -> bool:
        """Whether the letters are right and only divided differently, as "la mi" heard as "lami"."""
        return "".join(self.said) == "".join(self.heard)


@dataclass(frozen=True, slots=True)
class Alignment:
    """One utterance's reference and hypothesis units (words, characters or graphemes) and how they correspond.

    Attributes:
        reference: what was said; a string where the units are its characters.
        hypothesis: what was heard, likewise.
        steps: for each run of units with the same operation, its length times four plus the operation's code.
    """

    reference: Sequence[str]
    hypothesis: Sequence[str]
    steps: tuple[int, ...]

    @property
    def num_errors(self) -> int:
        """Substitutions + insertions + deletions."""
        return sum(step >> 2 for step in self.steps if step & 3)

    @property
    def num_reference(self) -> int:
        """Length of the reference in units."""
        return len(self.reference)

    def count(self, operation: Operation) -> int:
        """Count the units that `operation` happened to; "equal" gives the hits."""
        code = _CODES[operation]
        return sum(step >> 2 for step in self.steps if step & 3 == code)

    def chunks(self) -> Iterator[AlignmentChunk]:
        """Walk through the runs of units that had the same thing happen to them."""
        said = heard = 0
        for step in self.steps:
            operation, length = _OPERATIONS[step & 3], step >> 2
            chunk = AlignmentChunk(
                operation,
                said,
                said if operation == "insert" else said + length,
                heard,
                heard if operation == "delete" else heard + length,
            )
            yield chunk
            said, heard = chunk.reference_end, chunk.hypothesis_end

    def units(self) -> Iterator[AlignedUnit]:
        """Walk through the alignment one unit at a time."""
        for chunk in self.chunks():
            yield from self._units_of(chunk)

    def errors(self) -> Iterator[AlignedUnit]:
        """Walk through what went wrong, one unit at a time."""
        for chunk in self.chunks():
            if chunk.operation != "equal":
                yield from self._units_of(chunk)

    def error_runs(self) -> Iterator[ErrorRun]:
        """Cut the alignment at its correct units and give the stretches of errors between them."""
        units: list[AlignedUnit] = []
        for chunk in self.chunks():
            if chunk.operation != "equal":
                units.extend(self._units_of(chunk))
            elif units:
                yield ErrorRun(tuple(units))
                units = []
        if units:
            yield ErrorRun(tuple(units))

    def _units_of(self, chunk: AlignmentChunk) -> Iterator[AlignedUnit]:
        for step in range(chunk.length):
            yield AlignedUnit(
                chunk.operation,
                None if chunk.operation == "insert" else self.reference[chunk.reference_start + step],
                None if chunk.operation == "delete" else self.hypothesis[chunk.hypothesis_start + step],
            )


def align_words(references: Sequence[str], hypotheses: Sequence[str]) -> list[Alignment]:
    """Align each pair of lines word by word, as `jiwer.process_words` does, with the same counts.

    Raises:
        ValueError: where there are not as many hypotheses as references.
    """
    return list(each_by_words(references, hypotheses))


def align_characters(references: Sequence[str], hypotheses: Sequence[str]) -> list[Alignment]:
    """Align each pair of lines by Unicode code point, the space included, as `jiwer.process_characters` does.

    Raises:
        ValueError: where there are not as many hypotheses as references.
    """
    return list(each_by_characters(references, hypotheses))


def align_units(references: Sequence[str], hypotheses: Sequence[str], split: SplitText) -> list[Alignment]:
    """Align each pair of lines by the units that `split` cuts a line into, such as graphemes with their marks.

    Raises:
        ValueError: where there are not as many hypotheses as references.
    """
    return list(each_by_units(references, hypotheses, split))


def each_by_words(references: Sequence[str], hypotheses: Sequence[str]) -> Iterator[Alignment]:
    """Give the alignments of `align_words` one after another, for whoever need not keep them."""
    _check_lengths(references, hypotheses)
    known: dict[str, str] = {}
    return (
        Alignment(_once(pair.reference, known), _once(pair.hypothesis, known), _closest(pair))
        for block in _blocks(references, hypotheses)
        for pair in _aligned(jiwer.process_words(*block))
    )


def each_by_characters(references: Sequence[str], hypotheses: Sequence[str]) -> Iterator[Alignment]:
    """Give the alignments of `align_characters` one after another."""
    _check_lengths(references, hypotheses)
    return (
        Alignment(_as_line(pair.reference, reference), _as_line(pair.hypothesis, hypothesis), pair.steps)
        for block in _blocks(references, hypotheses)
        for pair, reference, hypothesis in zip(_aligned(jiwer.process_characters(*block)), *block, strict=True)
    )


def each_by_units(references: Sequence[str], hypotheses: Sequence[str], split: SplitText) -> Iterator[Alignment]:
    """Give the alignments of `align_units` one after another."""
    _check_lengths(references, hypotheses)
    known: dict[str, str] = {}

    def split_lines(lines: list[str]) -> list[list[str]]:
        return [split(line) for line in lines]

    return (
        Alignment(_once(pair.reference, known), _once(pair.hypothesis, known), pair.steps)
        for block in _blocks(references, hypotheses)
        for pair in _aligned(jiwer.process_words(*block, split_lines, split_lines))
    )


def _check_lengths(references: Sequence[str], hypotheses: Sequence[str]) -> None:
    if isinstance(references, str) or isinstance(hypotheses, str):
        raise ValueError("expected a list of lines, got one string: put it in a list")
    if len(references) != len(hypotheses):
        raise ValueError(f"{len(references)} references but {len(hypotheses)} hypotheses")


def _blocks(references: Sequence[str], hypotheses: Sequence[str]) -> Iterator[tuple[list[str], list[str]]]:
    """Cut the lines into blocks: jiwer's own output is many times larger than what is kept of it."""
    for start in range(0, len(references), _LINES_PER_BLOCK):
        end = start + _LINES_PER_BLOCK
        yield list(references[start:end]), list(hypotheses[start:end])


def _aligned(output: "jiwer.WordOutput | jiwer.CharacterOutput") -> Iterator[Alignment]:
    for reference, hypothesis, chunks in zip(output.references, output.hypotheses, output.alignments, strict=True):
        steps = tuple(_step(chunk) for chunk in chunks)
        yield Alignment(reference, hypothesis, steps)


def _closest(pair: Alignment) -> tuple[int, ...]:
    """Say anew which words were left out or added, where some of their neighbours are wrong."""
    codes = [step & 3 for step in pair.steps]
    if _SUBSTITUTED not in codes or not (_CODES["insert"] in codes or _CODES["delete"] in codes):
        return pair.steps
    steps: list[int] = []
    said = heard = 0
    for is_right, run in groupby(pair.steps, key=lambda step: step & 3 == _CODES["equal"]):
        old = tuple(run)
        num_said = sum(step >> 2 for step in old if step & 3 != _CODES["insert"])
        num_heard = sum(step >> 2 for step in old if step & 3 != _CODES["delete"])
        if not is_right and num_said != num_heard and num_said and num_heard:
            old = _paired(pair.reference[said : said + num_said], pair.hypothesis[heard : heard + num_heard]) or old
        steps.extend(old)
        said, heard = said + num_said, heard + num_heard
    return tuple(steps)


def _paired(said: Sequence[str], heard: Sequence[str]) -> tuple[int, ...] | None:
    is_missing = len(said) > len(heard)
    shorter, longer = (heard, said) if is_missing else (said, heard)
    places = closest_places(shorter, longer)
    if places is None:
        return None
    alone, taken = _CODES["delete" if is_missing else "insert"], set(places)
    codes = (_SUBSTITUTED if place in taken else alone for place in range(len(longer)))
    return tuple(sum(1 for _ in run) << 2 | code for code, run in groupby(codes))


def _step(chunk: "jiwer.AlignmentChunk") -> int:
    length: int = max(chunk.ref_end_idx - chunk.ref_start_idx, chunk.hyp_end_idx - chunk.hyp_start_idx)
    return length << 2 | _CODES[chunk.type]


def _once(units: Iterable[str], known: dict[str, str]) -> tuple[str, ...]:
    """Keep one object of each word."""
    return tuple(known.setdefault(unit, unit) for unit in units)


def _as_line(characters: Iterable[str], line: str) -> str:
    """Keep the characters as one string, the caller's where nothing was trimmed."""
    joined = "".join(characters)
    return line if joined == line else joined
