"""The orthography audit: it finds what is odd, and does not accuse what is orthography."""

import time
import unicodedata
from collections.abc import Sequence

import pytest
from few_and_many import few_and_many
from hypothesis import strategies as st

from lowres.text.audit import OrthographyAudit, audit_orthography
from lowres.text.audit_findings import FindingKind
from lowres.text.normalize import DEFAULT_RULES, compile_rules
from lowres.text.rules import parse_rules

TONE_LANGUAGE = ["mbóte ndéko na ngáí", "bána bakɛndɛ́ na ndáko", "mwána azalí kolíya", "ŋgɔ̂ǹ bɔ̀ mɛ̌ kpá"] * 30
PHONETIC = ["kʰat͡ɕʰi ʔuma", "tʷaː n̩dʲe", "ŋõ˥˩ ɹ̥a", "χa ʃi ɬo ɨ"] * 30


def audit(*texts: str, rules: Sequence[object] = (), alphabet: str = "", graphemes: str = "") -> OrthographyAudit:
    named = [(f"u{number}", text) for number, text in enumerate(texts)]
    return audit_orthography(named, parse_rules(rules), alphabet.split(), graphemes.split())


def kinds(audited: OrthographyAudit) -> set[FindingKind]:
    return {finding.kind for finding in audited.findings}


def found(audited: OrthographyAudit, kind: FindingKind) -> dict[str, int]:
    finding = audited.finding(kind)
    return {item.what: item.count for item in finding.items} if finding else {}


def steps(audited: OrthographyAudit) -> list[object]:
    return [suggestion.step for suggestion in audited.suggestions]


def maps(audited: OrthographyAudit) -> list[object]:
    return [step for step in steps(audited) if isinstance(step, dict) and "map" in step]


def test_every_grapheme_comes_with_count_name_script_and_an_example() -> None:
    first, *_ = audit("bana ba", "ba").graphemes
    assert (first.grapheme, first.count, first.num_utterances) == ("a", 4, 2)
    assert (first.name, first.script) == ("LATIN SMALL LETTER A", "Latin")
    assert [(example.word, example.utterance_id) for example in first.examples] == [("bana", "u0"), ("ba", "u0")]


def test_counts_are_of_graphemes_whichever_form_they_are_in() -> None:
    counts = {use.grapheme: use.count for use in audit("\u00e9 e\u0301 t\u0361s").graphemes}
    assert counts == {"\u00e9": 2, "t\u0361s": 1}


def test_examples_are_five_different_words_at_most() -> None:
    audited = audit(*[f"a{letter} a{letter}" for letter in "bcdefghk"])
    assert [example.word for example in audited.graphemes[0].examples] == ["ab", "ac", "ad", "ae", "af"]


def test_declared_multigraphs_are_counted_whole_also_with_capitals() -> None:
    counts = {use.grapheme: use.count for use in audit("Tsa tsa tsha", graphemes="ts tsh").graphemes}
    assert (counts["ts"], counts["Ts"], counts["tsh"]) == (1, 1, 1)


@pytest.mark.parametrize("texts", [TONE_LANGUAGE, PHONETIC])
@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_tone_marks_tie_bars_and_modifier_letters_are_orthography(texts: list[str], form: str) -> None:
    audited = audit(*(unicodedata.normalize(form, text) for text in texts))
    assert not kinds(audited) & {"mixed-scripts", "look-alikes", "stray-symbols", "invisible", "leftovers"}
    assert "rare-letter-words" not in kinds(audited)
    assert audited.script == "Latin"


def test_marks_are_listed_with_what_they_write() -> None:
    marks = {mark.mark: mark for mark in audit(*PHONETIC).marks}
    assert {"\u0361", "ʰ", "ʷ", "ː", "\u0329", "ʲ", "\u0303", "\u0325", "˥", "˩"} == set(marks)
    assert [mark for mark in marks if marks[mark].tone] == ["˥", "˩"]
    assert marks["\u0361"].count == 30


