"""Leaves speakers out: one split of a corpus for each of them, in which nothing of theirs is learnt from or chosen by.

Made of the manifest's rows alone, so that no audio is read. Sentences that the left-out speakers and the others both
said are taken from the side that loses less of its speech by it, as long as that is little.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from lowres.errors import CorpusError
from lowres.manifest.disjoint import hold_out
from lowres.manifest.overlap import count_overlap, is_among, sentence_codes
from lowres.manifest.settings import DEV, OTHER, TEST, TRAIN, SplitSettings

_USED: Final = (TRAIN, DEV, TEST)
_Codes = npt.NDArray[np.int64]
_Mask = npt.NDArray[np.bool_]
_Seconds = npt.NDArray[np.float64]


@dataclass(frozen=True)
class LeftOut:
    """A corpus split anew around some speakers.

    Attributes:
        table: (N, 14) manifest: the left-out speakers are test, the others train and dev.
        num_set_aside, seconds_set_aside: utterances of the others that say what the left-out speakers say too, and
            are used nowhere.
        num_unscored, seconds_unscored: or, where that costs less, utterances of the left-out speakers that say what
            the others say too, and are not scored.
        num_known_sentences: utterances of test whose sentence is in train all the same, since too many are shared.
        warnings: what could not be had, as sentences.
    """

    table: pd.DataFrame
    num_set_aside: int
    seconds_set_aside: float
    num_unscored: int
    seconds_unscored: float
    num_known_sentences: int
    warnings: tuple[str, ...] = ()


def named_speakers(table: pd.DataFrame) -> dict[str, float]:
    """Return the speakers of train, dev and test with their seconds of speech, in the order of their names.

    Raises:
        CorpusError: an utterance has no speaker, or there are fewer than two of them.
    """
    used = table.loc[table["included"] & table["split"].isin(_USED)]
    unnamed = used.loc[used["speaker"] == "", "utterance_id"]
    if len(unnamed):
        raise CorpusError(
            f"Nobody says who speaks in {len(unnamed):,} of {len(used):,} utterances, such as {unnamed.iloc[0]!r}, so "
            "no speaker can be left out for certain.",
            "Name all speakers: by folder, by file name or in a column (corpus.reader in the recipe); then prepare "
            "again.",
        )
    totals = used.groupby("speaker")["duration_seconds"].sum()
    seconds = {str(name): float(totals[name]) for name in sorted(totals.index)}
    if len(seconds) < 2:
        raise CorpusError(
            f"The corpus has {len(seconds)} speaker{'' if len(seconds) == 1 else 's'}, and leaving one out takes two.",
            "Record somebody else too, or measure with `lowres evaluate`.",
        )
    return seconds


def group_speakers(seconds: dict[str, float], num_groups: int) -> list[tuple[str, ...]]:
    """Divide speakers into groups of about equal amounts of speech: each, the most first, goes where least is.

    Args:
        seconds: of speech, by speaker.
        num_groups: from 2 to the number of speakers.

    Returns:
        Groups of names in order.
    """
    groups: list[list[str]] = [[] for _ in range(num_groups)]
    totals = [0.0] * num_groups
    for name in sorted(seconds, key=lambda name: (-seconds[name], name)):
        least = min(range(num_groups), key=lambda number: (totals[number], number))
        groups[least].append(name)
        totals[least] += seconds[name]
    return [tuple(sorted(group)) for group in groups]


def leave_out(table: pd.DataFrame, speakers: Sequence[str], settings: SplitSettings, seed: int = 1) -> LeftOut:
    """Split a corpus around speakers: all they said is test, what the others said is train and dev.

    The others' dev stays dev; where none of it is left, `dev_when_missing_share` of their speech becomes dev. Their
    test utterances are train. What no split uses stays unused.

    Args:
        table: (N, 14) manifest of a prepared corpus.
        speakers: the ones to leave out.
        settings: of the recipe; `max_set_aside_share` says how much of either side may be lost to shared sentences.
        seed: of dev, where it is drawn.

    Raises:
        CorpusError: nothing would be left to train on.
    """
    used = (table["included"] & table["split"].isin(_USED)).to_numpy(dtype=bool)
    tested = used & table["speaker"].isin(list(speakers)).to_numpy(dtype=bool)
    others = used & ~tested
    seconds = table["duration_seconds"].to_numpy(dtype=np.float64)
    aside = _choose_aside(sentence_codes(table), others, tested, seconds, settings.max_set_aside_share)
    splits = pd.Series(OTHER, index=table.index, dtype="str")
    splits[others & ~aside] = TRAIN
    splits[others & ~aside & (table["split"] == DEV).to_numpy(dtype=bool)] = DEV
    splits[tested & ~aside] = TEST
    warnings: list[str] = []
    if not (splits == TRAIN).any():
        raise CorpusError(
            f"Without {', '.join(speakers)} there is no training speech left in this corpus.",
            "Leave fewer speakers out at once: more --folds.",
        )
    if not (splits == DEV).any():
        held_out = hold_out(table, splits, settings.dev_when_missing_share, seed)
        splits, warnings = held_out.splits, held_out.warnings
    left = table.assign(split=splits)
    pair = count_overlap(left).between(TRAIN, TEST)
    return LeftOut(
        left,
        num_set_aside=int((aside & others).sum()),
        seconds_set_aside=float(seconds[aside & others].sum()),
        num_unscored=int((aside & tested).sum()),
        seconds_unscored=float(seconds[aside & tested].sum()),
        num_known_sentences=pair.num_utterances_of_shared_sentences if pair else 0,
        warnings=tuple(warnings),
    )


def _choose_aside(codes: _Codes, others: _Mask, tested: _Mask, seconds: _Seconds, most_share: float) -> _Mask:
    """Choose the utterances whose sentence is on both sides, of the side that they are the smaller share of."""
    sides = [(others & is_among(codes, tested), others), (tested & is_among(codes, others), tested)]
    shares = [seconds[shared].sum() / max(seconds[side].sum(), 1e-9) for shared, side in sides]
    least = int(np.argmin(shares))
    return sides[least][0] if shares[least] <= most_share else np.zeros_like(others)
