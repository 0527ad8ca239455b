"""A cross-validation in words, its spread by hand, and its JSON."""

import json
from dataclasses import replace

import pytest
from curves import make_cross_validation

from lowres.report.cross_validation_contents import spread_over_speakers
from lowres.report.cross_validation_page import cross_validation_json, render_cross_validation_page
from lowres.report.cross_validation_sentences import (
    headline,
    name_of,
    official_sentence,
    range_sentence,
    share_sentence,
)


def test_mean_deviation_and_chance_by_hand() -> None:
    # 20, 14 and 11 of 100: mean 15, deviations 5, -1, -4, so the variance is (25 + 1 + 16) / 2 = 21.
    spread = spread_over_speakers(make_cross_validation().results, "letters")
    assert spread.mean == pytest.approx(0.15)
    assert spread.deviation == pytest.approx(0.21**0.5 / 10)
    assert spread.by_chance == pytest.approx(0.01)
    assert spread.speaker_share == pytest.approx(1 - 0.01**2 / 0.0021)
    assert (spread.lowest.speaker[:7], spread.highest.speaker) == ("martial", "abiayi")


def test_the_answer_counts_each_speaker_once() -> None:
    contents = make_cross_validation()
    assert headline(contents) == (
        "For somebody it has never heard, about 30 of 100 words and 15 of 100 letters need correcting."
    )
    assert "to 20 for abiayi; mean 15, plus or minus 4.6" in range_sentence(contents)


def test_how_much_is_the_speaker_is_said_with_its_doubt() -> None:
    said = share_sentence(make_cross_validation())
    assert "other sentences of the same person move it by about 1 of 100 letters, another person by about 4.6" in said
    assert "So 95 % of the differences" in said
    assert said.endswith("With 3 speakers that is a rough figure.")


def test_differences_that_luck_explains_are_not_called_the_speaker() -> None:
    said = share_sentence(make_cross_validation((0.15, 0.149, 0.148), deviation=0.02))
    assert "nothing that could be seen" in said


def test_what_being_new_costs_is_said_beside_the_official_split() -> None:
    contents = make_cross_validation()
    assert official_sentence(contents) == (
        "On the dev split a run of the same settings has 10 of 100 letters wrong; all 3 of its speakers are heard in "
        "training there. Being new costs the 2 speakers measured both ways about 5 more of 100 letters, on average."
    )
    assert official_sentence(make_cross_validation(official=False)) == ""
    official = contents.official
    assert official is not None
    some = replace(contents, official=replace(official, num_heard_speakers=1))
    assert "1 of its 3 speakers is heard in training there" in official_sentence(some)
    strangers = tuple(replace(result, is_known_there=False) for result in contents.results)
    none = replace(contents, official=replace(official, num_heard_speakers=0), results=strangers)
    assert official_sentence(none).endswith("none of its speakers is in training there either.")


def test_other_people_in_the_official_split_are_no_cost_of_being_new() -> None:
    # One easy speaker of three was scored there, and heard as well when new.
    contents = make_cross_validation()
    easy = contents.results[2]
    known = replace(easy, official=(easy.letters, easy.words), is_known_there=True)
    unseen = [replace(result, official=None, is_known_there=False) for result in contents.results[:2]]
    found = official_sentence(replace(contents, results=(*unseen, known)))
    assert found.endswith("Being new costs the one speaker measured both ways nothing.")
    nobody = official_sentence(replace(contents, results=(*unseen, replace(known, official=None))))
    assert nobody.endswith("are heard in training there.")


def test_columns_say_heard_before_only_where_all_were() -> None:
    contents = make_cross_validation()
    official = contents.official
    assert official is not None
    assert "Letters, when heard before" in render_cross_validation_page(contents)
    page = render_cross_validation_page(replace(contents, official=replace(official, num_heard_speakers=0)))
    assert "heard before" not in page
    assert "Letters, on the dev split" in page


def test_one_speaker_has_no_spread() -> None:
    contents = make_cross_validation((0.2,))
    assert share_sentence(contents) == ""
    assert range_sentence(contents) == "Only one speaker was measured, abiayi."
    assert contents.spread("words").deviation == 0.0


def test_names_are_foreign_text() -> None:
    assert name_of("a\u202eb") == "aU+202Eb"
    assert name_of("x" * 50) == "x" * 40 + "…"


def test_the_json_holds_every_number() -> None:
    data = json.loads(json.dumps(cross_validation_json(make_cross_validation()), allow_nan=False))
    assert data["schema_version"] == 1
    assert data["results"][0]["letters"]["error_rate"] == 0.2
    assert data["over_speakers"]["letters"]["highest"] == "abiayi"
    assert data["folds"][1]["num_set_aside"] == 236
    assert data["facts"] == {"Seed": "1"}
