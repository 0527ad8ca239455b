"""Which heard words count as right."""

import pytest

from lowres.decoding.calibration import calibrate
from lowres.decoding.word_times import HeardWord
from lowres.stages.tidying import tidier
from lowres.stages.word_confidence import judge_words
from lowres.text.rules import parse_rules


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
        str,
    )
    assert certainties == [0.9, 0.2, 0.8, 0.1, 0.7, 0.3]
    assert are_right == [True, False, True, False, True, False]


def test_nothing_heard_is_nothing_to_learn_from() -> None:
    assert judge_words([], [], str) == ([], [])
    assert judge_words(["mbote"], [[]], str) == ([], [])
    assert calibrate(*judge_words(["mbote"], [[]], str)) is None


def test_marks_and_case_count() -> None:
    _, are_right = judge_words(["bá Na"], [heard(("ba", 0.5), ("na", 0.5))], str)
    assert are_right == [False, False]


@pytest.mark.parametrize("space", ["\u00a0", "\t", "\u00a0 \u2009", "\u2028"])
def test_a_word_with_white_space_in_it_is_several_as_certain_as_it(space: str) -> None:
    """Where the recipe leaves a no-break space in its text, it has a label and stands inside a word."""
    tidy = tidier(parse_rules(["nfc", "lowercase"]))
    words = [heard((f"mot{space}!", 0.9), ("ka", 0.8))]
    certainties, are_right = judge_words([tidy(f"mot{space}? ka")], words, tidy)
    assert certainties == [0.9, 0.9, 0.8]
    assert are_right == [True, False, True]


def test_marks_written_apart_are_no_error() -> None:
    _, are_right = judge_words(["b\u00e1"], [heard(("ba\u0301", 0.5))], tidier(parse_rules(["nfc"])))
    assert are_right == [True]
