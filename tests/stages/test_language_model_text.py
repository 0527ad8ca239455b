"""The text that language models are made of: rules applied, dev and test kept out, whatever their case and spaces."""

from pathlib import Path

import pytest
from test_evaluate import RECIPE, SPLITS, write_little_corpus

from lowres.errors import CorpusError
from lowres.manifest.corpus import PreparedCorpus, load_corpus, write_corpus
from lowres.recipe import parse_recipe
from lowres.stages.language_model_text import TRANSCRIPTS, GatheredText, gather_text

RULES = parse_recipe(RECIPE).text.rules


@pytest.fixture
def corpus(tmp_path: Path) -> PreparedCorpus:
    write_little_corpus(tmp_path / "corpus", parse_recipe(RECIPE), SPLITS)
    return load_corpus(tmp_path / "corpus")


def gather(corpus: PreparedCorpus, *files: Path, words: Path | None = None) -> GatheredText:
    return gather_text(corpus, corpus.rows("train"), RULES, files=files, words=words)


def written(folder: Path, text: str, *, encoding: str = "utf-8") -> Path:
    path = folder / "more.txt"
    path.write_bytes(text.encode(encoding))
    return path


def test_transcripts_alone_are_one_source(corpus: PreparedCorpus) -> None:
    text = gather(corpus)
    assert text.sentences == corpus.rows("train")["text"].tolist()
    assert [(source.name, source.num_sentences, source.sha256) for source in text.sources] == [(TRANSCRIPTS, 6, "")]
    assert text.expected_words == ()


def test_the_recipes_rules_are_applied_to_files(corpus: PreparedCorpus, tmp_path: Path) -> None:
    path = written(tmp_path, "Okwá,   NGÁ mbia!\n\n  \n...\nLa\u0301 mwána?\n")
    assert gather(corpus, path).sentences[6:] == ["okwá ngá mbia", "lá mwána"]


@pytest.mark.parametrize("said", ["mbía yé adi", "MBÍA,  Yé\tADI!", "  Mbi\u0301a, ye\u0301 adi.  "])
def test_a_sentence_of_dev_or_test_is_refused_however_it_is_written(
    corpus: PreparedCorpus, tmp_path: Path, said: str
) -> None:
    text = gather(corpus, written(tmp_path, f"{said}\nokwá ngá okwá\n"))
    assert text.sentences[6:] == ["okwá ngá okwá"]
    assert (text.sources[1].num_sentences, text.sources[1].num_refused) == (1, 1)


def test_short_sentences_of_dev_and_test_are_said_everywhere(corpus: PreparedCorpus, tmp_path: Path) -> None:
    text = gather(corpus, written(tmp_path, "Kyéma\nLa mwána!\n"))
    assert text.sources[1].num_refused == 0


@pytest.mark.parametrize("said", ["ខ្ញុំទៅផ្សារនៅព្រឹកនេះ", "ᐊᖅᑯᓯᓐᓂᐊᕐᕕᖕᒧᐊᓚᐅᖅᑐᖓ", "tuntussuqatarniksaitengqiggtuq unuk"])
def test_a_long_sentence_of_few_words_is_refused(corpus: PreparedCorpus, tmp_path: Path, said: str) -> None:
    """Languages that are written without spaces between words, or say much in one."""
    table = corpus.table.copy()
    table.loc[table["split"] == "test", "text"] = said
    write_corpus(tmp_path / "corpus", table, corpus.info)
    corpus = load_corpus(tmp_path / "corpus")
    assert gather(corpus, written(tmp_path, f"{said}\nokwá\n")).sentences[6:] == ["okwá"]


def test_a_transcript_of_training_that_dev_says_too_stays(corpus: PreparedCorpus) -> None:
    assert "mbía yé adi" in gather(corpus).sentences


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_files_in_the_usual_encodings_are_read(corpus: PreparedCorpus, tmp_path: Path, encoding: str) -> None:
    assert gather(corpus, written(tmp_path, "okwá ngá\r\nkyéma\r\n", encoding=encoding)).sentences[6:] == [
        "okwá ngá",
        "kyéma",
    ]


def test_words_to_expect_are_put_through_the_rules_and_listed_once(corpus: PreparedCorpus, tmp_path: Path) -> None:
    words = written(tmp_path, "Ngala\nMba Ola\nNGALA!\n")
    assert gather(corpus, words=words).expected_words == ("mba", "ngala", "ola")


def test_a_file_without_text_is_refused_by_name(corpus: PreparedCorpus, tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match=r"more\.txt holds no text"):
        gather(corpus, written(tmp_path, "...\n"))
    with pytest.raises(CorpusError, match=r"none\.txt"):
        gather(corpus, tmp_path / "none.txt")
