"""Counts what splits share: speakers and sentences that are in two of them, and the utterances concerned.

Error rates on speakers or sentences that were trained on say nothing about new ones, so this is always counted, also
for splits that somebody else published.
"""

from dataclasses import dataclass
from typing import Final

import pandas as pd

from lowres.manifest.schema import DEV, TEST, TRAIN

_PAIRS: Final = ((TRAIN, DEV), (TRAIN, TEST), (DEV, TEST))


@dataclass(frozen=True)
class PairOverlap:
    """What two splits share.

    Attributes:
        first, second: names of the splits; `second` is the one that is scored.
        num_shared_speakers, num_shared_sentences: how many are in both. Speakers without a name are not counted.
        num_second_utterances: utterances of `second` in all.
        num_utterances_of_shared_speakers, num_utterances_of_shared_sentences: utterances of `second` whose speaker
            (sentence) is in `first` too.
    """

    first: str
    second: str
    num_shared_speakers: int
    num_shared_sentences: int
    num_second_utterances: int
    num_utterances_of_shared_speakers: int
    num_utterances_of_shared_sentences: int


@dataclass(frozen=True)
class SplitOverlap:
    """One `PairOverlap` for each pair of train, dev and test that both hold something.

    Attributes:
        pairs: (train, dev), (train, test), (dev, test), as far as they exist.
        num_utterances_without_speaker: included utterances of the three splits whose speaker nobody named.
    """

    pairs: tuple[PairOverlap, ...] = ()
    num_utterances_without_speaker: int = 0

    def between(self, first: str, second: str) -> PairOverlap | None:
        """Return the overlap of two splits, or None where one of them is empty."""
        return next((pair for pair in self.pairs if (pair.first, pair.second) == (first, second)), None)

    def sentences(self) -> list[str]:
        """Say in plain language what is shared; empty where nothing is."""
        said = []
        for pair in self.pairs:
            if pair.num_utterances_of_shared_speakers:
                said.append(
                    f"{pair.num_utterances_of_shared_speakers:,} of {pair.num_second_utterances:,} {pair.second} "
                    f"utterances are by {count(pair.num_shared_speakers, 'speaker')} heard in {pair.first} too."
                )
            if pair.num_utterances_of_shared_sentences:
                said.append(
                    f"{pair.num_utterances_of_shared_sentences:,} of {pair.num_second_utterances:,} {pair.second} "
                    f"utterances say {count(pair.num_shared_sentences, 'sentence')} found in {pair.first} too."
                )
        return said


def sentence_keys(texts: "pd.Series[str]") -> "pd.Series[str]":
    """Turn texts into keys that are equal for equal sentences: lower-cased, runs of white space as one space.

    Empty texts keep the empty key, which is never counted as a shared sentence.
    """
    return pd.Series([" ".join(text.casefold().split()) for text in texts.tolist()], index=texts.index, dtype="str")


def count_overlap(table: pd.DataFrame) -> SplitOverlap:
    """Count what train, dev and test share.

    Args:
        table: has split, speaker, text and included; rows with included false are left out.
    """
    used = table.loc[table["included"] & table["split"].isin((TRAIN, DEV, TEST)), ["split", "speaker", "text"]]
    used = used.assign(sentence=sentence_keys(used["text"]))
    parts = {name: part for name, part in used.groupby("split", sort=False) if len(part)}
    pairs = tuple(
        _compare(first, second, parts[first], parts[second])
        for first, second in _PAIRS
        if first in parts and second in parts
    )
    return SplitOverlap(pairs, int((used["speaker"] == "").sum()))


def _compare(first: str, second: str, first_rows: pd.DataFrame, second_rows: pd.DataFrame) -> PairOverlap:
    shared = {}
    for column in ("speaker", "sentence"):
        known = set(first_rows[column].unique()) - {""}
        concerned = second_rows.loc[second_rows[column].isin(known), column]
        shared[column] = (int(concerned.nunique()), len(concerned))
    return PairOverlap(
        first=first,
        second=second,
        num_shared_speakers=shared["speaker"][0],
        num_shared_sentences=shared["sentence"][0],
        num_second_utterances=len(second_rows),
        num_utterances_of_shared_speakers=shared["speaker"][1],
        num_utterances_of_shared_sentences=shared["sentence"][1],
    )


def count(number: int, noun: str) -> str:
    """Write a number with its noun: "1 speaker", "1,200 speakers"."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
