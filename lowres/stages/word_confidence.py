"""Which of the words that were heard are right, to learn from dev how sure to be and to check it elsewhere."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from lowres.decoding.calibration import Calibration, calibration_error
from lowres.decoding.word_times import HeardWord
from lowres.report.sentences import percent
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
    tidied = [[replace(word, text=tidy(word.text)) for word in words] for words in heard]
    certainties, are_right = judge_words(references, tidied)
    confidences = [calibration.confidence(certainty) for certainty in certainties]
    told = (
        f"expected calibration error {percent(calibration_error(confidences, are_right), 1)} over {len(are_right):,} "
        f"words ({percent(calibration_error(certainties, are_right), 1)} before what dev taught); "
        f"{percent(sum(confidences) / max(len(confidences), 1), 1)} of them should be right, "
        f"{percent(sum(are_right) / max(len(are_right), 1), 1)} are"
    )
    return [("Confidence of words", told)]
