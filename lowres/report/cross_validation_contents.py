"""What the page of a cross-validation over speakers says, as plain data: every speaker, and how far they lie apart."""

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from lowres.scoring.bootstrap import Interval

Unit = Literal["letters", "words"]


@dataclass(frozen=True)
class MeasuredRate:
    """An error rate, its interval over utterances, and the standard deviation that redrawing utterances gives it."""

    error_rate: float
    interval: Interval | None
    deviation: float


@dataclass(frozen=True)
class SpeakerResult:
    """How one speaker was heard by a recogniser that had never heard them.

    `official` is the same speaker's rates (letters, words) in the official split, by a run of the same settings;
    `is_known_there` tells whether that run was trained on this speaker.
    """

    speaker: str
    fold: str
    num_utterances: int
    seconds: float
    letters: MeasuredRate
    words: MeasuredRate
    official: tuple[MeasuredRate, MeasuredRate] | None = None
    is_known_there: bool = False

    def rate(self, unit: Unit) -> MeasuredRate:
        """Return the rate of letters or of words."""
        return self.letters if unit == "letters" else self.words

    def cost_of_being_new(self, unit: Unit) -> float | None:
        """Return how much higher the rate is than where the speaker is known; None where that was not measured."""
        if self.official is None or not self.is_known_there:
            return None
        letters, words = self.official
        return self.rate(unit).error_rate - (letters if unit == "letters" else words).error_rate


@dataclass(frozen=True)
class FoldFacts:
    """One recogniser: whom it never heard, what it learnt from, and what was not learnt from or not scored for that.

    `problem` says why there are no figures; "" where there are.
    """

    fold: str
    speakers: tuple[str, ...]
    hours: float
    num_utterances: int
    updates: int
    num_set_aside: int
    seconds_set_aside: float
    num_unscored: int
    seconds_unscored: float
    num_known_sentences: int
    problem: str = ""


@dataclass(frozen=True)
class OfficialResult:
    """The run of the same settings on the corpus's own split; `num_heard_speakers` of its speakers were trained on."""

    run: str
    split: str
    num_utterances: int
    num_speakers: int
    num_heard_speakers: int
    letters: MeasuredRate
    words: MeasuredRate


@dataclass(frozen=True)
class Pooled:
    """All utterances of all speakers together, with intervals over utterances and over speakers."""

    error_rate: float
    over_utterances: Interval | None
    over_speakers: Interval | None


@dataclass(frozen=True)
class SpeakerSpread:
    """Speakers' error rates: their mean, how far they lie apart, and how far they would by the luck of sentences.

    `deviation` is the sample standard deviation over speakers; `by_chance` the root of the mean squared deviation that
    redrawing each one's utterances gives.
    """

    mean: float
    deviation: float
    by_chance: float
    lowest: SpeakerResult
    highest: SpeakerResult

    @property
    def speaker_share(self) -> float:
        """Share of the variance between the figures that the luck of sentences does not explain, 0-1."""
        if self.deviation == 0:
            return 0.0
        return max(0.0, 1 - (self.by_chance / self.deviation) ** 2)


def spread_over_speakers(results: Sequence[SpeakerResult], unit: Unit) -> SpeakerSpread:
    """Return how the speakers' error rates lie, each speaker counted once whatever they said.

    Args:
        results: one or more.
        unit: letters or words.
    """
    rates = [result.rate(unit) for result in results]
    values = [rate.error_rate for rate in rates]
    return SpeakerSpread(
        mean=statistics.fmean(values),
        deviation=statistics.stdev(values) if len(values) > 1 else 0.0,
        by_chance=math.sqrt(statistics.fmean(rate.deviation**2 for rate in rates)),
        lowest=min(results, key=lambda result: result.rate(unit).error_rate),
        highest=max(results, key=lambda result: result.rate(unit).error_rate),
    )


@dataclass(frozen=True)
class CrossValidationContents:
    """Everything the page and the JSON are written from; `results` stand the worst heard first.

    `hours_label` is the amount each fold was trained on; `is_single` tells whether each fold leaves one speaker out.
    """

    language: str
    corpus_name: str
    hours_label: str
    is_single: bool
    results: tuple[SpeakerResult, ...]
    folds: tuple[FoldFacts, ...]
    letters: Pooled
    words: Pooled
    official: OfficialResult | None
    cautions: tuple[str, ...] = ()
    facts: tuple[tuple[str, str], ...] = ()
    synthetic: bool = False

    def spread(self, unit: Unit) -> SpeakerSpread:
        """Return how the speakers' rates of letters or words lie."""
        return spread_over_speakers(self.results, unit)
