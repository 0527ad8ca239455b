"""Error rates in words."""

import pytest

from lowres.report.sentences import duration_text, headline, interval_text, per_hundred, percent, range_sentence
from lowres.scoring.bootstrap import Interval
from lowres.scoring.error_rates import ErrorCounts
from lowres.scoring.scorecard import Rate


def rate(errors: int, length: int, interval: Interval | None = None, speakers: Interval | None = None) -> Rate:
    return Rate(
        ErrorCounts(max(length - errors, 0), min(errors, length), max(errors - length, 0), 0), interval, speakers
    )


@pytest.mark.parametrize(
    ("value", "said"), [(0.372, "37"), (0.0412, "4.1"), (0.05, "5"), (0.0008, "0.1"), (1.2, "120"), (0.0996, "10")]
)
def test_a_rate_is_said_as_a_count_in_a_hundred(value: float, said: str) -> None:
    assert per_hundred(value) == said


def test_rates_under_one_percent_are_printed() -> None:
    assert percent(0.0049) == "0.49\u00a0%"
    assert percent(None) == "–"
    assert interval_text(Interval(0.341, 0.398, 10)) == "34.1–39.8\u00a0%"


def test_the_headline_names_words_and_letters() -> None:
    assert headline(rate(37, 100), rate(12, 100)) == "Of 100 words about 37 need correcting; of 100 letters about 12."


def test_the_headline_copes_with_extremes() -> None:
    many = Rate(ErrorCounts(hits=2, substitutions=8, insertions=5, deletions=0), None, None)
    assert "about 130 for every 100" in headline(many, rate(9, 10))
    assert headline(rate(0, 1234), rate(0, 5000)) == "Not one of the 1,234 words needs correcting."
    assert headline(rate(10, 10), rate(8, 10)) == "Not one of the 10 words was heard right."
    assert headline(rate(0, 1), rate(0, 4)) == "The only word needs no correcting."
    assert headline(rate(1, 1), rate(1, 4)) == "The only word was not heard right."
    assert "no error rate" in headline(rate(3, 0), rate(3, 0))


def test_the_range_is_said_for_utterances_and_speakers() -> None:
    near, wide = Interval(0.341, 0.398, 500), Interval(0.25, 0.5, 7)
    assert range_sentence(rate(1, 2)) == ""
    assert range_sentence(rate(1, 2, near)).endswith("between 34 and 40 words in 100.")
    assert "about 34 words" in range_sentence(rate(1, 2, Interval(0.341, 0.342, 500)))
    assert range_sentence(rate(1, 2, near, wide)).endswith("like these 7, between 25 and 50.")


@pytest.mark.parametrize(
    ("seconds", "text"), [(3.21, "3.2 s"), (59.4, "59 s"), (250, "4 min 10 s"), (3900, "1 h 05 min")]
)
def test_durations_are_said_as_people_do(seconds: float, text: str) -> None:
    assert duration_text(seconds) == text
