"""Vocabularies: ids, round trips, files, and what is refused."""

import json
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lowres.errors import CheckpointError, CorpusError, RecipeError
from lowres.text.vocabulary import (
    BLANK,
    WORD_BOUNDARY,
    Vocabulary,
    VocabularyKind,
    VocabularySettings,
    build_vocabulary,
    count_adjacent_repeats,
)

TEXTS = ["wa ámitúúngá obia itsωώ", "ẹ\u0301 gbọ t͡ɕʰa kk", "| < > <blank> [PAD] ▲", "baba gba oko"]
KINDS: tuple[VocabularyKind, ...] = ("characters", "graphemes", "sentencepiece")
ALPHABET = sorted({symbol for text in TEXTS for symbol in text} - {" "})
WORDS = st.text(st.sampled_from(ALPHABET), min_size=1, max_size=6)


def build(kind: VocabularyKind, texts: list[str] | None = None) -> Vocabulary:
    settings = VocabularySettings(kind=kind, size=60, graphemes=("gb", "t͡ɕʰ"))
    return build_vocabulary(TEXTS if texts is None else texts, settings)


@pytest.mark.parametrize("kind", KINDS)
def test_every_training_text_survives_encoding(kind: VocabularyKind) -> None:
    vocabulary = build(kind)
    for text in TEXTS:
        assert vocabulary.decode(vocabulary.encode(text)) == text
        assert vocabulary.unknown_symbols(text) == []


@given(st.lists(WORDS, max_size=6))
def test_any_text_over_the_alphabet_survives_characters(words: list[str]) -> None:
    vocabulary = build("characters")
    text = unicodedata.normalize("NFC", " ".join(words))
    if not vocabulary.unknown_symbols(text):
        assert vocabulary.decode(vocabulary.encode(text)) == text


@given(st.lists(WORDS, max_size=6))
def test_unknown_and_known_graphemes_together_are_the_text(words: list[str]) -> None:
    vocabulary = build("graphemes")
    text = unicodedata.normalize("NFC", " ".join(words))
    known = vocabulary.decode(vocabulary.encode(text))
    unknown = vocabulary.unknown_symbols(text)
    assert sorted(known + "".join(unknown)) == sorted(text)


@given(st.lists(WORDS, max_size=6))
def test_any_text_over_the_alphabet_survives_sentencepiece(words: list[str]) -> None:
    vocabulary = PIECES
    text = " ".join(words)
    assert vocabulary.unknown_symbols(text) == []
    assert vocabulary.decode(vocabulary.encode(text)) == text


PIECES = build("sentencepiece")


def test_the_blank_is_id_0_and_never_encoded() -> None:
    for kind in KINDS:
        vocabulary = build(kind)
        assert vocabulary.blank_id == 0
        assert vocabulary.tokens[0] == BLANK
        assert all(0 not in vocabulary.encode(text) for text in [*TEXTS, "unknown: ʘ"])


def test_no_printable_letter_is_reserved() -> None:
    assert unicodedata.category(WORD_BOUNDARY) == unicodedata.category(BLANK) == "Co"
    vocabulary = build("characters", ["a|b <blank> ▁"])
    assert vocabulary.decode(vocabulary.encode("a|b <blank> ▁")) == "a|b <blank> ▁"


def test_characters_after_nfd_offer_each_mark_as_a_symbol_of_its_own() -> None:
    vocabulary = build("characters", [unicodedata.normalize("NFD", "á à")])
    assert set(vocabulary.tokens[2:]) == {"a", "\u0301", "\u0300"}
    assert len(build("characters", ["á à"]).tokens) == 4


def test_graphemes_are_whole_letters() -> None:
    tokens = build("graphemes").tokens
    assert {"ẹ\u0301", "gb", "t͡ɕʰ"} <= set(tokens)
    assert "\u0301" not in tokens


def test_only_the_given_texts_make_the_vocabulary() -> None:
    vocabulary = build("graphemes", ["ab"])
    assert vocabulary.tokens == (BLANK, WORD_BOUNDARY, "a", "b")
    assert vocabulary.unknown_symbols("gba bx") == ["gb", "x"]
    assert vocabulary.decode(vocabulary.encode("gba bx")) == "a b"


def test_the_order_of_the_texts_does_not_matter() -> None:
    assert build("graphemes", TEXTS) == build("graphemes", TEXTS[::-1])


