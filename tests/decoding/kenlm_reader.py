"""What KenLM itself, inside flashlight's wheel, says of an ARPA file."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from flashlight.lib.text.decoder.kenlm import KenLM
from flashlight.lib.text.dictionary import Dictionary


def kenlm_perplexity(path: Path, words: Iterable[str], sentences: Sequence[Sequence[str]]) -> float:
    """Perplexity of sentences, ends counted; words that are not among `words` are unknown."""
    known = sorted(set(words) - {"<unk>", "<s>", "</s>"})
    dictionary = Dictionary()
    for word in (*known, "<unk>"):
        dictionary.add_entry(word)
    model = KenLM(str(path), dictionary)
    indices = {word: index for index, word in enumerate(known)}
    total, count = 0.0, 0
    for sentence in sentences:
        state = model.start(False)
        for word in sentence:
            state, score = model.score(state, indices.get(word, len(known)))
            total += score
        total += model.finish(state)[1]
        count += len(sentence) + 1
    return float(10 ** (-total / count))
