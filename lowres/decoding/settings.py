"""The recipe's `[language_model]`: what the models are made of and how they are searched with."""

from dataclasses import dataclass
from typing import ClassVar, Final

from pydantic import ConfigDict

SHORTEST_ORDER: Final = 2
"""KenLM reads no model of single words."""

LONGEST_ORDER: Final = 6
"""KenLM inside flashlight's wheels is compiled for n-grams of up to six words."""


@dataclass(frozen=True)
class LanguageModelSettings:
    """The `[language_model]` section of a recipe."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    word_order: int = 3
    """The longest n-gram of words."""

    character_order: int = 6
    """The longest n-gram of the recogniser's labels, word boundaries included."""

    prune_below: int = 1
    """N-grams of three and more that occur less often are left out; 1 keeps all."""

    texts: tuple[str, ...] = ()
    """Files of more text, a sentence a line, beside the recipe or with a whole path."""

    words: str = ""
    """A file of words that should be expected more often, such as names and places, one a line."""

    word_share: float = 0.01
    """Of 100 words that nothing is known about, this share is taken to be one of those in `words`."""

    all_transcripts: bool = False
    """Whether transcripts of training speech that the recogniser did not hear (--hours) count too."""

    beam_size: int = 50
    """How many hypotheses the search keeps in each frame."""

    tuning_seconds: float = 900.0
    """How much of dev the weights are chosen on."""

    def __post_init__(self) -> None:
        """Refuse what no model could be made with.

        Raises:
            ValueError: an order outside 2-6, a share outside 0-1, or a count below 1.
        """
        for name in ("word_order", "character_order"):
            order = getattr(self, name)
            if not SHORTEST_ORDER <= order <= LONGEST_ORDER:
                raise ValueError(f"{name} is {order}: it must lie between {SHORTEST_ORDER} and {LONGEST_ORDER}")
        if not 0 <= self.word_share < 1:
            raise ValueError(f"word_share is {self.word_share}: it must lie between 0 and 1")
        if self.prune_below < 1 or self.beam_size < 1 or self.tuning_seconds <= 0:
            raise ValueError("prune_below and beam_size must be at least 1, and tuning_seconds above 0")
