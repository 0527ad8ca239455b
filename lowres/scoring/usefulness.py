"""Whether correcting a recogniser's draft is faster than typing from nothing, by what was measured with people.

Three studies timed people at both (only what their abstracts or summaries say is used):

* Gaur, Lasecki, Metze and Bigham 2016, "The effects of automatic speech recognition quality on human transcription
  latency" (W4A, doi:10.1145/2899475.2899478): 176 crowd workers on English talks. A draft helped where fewer than about
  30 of 100 words were wrong, and cost time above that.
* Billings et al. 2025 (on Nasal, western Indonesia, 25 hours of training speech): the transcribers of a documentation
  project were significantly faster with a draft in which 44 of 100 words were wrong.
* Taguchi, Takubo and Chiang 2026 (arXiv:2603.26248, on Ikema, Okinawa): about 15 of 100 letters wrong, and transcribing
  took substantially less time. The share of wrong words is not in the abstract.

They disagree between 30 and 44 of 100 words, so there, and where the interval reaches a bound, the verdict is
"uncertain". Few people were timed, in three languages, with other tools: all of it is a guide and no measurement of
the reader's own hand. That fewer than 15 wrong letters save a draft from the verdict "slower" is our reading of the
third study: where words are long, one wrong letter makes a whole word count as wrong.
"""

from dataclasses import dataclass
from typing import Final, Literal

from lowres.scoring.bootstrap import Interval

SURELY_HELPFUL_WORD_ERROR_RATE: Final = 0.30
"""Gaur et al. 2016: below it, everybody who was timed was faster with a draft."""

EVER_HELPFUL_WORD_ERROR_RATE: Final = 0.44
"""Billings et al. 2025: the worst draft that is known to have helped."""

EVER_HELPFUL_CHARACTER_ERROR_RATE: Final = 0.15
"""Taguchi et al. 2026: the worst draft, in letters, that is known to have helped."""

Verdict = Literal["faster", "uncertain", "slower"]

TRY_IT: Final = (
    "Time yourself: transcribe five minutes of speech from nothing and correct the draft of five others; "
    "that settles it for you."
)


@dataclass(frozen=True)
class Usefulness:
    """An answer to "is correcting this draft faster than typing?".

    Attributes:
        sentence: one to three plain sentences, the answer first, then what it rests on and how sure it is.
        verdict: "faster", "slower" (probably, both), or "uncertain".
    """

    sentence: str
    verdict: Verdict


def judge_usefulness(
    word_error_rate: float, character_error_rate: float, interval: Interval | None = None
) -> Usefulness:
    """Say whether correcting a draft is faster than typing from nothing.

    Args:
        word_error_rate: of the draft, 0-1 and above.
        character_error_rate: of the same draft, 0-1 and above.
        interval: of the word error rate; None where it is not known, and then its two sides are the rate itself.
    """
    low, high = (interval.low, interval.high) if interval else (word_error_rate, word_error_rate)
    words = _of_100(word_error_rate)
    range_words = f" ({_of_100(low)} to {_of_100(high)} with other recordings)" if interval else ""
    measured = f"{words} of 100 words need correcting{range_words}"
    if high < SURELY_HELPFUL_WORD_ERROR_RATE:
        return Usefulness(
            f"Correcting this draft is probably faster than typing from nothing: {measured}, "
            "and people who were timed gained from a draft with fewer than 30 wrong (Gaur et al. 2016).",
            "faster",
        )
    if low > EVER_HELPFUL_WORD_ERROR_RATE and character_error_rate > EVER_HELPFUL_CHARACTER_ERROR_RATE:
        return Usefulness(
            f"Typing from nothing is probably faster than correcting this draft: {measured}, "
            "and nobody is known to have gained from a draft with more than 44 wrong (Billings et al. 2025).",
            "slower",
        )
    return Usefulness(
        f"Correcting this draft may or may not be faster than typing from nothing: {measured}. "
        f"{_why_uncertain(low, high, character_error_rate)} {TRY_IT}",
        "uncertain",
    )


def _why_uncertain(low: float, high: float, character_error_rate: float) -> str:
    if low > EVER_HELPFUL_WORD_ERROR_RATE:
        letters = _of_100(character_error_rate)
        return (
            f"That is many, but only {letters} of 100 letters are wrong, and with 15 wrong letters transcribers "
            "of another language were faster (Taguchi et al. 2026)."
        )
    if low < SURELY_HELPFUL_WORD_ERROR_RATE and high > EVER_HELPFUL_WORD_ERROR_RATE:
        return "Too little was scored to tell: the range holds both drafts that helped people and drafts that did not."
    return (
        "Those who were timed disagree here: caption writers lost time with more than 30 wrong (Gaur et al. 2016), "
        "transcribers in a documentation project gained even with 44 wrong (Billings et al. 2025)."
    )


def _of_100(rate: float) -> str:
    """Write a rate as a count out of 100; one decimal where that is what keeps it from reading as none."""
    return f"{rate * 100:.1f}" if 0 < rate < 0.01 else f"{rate * 100:.0f}"
