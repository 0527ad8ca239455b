"""What a model card says of how good a recogniser is: measured figures with their doubt, or that there are none."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from lowres.backbones.checkpoint_folder import CheckpointMetadata
from lowres.backbones.markdown import as_text, table


@dataclass(frozen=True)
class MeasuredRate:
    """An error rate, 0-1 and beyond, with its 95 % interval where there is one."""

    rate: float | None
    low: float | None = None
    high: float | None = None
    num_speakers: int | None = None
    """Over which the interval was taken; None over utterances."""


@dataclass(frozen=True, kw_only=True)
class Result:
    """One evaluation of the weights that the card is about."""

    split: str
    corpus: str
    num_utterances: int
    num_speakers: int
    """Named ones; 0 where nobody is named."""

    characters: MeasuredRate
    words: MeasuredRate
    speaker_rates: tuple[float, ...] = ()
    """Character error rates of the speakers, who are not named here."""

    cautions: tuple[str, ...] = ()
    """Sentences that must be known before the figures are used."""


def results_section(metadata: CheckpointMetadata, results: Sequence[Result]) -> list[str]:
    """Write the section on results: a table, what it rests on, and each caution once."""
    lines = ["## How good it is", ""]
    if results:
        rows = [
            (
                result.split,
                result.corpus,
                f"{result.num_utterances:,}",
                f"{result.num_speakers:,}" if result.num_speakers else "not named",
                _rate_text(result.characters),
                _rate_text(result.words),
            )
            for result in results
        ]
        heads = ("Split", "Corpus", "Utterances", "Speakers", "Letters wrong (CER)", "Words wrong (WER)")
        lines += table(heads, rows)
        lines += [
            "In brackets: where 95 % of repetitions with other speakers like these would lie, or, where it says so, "
            "with other sentences of the same speakers.",
            "",
            *_between_speakers(results),
        ]
    else:
        lines += [
            "**It has not been evaluated on a test split.** What is known is how it did on dev, which chose this "
            "checkpoint and therefore flatters it.",
            "",
        ]
    lines += _dev_lines(metadata)
    cautions = dict.fromkeys(caution for result in results for caution in result.cautions)
    if cautions:
        lines += ["Before quoting these figures:", "", *(f"* {as_text(caution)}" for caution in cautions), ""]
    return lines


def _between_speakers(results: Sequence[Result]) -> list[str]:
    found = []
    for result in results:
        rates = sorted(result.speaker_rates)
        if len(rates) > 1:
            found.append(
                f"* {as_text(result.split)}: of {len(rates)} speakers, the best understood had {_percent(rates[0])} "
                f"of letters wrong and the worst understood {_percent(rates[-1])}."
            )
    return [*found, ""] if found else []


def _dev_lines(metadata: CheckpointMetadata) -> list[str]:
    training = metadata.training
    words, characters = training.get("dev_word_error_rate"), training.get("dev_character_error_rate")
    if not isinstance(words, float) or not isinstance(characters, float):
        return ["No error rate on dev is known: the corpus had no dev speech, or the weights come from elsewhere.", ""]
    return [
        f"On the part of dev that training watched, at update {metadata.step:,}: {_percent(characters)} of letters "
        f"wrong (CER), {_percent(words)} of words wrong (WER).",
        "",
    ]


def _rate_text(measured: MeasuredRate) -> str:
    if measured.rate is None:
        return "none: the references are empty"
    if measured.low is None or measured.high is None:
        return f"{_percent(measured.rate)} (no interval)"
    over = f"{measured.num_speakers} speakers" if measured.num_speakers else "other sentences"
    return f"{_percent(measured.rate)} ({100 * measured.low:.1f} to {100 * measured.high:.1f} %, {over})"


def _percent(rate: Any) -> str:
    return f"{100 * rate:.1f} %"
