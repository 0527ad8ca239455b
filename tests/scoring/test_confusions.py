"""Kinds of errors: confusions, marks alone, spacing."""

import unicodedata

import pytest

from lowres.scoring.alignment import align_characters, align_units, align_words
from lowres.scoring.confusions import count_confusions, count_mark_errors, count_spacing_errors
from lowres.scoring.error_rates import word_error_rate
from lowres.scoring.marks import differ_only_in_marks, remove_marks
from lowres.scoring.tally import tally_pairs


def graphemes(text: str) -> list[str]:
    """A base letter with the marks after it."""
    found: list[str] = []
    for character in text:
        if unicodedata.combining(character) and found:
            found[-1] += character
        else:
            found.append(character)
    return found


def test_confusions_come_most_frequent_first_with_how_often_the_unit_was_said() -> None:
    alignments = align_characters(["abab", "ab", "cb"], ["acac", "ad", "cbx"])
    confusions = count_confusions(tally_pairs(alignments))
    first, second = confusions.substitutions
    assert (first.reference, first.hypothesis, first.count, first.num_reference, first.example) == ("b", "c", 2, 4, 0)
    assert (second.reference, second.hypothesis, second.example) == ("b", "d", 1)
    assert [(c.hypothesis, c.count, c.num_reference) for c in confusions.insertions] == [("x", 1, 0)]
    assert confusions.deletions == []


def test_a_letter_stays_together_with_its_marks() -> None:
    (confusion,) = count_confusions(tally_pairs(align_units(["ɛ\u0301a"], ["ɛ\u0300a"], graphemes))).substitutions
    assert (confusion.reference, confusion.hypothesis) == ("ɛ\u0301", "ɛ\u0300")


@pytest.mark.parametrize(
    ("text", "bare"),
    [
        ("kyéma", "kyema"),
        ("ɛ\u0301ɔ\u030c", "ɛɔ"),
        ("έω", "εω"),
        ("t\u0361sa˥˩", "tsa"),
        ("ma²¹", "ma"),
        ("किताब", "किताब"),
        ("क्या", "क्या"),
        ("비", "비"),
        ("שָׁלוֹם", "שלום"),
    ],
)
def test_only_diacritics_and_tone_are_set_aside(text: str, bare: str) -> None:
    assert remove_marks(text) == unicodedata.normalize("NFC", bare)


def test_the_same_letters_written_two_ways_differ_in_marks_at_most() -> None:
    assert not differ_only_in_marks("á", "á")
    assert differ_only_in_marks("á", "a\u0301")
    assert not differ_only_in_marks("a", "b")


def test_mark_only_words_are_counted_apart_and_still_wrong() -> None:
    references, hypotheses = ["wáa dzé la", "mbia"], ["waa dze na", "mbia"]
    errors = count_mark_errors(tally_pairs(align_words(references, hypotheses)))
    assert (errors.num_mark_only, errors.num_errors) == (2, 3)
    assert errors.share == 2 / 3
    assert {(c.reference, c.hypothesis) for c in errors.most_frequent} == {("wáa", "waa"), ("dzé", "dze")}
    assert word_error_rate(references, hypotheses) == 3 / 4


def test_a_tone_letter_left_out_is_a_mark_only_error() -> None:
    errors = count_mark_errors(tally_pairs(align_units(["ma˥"], ["ma"], graphemes)))
    assert (errors.num_mark_only, errors.num_errors) == (1, 1)


def test_words_run_together_and_split_are_spacing_errors() -> None:
    references, hypotheses = ["la mi na", "mbia ye", "a b"], ["lami na", "mb ia ye", "a c"]
    spacing = count_spacing_errors(align_words(references, hypotheses), align_characters(references, hypotheses))
    assert spacing.num_word_errors == 4  # "la mi" > "lami" and "mbia" > "mb ia": two errors each
    assert (spacing.num_spaces, spacing.num_missed, spacing.num_added) == (4, 1, 1)
    assert set(spacing.examples) == {("la mi", "lami"), ("mbia", "mb ia")}


def test_a_spacing_error_beside_a_letter_error_is_not_spacing_alone() -> None:
    spacing = count_spacing_errors(align_words(["la mi"], ["lani"]), align_characters(["la mi"], ["lani"]))
    assert (spacing.num_word_errors, spacing.num_missed) == (0, 1)