def test_the_greek_letters_of_phonetic_transcription_are_not_accused_and_others_are() -> None:
    assert "mixed-scripts" not in kinds(audit(*PHONETIC))
    assert found(audit(*PHONETIC, "mω"), "mixed-scripts") == {"ω": 1}
    assert found(audit("bana χa"), "mixed-scripts") == {"χ": 1}


def test_greek_letters_among_latin_ones_are_found_with_what_they_look_like() -> None:
    audited = audit("twεrε mwásí", "itsωώ na élέngέ")
    assert found(audited, "mixed-scripts") == {"ε": 2, "έ": 2, "ω": 1, "ώ": 1}
    finding = audited.finding("mixed-scripts")
    assert finding is not None
    assert "Greek letters among Latin ones" in finding.sentence
    assert finding.num_utterances == 2
    assert "looks like Latin ɛ (U+025B), which does not occur" in finding.items[0].remark


def test_words_of_another_script_are_told_from_mixed_words() -> None:
    finding = audit("বাংলা ভাষা computer", "বাংলা").finding("mixed-scripts")
    assert finding is not None
    assert "words of their own" in finding.sentence


def test_japanese_is_not_accused_of_mixing_scripts() -> None:
    assert "mixed-scripts" not in kinds(audit("漢字とカタカナ"))


def test_a_rare_look_alike_of_another_script_is_found_and_its_map_suggested() -> None:
    audited = audit(*["ní ilé"] * 60, "nί ile")
    assert found(audited, "look-alikes") == {"ί": 1}
    assert {"map": {"ί": "í"}} in steps(audited)


def test_frequent_letters_of_another_script_are_never_mapped() -> None:
    audited = audit(*["bε be bɛ"] * 120)
    assert not maps(audited)
    assert "taken for letters of the orthography" in next(
        finding.sentence for finding in audited.findings if finding.kind == "mixed-scripts"
    )


def test_two_letters_of_one_script_that_are_both_used_are_not_accused() -> None:
    assert "look-alikes" not in kinds(audit(*["ɑna ana ıki iki"] * 60))


def test_apostrophes_of_several_kinds_inside_words_are_found() -> None:
    audited = audit("ng'ombe ng'ambo", "ng\u2019ombe n\u02bcda")
    assert found(audited, "look-alikes") == {"\u2019": 1, "\u02bc": 1}
    assert {"map": {"\u2019": "'"}} in steps(audited)


def test_an_apostrophe_that_is_a_letter_is_mapped_where_it_is_rare_only() -> None:
    assert {"map": {"\u02bc": "'"}} in steps(audit(*["ng'ombe"] * 60, "n\u02bcda"))
    assert {"map": {"'": "\u02bc"}} in steps(audit(*["n\u02bcda"] * 60, "ng'ombe"))
    assert maps(audit(*["o\u02bbzbek so\u02bbz"] * 60, *["ma\u02bcno"] * 20)) == []
    assert maps(audit(*["o\u02bbzbek so\u02bbz"] * 60, *["ma\u02bcno", "so'z"] * 20)) == []
    assert maps(audit(*["qa\u02beil"] * 60, "na\u02bfam")) == maps(audit(*["qa\u02bfil"] * 60, "na\u02beam")) == []


def test_words_of_another_language_are_not_mapped_letter_by_letter() -> None:
    own = ["ол менің досым келді қазір мектепке барды орта", "су мен нан екеуі де керек еді"] * 60
    assert maps(audit(*own, "ол Internet арқылы Telegram ашты")) == []
    assert maps(audit(*own, "ол Internetті ашты")) == []
    assert maps(audit(*own, "ол мeктепкe бaрды")) == [{"map": {"a": "а", "e": "е"}}]


def test_quotation_marks_are_no_apostrophes() -> None:
    audited = audit("\u2018bana\u2019 n'da", "\u2018ba\u2019 n'da")
    assert "look-alikes" not in kinds(audited)


def test_punctuation_that_stands_for_a_letter_is_found() -> None:
    assert found(audit("kaːda ka:da", "ʔata a?ata", "ǃxoo !xoo"), "look-alikes") == {":": 1, "?": 1, "!": 1}
    assert "look-alikes" not in kinds(audit("kaːda: ka", "ʔata?", "ǃxoo!"))


