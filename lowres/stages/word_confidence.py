"""Which of the words that were heard are right, to learn from dev how sure to be and to check it elsewhere."""

from collections.abc import Sequence

from lowres.decoding.word_times import HeardWord
from lowres.scoring.alignment import align_words


def judge_words(references: Sequence[str], heard: Sequence[Sequence[HeardWord]]) -> tuple[list[float], list[bool]]:
    """Align what was heard in N utterances with what was said.

    Args:
        references: (N,) what was said.
        heard: (N,) the words with their certainties.

    Returns:
        The certainty of each word, and whether it is the one that was said there; words that nobody said are wrong.
    """
    lines = [" ".join(word.text for word in words) for words in heard]
    certainties = [word.certainty for words in heard for word in words]
    are_right = [
        unit.operation == "equal"
        for alignment in align_words(references, lines)
        for unit in alignment.units()
        if unit.hypothesis is not None
    ]
    return certainties, are_right
