"""Two hearings of one utterance under its reference."""

from lowres.report.compare_lines import DoubleColumn, double_lines
from lowres.scoring.alignment import align_words


def _lay(reference: str, before: str, now: str) -> list[DoubleColumn]:
    return double_lines(align_words([reference], [before]), align_words([reference], [now]), list)[0]


def _shown(column: DoubleColumn) -> tuple[str, str | None, str | None]:
    before, now = (
        None if one is None else "".join(part.text for part in one.letters) for one in (column.before, column.now)
    )
    return column.said, before, now


def test_words_stand_under_the_word_that_they_were_heard_for() -> None:
    columns = _lay("a b c", "a x c", "a b")
    assert [_shown(column) for column in columns] == [("a", "a", "a"), ("b", "x", "b"), ("c", "c", "")]
    assert [column.change for column in columns] == ["", "better", "worse"]


def test_words_added_at_one_place_stand_in_one_column() -> None:
    columns = _lay("a b", "a x y b", "a z b w")
    assert [_shown(column) for column in columns] == [
        ("a", "a", "a"),
        ("", "x", "z"),
        ("", "y", None),
        ("b", "b", "b"),
        ("", None, "w"),
    ]
    assert [column.change for column in columns] == ["", "", "better", "", "worse"]


def test_only_letters_that_differ_are_marked() -> None:
    (column,) = _lay("mwana", "mwena", "mwana")
    assert column.before is not None
    assert [(part.text, part.differ) for part in column.before.letters] == [("mw", False), ("e", True), ("na", False)]


def test_nothing_said_and_nothing_heard_has_no_column() -> None:
    assert _lay("", "", "") == []
    assert [_shown(column) for column in _lay("", "a", "")] == [("", "a", None)]