def test_letters_in_two_unicode_forms_are_found() -> None:
    audited = audit("\u00e9ma e\u0301ma", "ema")
    finding = audited.finding("unicode-forms")
    assert finding is not None
    assert "two ways" in finding.sentence
    assert found(audited, "unicode-forms") == {"\u00e9": 1}
    assert steps(audited)[0] == "nfc"


def test_a_letter_that_has_no_single_character_is_in_one_form() -> None:
    assert "unicode-forms" not in kinds(audit("ɛ\u0301ma \u1ecd\u0301"))


def test_invisible_characters_and_odd_spaces_are_found_and_joiners_are_not() -> None:
    audited = audit("a\u200bb\u00a0c \u202eabc", "\u0645\u06cc\u200c\u062e")
    assert found(audited, "invisible") == {"\u200b": 1, "\u00a0": 1, "\u202e": 1}
    assert "remove_invisible" in steps(audited)


def test_words_with_and_without_their_marks_are_found() -> None:
    audited = audit("ni ilé ní ilu", "ilu nǐ ní ìlú", "ni ìlú ọmọ")
    assert found(audited, "bare-and-marked") == {"ni": 5, "ilu": 4}
    finding = audited.finding("bare-and-marked")
    assert finding is not None
    assert "9 of the 11" in finding.sentence
    assert finding.items[0].remark == "ni 2, ní 2, nǐ 1"


def test_vowel_signs_of_india_are_no_marks_that_can_be_left_out() -> None:
    assert "bare-and-marked" not in kinds(audit("क कि की कु", "क कि की कु", "क कि की कु"))


def test_stray_signs_are_found_where_they_are_rare_only() -> None:
    stray = audit(*["kana ta"] * 100, 'k"ana\\x1D 1')
    assert found(stray, "stray-symbols") == {"1": 2, '"': 1, "\\": 1, "D": 1}
    assert "stray-symbols" not in kinds(audit(*['Kana "ta" 1'] * 100))


def test_what_programs_left_behind_is_found_and_deleted_where_it_is_harmless() -> None:
    audited = audit('"kə\\x1Dkʰi', "a &amp; b", "caf\u00c3\u00a9", "m\ufffdta")
    assert set(found(audited, "leftovers")) == {"\\x1D", "&amp;", "Ã©", "\ufffd"}
    assert {"delete": ["\\x1D"]} in steps(audited)
    assert {"map": {"&amp;": "&"}} in steps(audited)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (r"caf\u00e9", "café"),
        (r"ma\u0301", "má"),
        (r"g\u0254\u0300", "gɔ̀"),
        ("k&#233; k&#xE9;", "ké ké"),
        ("n&apos;uwo n\\u2019uwo", "nuwo nuwo"),
        ("a&nbsp;b&amp;c", "a b c"),
        (r"a\xa0b\n c", "a b c"),
        ("a<br>b <i>c</i>", "a b c"),
        ("a\\x1D\\u200bb", "ab"),
        ("\u0645\u06cc\\u200c\u062e", "\u0645\u06cc\u200c\u062e"),
        (r"caf\xc3\xa9", "caf xc3 xa9"),
        ("a&#0;b", "a 0 b"),
    ],
)
def test_what_programs_wrote_out_becomes_what_it_stands_for(written: str, meant: str) -> None:
    assert " ".join(compile_rules(parse_rules(audit(written).rules))(written).split()) == meant


def test_letters_seen_once_or_twice_are_found_in_a_text_of_some_length() -> None:
    assert found(audit(*["bana"] * 100, "bæna"), "rare-letters") == {"æ": 1}
    assert "rare-letters" not in kinds(audit("bæna"))
    assert "rare-letters" not in kinds(audit(*["bana"] * 100, "Bana"))


