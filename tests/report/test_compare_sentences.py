"""What a comparison says in words."""

from dataclasses import replace

import pytest
from comparisons import REFERENCES, garble, make_contents

from lowres.report.compare_contents import CompareContents, SeedGroup
from lowres.report.compare_sentences import (
    between_groups_sentence,
    chance_text,
    counts_sentence,
    group_sentence,
    headline,
    interval_words,
    letters_sentence,
    luck_sentence,
    many_sentence,
    needed_sentence,
    points_text,
)
from lowres.scoring.bootstrap import Interval


def _pair(before: float, now: float) -> CompareContents:
    return make_contents(REFERENCES, {"old": garble(REFERENCES, before, 1), "new": garble(REFERENCES, now, 2)})


def test_a_clear_difference_is_said_with_its_range_and_that_it_is_no_luck() -> None:
    contents = _pair(0.7, 0.2)
    (one,) = contents.comparisons
    said = headline(contents, one)
    assert said.startswith("new makes ")
    assert " fewer word errors than old (" in said
    assert " to " in said
    assert "This is not luck of the draw: in 0 of 2,000 redrawn tests was new worse" in luck_sentence(contents, one)
    assert letters_sentence(one).endswith("not luck either.")


def test_a_clear_loss_is_said_as_more_errors() -> None:
    contents = _pair(0.2, 0.7)
    (one,) = contents.comparisons
    assert " more word errors than old (" in headline(contents, one)
    assert "redrawn tests was new better or no different" in luck_sentence(contents, one)


def test_what_may_be_luck_cannot_be_told_apart_and_says_how_many_utterances_would_tell() -> None:
    contents = _pair(0.50, 0.47)
    (one,) = contents.comparisons
    assert one.words.verdict == "unsure"
    assert headline(contents, one) == "new and old cannot be told apart with these 30 utterances."
    assert "often luck" in luck_sentence(contents, one)
    assert "utterances like these would be needed" in luck_sentence(contents, one)


def test_what_letters_tell_apart_and_words_do_not_is_said_of_both() -> None:
    contents = _pair(0.50, 0.47)
    (one,) = contents.comparisons
    letters = replace(one.characters, luck_by_redrawing=0.01, luck_by_swapping=0.01)
    said = headline(contents, replace(one, characters=letters))
    assert said.startswith(
        "By words, new and old cannot be told apart with these 30 utterances; by letters, new makes "
    )


def test_no_difference_is_said_to_be_none() -> None:
    lines = garble(REFERENCES, 0.5)
    contents = make_contents(REFERENCES, {"old": lines, "new": lines})
    (one,) = contents.comparisons
    assert headline(contents, one).startswith("new and old make the same number of word errors")
    assert counts_sentence(one) == "Better in 0 utterances, worse in 0, equal in 30."
    assert letters_sentence(one) == "The number of letter errors is the same."


def test_one_utterance_and_one_error_are_spoken_of_as_one() -> None:
    contents = make_contents(["a b", "a", "c"], {"old": ["a b", "a", "c"], "new": ["a x", "a", "c"]})
    (one,) = contents.comparisons
    assert counts_sentence(one) == "Better in 0 utterances, worse in 1, equal in 2."
    assert "1 more error" in letters_sentence(one)
    assert "1 more errors" not in letters_sentence(one)
    (better,) = make_contents(["a b"], {"old": ["a x"], "new": ["a b"]}).comparisons
    assert counts_sentence(better) == "Better in 1 utterance, worse in 0, equal in 0."


def test_where_the_tests_disagree_neither_is_believed() -> None:
    contents = _pair(0.7, 0.2)
    (one,) = contents.comparisons
    doubtful = replace(one, words=replace(one.words, luck_by_swapping=0.06))
    assert doubtful.words.verdict == "unlike tests"
    assert (
        headline(contents, doubtful) == "new may make fewer word errors than old, but the two tests of luck disagree."
    )
    assert "take it as not shown" in luck_sentence(contents, doubtful)


def test_errors_where_there_were_none_have_no_share() -> None:
    contents = make_contents(["a b", "c d"], {"old": ["a b", "c d"], "new": ["a x", "c y"]})
    assert "2 more word errors" in luck_sentence(contents, contents.comparisons[0])


@pytest.mark.parametrize(
    ("low", "high", "share", "said"),
    [
        (0.08, 0.16, 0.12, "8 to 16 %"),
        (-0.16, -0.08, -0.12, "8 to 16 %"),
        (-0.0004, 0.09, 0.035, "from 0.04 % more to 9 % fewer"),
        (-0.02, 0.09, 0.035, "from 2 % more to 9 % fewer"),
        (-0.09, 0.02, -0.035, "from 2 % fewer to 9 % more"),
        (-0.3, -0.1, 0.01, "10 to 30 % more"),
    ],
)
def test_ranges_are_read_in_the_direction_of_the_difference(low: float, high: float, share: float, said: str) -> None:
    assert interval_words(Interval(low, high, 9), share).replace("\u00a0", " ") == said


def test_needed_utterances_are_rounded_to_what_is_known_of_them() -> None:
    assert needed_sentence(1234, 100).startswith("About 1,200 utterances")
    assert needed_sentence(99, 50).startswith("About 99 utterances")
    assert "more than 100,000" in needed_sentence(3_000_000, 100)
    assert "80\u00a0% of tests as large as this one" in needed_sentence(90, 100)
    assert needed_sentence(None, 100) == ""


def test_chances_and_points_are_printed_as_people_read_them() -> None:
    assert [chance_text(chance).replace("\u00a0", " ") for chance in (0.0005, 0.032, 0.41)] == [
        "under 0.1 %",
        "3.2 %",
        "41 %",
    ]
    assert [points_text(change) for change in (-0.041, 0.041, 0.0001)] == ["−4.1", "+4.1", "0.0"]


def test_several_runs_have_their_chances_of_luck_corrected_and_say_so() -> None:
    heard = {
        name: garble(REFERENCES, chance, seed)
        for seed, (name, chance) in enumerate({"old": 0.5, "b": 0.45, "c": 0.4}.items())
    }
    contents = make_contents(REFERENCES, heard)
    assert "2 runs are compared with old" in many_sentence(contents)
    assert "Holm" in many_sentence(contents)
    for measure in ("words", "characters"):
        found = [getattr(one, measure) for one in contents.comparisons]
        raw = [one.difference.luck_by_redrawing for one in found]
        assert sorted(one.luck_by_redrawing for one in found)[0] == pytest.approx(min(1.0, 2 * min(raw)))
    assert many_sentence(_pair(0.5, 0.4)) == ""


def test_seeds_are_said_with_mean_and_spread_and_whether_groups_overlap() -> None:
    heard = dict.fromkeys(("a1", "a2", "b1", "b2"), REFERENCES)
    contents = make_contents(REFERENCES, heard)
    first = SeedGroup((0, 1), (0.5, 0.6), (0.2, 0.3), 0.55, 0.0707, 0.25, 0.0707)
    lower, overlapping = replace(first, runs=(2, 3)), replace(first, runs=(2, 3), word_error_rates=(0.55, 0.57))
    lower = replace(lower, word_error_rates=(0.3, 0.4), words_mean=0.35)
    said = group_sentence(contents, first).replace("\u00a0", " ")
    assert said == (
        "a1 and a2 differ in nothing but the seed: 55.0 % of words wrong on average, between 50.0 % and 60.0 % "
        "(standard deviation 7.1 points)."
    )
    assert between_groups_sentence(contents, first, lower).startswith("Every seed of the group of b1 makes fewer")
    assert "overlap" in between_groups_sentence(contents, first, overlapping)
