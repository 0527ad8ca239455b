"""ARPA files: back as they were, read alike by KenLM, and refused with the line that is wrong."""

import random
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from kenlm_reader import kenlm_perplexity

from lowres.decoding.arpa import read_arpa, write_arpa
from lowres.decoding.ngram import NgramModel, estimate_ngrams
from lowres.errors import CorpusError

TEXT = [text.split() for text in ("wáa dzé", "la mwána wáa", "mbía yé adi", "wáa dzé adi la", "yé <unk> wáa dzé")]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    write_arpa(estimate_ngrams(TEXT, order=3), tmp_path / "model.arpa")
    return tmp_path / "model.arpa"


def random_words(num_sentences: int, *, seed: int) -> list[list[str]]:
    chance = random.Random(seed)
    words = ["".join(chance.choices("abdeéŋɓ'<>", k=chance.randint(1, 5))) for _ in range(80)]
    return [
        chance.choices(words, [1 / (1 + rank) for rank in range(80)], k=chance.randint(1, 8))
        for _ in range(num_sentences)
    ]


def test_a_model_comes_back_as_it_was_written(path: Path) -> None:
    model, found = estimate_ngrams(TEXT, order=3), read_arpa(path)
    assert found.words == model.words
    for one, other in zip(found.tables, model.tables, strict=True):
        assert np.array_equal(one.context, other.context)
        assert np.array_equal(one.word, other.word)
        assert np.array_equal(one.suffix, other.suffix)
        assert np.allclose(one.log10_probability, other.log10_probability, atol=1e-6)
        assert np.allclose(one.log10_backoff, other.log10_backoff, atol=1e-6)


def test_a_model_that_was_read_is_written_the_same(path: Path) -> None:
    write_arpa(read_arpa(path), path.with_name("again.arpa"))
    assert path.with_name("again.arpa").read_bytes() == path.read_bytes()


@pytest.mark.parametrize(
    ("order", "prune_below", "expected"), [(2, 1, ["Ana"]), (3, 1, []), (3, 2, ["Ana"]), (5, 2, [])]
)
def test_kenlm_finds_the_same_perplexity_of_words(
    tmp_path: Path, order: int, prune_below: int, expected: list[str]
) -> None:
    sentences = random_words(150, seed=1)
    model = estimate_ngrams(sentences, order=order, prune_below=prune_below, expected=expected, expected_share=0.02)
    heard = [*random_words(20, seed=1), *random_words(20, seed=2), ["Ana", "never", "heard"], []]
    write_arpa(model, tmp_path / "model.arpa")
    expected_perplexity = kenlm_perplexity(tmp_path / "model.arpa", model.words, heard)
    assert model.perplexity(heard) == pytest.approx(expected_perplexity, rel=1e-4)


@pytest.mark.parametrize("prune_below", [1, 3])
def test_kenlm_finds_the_same_perplexity_of_letters(tmp_path: Path, prune_below: int) -> None:
    spelled = [list("\ue000".join(sentence)) for sentence in random_words(100, seed=3)]
    model = estimate_ngrams(spelled[:80], order=6, vocabulary=["ß"], prune_below=prune_below)
    write_arpa(model, tmp_path / "model.arpa")
    heard = [*spelled[80:], ["ß", "ß", "not a label"]]
    assert model.perplexity(heard) == pytest.approx(
        kenlm_perplexity(tmp_path / "model.arpa", model.words, heard), rel=1e-4
    )


def test_kenlm_reads_a_text_of_a_single_word(tmp_path: Path) -> None:
    model = estimate_ngrams([["a"]], order=6)
    write_arpa(model, tmp_path / "model.arpa")
    assert model.perplexity([["a", "b"]]) == pytest.approx(
        kenlm_perplexity(tmp_path / "model.arpa", ["a"], [["a", "b"]]), rel=1e-4
    )