def test_undeclared_and_unused_letters_are_those_after_the_rules() -> None:
    audited = audit("Bana, ca", rules=["nfc", "lowercase", "strip_punctuation"], alphabet="a b n z")
    assert found(audited, "undeclared") == {"c": 1}
    assert found(audited, "unused") == {"z": 0}
    assert not kinds(audit("Bana, ca")) & {"undeclared", "unused"}


def test_digits_are_found_with_their_words() -> None:
    audited = audit("watu 13 wa 2018.", "sorang2")
    assert found(audited, "digits") == {"13": 1, "2018": 1, "sorang2": 1}


def test_digits_behind_letters_throughout_may_write_tone() -> None:
    finding = audit("ka1a3 nda2 ba1", "sa2 ka1a3").finding("digits")
    assert finding is not None
    assert "may write tone" in finding.sentence


def test_abbreviations_are_found_and_emphasis_is_not() -> None:
    assert found(audit("Rais wa DRC na U.S.A. JESUS alisema", "Jesus Jesus"), "abbreviations") == {"DRC": 1, "U.S.A": 1}


def test_the_two_letters_i_of_turkish_are_lowered_as_two() -> None:
    texts = ["Işık ile geldi", "İzmir güzel bir yer", "ILIK su içti", "izmir ışık", "İle gitti"]
    audited = audit(*texts * 20)
    assert {"lowercase": "tr"} in steps(audited)
    assert "lowercase" not in steps(audited)
    assert compile_rules(parse_rules(audited.rules))("ILIK İzmir") == "ılık izmir"
    assert not kinds(audited) & {"bare-and-marked", "rare-letters"}
    assert "lowercase" in steps(audit(*["Iki bini ini"] * 200, "İstanbul Diyarbakır"))


def test_cherokee_has_no_capitals() -> None:
    audited = audit(*["ᎣᏏᏲ ᏙᎯᏧ ᎠᏂᏴᏫᏯ ᏣᎳᎩᎯ ᎦᏬᏂᎯᏍᏗᎢᏍᏗ ᎤᎵᎮᎵᏍᏗᎭᎢ ᎠᏂᏴᏫᏯᎢᎢ"] * 5)
    assert "lowercase" not in steps(audited)
    assert not kinds(audited) & {"capitals", "abbreviations"}


def test_capitals_inside_words_are_letters_and_are_not_lowered() -> None:
    audited = audit(*["kaBa toNi"] * 20)
    assert "lowercase" not in steps(audited)
    finding = audited.finding("capitals")
    assert finding is not None
    assert "letters of their own" in finding.sentence
    assert "lowercase" in steps(audit(*["Kaba toni"] * 20))


def test_punctuation_that_spells_is_kept_and_quotes_and_dashes_are_not() -> None:
    assert {"strip_punctuation": {"keep": "'"}} in steps(audit(*["ng'ombe, ng'ambo."] * 20))
    assert {"strip_punctuation": {"keep": "-="}} in steps(audit(*["-ba =ba wa-wa."] * 20))
    assert "strip_punctuation" in steps(audit(*['"bana" (ba) a\u2014b 3:15.'] * 20))


@pytest.mark.parametrize(
    "text", ["የሰው፡ልጅ፡ሁሉ፡ነው።", "すべての、人間は、生まれ。", "བཀྲ་ཤིས་བདེ་ལེགས།", "¿Imata ruwanki? ¡haku!"]
)
def test_signs_that_part_words_spell_nothing(text: str) -> None:
    assert "strip_punctuation" in steps(audit(*[text] * 20))


def test_words_with_rare_letters_are_suspects() -> None:
    words = [f"{a}{b}{c}" for a in "bdk" for b in "aeiou" for c in ("na", "mi", "tu", "ko", "la", "wa", "sa", "le")]
    words += [word + tail for word in words for tail in ("ba", "di")]
    assert found(audit(" ".join(words), "xenofon"), "rare-letter-words") == {"xenofon": 1}
    assert "rare-letter-words" not in kinds(audit(" ".join(words)))


