"""Which of the words that were heard are right, to learn from dev how sure to be and to check it elsewhere."""

from collections.abc import Callable, Sequence

from lowres.decoding.calibration import Calibration, calibration_error
from lowres.decoding.word_times import HeardWord
from lowres.report.sentences import percent
from lowres.scoring.alignment import align_words


def judge_words(
    references: Sequence[str], heard: Sequence[Sequence[HeardWord]], tidy: Callable[[str], str]
) -> tuple[list[float], list[bool]]:
    """Align what was heard in N utterances with what was said.

    Args:
        references: (N,) what was said, tidied.
        heard: (N,) the words with their certainties.
        tidy: settles their spelling as it was settled for the references.

    Returns:
        The certainty of each word, and whether it is the one that was said there; words that nobody said are wrong. A
        word with white space in it, such as a no-break space that has a label, is several, each as certain as it.
    """
    parts = [[(part, word.certainty) for word in words for part in tidy(word.text).split()] for words in heard]
    lines = [" ".join(part for part, _ in line) for line in parts]
    certainties = [certainty for line in parts for _, certainty in line]
    are_right = [
        unit.operation == "equal"
        for alignment in align_words(references, lines)
        for unit in alignment.units()
        if unit.hypothesis is not None
    ]
    return certainties, are_right


def confidence_facts(
    references: Sequence[str],
    heard: Sequence[Sequence[HeardWord]],
    tidy: Callable[[str], str],
    calibration: Calibration | None,
) -> list[tuple[str, str]]:
    """Say how far a word's confidence can be believed on N scored utterances; nothing where it is not calibrated.

    Args:
        references: (N,) what was said, after the recipe's rules and tidied.
        heard: (N,) the words with their certainties.
        tidy: settles their spelling as it was settled for the report.
        calibration: how to read certainties, learned on dev.
    """
    if calibration is None:
        return []
    certainties, are_right = judge_words(references, heard, tidy)
    confidences = [calibration.confidence(certainty) for certainty in certainties]
    told = (
        f"expected calibration error {percent(calibration_error(confidences, are_right), 1)} over {len(are_right):,} "
        f"words ({percent(calibration_error(certainties, are_right), 1)} before what dev taught); "
        f"{percent(sum(confidences) / max(len(confidences), 1), 1)} of them should be right, "
        f"{percent(sum(are_right) / max(len(are_right), 1), 1)} are"
    )
    return [("Confidence of words", told)]
