"""What the page of a learning curve says, as plain data: the measured points and the curves fitted to them."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final, Literal

from lowres.errors import RecipeError
from lowres.scoring.bootstrap import Interval
from lowres.scoring.power_law import PowerLaw, Predicted, fit_power_law
from lowres.scoring.usefulness import Usefulness, judge_usefulness

Unit = Literal["letters", "words"]
_TARGET: Final = re.compile(r"(?P<number>\d+(?:\.\d+)?)\s*%?\s*(?P<unit>CER|WER)?", re.IGNORECASE)
_USUAL_TARGETS: Final = (0.2, 0.1, 0.05, 0.02, 0.01)


@dataclass(frozen=True)
class Target:
    """An error rate, 0-1, that somebody wants to come down to, in letters (CER) or words (WER)."""

    error_rate: float
    unit: Unit = "letters"


def parse_target(text: str) -> Target:
    """Read "20", "20%", "20% CER" or "35 % WER"; without a unit, letters.

    Raises:
        RecipeError: it is none of these, or not above 0 and below 100 %.
    """
    found = _TARGET.fullmatch(text.strip())
    rate = float(found["number"]) / 100 if found else 0.0
    if found is None or not 0 < rate < 1:
        raise RecipeError(f"{text!r} is not an error rate to reach.", "Write 20, 20%CER or 35%WER.")
    return Target(rate, "words" if (found["unit"] or "").upper() == "WER" else "letters")


@dataclass(frozen=True)
class PointRate:
    """An error rate of one run, its interval over utterances, and the standard deviation of its logarithm."""

    error_rate: float
    interval: Interval | None
    deviation: float


@dataclass(frozen=True)
class CurvePoint:
    """One run: what it was trained on, and how it was measured."""

    run: str
    label: str
    """The amount as it was asked for: "10min", "1h", "all"."""

    hours: float
    """Hours of training speech it really had."""

    num_utterances: int
    updates: int
    seed: int
    words: PointRate
    characters: PointRate

    def rate(self, unit: Unit) -> PointRate:
        """Return the rate of letters or of words."""
        return self.characters if unit == "letters" else self.words


@dataclass(frozen=True)
class LastChecked:
    """What the smaller amounts alone predict for the largest one, and what was measured there."""

    hours: float
    predicted: Predicted
    measured: float

    @property
    def is_inside(self) -> bool:
        """Whether the measured rate lies in the predicted interval."""
        return self.predicted.low <= self.measured <= self.predicted.high


@dataclass(frozen=True)
class CurveContents:
    """Everything the page and the JSON of a learning curve are written from.

    `points` are ordered by hours; `hours_there` is all the training speech of the corpus; `cautions` are sentences on
    what to know before believing the answers; `facts` are (name, value) for people who want to repeat them; `nests`
    tells whether there is one run for each amount, and each amount holds all of the smaller ones.
    """

    language: str
    corpus_name: str
    split: str
    num_utterances: int
    seconds: float
    points: tuple[CurvePoint, ...]
    hours_there: float
    wanted: Target | None
    cautions: tuple[str, ...] = ()
    facts: tuple[tuple[str, str], ...] = ()
    synthetic: bool = False
    nests: bool = True

    @cached_property
    def letters_law(self) -> PowerLaw | None:
        """The curve of the letters (CER); None with too few points."""
        return _fit(self.points, "letters")

    @cached_property
    def words_law(self) -> PowerLaw | None:
        """The curve of the words (WER); None with too few points."""
        return _fit(self.points, "words")

    def law(self, unit: Unit) -> PowerLaw | None:
        """Return the curve of letters or of words."""
        return self.letters_law if unit == "letters" else self.words_law

    @property
    def most_hours(self) -> float:
        """Hours of the largest amount that was measured."""
        return max(point.hours for point in self.points)

    @property
    def largest(self) -> CurvePoint:
        """The run with most training speech; the best of several."""
        return min(
            (point for point in self.points if point.hours == self.most_hours), key=lambda p: p.characters.error_rate
        )

    @property
    def target(self) -> Target:
        """The error rate to ask for: the one that was wanted, else the first round CER that is not reached."""
        if self.wanted is not None:
            return self.wanted
        reached = min(point.characters.error_rate for point in self.points)
        return Target(next((rate for rate in _USUAL_TARGETS if rate < reached), _USUAL_TARGETS[-1]))

    @cached_property
    def usefulness(self) -> Usefulness:
        """Whether correcting the drafts of the largest run is faster than typing."""
        largest = self.largest
        return judge_usefulness(largest.words.error_rate, largest.characters.error_rate, largest.words.interval)

    def check_last(self, unit: Unit) -> LastChecked | None:
        """Predict the largest amount from the smaller ones; None with too few of these."""
        smaller = [point for point in self.points if point.hours < self.most_hours]
        law = _fit(smaller, unit)
        if law is None:
            return None
        return LastChecked(self.most_hours, law.predict(self.most_hours), self.largest.rate(unit).error_rate)


def _fit(points: Sequence[CurvePoint], unit: Unit) -> PowerLaw | None:
    rates = [point.rate(unit) for point in points]
    return fit_power_law(
        [point.hours for point in points], [rate.error_rate for rate in rates], [rate.deviation for rate in rates]
    )
