"""Counts what splits share: speakers and sentences that are in two of them, and the utterances concerned.

Error rates on speakers or sentences that were trained on say nothing about new ones, so this is always counted, also
for splits that somebody else published.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from lowres.manifest.settings import DEV, TEST, TRAIN

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


def sentence_keys(table: pd.DataFrame) -> list[str]:
    """Return (N,) texts lower-cased and with single spaces: equal for what counts as the same sentence."""
    return [sentence_key(text) for text in table["text"].tolist()]


def sentence_key(text: str) -> str:
    """Return a text lower-cased and with single spaces."""
    return " ".join(text.casefold().split())


def sentence_codes(table: pd.DataFrame) -> npt.NDArray[np.int64]:
    """Number the sentences of a table: equal numbers for texts that differ in case and white space only.

    Returns:
        (N,) int64 from 0; -1 for empty text, which is never a shared sentence.
    """
    texts = sentence_keys(table)
    codes = pd.factorize(np.array(texts, dtype=object))[0].astype(np.int64)
    if "" in texts:
        codes[codes == codes[texts.index("")]] = -1
    return codes


def speaker_codes(table: pd.DataFrame) -> npt.NDArray[np.int64]:
    """Number the speakers of a table, (N,) int64 from 0; -1 where nobody is named."""
    speakers = table["speaker"].to_numpy(dtype=object)
    codes = pd.factorize(speakers)[0].astype(np.int64)
    codes[speakers == ""] = -1
    return codes


def is_among(codes: npt.NDArray[np.int64], chosen: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Say for each of (N,) codes whether a row of `chosen` (N,) has it too; -1 never does."""
    known = np.zeros(int(codes.max(initial=-1)) + 2, dtype=bool)
    known[codes[chosen]] = True
    known[-1] = False
    return known[codes]


def count_overlap(table: pd.DataFrame) -> SplitOverlap:
    """Count what train, dev and test share.

    Args:
        table: has split, speaker, text and included; rows with included false are left out.
    """
    splits = table["split"].to_numpy(dtype=object)
    included = table["included"].to_numpy(dtype=bool)
    rows = {name: included & (splits == name) for name in (TRAIN, DEV, TEST)}
    codes = {"speaker": speaker_codes(table), "sentence": sentence_codes(table)}
    pairs = tuple(
        _compare(first, second, rows, codes) for first, second in _PAIRS if rows[first].any() and rows[second].any()
    )
    used = rows[TRAIN] | rows[DEV] | rows[TEST]
    return SplitOverlap(pairs, int((used & (codes["speaker"] == -1)).sum()))


def _compare(
    first: str,
    second: str,
    rows: dict[str, npt.NDArray[np.bool_]],
    codes: dict[str, npt.NDArray[np.int64]],
) -> PairOverlap:
    shared = {}
    for name, numbers in codes.items():
        concerned = numbers[rows[second] & is_among(numbers, rows[first])]
        shared[name] = (len(np.unique(concerned)), len(concerned))
    return PairOverlap(
        first=first,
        second=second,
        num_shared_speakers=shared["speaker"][0],
        num_shared_sentences=shared["sentence"][0],
        num_second_utterances=int(rows[second].sum()),
        num_utterances_of_shared_speakers=shared["speaker"][1],
        num_utterances_of_shared_sentences=shared["sentence"][1],
    )


def count(number: int, noun: str) -> str:
    """Write a number with its noun: "1 speaker", "1,200 speakers"."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
