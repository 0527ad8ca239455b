"""Which heard words count as right."""

from lowres.decoding.calibration import calibrate
from lowres.decoding.word_times import HeardWord
from lowres.stages.word_confidence import judge_words


def heard(*words: tuple[str, float]) -> list[HeardWord]:
    return [HeardWord(text, 0, 1, certainty, ()) for text, certainty in words]


def test_a_word_is_right_where_it_was_said_and_wrong_where_it_was_not() -> None:
    certainties, are_right = judge_words(
        ["mbote na yo", "ndeko", "", "tata"],
        [
            heard(("mbote", 0.9), ("ma", 0.2), ("yo", 0.8)),
            heard(("eh", 0.1), ("ndeko", 0.7)),
            heard(("na", 0.3)),
            heard(),
        ],
    )
    assert certainties == [0.9, 0.2, 0.8, 0.1, 0.7, 0.3]
    assert are_right == [True, False, True, False, True, False]


def test_nothing_heard_is_nothing_to_learn_from() -> None:
    assert judge_words([], []) == ([], [])
    assert judge_words(["mbote"], [[]]) == ([], [])
    assert calibrate(*judge_words(["mbote"], [[]])) is None


def test_marks_and_case_count() -> None:
    _, are_right = judge_words(["bá Na"], [heard(("ba", 0.5), ("na", 0.5))])
    assert are_right == [False, False]
