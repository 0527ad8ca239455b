"""What kind of errors were made: which letters and words are confused, how much is marks alone, how much spacing."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice

from lowres.scoring.alignment import Alignment
from lowres.scoring.marks import differ_only_in_marks, remove_marks
from lowres.scoring.tally import Pair, PairTally


@dataclass(frozen=True)
class Confusion:
    """One thing that went wrong repeatedly; `reference` "" is an insertion, `hypothesis` "" a deletion.

    `num_reference` is how often the reference unit was said at all (0 for insertions); `example` is the index of the
    first utterance in which it happened, `utterances` those of the first `tally.MAX_UTTERANCES`.
    """

    reference: str
    hypothesis: str
    count: int
    num_reference: int
    example: int
    utterances: tuple[int, ...] = ()


@dataclass(frozen=True)
class Confusions:
    """The most frequent errors of each kind, most frequent first, ties in the order of the letters."""

    substitutions: list[Confusion]
    insertions: list[Confusion]
    deletions: list[Confusion]


def count_confusions(tally: PairTally, limit: int = 20) -> Confusions:
    """Return the `limit` most frequent substitutions, insertions and deletions over all utterances."""
    pairs = sorted(tally.errors, key=lambda pair: (-tally.errors[pair], pair))
    return Confusions(
        substitutions=_first(tally, (pair for pair in pairs if pair[0] and pair[1]), limit),
        insertions=_first(tally, (pair for pair in pairs if not pair[0]), limit),
        deletions=_first(tally, (pair for pair in pairs if not pair[1]), limit),
    )


def _first(tally: PairTally, pairs: Iterable[Pair], limit: int) -> list[Confusion]:
    return [
        Confusion(*pair, tally.errors[pair], tally.said[pair[0]], tally.utterances[pair][0], tally.utterances[pair])
        for pair in islice(pairs, limit)
    ]


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


def count_mark_errors(tally: PairTally, limit: int = 20) -> MarkErrors:
    """Count the errors that vanish when diacritics and tone marks are set aside; the score itself never changes.

    A substituted word or grapheme counts when both sides are the same letters without their marks; an inserted or
    deleted unit counts when it is nothing but marks, such as a tone letter.
    """
    pairs = sorted(filter(_is_mark_only, tally.errors), key=lambda pair: (-tally.errors[pair], pair))
    return MarkErrors(
        num_errors=tally.errors.total(),
        num_mark_only=sum(tally.errors[pair] for pair in pairs),
        most_frequent=_first(tally, pairs, limit),
    )


def _is_mark_only(pair: Pair) -> bool:
    said, heard = pair
    return differ_only_in_marks(said, heard) if said and heard else remove_marks(said or heard) == ""


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
        for run in alignment.error_runs():
            if run.is_spacing:
                num_word_errors += run.num_errors
                examples[" ".join(run.said), " ".join(run.heard)] += 1
    num_spaces = num_missed = num_added = 0
    for alignment in characters:
        num_spaces += sum(character == " " for character in alignment.reference)
        for unit in alignment.errors():
            num_missed += unit.reference == " "
            num_added += unit.hypothesis == " "
    return SpacingErrors(
        num_word_errors=num_word_errors,
        num_spaces=num_spaces,
        num_missed=num_missed,
        num_added=num_added,
        examples=[pair for pair, _ in sorted(examples.items(), key=lambda item: (-item[1], item[0]))][:limit],
    )
