"""Kinds of word errors, by examples made by hand in five ways of writing."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lowres.scoring.alignment import align_characters, align_words
from lowres.scoring.confusions import count_spacing_errors
from lowres.scoring.error_kinds import ERROR_KINDS, ErrorKind, classify_errors, kind_of_pair

LINES = st.text(st.sampled_from("abɛáà aː\u0301\u0323 "), max_size=16)


@pytest.mark.parametrize(
    ("said", "heard", "kind"),
    [
        # Yoruba: accents are tone, the dot below makes another letter
        ("ẹ́", "ẹ", "tone"),
        ("ọ̀rẹ́", "ọrẹ", "tone"),
        ("ọ̀", "ọ́", "tone"),
        ("ọ", "o", "diacritic"),
        ("ṣe", "se", "diacritic"),
        ("ẹ́", "e", "diacritic"),
        ("ọmọ", "omi", "other"),
        # Mboshi: accents are tone, a long vowel is written twice
        ("á", "a", "tone"),
        ("mwána", "mwana", "tone"),
        ("aa", "a", "length"),
        ("wáa", "wá", "length"),
        ("okwɛɛngɛ́", "okwɛngɛ́", "length"),
        ("áà", "á", "other"),
        ("wáa", "wa", "other"),
        ("dzé", "dzá", "other"),
        # Tusom and the IPA: tone letters, raised digits, length signs, nasality
        ("ma˥˩", "ma˥", "tone"),
        ("kə²¹", "kə", "tone"),
        ("ʃiː", "ʃi", "length"),
        ("ʃiˑ", "ʃiː", "length"),
        ("ʃiː˥", "ʃi˥", "length"),
        ("ã", "a", "diacritic"),
        ("t͡sa", "tsa", "diacritic"),
        ("n̥a", "na", "diacritic"),
        ("kʰa", "ka", "other"),
        # Arabic: vowel marks, and shadda for a long consonant
        ("كَتَبَ", "كتب", "diacritic"),
        ("كَتَبَ", "كُتِبَ", "diacritic"),
        ("كتّب", "كتب", "length"),
        ("كتب", "كتم", "other"),
        # Devanagari: long vowel signs, doubled consonants, the candrabindu; vowel signs are letters
        ("दिन", "दीन", "length"),
        ("कल", "काल", "length"),
        ("बच्चा", "बचा", "length"),
        ("हँस", "हस", "diacritic"),
        ("क़लम", "कलम", "diacritic"),
        ("दिन", "दन", "other"),
        ("दिन", "देन", "other"),
        # Bengali: the sign o is made of e and a long a, and is neither long nor an e
        ("\u0995\u09cb", "\u0995\u09c7", "other"),
        # N'Ko and Thai: tone signs of their own
        ("\u07d3\u07ca\u07eb", "\u07d3\u07ca", "tone"),
        ("ป้า", "ปา", "tone"),
        # one letter, written as one code point and as two
        ("\u00e1", "a\u0301", "diacritic"),
    ],
)
def test_a_word_heard_as_another_has_one_kind_either_way_round(said: str, heard: str, kind: ErrorKind) -> None:
    assert kind_of_pair(said, heard) == kind
    assert kind_of_pair(heard, said) == kind


def test_words_run_together_are_boundary_errors_with_the_whole_run_as_example() -> None:
    kinds = classify_errors(align_words(["la mi na", "ye la mi"], ["lami na", "ye lami"]))
    (boundary,) = [count for count in kinds.counts if count.num_errors]
    assert (boundary.kind, boundary.num_errors, boundary.examples) == ("boundary", 4, [("la mi", "lami", 2)])


def test_added_and_missing_words_and_words_with_wrong_letters_are_told_apart() -> None:
    kinds = classify_errors(align_words(["wáa dzé", "bísi", "mbía ye"], ["wáa dzé la", "", "mbota ye"]))
    found = {count.kind: count.examples for count in kinds.counts if count.num_errors}
    assert found == {
        "added": [("", "la", 1)],
        "left out": [("bísi", "", 1)],
        "other": [("mbía", "mbota", 1)],
    }


def test_every_utterance_has_its_own_counts_and_a_faultless_one_has_none() -> None:
    kinds = classify_errors(align_words(["á ọ", "a", "á aa"], ["a o", "a", "a a"]))
    assert kinds.by_utterance == [{"tone": 1, "diacritic": 1}, {}, {"tone": 1, "length": 1}]


def test_kinds_come_in_one_order_and_examples_most_frequent_first() -> None:
    kinds = classify_errors(align_words(["á é é", "é"], ["a e e", "e"]), limit=1)
    assert tuple(count.kind for count in kinds.counts) == ERROR_KINDS
    assert kinds.counts[0].examples == [("é", "e", 3)]
    assert kinds.counts[0].num_errors == 4


@settings(deadline=None)
@given(st.lists(st.tuples(LINES, LINES), max_size=5))
def test_the_kinds_add_up_to_the_word_errors(pairs: list[tuple[str, str]]) -> None:
    references, hypotheses = [said for said, _ in pairs], [heard for _, heard in pairs]
    words = align_words(references, hypotheses)
    kinds = classify_errors(words)
    assert sum(count.num_errors for count in kinds.counts) == sum(alignment.num_errors for alignment in words)
    for alignment, found in zip(words, kinds.by_utterance, strict=True):
        assert sum(found.values()) == alignment.num_errors
    spacing = count_spacing_errors(words, align_characters(references, hypotheses))
    assert kinds.counts[ERROR_KINDS.index("boundary")].num_errors == spacing.num_word_errors
