from dataclasses import replace

import pytest

from lowres.training.collapse import Collapse, CollapseRule, OutputSymptoms, choose_retry, detect_collapse

RULE = CollapseRule(check_share=0.4, check_updates=300)


def symptoms(progress: float = 0.5, *, loss: float = 2.0, blank: float = 1.0, distinct: int = 0) -> OutputSymptoms:
    return OutputSymptoms(
        step=round(10_000 * progress),
        progress=progress,
        train_loss=loss,
        blank_share=blank,
        distinct_tokens=distinct,
        gradient_norm=0.5,
    )


def detect(*history: OutputSymptoms, size: int = 31) -> Collapse | None:
    return detect_collapse(history, vocabulary_size=size, rule=RULE, learning_rate=3e-4)


def test_silence_before_the_set_point_is_no_collapse() -> None:
    assert detect(symptoms(progress=0.39)) is None


def test_silence_after_few_updates_is_no_collapse_however_short_the_run() -> None:
    assert detect(replace(symptoms(progress=1.0), step=299)) is None
    assert detect(replace(symptoms(progress=1.0), step=300)) is not None


def test_silence_after_the_set_point_is_a_collapse() -> None:
    found = detect(symptoms(progress=0.4))
    assert found is not None
    assert found.kind == "silence"
    assert "after 4000 updates (40% of the run)" in found.sentence


@pytest.mark.parametrize(("distinct", "is_collapse"), [(1, True), (3, True), (4, False)])
def test_a_tenth_of_the_vocabulary_or_less_is_a_collapse(distinct: int, is_collapse: bool) -> None:
    found = detect(symptoms(blank=0.8, distinct=distinct))
    assert (found is not None) == is_collapse


def test_a_recogniser_that_writes_many_letters_has_not_collapsed_however_wrong_they_are() -> None:
    assert detect(symptoms(blank=0.9, distinct=20)) is None


def test_a_loss_that_rose_blames_the_learning_rate_and_names_a_lower_one() -> None:
    found = detect(symptoms(progress=0.2, loss=1.0), symptoms(loss=3.0))
    assert found is not None
    assert found.is_diverging
    assert "finetune.learning_rate=1.0e-04" in found.causes[0]


def test_few_updates_and_a_large_vocabulary_are_named_as_causes() -> None:
    early = OutputSymptoms(
        step=500, progress=0.5, train_loss=2.0, blank_share=1.0, distinct_tokens=0, gradient_norm=0.5
    )
    found = detect(early, size=1000)
    assert found is not None
    assert any("500 updates are few" in cause for cause in found.causes)
    assert any("vocabulary is large" in cause for cause in found.causes)


def test_the_first_retry_changes_the_seed_and_later_ones_the_rate_too() -> None:
    stuck = detect(symptoms())
    assert stuck is not None
    first = choose_retry(stuck, attempt=1, seed=1, learning_rate=3e-4)
    second = choose_retry(stuck, attempt=2, seed=1, learning_rate=3e-4)
    third = choose_retry(stuck, attempt=3, seed=1, learning_rate=1e-4)
    assert (first.seed, first.learning_rate) == (1001, 3e-4)
    assert (second.seed, second.learning_rate) == (2001, pytest.approx(1e-4))
    assert third.learning_rate == pytest.approx(6e-4)


def test_a_diverging_run_is_retried_with_a_lower_rate_at_once() -> None:
    diverging = detect(symptoms(progress=0.2, loss=1.0), symptoms(loss=3.0))
    assert diverging is not None
    assert choose_retry(diverging, attempt=1, seed=1, learning_rate=3e-4).learning_rate == pytest.approx(1e-4)
