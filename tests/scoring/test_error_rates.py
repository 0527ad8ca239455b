"""Error rates: jiwer's figures exactly, worked by hand, and the lines that other scorers lose."""

import jiwer
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lowres.scoring.alignment import align_characters, align_units, align_words
from lowres.scoring.error_rates import character_error_rate, count_errors, word_error_rate

LETTERS = st.sampled_from(list("abɛέωe\u0301 \u0307  ŋʃ\tא\u0627'-"))
LINES = st.lists(st.tuples(st.text(LETTERS, max_size=14), st.text(LETTERS, max_size=14)), min_size=1, max_size=6)


@given(LINES)
def test_both_rates_equal_jiwers_on_any_pairs(pairs: list[tuple[str, str]]) -> None:
    references, hypotheses = [r for r, _ in pairs], [h for _, h in pairs]
    words, characters = jiwer.process_words(references, hypotheses), jiwer.process_characters(references, hypotheses)
    for ours, theirs, their_rate in (
        (count_errors(align_words(references, hypotheses)), words, words.wer),
        (count_errors(align_characters(references, hypotheses)), characters, characters.cer),
    ):
        assert (ours.hits, ours.substitutions) == (theirs.hits, theirs.substitutions)
        assert (ours.insertions, ours.deletions) == (theirs.insertions, theirs.deletions)
        if ours.num_reference:
            assert ours.error_rate == their_rate


@given(LINES)
def test_an_alignment_spells_both_lines_and_counts_the_shortest_way(pairs: list[tuple[str, str]]) -> None:
    references, hypotheses = [r.strip() for r, _ in pairs], [h.strip() for _, h in pairs]
    for alignment, reference, hypothesis in zip(
        align_characters(references, hypotheses), references, hypotheses, strict=True
    ):
        units = list(alignment.units())
        assert "".join(unit.reference or "" for unit in units) == reference
        assert "".join(unit.hypothesis or "" for unit in units) == hypothesis
        assert alignment.num_errors == edit_distance(reference, hypothesis)
        assert all((unit.reference == unit.hypothesis) == (unit.operation == "equal") for unit in units)


def edit_distance(first: str, second: str) -> int:
    row = list(range(len(second) + 1))
    for i, a in enumerate(first, 1):
        diagonal, row[0] = row[0], i
        for j, b in enumerate(second, 1):
            diagonal, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, diagonal + (a != b))
    return row[-1]


def test_rates_worked_out_by_hand() -> None:
    references, hypotheses = ["wáa dzé", "mwána adi"], ["wáa dze la", "mwána"]
    # words: 1 substitution (dzé), 1 insertion (la), 1 deletion (adi) over 4; characters: é>e, " la", " adi" over 16
    assert word_error_rate(references, hypotheses) == 3 / 4
    assert character_error_rate(references, hypotheses) == 8 / 16


def test_one_letter_lines_are_scored() -> None:
    assert word_error_rate(["a", "b"], ["a", "c"]) == 0.5
    assert character_error_rate(["a", "b"], ["a", "c"]) == 0.5


def test_an_empty_reference_adds_its_insertions_and_no_length() -> None:
    assert word_error_rate(["", "a b"], ["x y", "a b"]) == 1.0
    assert len(align_words(["", "a"], ["", ""])) == 2


def test_rates_without_any_reference_are_zero_or_infinite() -> None:
    assert word_error_rate([], []) == 0.0
    assert character_error_rate([""], [""]) == 0.0
    assert word_error_rate([""], ["a"]) == float("inf")


def test_a_rate_can_pass_one() -> None:
    assert word_error_rate(["a"], ["b c d"]) == 3.0


def test_capitals_and_punctuation_are_errors_unless_normalised_before() -> None:
    assert word_error_rate(["Kyéma, yéé."], ["kyéma yéé"]) == 1.0


def test_units_of_any_kind_can_be_aligned() -> None:
    (alignment,) = align_units(["kp a"], ["b a"], lambda line: line.replace("kp", "K").split(" "))
    assert [unit.operation for unit in alignment.units()] == ["substitute", "equal"]


def test_unequal_numbers_of_lines_are_refused() -> None:
    with pytest.raises(ValueError, match="2 references but 1"):
        word_error_rate(["a", "b"], ["a"])
    with pytest.raises(ValueError, match="one string"):
        word_error_rate("a", "a")
