"""The learning curve in words: the answer, its doubt, and what is only a guess."""

import math
from dataclasses import replace

import pytest
from curves import HOSTILE, make_curve, point

from lowres.errors import RecipeError
from lowres.report.curve_contents import Target, parse_target
from lowres.report.curve_sentences import (
    amount_text,
    answer_double,
    answer_target,
    answer_until_useful,
    check_sentence,
    formula,
)
from lowres.scoring.power_law import HoursNeeded, PowerLaw


def test_amounts_are_written_as_people_say_them() -> None:
    said = [amount_text(hours) for hours in (1 / 60, 1 / 6, 0.99, 1.0, 1.5, 4.02, 12.4, 1234)]
    assert said == ["1 minute", "10 minutes", "59 minutes", "1 hour", "1.5 hours", "4 hours", "12 hours", "1,234 hours"]


@pytest.mark.parametrize(
    ("text", "rate", "unit"),
    [("20", 0.2, "letters"), ("12.5%", 0.125, "letters"), ("20% cer", 0.2, "letters"), ("35%WER", 0.35, "words")],
)
def test_targets_are_read(text: str, rate: float, unit: str) -> None:
    target = parse_target(text)
    assert target.error_rate == pytest.approx(rate)
    assert target.unit == unit


@pytest.mark.parametrize("text", ["0", "100", "-3", "twenty", "20 %PER", ""])
def test_what_is_no_target_is_refused(text: str) -> None:
    with pytest.raises(RecipeError, match="is not an error rate to reach"):
        parse_target(text)


def test_the_hours_until_the_target_are_said_with_their_range() -> None:
    # 0.4 h^-0.3 = 0.2 at 2^(1 / 0.3) = 10.08 h, and 4 h are there.
    said = answer_target(make_curve(wanted=Target(0.2)))
    assert said.startswith("About 6.1 hours more of transcribed speech until only 20 of 100 letters are wrong (between")
    assert "guess" not in said


def test_what_lies_too_far_is_called_a_guess() -> None:
    # 0.1 is reached at 4^(1 / 0.3) = 101.6 h, more than four times four hours.
    said = answer_target(make_curve(wanted=Target(0.1)))
    assert "About 98 hours more" in said
    assert "a guess" in said
    assert "perhaps it never comes down so far" in said


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [
        (3.0, math.inf, "(perhaps none, and perhaps it never comes down so far)"),
        (5.0, math.inf, "(at least 1 hour more, and perhaps it never comes down so far)"),
        (3.0, 6.0, "(at most 2 hours more)"),
        (5.0, 6.0, "(between 1 hour and 2 hours more)"),
    ],
)
def test_a_curve_that_is_there_about_now_says_how_many_more_hours_it_may_take(
    low: float, high: float, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(PowerLaw, "hours_until", lambda _law, _rate: HoursNeeded(3.9, low, high))
    answer = answer_target(make_curve(wanted=Target(0.2)))
    assert answer.endswith(f"the curve is there about now, with 4 hours {said}.")


def test_a_target_that_is_reached_is_said_to_be() -> None:
    # 0.4 x 4^-0.3 = 0.264.
    said = answer_target(make_curve(wanted=Target(0.3)))
    assert said == "No more than 30 of 100 letters wrong: that is reached. With 4 hours, 26 are."


def test_without_a_target_the_next_round_one_is_asked_for() -> None:
    assert make_curve().target == Target(0.2)
    assert make_curve(scale=0.2).target == Target(0.1)  # 0.13 is reached
    assert make_curve(scale=0.001).target == Target(0.01)


def test_a_flat_curve_promises_nothing() -> None:
    contents = make_curve()
    flat = tuple(point(hours, 0.3, 0.6) for hours in (0.5, 1.0, 2.0, 4.0))
    said = answer_target(replace(contents, points=flat, wanted=Target(0.1)))
    assert "hardly bring it down to 10 of 100 letters wrong" in said


def test_two_amounts_are_too_few_and_it_says_so() -> None:
    contents = make_curve(2)
    assert answer_target(contents) == "No curve can be drawn through 2 amounts of speech: it takes 3."
    assert (answer_double(contents), answer_until_useful(contents)) == ("", "")


def test_twice_as_much_is_predicted_with_a_range() -> None:
    # 0.4 x 8^-0.3 = 0.2144.
    said = answer_double(make_curve())
    assert said.startswith("Twice as much, 8 hours, would bring about 21 of 100 letters wrong (between ")
    assert said.endswith("where 4 hours brought 26.")


def test_the_smaller_amounts_are_tried_on_the_largest() -> None:
    contents = make_curve()
    said = check_sentence(contents.check_last("letters"), "letters")
    assert "predict about 26 of 100 letters wrong at 4 hours" in said
    assert said.endswith("measured were 26, inside that range.")
    off = replace(contents, points=(*contents.points[:4], point(4.0, 0.5, 0.8)))
    assert "measured were 50, outside that range" in check_sentence(off.check_last("letters"), "letters")
    assert check_sentence(make_curve(3).check_last("letters"), "letters") == ""


def test_when_drafts_are_surely_worth_correcting_is_reckoned_in_words() -> None:
    # 0.8 h^-0.2 = 0.3 at (8 / 3)^5 = 135 h: 131 more.
    assert "about 131 hours more" in answer_until_useful(make_curve())
    assert answer_until_useful(make_curve(scale=0.1)) == ""


def test_the_formula_is_in_percent_and_names_no_floor_there_is_none() -> None:
    law = make_curve().letters_law
    assert law is not None
    assert formula(law) == "40.0 × hours^−0.30"
    assert formula(replace(law, floor=0.05)) == "40.0 × hours^−0.30 + 5.0"


def test_the_best_of_several_runs_of_the_largest_amount_is_judged() -> None:
    contents = make_curve()
    twice = replace(contents, points=(*contents.points, point(4.0, 0.2, 0.25, f"seed2 {HOSTILE}")))
    assert twice.largest.words.error_rate == 0.25
    assert twice.usefulness.verdict == "faster"