def test_letters_that_never_part_are_candidates_for_a_multigraph() -> None:
    words = [f"{a}{b}{c}" for a in ("ch", "b", "d", "m", "h", "s") for b in "aeiou" for c in ("na", "mi", "cho", "ta")]
    assert found(audit(" ".join(words)), "multigraphs").keys() == {"ch"}
    assert "multigraphs" not in kinds(audit(" ".join(words), graphemes="ch"))


def test_the_rules_of_a_recipe_are_kept_and_only_what_they_lack_is_put_in() -> None:
    rules = ["nfc", "lowercase", {"strip_punctuation": {"keep": "-"}}, "collapse_spaces"]
    audited = audit(*["Ní ilé."] * 60, "nί \u200bilé", rules=rules)
    assert audited.rules == (
        "nfc",
        "remove_invisible",
        {"map": {"ί": "í"}},
        "lowercase",
        {"strip_punctuation": {"keep": "-"}},
        "collapse_spaces",
    )
    new = [suggestion.step for suggestion in audited.suggestions if not suggestion.in_recipe]
    assert new == ["remove_invisible", {"map": {"ί": "í"}}]


def test_a_suggestion_says_how_many_utterances_it_changes() -> None:
    audited = audit("Bana.", "bana", "Ba")
    assert [(suggestion.step, suggestion.num_utterances) for suggestion in audited.suggestions] == [
        ("lowercase", 2),
        ("strip_punctuation", 1),
        ("collapse_spaces", 1),
    ]


def test_a_recipe_in_another_unicode_form_is_left_in_it() -> None:
    assert audit("b\u00e9", "be\u0301", rules=["nfd"]).rules == ("nfd",)


def test_nothing_at_all_has_no_findings() -> None:
    for audited in (audit(), audit("", "  ")):
        assert audited.findings == ()
        assert audited.script == ""


ANY_TEXT = st.lists(st.text(st.characters(codec=None), max_size=60), max_size=12)
LIKELY_TEXT = st.lists(
    st.text("abAB ɛεіι'’ʼ-–.,\"\\x1D&;é\u0301\u0323\u0361ʰː˥ὸί\u200b\u00a0\n?ʔ!ǃ:()ab12", max_size=60), max_size=12
)


@few_and_many(
    150,
    texts=ANY_TEXT | LIKELY_TEXT,
    rules=st.sampled_from([(), DEFAULT_RULES, parse_rules(["nfd", "lowercase"])]),
)
def test_any_text_is_audited_and_what_is_suggested_can_be_parsed(texts: list[str], rules: tuple[object, ...]) -> None:
    named = [(f"u{number}", text) for number, text in enumerate(texts)]
    audited = audit_orthography(named, rules, ("a", "b", "\u0301", "ts"))  # type: ignore[arg-type]
    compile_rules(parse_rules(audited.rules))
    for finding in audited.findings:
        assert finding.num_items >= len(finding.items) > 0
        assert all(len(item.examples) <= 5 for item in finding.items)
    assert sum(use.count for use in audited.graphemes) <= sum(map(len, texts))
    assert audited == audit_orthography(named, rules, ("a", "b", "\u0301", "ts"))  # type: ignore[arg-type]


SLOW_PIECES = ["a", "a\u0301", "\u0301", "&", "A.", "'", "t\u0361", "漢 ", "1a", "<a", "\u200b", "-a"]


@pytest.mark.parametrize("piece", ["ab. ", "\\x1", *(pytest.param(one, marks=pytest.mark.slow) for one in SLOW_PIECES)])
def test_time_grows_with_the_text_and_not_faster(piece: str) -> None:
    def seconds(times: int) -> float:
        started = time.process_time()
        audit(piece * times)
        return time.process_time() - started

    seconds(10)
    assert seconds(40_000) < 0.3 + 16 * seconds(5_000)


def test_a_word_of_very_many_letters_is_audited_in_time() -> None:
    started = time.process_time()
    audited = audit("".join(chr(0x4E00 + number) for number in range(10_000)) * 2)
    assert time.process_time() - started < 20
    assert max(len(example.word) for use in audited.graphemes for example in use.examples) < 80