def test_the_words_of_a_file_may_stand_in_any_order(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").split("\n")
    first, last = lines.index("\\2-grams:") + 1, lines.index("\\3-grams:") - 1
    lines[first:last] = reversed(lines[first:last])
    changed = path.with_name("changed.arpa")
    changed.write_text("\n".join(lines), encoding="utf-8")
    assert read_arpa(changed).perplexity(TEXT) == pytest.approx(read_arpa(path).perplexity(TEXT))


def test_lines_that_end_as_on_windows_are_read(path: Path) -> None:
    expected = read_arpa(path).perplexity(TEXT)
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert read_arpa(path).perplexity(TEXT) == pytest.approx(expected)


def _line(path: Path, start: str) -> int:
    return next(at for at, line in enumerate(path.read_text(encoding="utf-8").split("\n")) if line.startswith(start))


Damage = Callable[[list[str], int], None]


def _set(at: int, text: str) -> Damage:
    return lambda lines, head: lines.__setitem__(head + at, text)


def _delete(at: int) -> Damage:
    return lambda lines, head: lines.__delitem__(head + at)


@pytest.mark.parametrize(
    ("section", "damage", "said", "offset"),
    [
        ("\\2-grams:", _set(1, "-0.5 wáa dzé adi la"), "is no 2-gram", 2),
        ("\\2-grams:", _set(1, "-0.5 wáa"), "is no 2-gram", 2),
        ("\\2-grams:", _set(1, "oops\twáa dzé"), "is no 2-gram", 2),
        ("\\2-grams:", _set(1, "nan\twáa dzé"), "is no 2-gram", 2),
        ("\\2-grams:", _set(1, "0.5\twáa dzé"), "is no 2-gram", 2),
        ("\\2-grams:", _set(1, "-0.5\twáa dzé\tinf"), "is no 2-gram", 2),
        ("\\2-grams:", _set(1, "-0.5\twáa nobody"), "words or shorter n-grams are not there", 2),
        ("\\3-grams:", _set(1, "-0.5\tadi adi adi"), "words or shorter n-grams are not there", 2),
        ("\\2-grams:", lambda lines, head: lines.__setitem__(head + 2, lines[head + 1]), "stands there twice", 3),
        ("\\1-grams:", _set(1, "-0.5\tsomething"), "no <unk> among the words", 1),
    ],
)
def test_a_damaged_line_is_named(path: Path, section: str, damage: Damage, said: str, offset: int) -> None:
    lines, head = path.read_text(encoding="utf-8").split("\n"), _line(path, section)
    damage(lines, head)
    path.write_text("\n".join(lines), encoding="utf-8")
    with pytest.raises(CorpusError, match=said) as caught:
        read_arpa(path)
    assert f"{path}, line {head + offset}" in caught.value.message
    assert "lowres lm" in caught.value.hint


@pytest.mark.parametrize(
    ("section", "damage", "said"),
    [
        ("\\2-grams:", _delete(2), "line 3: 'ngram 2="),
        ("\\2-grams:", _delete(0), "not the orders that the head"),
        ("ngram 3=", _delete(0), "not the orders that the head"),
        ("\\3-grams:", _set(0, "\\4-grams:"), "not the orders that the head"),
    ],
)
def test_a_section_that_is_not_what_the_head_says_is_refused(
    path: Path, section: str, damage: Damage, said: str
) -> None:
    lines, head = path.read_text(encoding="utf-8").split("\n"), _line(path, section)
    damage(lines, head)
    path.write_text("\n".join(lines), encoding="utf-8")
    with pytest.raises(CorpusError, match=said):
        read_arpa(path)


def test_a_file_cut_short_anywhere_is_refused(path: Path) -> None:
    whole = path.read_bytes()
    for end in range(0, whole.index(b"\\end\\") + 4, 7):
        path.write_bytes(whole[:end])
        with pytest.raises(CorpusError, match=r"is no whole ARPA file|cannot be read"):
            read_arpa(path)


@pytest.mark.parametrize("contents", [b"", b"garbage\n", b"\xff\xfe", b"\\data\\\n\\end\\\n"])
def test_what_is_no_arpa_file_is_refused(path: Path, contents: bytes) -> None:
    path.write_bytes(contents)
    with pytest.raises(CorpusError):
        read_arpa(path)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="cannot be read"):
        read_arpa(tmp_path / "none.arpa")


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    model: NgramModel = estimate_ngrams(TEXT, order=2)
    (tmp_path / "model.arpa").mkdir()
    with pytest.raises(CorpusError, match="cannot be written"):
        write_arpa(model, tmp_path / "model.arpa")