def test_sentencepiece_learns_the_same_twice_and_names_what_it_cannot_write() -> None:
    assert build("sentencepiece").hash == PIECES.hash
    assert PIECES.unknown_symbols("baba жук") == ["ж", "у", "к"]
    assert PIECES.decode(PIECES.encode("baba ж oko")) == "baba  oko"


@pytest.mark.parametrize("algorithm", ["unigram", "bpe"])
def test_both_sentencepiece_algorithms_round_trip_and_write_nothing_to_disk(
    algorithm: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    settings = VocabularySettings(kind="sentencepiece", size=60, algorithm=algorithm)  # type: ignore[arg-type]
    vocabulary = build_vocabulary(TEXTS, settings)
    assert [vocabulary.decode(vocabulary.encode(text)) for text in TEXTS] == TEXTS
    assert list(tmp_path.iterdir()) == []


def test_a_sentencepiece_vocabulary_that_is_too_small_says_how_large_it_must_be() -> None:
    with pytest.raises(RecipeError, match="different characters"):
        build_vocabulary(TEXTS, VocabularySettings(kind="sentencepiece", size=10))


@pytest.mark.parametrize(
    ("text", "kind"), [(f"a{WORD_BOUNDARY}", "characters"), (f"{BLANK}", "graphemes"), ("a▁b", "sentencepiece")]
)
def test_text_that_holds_a_reserved_symbol_is_refused(text: str, kind: VocabularyKind) -> None:
    with pytest.raises(CorpusError, match=r"U\+"):
        build(kind, [text])


@pytest.mark.parametrize("kind", KINDS)
def test_no_text_at_all_is_refused(kind: VocabularyKind) -> None:
    with pytest.raises(CorpusError, match="no training text"):
        build(kind, ["", ""])


@pytest.mark.parametrize("kind", KINDS)
def test_a_vocabulary_survives_its_file(kind: VocabularyKind, tmp_path: Path) -> None:
    vocabulary = build(kind)
    path = vocabulary.save(tmp_path)
    loaded = Vocabulary.load(tmp_path)
    assert loaded == vocabulary
    assert loaded.hash == vocabulary.hash
    assert loaded.encode(TEXTS[0]) == vocabulary.encode(TEXTS[0])
    assert WORD_BOUNDARY not in path.read_text(encoding="utf-8")


def test_a_changed_file_is_refused(tmp_path: Path) -> None:
    path = build("characters").save(tmp_path)
    data = json.loads(path.read_text(encoding="utf-8"))
    data["tokens"][2], data["tokens"][3] = data["tokens"][3], data["tokens"][2]
    path.write_text(json.dumps(data), encoding="utf-8")
    with pytest.raises(CheckpointError, match="hash"):
        Vocabulary.load(tmp_path)


def test_duplicates_another_version_and_damage_are_refused(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="twice"):
        Vocabulary("characters", (BLANK, WORD_BOUNDARY, "a", "a"))
    with pytest.raises(CheckpointError, match="blank"):
        Vocabulary("characters", (WORD_BOUNDARY, BLANK))
    with pytest.raises(CheckpointError, match="version 99"):
        Vocabulary.from_json({**build("characters").to_json(), "format_version": 99})
    with pytest.raises(CheckpointError, match="damaged"):
        Vocabulary.from_json({"format_version": 1, "kind": "characters"})
    with pytest.raises(CheckpointError, match="missing"):
        Vocabulary.load(tmp_path)
    (tmp_path / "vocabulary.json").write_text("{", encoding="utf-8")
    with pytest.raises(CheckpointError, match="cannot be read"):
        Vocabulary.load(tmp_path)


def test_decoding_refuses_blanks_and_foreign_ids() -> None:
    vocabulary = build("characters")
    for token_id in (0, -1, len(vocabulary)):
        with pytest.raises(ValueError, match="id"):
            vocabulary.decode([token_id])


def test_adjacent_repeats_are_counted() -> None:
    assert count_adjacent_repeats([]) == 0
    assert count_adjacent_repeats([1, 1, 1, 2, 2, 1]) == 3


def test_labels_are_shown_so_that_people_can_see_them() -> None:
    vocabulary = build("characters", ["a b"])
    assert [vocabulary.display(i) for i in range(len(vocabulary))] == ["□", "␣", "a", "b"]
