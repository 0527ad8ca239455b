"""The matrix of letters, and the tally of pairs that it is laid out from."""

from hypothesis import given, settings
from hypothesis import strategies as st

from lowres.scoring.alignment import align_characters
from lowres.scoring.confusion_matrix import confusion_matrix
from lowres.scoring.confusions import count_confusions
from lowres.scoring.tally import MAX_UTTERANCES, tally_pairs

LINES = st.text(st.sampled_from("abcd "), max_size=12)


def test_rows_are_said_and_columns_heard_with_added_and_left_out_at_the_ends() -> None:
    matrix = confusion_matrix(tally_pairs(align_characters(["abb", "ab", "bc"], ["acb", "a", "bcd"])))
    assert matrix.graphemes == ["b", "c", "d"]
    assert matrix.num_said == [4, 1, 0]
    assert matrix.counts == [
        [2, 1, 0, 1],  # b: heard right twice, once as c, once not at all
        [0, 1, 0, 0],
        [0, 0, 0, 0],
        [0, 0, 1, 0],  # d was heard although nobody said it
    ]
    assert matrix.row_names == matrix.column_names == ["b", "c", "d", ""]


def test_letters_that_differ_in_marks_alone_stand_side_by_side() -> None:
    matrix = confusion_matrix(tally_pairs(align_characters(["ázaà"], ["azào"])))
    assert matrix.graphemes == ["a", "à", "á", "o"]


def test_only_the_letters_most_involved_in_errors_are_shown() -> None:
    matrix = confusion_matrix(tally_pairs(align_characters(["aab", "cz"], ["bbb", "dz"])), limit=2)
    assert matrix.graphemes == ["a", "b"]
    assert matrix.counts == [[0, 2, 0], [0, 1, 0], [0, 0, 0]]


def test_without_errors_there_is_nothing_to_lay_out() -> None:
    matrix = confusion_matrix(tally_pairs(align_characters(["ab"], ["ab"])))
    assert (matrix.graphemes, matrix.counts, matrix.num_said) == ([], [[0]], [])


@settings(deadline=None)
@given(st.lists(st.tuples(LINES, LINES), max_size=5))
def test_with_room_for_all_letters_every_row_adds_up_to_what_was_said(pairs: list[tuple[str, str]]) -> None:
    alignments = align_characters([said for said, _ in pairs], [heard for _, heard in pairs])
    matrix = confusion_matrix(tally_pairs(alignments))
    assert [sum(row) for row in matrix.counts[:-1]] == matrix.num_said
    wrong = sum(map(sum, matrix.counts)) - sum(matrix.counts[place][place] for place in range(len(matrix.counts)))
    assert wrong == sum(alignment.num_errors for alignment in alignments)
    assert matrix.counts[-1][-1] == 0


def test_a_confusion_names_the_first_utterances_it_happened_in_each_once() -> None:
    lines = [("ab", "ab"), ("aa", "bb")] + [("a", "b")] * 20
    (confusion,) = count_confusions(tally_pairs(align_characters(*map(list, zip(*lines, strict=True))))).substitutions
    assert confusion.count == 22
    assert confusion.utterances == tuple(range(1, 1 + MAX_UTTERANCES))
    assert confusion.example == 1
