"""Whether a run learns, in words."""

from typing import Any

import pytest

from lowres.report.pretraining_verdict import (
    Evidence,
    chance_accuracy,
    is_small_update,
    judge,
    judge_learning,
    judge_trend,
)


def evidence(**changes: Any) -> Evidence:
    values: dict[str, Any] = {
        "accuracy": 0.38,
        "is_held_out": True,
        "num_distractors": 100,
        "used_codes_share": 0.7,
        "code_perplexity": (190.0, 180.0),
        "latent_similarity": 0.2,
        "held_out_losses": (4.5, 4.0, 3.5, 3.0),
        "has_collapsed": False,
    }
    return Evidence(**values | changes)


def test_guessing_finds_one_in_all_candidates() -> None:
    assert chance_accuracy(100) == 1 / 101
    assert chance_accuracy(1) == 0.5


@pytest.mark.parametrize(
    ("accuracy", "found"),
    [(None, "nothing reported"), (0.25, "not yet"), (0.49, "not yet"), (0.5, "beginning"), (1.24, "beginning")],
)
def test_learning_is_judged_in_multiples_of_guessing(accuracy: float | None, found: str) -> None:
    assert judge_learning(accuracy, 3) == found


def test_five_times_guessing_is_learning() -> None:
    assert judge_learning(5 / 101, 100) == "learns"
    assert judge_learning(4.99 / 101, 100) == "beginning"


def test_a_good_run_is_said_to_be_good() -> None:
    verdict = judge(evidence())
    assert verdict.sentence == (
        "It learns, and most of its codes are used; the loss on held-out speech is still falling."
    )
    assert verdict.is_good


def test_bad_news_is_joined_with_but() -> None:
    assert judge(evidence(used_codes_share=0.3)).sentence.startswith("It learns, but only part of its codes are used")
    assert judge(evidence(accuracy=0.01)).sentence.startswith("It does not learn yet, but most of its codes are used")
    worst = judge(evidence(accuracy=0.01, used_codes_share=0.05, held_out_losses=()))
    assert worst.sentence == "It does not learn yet, and hardly any of its codes are used."


def test_collapsed_codes_outweigh_a_high_accuracy() -> None:
    verdict = judge(evidence(accuracy=1.0, code_perplexity=(150.0, 1.2)))
    assert verdict.has_collapsed
    assert not verdict.is_good
    assert verdict.sentence.startswith("The codes have collapsed")


def test_a_run_stopped_for_alike_targets_says_so() -> None:
    assert "look alike" in judge(evidence(has_collapsed=True, latent_similarity=0.98)).sentence
    assert "it had collapsed" in judge(evidence(has_collapsed=True)).sentence


@pytest.mark.parametrize(
    ("losses", "trend"),
    [
        ((), "unknown"),
        ((4.0,), "unknown"),
        ((4.0, 3.0), "falling"),
        ((3.0, 3.01), "level"),
        ((4.0, 3.0, 3.2), "rising"),
        # The mean of the latest quarter, 3.0, against 3.5: one bad evaluation changes nothing.
        ((5.0, 5.0, 4.0, 4.0, 3.5, 3.5, 2.0, 4.0), "falling"),
    ],
)
def test_the_latest_quarter_is_compared_with_the_one_before(losses: tuple[float, ...], trend: str) -> None:
    assert judge_trend(losses) == trend


def test_an_update_of_less_than_a_quarter_of_the_papers_is_small() -> None:
    assert not is_small_update(1.6)
    assert not is_small_update(0.4)
    assert is_small_update(0.39)
