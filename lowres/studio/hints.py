"""Hints on a transcript while it is corrected: nothing is forbidden, only pointed out."""

from dataclasses import dataclass

from lowres.audio.constants import SAMPLE_RATE
from lowres.manifest.overlap import count
from lowres.model.config import num_frames_for
from lowres.recipe import Recipe
from lowres.studio.desk import OpenCorpus, Row
from lowres.text.alphabet import undeclared_symbols
from lowres.text.graphemes import split_graphemes
from lowres.text.normalize import compile_rules
from lowres.text.vocabulary import count_adjacent_repeats


@dataclass(frozen=True)
class Writing:
    """How the transcripts of a corpus are written, to compare one with."""

    opened: OpenCorpus
    recipe: Recipe

    def text_of(self, raw_text: str) -> str:
        """Return what training sees of a transcript."""
        return compile_rules(self.recipe.text.rules)(raw_text)

    def hints(self, row: Row, raw_text: str) -> list[str]:
        """Return sentences on what is odd about a transcript of an utterance; none where nothing is.

        Args:
            row: the utterance. raw_text: its transcript, perhaps not saved.
        """
        text = self.text_of(raw_text)
        if not text.strip():
            return ["Nothing is left of it after the text rules."]
        return [*self._letter_hints(row, text), *self._length_hints(row, text)]

    def _letter_hints(self, row: Row, text: str) -> list[str]:
        alphabet = self.recipe.text.alphabet
        if undeclared := dict.fromkeys(undeclared_symbols(text, alphabet)):
            return [f"Not in the recipe’s alphabet: {' '.join(undeclared)}"]
        if alphabet:
            return []
        texts = "\n".join(map(str, self.opened.columns["text"]))
        letters = [letter for letter in dict.fromkeys(split_graphemes(text)) if letter != " "]
        rare = [letter for letter in letters if texts.count(letter) <= row.text.count(letter)]
        return [f"In no other transcript of this corpus: {' '.join(rare)}"] if rare else []

    def _length_hints(self, row: Row, text: str) -> list[str]:
        letters = split_graphemes(text)
        codes = [hash(letter) for letter in letters]
        num_frames = num_frames_for(round(row.seconds * SAMPLE_RATE), self.recipe.network_config())
        if row.seconds and len(letters) + count_adjacent_repeats(codes) > num_frames:
            return [f"{count(len(letters), 'letter')} are more than {row.seconds:.1f} s of speech can hold."]
        return []
