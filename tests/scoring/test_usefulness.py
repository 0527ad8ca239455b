"""Whether a draft is worth correcting: the bounds of the studies, and the doubt between them."""

import pytest

from lowres.scoring.bootstrap import Interval
from lowres.scoring.usefulness import TRY_IT, judge_usefulness


def test_a_draft_with_fewer_than_30_of_100_words_wrong_is_faster_to_correct() -> None:
    found = judge_usefulness(0.22, 0.05, Interval(0.18, 0.26, 500))
    assert found.verdict == "faster"
    assert "22 of 100 words need correcting (18 to 26 with other recordings)" in found.sentence
    assert "Gaur et al. 2016" in found.sentence


def test_an_interval_that_reaches_beyond_30_leaves_it_uncertain() -> None:
    assert judge_usefulness(0.28, 0.08, Interval(0.25, 0.31, 500)).verdict == "uncertain"
    assert judge_usefulness(0.28, 0.08).verdict == "faster"


def test_between_30_and_44_the_studies_disagree_and_it_says_so() -> None:
    found = judge_usefulness(0.37, 0.12, Interval(0.34, 0.40, 500))
    assert found.verdict == "uncertain"
    assert "Gaur et al. 2016" in found.sentence
    assert "Billings et al. 2025" in found.sentence
    assert found.sentence.endswith(TRY_IT)


def test_a_draft_with_more_than_44_wrong_words_and_many_wrong_letters_is_slower() -> None:
    found = judge_usefulness(0.62, 0.25, Interval(0.60, 0.64, 500))
    assert found.verdict == "slower"
    assert "Billings et al. 2025" in found.sentence


def test_few_wrong_letters_in_many_wrong_words_leave_it_uncertain() -> None:
    found = judge_usefulness(0.55, 0.12, Interval(0.52, 0.58, 500))
    assert found.verdict == "uncertain"
    assert "only 12 of 100 letters are wrong" in found.sentence


def test_a_range_from_helpful_to_hopeless_is_said_to_rest_on_too_little_speech() -> None:
    found = judge_usefulness(0.36, 0.2, Interval(0.2, 0.6, 5))
    assert found.verdict == "uncertain"
    assert "Too little was scored" in found.sentence


@pytest.mark.parametrize(("rate", "written"), [(0.0, "0 of 100"), (0.004, "0.4 of 100"), (1.2, "120 of 100")])
def test_tiny_and_huge_rates_are_written_readably(rate: float, written: str) -> None:
    assert written in judge_usefulness(rate, rate).sentence
