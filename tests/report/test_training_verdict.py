"""Whether longer training would help, by rules worked out by hand."""

import pytest

from lowres.report.training_verdict import Evidence, judge, judge_course, rate_text

FALLING = [0.71, 0.6, 0.55, 0.5, 0.46, 0.43, 0.41, 0.39]
FLAT = [0.7, 0.5, 0.4, 0.4, 0.4, 0.41, 0.405, 0.4]
WORSE = [0.7, 0.5, 0.4, 0.41, 0.42, 0.45, 0.5, 0.55]


def evidence(rates: list[float], **changes: object) -> Evidence:
    values = {
        "error_rates": rates,
        "updates": [100 * (i + 1) for i in range(len(rates))],
        "losses": [3.0, 0.8],
        "status": "finished",
    }
    return Evidence(**(values | changes))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("rates", "course", "num_flat"),
    [(FALLING, "falling", 0), (FLAT, "flat", 5), (WORSE, "worse", 5), ([0.5, 0.4], "too few", 0), ([], "no dev", 0)],
)
def test_the_course_of_the_error_rate(rates: list[float], course: str, num_flat: int) -> None:
    assert judge_course(rates) == (course, num_flat)


@pytest.mark.parametrize(
    ("rates", "course"),
    [
        ([0.9 - 0.6 * i / 39 for i in range(40)], "falling"),
        ([1, 1, 0.99, 0.98, 0.95, 0.9, 0.8, 0.6], "falling"),
        ([0.9, 0.8, 0.7, 0.6, 0.5, 0.5, 0.6, 0.4], "falling"),  # its last two are no better than the two before
        ([*(0.9 - 0.6 * i / 31 for i in range(32)), *(0.3 + 0.01 * i for i in range(1, 9))], "worse"),
        ([0.9, 0.8, 0.4, 0.39, 0.5, 0.45, 0.42, 0.43], "worse"),
    ],
)
def test_a_steep_fall_is_not_called_worse_for_the_height_it_began_at(rates: list[float], course: str) -> None:
    assert judge_course(rates)[0] == course


def test_the_answer_names_from_where_to_where_and_the_best() -> None:
    verdict = judge(evidence(FALLING))
    assert verdict.sentence == "Dev CER fell from 71\u00a0% to 39\u00a0%; the best was update 800."
    assert verdict.outlook == "It was still falling when training ended: longer training would probably help."


@pytest.mark.parametrize(
    ("rates", "said"),
    [
        ([0.998, 0.996], "Dev CER fell from 99.8\u00a0% to 99.6\u00a0%; the best was update 200."),
        ([0.404, 0.3985], "Dev CER fell from 40.4\u00a0% to 39.9\u00a0%; the best was update 200."),
        ([0.9962, 0.9961], "Dev CER has hardly fallen from 99.6\u00a0%; the best was update 200."),
        ([0.0412, 0.0411], "Dev CER has hardly fallen from 4.1\u00a0%; the best was update 200."),
    ],
)
def test_a_small_fall_is_not_said_to_go_from_a_rate_to_the_same_rate(rates: list[float], said: str) -> None:
    assert judge(evidence(rates)).sentence == said


def test_what_is_flat_or_worse_would_not_be_helped() -> None:
    assert "flat for 5 evaluations: longer training would hardly help" in judge(evidence(FLAT)).outlook
    assert "longer training would not help" in judge(evidence(WORSE)).outlook
    assert judge(evidence(WORSE)).sentence.endswith("the best was update 300.")


def test_a_run_that_goes_on_is_spoken_of_in_the_present() -> None:
    outlook = judge(evidence(FALLING, status="training")).outlook
    assert outlook.startswith("It is still training. The CER is still falling")


def test_speech_known_by_heart_asks_for_more_speech() -> None:
    assert "nearly by heart" in judge(evidence(FLAT, losses=[3.0, 0.01])).outlook
    assert "nearly by heart" not in judge(evidence(FLAT)).outlook


def test_a_collapse_and_missing_numbers_are_said() -> None:
    assert judge(evidence(FLAT, status="collapsed")).outlook.startswith("It collapsed")
    assert judge(evidence([], losses=[])).sentence.startswith("Nothing has been reported yet")
    assert "training loss went from 3.00 to 0.80" in judge(evidence([])).sentence
    assert judge(evidence([0.5])).sentence.startswith("50\u00a0% of letters")
    assert judge(evidence([0.5, 0.6])).sentence.startswith("Dev CER never fell below 50\u00a0%")


def test_small_rates_have_a_decimal() -> None:
    assert [rate_text(rate) for rate in (0.041, 0.0996, 0.39)] == ["4.1\u00a0%", "10\u00a0%", "39\u00a0%"]
