"""Scripts by the names of characters, look-alikes, and what marks write."""

import unicodedata

import pytest

from lowres.text.look_alikes import look_alikes
from lowres.text.mark_names import describe_mark, is_sign, writes_tone
from lowres.text.scripts import COMMON, INHERITED, character_name, script_of, writing_system


@pytest.mark.parametrize(
    ("letters", "script"),
    [
        ("aZɛŋʔ", "Latin"),
        ("ǃɓəẹǝßꞷ", "Latin"),
        ("εΩώ", "Greek"),
        ("жӘі", "Cyrillic"),
        ("ሀቋ", "Ethiopic"),
        ("ᐁᑕ", "Canadian"),
        ("অ", "Bengali"),
        ("ߊ", "Nko"),
        ("ⴰⵣ", "Tifinagh"),
        ("𞤀𞤢", "Adlam"),
        ("ทก", "Thai"),
        ("ꠀ", "Syloti Nagri"),
        ("漢㐂", "Han"),
        ("ａＢ", "Latin"),
        ("ｱ", "Katakana"),
    ],
)
def test_a_letter_belongs_to_the_script_of_its_name(letters: str, script: str) -> None:
    assert {script_of(letter) for letter in letters} == {script}


@pytest.mark.parametrize("character", ["ʰ", "ʷ", "ː", "ʼ", "1", ".", " ", "µ", "ª", "\u02e5", "\ue000", "\ud800"])
def test_what_all_scripts_share_belongs_to_none(character: str) -> None:
    assert script_of(character) == COMMON


def test_marks_take_the_script_of_their_letter() -> None:
    assert {script_of(mark) for mark in "\u0301\u0361\u0325\u093f"} == {INHERITED}


def test_japanese_is_one_writing_system() -> None:
    assert {writing_system(script_of(letter)) for letter in "漢かカ"} == {"East Asian"}


def test_a_grapheme_is_named_by_its_code_points() -> None:
    assert character_name("t\u0361") == "LATIN SMALL LETTER T + COMBINING DOUBLE INVERTED BREVE"
    assert character_name("\x1d") == "U+001D"
    assert character_name("a" * 8).endswith("and 2 more")


@pytest.mark.parametrize(
    ("letter", "other"), [("ί", "í"), ("ὸ", "ò"), ("ε", "ɛ"), ("έ", "ɛ\u0301"), ("а", "a"), ("Α", "A"), ("ə", "ǝ")]
)
def test_letters_look_alike_in_both_directions_with_their_accents(letter: str, other: str) -> None:
    assert other in look_alikes(letter)
    assert unicodedata.normalize("NFC", letter) in look_alikes(other)


def test_the_letters_that_a_language_tells_apart_are_not_in_the_table() -> None:
    assert "e" not in look_alikes("ɛ")
    assert "n" not in look_alikes("ŋ")
    assert "x" not in look_alikes("χ")
    assert "i" not in look_alikes("ı")


def test_marks_say_what_they_usually_write() -> None:
    assert describe_mark("\u0361").startswith("tie bar")
    assert describe_mark("\u0301").startswith("acute")
    assert describe_mark("\u02e5").endswith(": tone")
    assert writes_tone("\u0300")
    assert writes_tone("\ua71b")
    assert not writes_tone("\u0303")
    assert not writes_tone("ʰ")
    assert all(map(is_sign, "ʰʷː\u0301\u02e5\u2193"))
    assert not any(map(is_sign, "aʔ'."))
