"""Text rules: what each step does, and that none of them can take a mark away."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lowres.errors import RecipeError
from lowres.text.marks import count_marks, is_mark
from lowres.text.normalize import (
    DEFAULT_RULES,
    NormalForm,
    ReplaceStrings,
    compile_rules,
    describe_rules,
    normalize,
    unicode_form,
)
from lowres.text.rules import parse_rules, rules_to_data

USUAL = ["nfc", "remove_invisible", "lowercase", {"strip_punctuation": {"keep": "-"}}, "nfc", "collapse_spaces"]


def apply(text: str, *steps: object) -> str:
    return normalize(text, parse_rules(steps))


def test_steps_are_applied_in_the_order_given() -> None:
    assert apply("AB", {"map": {"A": "B"}}, {"map": {"B": "C"}}) == "CC"
    assert apply("AB", {"map": {"B": "C"}}, {"map": {"A": "B"}}) == "BC"


def test_a_map_is_one_pass_with_the_longest_first() -> None:
    assert apply("tshtst", {"map": {"t": "T", "ts": "t", "tsh": "C"}}) == "CtT"


def test_a_map_finds_a_letter_however_the_recipe_spelled_it() -> None:
    assert apply("e\u0301", "nfc", {"map": {"e\u0301": "ε\u0301"}}) == "\u03ad"


def test_apostrophes_vanish_and_other_punctuation_leaves_a_space() -> None:
    assert apply("n'uwo (dem—Matthew,Mark).", "strip_punctuation", "collapse_spaces") == "nuwo dem Matthew Mark"


def test_kept_punctuation_stays() -> None:
    assert apply("orang-orang, ng'ombe", {"strip_punctuation": {"keep": "-'"}}) == "orang-orang  ng'ombe"


@pytest.mark.parametrize("tone", ["\u02e5\u02e9", "\ua71b", "\u2193", "\u0301", "\u00b4", "\u02bc", "\u01c3"])
def test_tone_letters_and_letters_that_look_like_punctuation_are_not_punctuation(tone: str) -> None:
    assert apply(f"ma{tone}", "strip_punctuation") == f"ma{tone}"


def test_punctuation_that_carries_a_mark_is_left_for_people_to_see() -> None:
    assert apply("a-\u0301b, c", "strip_punctuation") == "a-\u0301b  c"


def test_turkish_lower_case_keeps_the_two_letters_i_apart() -> None:
    assert apply("ISPARTA İzmir I\u0307zmir", {"lowercase": "tr"}) == "ısparta izmir izmir"
    assert apply("ISPARTA", "lowercase") == "isparta"


def test_lower_case_knows_greek_and_cyrillic() -> None:
    assert apply("ΈΩ ЖЏ", "lowercase") == "έω жџ"


@pytest.mark.parametrize("form", ["nfc", "nfd", "nfkc"])
@pytest.mark.parametrize(
    ("text", "step"),
    [
        ("J\u030cam", "lowercase"),
        ("H\u0331a T\u0308o W\u030au Y\u030ae", "lowercase"),
        ("e\u200b\u0301", "remove_invisible"),
        ("e*\u0301", {"delete": ["*"]}),
        ("e*", {"map": {"*": "\u0301"}}),
    ],
)
def test_a_unicode_form_holds_for_the_steps_behind_it_too(text: str, step: object, form: str) -> None:
    after = apply(text, form, step, "collapse_spaces")
    assert unicodedata.is_normalized("NFD" if form == "nfd" else "NFC", after)


def test_without_a_unicode_form_none_is_made() -> None:
    assert apply("J\u030c", "lowercase") == "j\u030c"


def test_what_nfkc_would_replace_may_be_put_in_behind_it() -> None:
    assert normalize("th", (NormalForm("nfkc"), ReplaceStrings((("h", "ʰ"),)))) == "tʰ"


def test_comments_between_brackets_go_whole_also_nested() -> None:
    assert apply("a [b [c] d] e", {"remove_between": ["[", "]"]}, "collapse_spaces") == "a e"
    assert apply("a *b* c", {"remove_between": ["*", "*"]}, "collapse_spaces") == "a c"


def test_a_bracket_that_is_never_closed_stays() -> None:
    assert apply("a [b c", {"remove_between": ["[", "]"]}) == "a [b c"


def test_collapse_spaces_knows_every_white_space_and_trims() -> None:
    assert apply("\u00a0a\t\n b\u2003", "collapse_spaces") == "a b"


def test_invisible_characters_go_but_joiners_that_spell_stay() -> None:
    assert (
        apply("a\u200bb\ufeffc\u00add \u0645\u06cc\u200c\u062e", "remove_invisible") == "abcd \u0645\u06cc\u200c\u062e"
    )


@pytest.mark.parametrize(
    "step",
    [
        {"map": {"\u0301": ""}},
        {"map": {"á": "a"}},
        {"map": {"a\u0301": "a"}},
        {"map": {"á": ""}},
        {"map": {"\u02e5": ""}},
        {"map": {"áá": "aa"}},
        {"map": {"ọ́": "ọ"}},
        {"delete": ["\u0301"]},
        {"delete": ["x", "\u0300\u0301"]},
        {"delete": ["\u02e5"]},
        {"remove_between": ["\u0301", "\u0301"]},
        {"strip_punctuation": {"join": "\u0301"}},
    ],
)
def test_no_step_may_strip_marks(step: object) -> None:
    for form in ("nfc", "nfd"):
        with pytest.raises(RecipeError, match="mark"):
            parse_rules([form, step])


@pytest.mark.parametrize(("old", "new"), [("ё", "йо"), ("й", "j"), ("é", "è"), ("έ", "ɛ\u0301"), ("(répétition)", "")])
def test_spelling_changes_that_are_no_stripping_are_allowed(old: str, new: str) -> None:
    assert apply(old, "nfc", {"map": {old: new}}) == unicodedata.normalize("NFC", new)


@pytest.mark.parametrize(
    ("step", "words"),
    [
        ("lowercas", "Did you mean 'lowercase'"),
        ("map", "map"),
        ({"nfc": True}, "nfc"),
        ({"lowercase": "de"}, "Turkish"),
        ({"map": {"a": 1}}, "map"),
        ({"map": {}}, "map"),
        ({"delete": "x"}, "delete"),
        ({"delete": []}, "delete"),
        ({"remove_between": ["["]}, "remove_between"),
        ({"strip_punctuation": {"kept": "-"}}, "strip_punctuation"),
        ({"strip_punctuation": {"join": "a"}}, "letter"),
        ({"map": {"a": "b"}, "delete": ["c"]}, "one entry"),
        (7, "neither"),
    ],
)
def test_a_step_that_cannot_be_used_is_refused_by_its_number(step: object, words: str) -> None:
    with pytest.raises(RecipeError) as caught:
        parse_rules(["nfc", step])
    assert "Step 2" in caught.value.message
    assert words in caught.value.message + caught.value.hint


def test_rules_survive_being_written_and_read() -> None:
    data: list[object] = [
        *USUAL,
        {"lowercase": "tr"},
        "strip_punctuation",
        {"strip_punctuation": {"keep": "-", "join": "_"}},
        {"map": {"a": "b"}},
        {"delete": ["x", "yy"]},
        {"remove_between": ["<", ">"]},
    ]
    rules = parse_rules(data)
    assert rules_to_data(rules) == data
    assert parse_rules(rules_to_data(rules)) == rules


def test_every_step_is_described_in_a_sentence_without_empty_quotes() -> None:
    rules = parse_rules([*USUAL, {"map": {"\u0301": "\u0300", "x": "", " ": "_"}}, {"delete": ["\u200b"]}])
    sentences = describe_rules(rules)
    assert len(sentences) == len(rules)
    assert all(sentence.endswith(".") for sentence in sentences)
    assert "U+0301" in sentences[-2]
    assert "nothing" in sentences[-2]
    assert "U+200B" in sentences[-1]


def test_the_unicode_form_is_the_last_one_named() -> None:
    assert unicode_form(parse_rules(["nfkc", "lowercase", "nfd"])) == "nfd"
    assert unicode_form(parse_rules(["lowercase"])) is None


@given(st.text())
def test_usual_rules_are_idempotent(text: str) -> None:
    rules = compile_rules(parse_rules(USUAL))
    assert rules(rules(text)) == rules(text)


MARKED = st.text(st.sampled_from("aeiouɛɔnm áéẹ\u0301\u0300\u0323\u0361\u02e5.,'-—[]A"), max_size=30)


@given(MARKED)
def test_no_mark_is_lost_by_the_usual_rules(text: str) -> None:
    assert count_marks(apply(text, *USUAL)) == count_marks(text)


@given(MARKED)
def test_words_are_never_split_at_a_mark(text: str) -> None:
    words = apply(text, *USUAL).split(" ")
    composed = unicodedata.normalize("NFC", text)
    starts_with_mark = sum(is_mark(word[:1]) for word in words if word)
    # Only where the writer put a mark after nothing, a space or a comma can a word begin with one.
    lone = sum(is_mark(c) and (i == 0 or not composed[i - 1].isalpha()) for i, c in enumerate(composed))
    assert starts_with_mark <= lone


def test_default_rules_change_no_letter() -> None:
    assert normalize(" Kyéma,\u200b  yeékirá! ", DEFAULT_RULES) == "Kyéma, yeékirá!"
