"""What a language model brought: the same scores decoded with and without it, compared utterance by utterance."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from lowres.report.sentences import percent
from lowres.scoring.alignment import Alignment, align_characters, align_words
from lowres.scoring.error_rates import count_errors
from lowres.scoring.paired import RelativeGain, relative_gain
from lowres.stages.listening import Heard


@dataclass(frozen=True)
class Gain:
    """Error rates of greedy decoding, 0-1 and above, and by how much the language model lowered them."""

    greedy_word_error_rate: float
    greedy_character_error_rate: float
    words: RelativeGain
    characters: RelativeGain

    def facts(self) -> list[tuple[str, str]]:
        """Give what a report says of it, as (name, value)."""
        return [
            (
                "Without language model",
                f"WER {percent(self.greedy_word_error_rate)}, CER {percent(self.greedy_character_error_rate)} (greedy)",
            ),
            (
                "With the language model",
                f"{_change(self.words, 'word errors')}; {_change(self.characters, 'letter errors')}",
            ),
        ]


def measure_gain(references: Sequence[str], heard: Heard, tidy: Callable[[str], str], *, seed: int) -> Gain:
    """Compare the two decodings of N utterances.

    Args:
        references: (N,) what was said, after the recipe's rules and tidied.
        heard: (N,) both decodings, not yet tidied.
        tidy: settles their spelling as it was settled for the report.
        seed: of the redrawn utterances.
    """
    texts, greedy = ([tidy(text) for text in one] for one in (heard.texts, heard.greedy))
    words = align_words(references, texts), align_words(references, greedy)
    characters = align_characters(references, texts), align_characters(references, greedy)
    return Gain(
        count_errors(words[1]).error_rate,
        count_errors(characters[1]).error_rate,
        _gain(*words, seed=seed),
        _gain(*characters, seed=seed),
    )


def _gain(now: Sequence[Alignment], before: Sequence[Alignment], *, seed: int) -> RelativeGain:
    return relative_gain(
        [alignment.num_errors for alignment in now],
        [alignment.num_errors for alignment in before],
        [alignment.num_reference for alignment in now],
        seed=seed,
    )


def _change(gain: RelativeGain, what: str) -> str:
    """Say by how much errors became fewer or more; an interval that spans both says "from ... fewer to ... more"."""
    said = f"{percent(abs(gain.share), 1)} {_direction(gain.share)} {what}"
    if gain.interval is None:
        return said
    low, high = gain.interval.low, gain.interval.high
    if (low >= 0) == (high >= 0):
        smaller, larger = sorted((abs(low), abs(high)))
        return f"{said} (95 %: {percent(smaller, 1)} to {percent(larger, 1)})"
    return f"{said} (95 %: from {percent(-low, 1)} more to {percent(high, 1)} fewer)"


def _direction(share: float) -> str:
    return "fewer" if share >= 0 else "more"
