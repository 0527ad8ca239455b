"""The text that language models are made of: what was transcribed for training, and files of more sentences.

What dev or test say is refused, sentence by sentence: a model that has read the answers measures nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final

import pandas as pd

from lowres.corpora.delimited import read_text
from lowres.decoding.stored_models import TextSource, hash_file
from lowres.errors import CorpusError
from lowres.manifest.corpus import PreparedCorpus
from lowres.manifest.overlap import sentence_key, sentence_keys
from lowres.manifest.settings import DEV, TEST
from lowres.text.normalize import TextRules, compile_rules

TRANSCRIPTS: Final = "training transcripts"
_FEW_WORDS: Final = 3
_FEW_LETTERS: Final = 12
"""Sentences of fewer words and letters ("yes", "thank you") are said everywhere; those of dev and test are left in.
Words alone say little: some languages are written without spaces, others say a sentence in a word."""


@dataclass(frozen=True)
class GatheredText:
    """Sentences after the recipe's rules, where they come from, and the words to expect more often."""

    sentences: list[str]
    sources: tuple[TextSource, ...]
    expected_words: tuple[str, ...] = ()


def gather_text(
    corpus: PreparedCorpus, training: pd.DataFrame, rules: TextRules, *, files: Sequence[Path], words: Path | None
) -> GatheredText:
    """Put the texts together.

    Args:
        corpus: whose dev and test are not to be read.
        training: rows whose transcripts count.
        rules: the recipe's text rules, which files are put through; transcripts have been.
        files: of more text, a sentence a line.
        words: a file of words to expect more often, one a line; those with a space count as several.

    Raises:
        CorpusError: a file that cannot be read or holds no text after the rules.
    """
    transcripts = [text for text in training["text"].tolist() if text.strip()]
    sources = [TextSource(TRANSCRIPTS, "", len(transcripts))]
    sentences = list(transcripts)
    held_out = _hash_held_out(corpus)
    for path in files:
        found = _read_sentences(path, rules)
        allowed = [one for one in found if _hash(sentence_key(one)) not in held_out]
        sources.append(TextSource(path.name, hash_file(path), len(allowed), len(found) - len(allowed)))
        sentences.extend(allowed)
    expected = sorted({word for line in _read_sentences(words, rules) for word in line.split()}) if words else ()
    return GatheredText(sentences, tuple(sources), tuple(expected))


def _hash_held_out(corpus: PreparedCorpus) -> set[bytes]:
    rows = corpus.table.loc[corpus.table["split"].isin([DEV, TEST])]
    return {_hash(key) for key in sentence_keys(rows) if not _is_short(key)}


def _is_short(key: str) -> bool:
    return len(key.split()) < _FEW_WORDS and len(key.replace(" ", "")) < _FEW_LETTERS


def _hash(key: str) -> bytes:
    return sha256(key.encode()).digest()


def _read_sentences(path: Path, rules: TextRules) -> list[str]:
    text, _ = read_text(path)
    apply = compile_rules(rules)
    found = [sentence for line in text.splitlines() if (sentence := apply(line).strip())]
    if not found:
        raise CorpusError(f"{path} holds no text once the recipe's rules are applied.", "Put a sentence on each line.")
    return found
