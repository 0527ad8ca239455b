"""What a comparison of runs says, as plain data: every pair's differences, what is luck, and what differs in making."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from lowres.report.contents import Caution
from lowres.scoring.alignment import Alignment
from lowres.scoring.bootstrap import Interval
from lowres.scoring.paired import PairedDifference
from lowres.scoring.significance import LEVEL

Outcome = Literal["better", "worse", "equal"]
Verdict = Literal["better", "worse", "unsure", "unlike tests", "same"]
"""Fewer errors, or more, and not by luck; not to be told apart; the two tests disagree; no difference at all."""


@dataclass(frozen=True)
class Setting:
    """A setting, or something that came of one, with its value in each run, in their order."""

    key: str
    values: tuple[str, ...]


@dataclass(frozen=True)
class ScoredRun:
    """A run with what it heard in the N utterances.

    Attributes:
        name: the run's.
        hypotheses, words, characters: (N,) what was heard, and its alignments with the references.
        address: of the page of its report, seen from the comparison's folder.
        words_interval, characters_interval: of its error rates, over redrawn utterances.
    """

    name: str
    hypotheses: Sequence[str]
    words: Sequence[Alignment]
    characters: Sequence[Alignment]
    address: str
    words_interval: Interval | None = None
    characters_interval: Interval | None = None


@dataclass(frozen=True)
class ComparedText:
    """The N utterances that all runs were scored on; a speaker "" is one nobody named."""

    utterance_ids: Sequence[str]
    speakers: Sequence[str]
    durations_seconds: Sequence[float]
    references: Sequence[str]


@dataclass(frozen=True)
class Measured:
    """One measure of a pair of runs.

    Attributes:
        difference: the figures.
        luck_by_redrawing, luck_by_swapping: chances of luck, corrected for how many runs are compared.
    """

    difference: PairedDifference
    luck_by_redrawing: float
    luck_by_swapping: float

    @property
    def verdict(self) -> Verdict:
        """Whether the difference is luck; where the two tests disagree, neither is believed."""
        if self.difference.num_errors == self.difference.num_errors_before:
            return "same"
        shown = [luck < LEVEL for luck in (self.luck_by_redrawing, self.luck_by_swapping)]
        if not any(shown):
            return "unsure"
        if not all(shown):
            return "unlike tests"
        return "better" if self.difference.num_errors < self.difference.num_errors_before else "worse"


@dataclass(frozen=True)
class UtteranceChange:
    """One utterance heard by two runs; `number` is its place among the N."""

    number: int
    word_errors_before: int
    word_errors: int
    character_errors_before: int
    character_errors: int

    @property
    def outcome(self) -> Outcome:
        """Better, worse or equal, by the letters that are wrong, and by the words where as many letters are."""
        change = (self.character_errors - self.character_errors_before, self.word_errors - self.word_errors_before)
        return "equal" if change == (0, 0) else "better" if change < (0, 0) else "worse"

    def largest_first(self, outcome: Literal["better", "worse"]) -> tuple[int, int, int]:
        """Return what to sort by so that what became better, or worse, by most comes first; then as in the text."""
        sign = 1 if outcome == "better" else -1
        letters, words = (
            self.character_errors - self.character_errors_before,
            self.word_errors - self.word_errors_before,
        )
        return sign * letters, sign * words, self.number


@dataclass(frozen=True)
class SpeakerChange:
    """What one speaker's utterances gained or lost; "" is nobody's name. `words` has no correction for luck."""

    name: str
    num_utterances: int
    num_better: int
    num_worse: int
    words: PairedDifference


@dataclass(frozen=True)
class KindChange:
    """How often a kind of error, or a confusion of letters, was made before and is made now."""

    name: str
    count_before: int
    count: int

    @property
    def change(self) -> int:
        """Above 0 where it is made more often now."""
        return self.count - self.count_before


@dataclass(frozen=True)
class LetterChange:
    """How often a letter was heard as another; `said` "" is an insertion, `heard` "" one left out."""

    said: str
    heard: str
    count_before: int
    count: int


@dataclass(frozen=True)
class Comparison:
    """A run compared with the baseline.

    Attributes:
        run: its place among the runs, 1 and above; 0 is the baseline.
        words, characters: the two measures.
        utterances: (N,) the changes, in the order of the text.
        speakers: those with the most utterances first; empty where there is one.
        kinds: by kind of error, of words; letters: the confusions that changed most.
        differs_in_seed_only: whether the run is the baseline trained with another seed.
    """

    run: int
    words: Measured
    characters: Measured
    utterances: Sequence[UtteranceChange]
    speakers: Sequence[SpeakerChange]
    kinds: Sequence[KindChange]
    letters: Sequence[LetterChange]
    differs_in_seed_only: bool = False

    def count(self, outcome: Outcome) -> int:
        """Count the utterances that became better or worse, or stayed equal."""
        return sum(change.outcome == outcome for change in self.utterances)


@dataclass(frozen=True)
class SeedGroup:
    """Runs that differ only in their seed, with mean and sample standard deviation of their rates, 0-1."""

    runs: tuple[int, ...]
    word_error_rates: tuple[float, ...]
    character_error_rates: tuple[float, ...]
    words_mean: float
    words_deviation: float
    characters_mean: float
    characters_deviation: float


@dataclass(frozen=True)
class CompareContents:
    """Everything that the files of a comparison are written from.

    Attributes:
        language, language_code, corpus_name, licence, consent, split, synthetic: of what was scored.
        text: the utterances. runs: the baseline first. comparisons: one for every other run.
        groups: seeds; only those of two or more runs.
        settings, outcomes: what is not the same in all runs.
        cautions: what makes the comparison less trustworthy.
        num_left_out: utterances that not all runs were scored on alike, and which are not compared.
    """

    language: str
    language_code: str
    corpus_name: str
    split: str
    synthetic: bool
    text: ComparedText
    runs: Sequence[ScoredRun]
    comparisons: Sequence[Comparison]
    groups: Sequence[SeedGroup]
    settings: Sequence[Setting]
    outcomes: Sequence[Setting]
    cautions: Sequence[Caution]
    num_left_out: int = 0
    licence: str = ""
    consent: str = ""

    @property
    def baseline(self) -> ScoredRun:
        """The run that all others are compared with."""
        return self.runs[0]
