"""Text cut into graphemes: declared multigraphs whole, marks with their letters, nothing lost."""

import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lowres.errors import RecipeError
from lowres.text.alphabet import audit_alphabet, undeclared_symbols
from lowres.text.graphemes import split_graphemes

LETTERS = st.text(st.sampled_from("abkgnst ʰɕ\u0301\u0303\u0323\u0361\u200dé"), max_size=40)


def test_the_longest_declared_grapheme_wins() -> None:
    assert split_graphemes("tshatsa", ["ts", "tsh", "sh"]) == ["tsh", "a", "ts", "a"]


def test_marks_stay_with_their_letter_also_after_a_multigraph() -> None:
    assert split_graphemes("ẹ\u0301gb\u0300a\u0330\u0301", ["gb"]) == ["ẹ\u0301", "gb\u0300", "a\u0330\u0301"]


def test_a_tie_bar_holds_the_letters_on_both_sides() -> None:
    assert split_graphemes("t͡ɕat͡sʰ", ["t͡sʰ"]) == ["t͡ɕ", "a", "t͡sʰ"]


def test_a_space_stands_alone_and_takes_no_mark() -> None:
    assert split_graphemes("a \u0301b") == ["a", " ", "\u0301", "b"]


@given(LETTERS, st.lists(st.sampled_from(["ts", "kʰ", "ng", "gb", "t\u0361s", "é"]), unique=True))
def test_graphemes_joined_are_the_text(text: str, declared: list[str]) -> None:
    assert "".join(split_graphemes(text, declared)) == text


@given(st.text())
def test_any_text_at_all_survives_splitting(text: str) -> None:
    assert "".join(split_graphemes(text)) == text


@pytest.mark.parametrize(
    ("declared", "word"), [(["a b"], "space"), ([""], "empty"), (["\u0301a"], "mark"), (["a", "a"], "twice")]
)
def test_graphemes_that_could_never_match_are_refused(declared: list[str], word: str) -> None:
    with pytest.raises(RecipeError, match=word):
        split_graphemes("a", declared)


def test_a_symbol_is_undeclared_unless_it_or_all_its_parts_are_declared() -> None:
    assert undeclared_symbols("á b\u0300 x", ["a", "b", "\u0301"]) == ["b\u0300", "x"]
    assert undeclared_symbols("á", ["á"]) == []
    assert undeclared_symbols("á", ["a"]) == ["á"]


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_parts_are_found_in_whatever_order_unicode_puts_their_marks(form: str) -> None:
    vietnamese = [*"aăâbcdđeêghiklmnoôơpqrstuưvxy", *"\u0300\u0301\u0303\u0309\u0323"]
    text = unicodedata.normalize(form, "mệt một mặc tập ấy ề ổ ẹ")
    assert undeclared_symbols(text, vietnamese) == []
    assert audit_alphabet([text], vietnamese).found["\u0323"] == 5
    assert undeclared_symbols("ä\u0328", ["a", "ä", "\u0328"]) == []
    assert undeclared_symbols("ệ", ["ê", "ẹ", "\u0323"]) == []
    assert undeclared_symbols("ệ", ["ê", "\u0301"]) == ["ệ"]


def test_marks_that_may_not_change_places_are_told_apart() -> None:
    assert undeclared_symbols("a\u0302\u0301", ["â", "\u0301"]) == []
    assert undeclared_symbols("a\u0301\u0302", ["â", "\u0301"]) == ["a\u0301\u0302"]


def test_a_letter_of_very_many_marks_is_looked_up_in_time() -> None:
    started = time.process_time()
    assert undeclared_symbols("e" + "\u0323" * 40_000 + "\u0302", ["ê", "e", "\u0323"]) == []
    assert time.process_time() - started < 2


def test_a_multigraph_does_not_declare_its_letters() -> None:
    assert undeclared_symbols("ch c h", ["ch", "h"]) == ["c"]


def test_an_empty_alphabet_allows_everything() -> None:
    assert undeclared_symbols("xyz", []) == []


def test_an_audit_counts_found_undeclared_and_unused() -> None:
    audit = audit_alphabet(["ab a\u0303", "a?"], ["a", "b", "c", "\u0303"])
    assert audit.found == {"a": 3, "b": 1, "\u0303": 1}
    assert audit.undeclared == {"?": 1}
    assert audit.unused == ("c",)
