"""The shipped recipes on the real transcripts that they were written for."""

import csv
from collections.abc import Callable
from pathlib import Path

import pytest

from lowres.recipe import load_recipe
from lowres.text.alphabet import undeclared_symbols
from lowres.text.marks import count_marks
from lowres.text.normalize import compile_rules
from lowres.text.vocabulary import build_vocabulary

pytestmark = pytest.mark.corpora


def read_mboshi(corpora: Path) -> list[str]:
    return [path.read_text(encoding="utf-8") for path in sorted((corpora / "mboshi").glob("*/*.mb"))]


def read_yoruba(corpora: Path) -> list[str]:
    tables = [corpora / "yoruba" / "yo" / f"{split}.tsv" for split in ("train", "dev", "test", "other")]
    return [line.split("\t")[2] for table in tables for line in table.read_text(encoding="utf-8").splitlines()[1:]]


def read_kinyarwanda(corpora: Path) -> list[str]:
    files = sorted((corpora / "kinyarwanda" / "data").glob("*/text"))
    return [line.partition(" ")[2] for file in files for line in file.read_text(encoding="utf-8").splitlines()]


def read_column(column: str, *tables: Path, delimiter: str = ",") -> list[str]:
    texts = []
    for table in tables:
        with table.open(encoding="utf-8", newline="") as file:
            quoting = csv.QUOTE_NONE if delimiter == "\t" else csv.QUOTE_MINIMAL
            texts += [row[column] for row in csv.DictReader(file, delimiter=delimiter, quoting=quoting)]
    return texts


READERS: dict[str, Callable[[Path], list[str]]] = {
    "mboshi": read_mboshi,
    "yoruba": read_yoruba,
    "kinyarwanda": read_kinyarwanda,
    "swahili": lambda corpora: read_column("transcription", *sorted((corpora / "swahili").glob("*/metadata.csv"))),
    "nigerian_pidgin": lambda corpora: read_column("text", corpora / "pidgin" / "utterances.tsv", delimiter="\t"),
    "east_tusom": lambda corpora: read_column("ipa", corpora / "tusom" / "words.csv"),
}
# Transcripts, and those that hold something outside the alphabet; recipes/README.md says what and why.
MEASURED = {
    "mboshi": (5130, 0),
    "yoruba": (1049, 31),
    "kinyarwanda": (971, 128),
    "swahili": (463, 233),
    "nigerian_pidgin": (945, 182),
    "east_tusom": (2255, 0),
}


def test_mboshi_s_rules_give_the_corpus_s_own_cleaned_text_every_time(corpora_folder: Path) -> None:
    rules = compile_rules(load_recipe("mboshi").text.rules)
    differing = []
    transcripts = sorted((corpora_folder / "mboshi").glob("*/*.mb"))
    for path in transcripts:
        cleaned = path.with_name(f"{path.name}.cleaned").read_text(encoding="utf-8").strip()
        if rules(path.read_text(encoding="utf-8")) != cleaned:
            differing.append(path.name)
    assert len(transcripts) == 5130
    assert differing == []


@pytest.mark.parametrize("name", sorted(READERS))
def test_real_transcripts_keep_their_marks_and_survive_encoding(name: str, corpora_folder: Path) -> None:
    recipe = load_recipe(name)
    rules = compile_rules(recipe.text.rules)
    raw = READERS[name](corpora_folder)
    texts = [rules(text) for text in raw]
    vocabulary = build_vocabulary(texts, recipe.vocabulary)
    assert [text for text in texts if vocabulary.decode(vocabulary.encode(text)) != text] == []
    assert [text for text in raw if count_marks(rules(text)) != count_marks(text)] == []
    assert "" not in texts


@pytest.mark.parametrize("name", sorted(READERS))
def test_what_is_outside_the_alphabet_is_what_the_readme_says(name: str, corpora_folder: Path) -> None:
    recipe = load_recipe(name)
    rules = compile_rules(recipe.text.rules)
    texts = [rules(text) for text in READERS[name](corpora_folder)]
    flagged = sum(bool(undeclared_symbols(text, recipe.text.alphabet)) for text in texts)
    assert (len(texts), flagged) == MEASURED[name]
