"""Makes splits that share no speaker and no sentence, as far as the speakers there are allow it.

Everything is ordered by sha256 of names with a seed, so that every machine makes the same splits.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from lowres.manifest.overlap import count, sentence_keys
from lowres.manifest.settings import DEV, OTHER, TEST, TRAIN

_LEAST: Final = 0.3
_MOST: Final = 2.5
"""A speaker-disjoint dev or test may be between these many times the share that was asked for."""
_MIN_SENTENCES: Final = 10
"""With fewer different sentences than this, unseen sentences cannot be had."""


@dataclass(frozen=True)
class Shares:
    """Wanted shares of duration (together 1), and the share of speech that may be set aside (see SplitSettings)."""

    train: float
    dev: float
    test: float
    max_set_aside: float

    @property
    def wanted(self) -> dict[str, float]:
        """Return the shares of test and dev that are above 0, in the order in which they are filled."""
        return {name: share for name, share in ((TEST, self.test), (DEV, self.dev)) if share > 0}


@dataclass(frozen=True)
class MadeSplits:
    """Splits (N,) with the table's index, and plain sentences about what could not be had."""

    splits: "pd.Series[str]"
    warnings: list[str]


@dataclass(frozen=True)
class _Speech:
    """The rows that are split: durations (N,) and, per row, the number of its sentence; names per sentence number.

    Utterances without text are not one sentence: each stands for itself.
    """

    seconds: npt.NDArray[np.float64]
    sentences: npt.NDArray[np.int64]
    sentence_names: list[str]
    ids: list[str]
    speakers: npt.NDArray[np.object_]


def order_by_hash(names: Sequence[str], seed: int, purpose: str) -> list[int]:
    """Return the positions of `names` in an order that looks random and is the same on every machine.

    The order of two names depends on these two, the seed and the purpose alone, not on what else is in the list.

    Args:
        names: N texts, any Unicode.
        seed: any integer. purpose: keeps orders for different purposes apart.

    Returns:
        N positions, sorted by sha256 of purpose, seed and name; equal names stay in the order they came in.
    """
    prefix = f"{purpose}\x00{seed}\x00".encode()
    digests = b"".join(hashlib.sha256(prefix + name.encode("utf-8", errors="surrogatepass")).digest() for name in names)
    words = np.frombuffer(digests, dtype=">u8").reshape(-1, 4)
    # The last key of lexsort counts first; it is stable.
    ordered: list[int] = np.lexsort((words[:, 3], words[:, 2], words[:, 1], words[:, 0])).tolist()
    return ordered


def make_disjoint_splits(table: pd.DataFrame, shares: Shares, seed: int) -> MadeSplits:
    """Make train, dev and test of utterances that came without splits.

    Speakers are kept apart where there are enough of them, then sentences; with too few speakers only sentences; with
    too few sentences utterances are drawn. Each step back is a warning.

    Args:
        table: has utterance_id, speaker, text, duration_seconds and included.
    """
    used = table.loc[table["included"]]
    speech = _gather(used)
    by_speaker, reason = _split_speakers(speech, shares, seed)
    if by_speaker is not None:
        chosen, warnings = _set_aside_shared(by_speaker, speech, shares, seed)
        warnings = _warn_about_speakers(speech.speakers, chosen) + warnings
    else:
        chosen, warnings = _draw_sentences(speech, shares.wanted, seed)
        warnings = [reason, *warnings]
    splits = pd.Series(TRAIN, index=table.index, dtype="str")
    splits.loc[used.index] = chosen
    return MadeSplits(splits, warnings)


def hold_out(table: pd.DataFrame, splits: "pd.Series[str]", share: float, seed: int) -> MadeSplits:
    """Move a share of training's duration to dev: whole sentences, from every speaker.

    Args:
        splits: (N,) with the table's index; only rows that are train and included are moved.
        share: of training's duration, 0-0.5.
    """
    train = table.loc[table["included"] & (splits == TRAIN)]
    chosen, warnings = _draw_sentences(_gather(train), {DEV: share}, seed)
    changed = splits.copy()
    changed.loc[train.index] = chosen
    said = (
        f"There is no dev split: {share:.0%} of the training speech was held out as dev, to choose checkpoints by; "
        "its speakers are training's."
    )
    return MadeSplits(changed, [said, *warnings])


def _gather(rows: pd.DataFrame) -> _Speech:
    seconds = rows["duration_seconds"].to_numpy(dtype=np.float64)
    ids = rows["utterance_id"].tolist()
    keys = [key or f"\x00{name}" for key, name in zip(sentence_keys(rows), ids, strict=True)]
    codes, names = pd.factorize(np.array(keys, dtype=object))
    return _Speech(
        seconds=seconds if seconds.sum() > 0 else np.ones(len(rows)),
        sentences=codes.astype(np.int64),
        sentence_names=names.tolist(),
        ids=ids,
        speakers=rows["speaker"].to_numpy(dtype=object),
    )


def _split_speakers(speech: _Speech, shares: Shares, seed: int) -> tuple[npt.NDArray[np.object_] | None, str]:
    """Give every speaker a split, or None and the reason why that is impossible."""
    codes, found = pd.factorize(speech.speakers)
    durations = dict(zip(found.tolist(), np.bincount(codes, weights=speech.seconds).tolist(), strict=True))
    total = float(speech.seconds.sum())
    names = sorted(name for name in durations if name)
    if not names:
        return None, (
            "No utterance names its speaker, so speakers may be in train and test alike: "
            "error rates will say little about new speakers."
        )
    wanted = shares.wanted
    if len(names) > len(wanted):
        share_of = {name: durations[name] / total for name in names}
        ordered = [names[position] for position in order_by_hash(names, seed, "speaker")]
        for split_of in (_fill_with_speakers(ordered, share_of, wanted), _take_nearest(names, share_of, wanted)):
            got = {split: sum(share_of[name] for name in names if split_of[name] == split) for split in wanted}
            if all(_LEAST * wanted[split] <= got[split] <= _MOST * wanted[split] for split in wanted):
                of_code = np.array([split_of.get(name, TRAIN) for name in found.tolist()], dtype=object)
                return of_code[codes], ""
    if len(names) == 1:
        who = "All speech is by one speaker: the same voice is in train, dev and test"
    else:
        who = (
            f"There are {len(names)} speakers, too few or of too unequal amounts to keep them apart: "
            "the same voices are in train, dev and test"
        )
    return None, f"{who}, so error rates will say little about new speakers."


def _fill_with_speakers(ordered: list[str], share_of: dict[str, float], wanted: dict[str, float]) -> dict[str, str]:
    """Put each speaker, in the given order, where there is still room for all they said; the rest is train."""
    filled = dict.fromkeys(wanted, 0.0)
    split_of = {}
    for name in ordered:
        roomy = [split for split in wanted if filled[split] + share_of[name] <= wanted[split] * 1.05]
        split_of[name] = roomy[0] if roomy else TRAIN
        if roomy:
            filled[roomy[0]] += share_of[name]
    return split_of


def _take_nearest(names: list[str], share_of: dict[str, float], wanted: dict[str, float]) -> dict[str, str]:
    """Give each split the one speaker whose share is nearest to what it wants (for a handful of speakers)."""
    split_of = dict.fromkeys(names, TRAIN)
    for split, share in wanted.items():
        free = [name for name in names if split_of[name] == TRAIN]
        nearest = min(free, key=lambda name, share=share: (abs(share_of[name] - share), name))  # type: ignore[misc]
        split_of[nearest] = split
    return split_of


def _warn_about_speakers(speakers: npt.NDArray[np.object_], splits: npt.NDArray[np.object_]) -> list[str]:
    warnings = []
    for split in (TEST, DEV):
        named = set(speakers[splits == split].tolist())
        if len(named) == 1:
            warnings.append(f"Only one speaker is in {split} ({named.pop()}): this one voice decides its error rates.")
    unnamed = int((speakers == "").sum())
    if unnamed:
        warnings.append(
            f"{count(unnamed, 'utterance')} without a speaker's name went to train; if a test speaker is among them, "
            "error rates come out too low."
        )
    return warnings


def _set_aside_shared(
    splits: npt.NDArray[np.object_], speech: _Speech, shares: Shares, seed: int
) -> tuple[npt.NDArray[np.object_], list[str]]:
    """Set utterances aside until no sentence is in two splits, if that costs neither too much nor a whole split."""
    columns = (TRAIN, DEV, TEST)
    column = np.select([splits == TRAIN, splits == DEV], [0, 1], default=2)
    present = np.zeros((len(speech.sentence_names), 3), dtype=bool)
    present[speech.sentences, column] = True
    shared = np.flatnonzero(present.sum(axis=1) > 1)
    if not len(shared):
        return splits, []
    keep = present.copy()
    keep[shared] = False
    keep[shared, _choose_keepers(present[shared], shared, column, speech, shares, seed)] = True
    aside = ~keep[speech.sentences, column]
    cost = float(speech.seconds[aside].sum() / speech.seconds.sum())
    chosen = np.where(aside, OTHER, np.array(columns, dtype=object)[column])
    emptied = sorted(set(splits.tolist()) - set(chosen.tolist()))
    if cost > shares.max_set_aside or emptied:
        would = (
            f"leave nothing in {' and '.join(emptied)}"
            if emptied
            else f"cost {cost:.0%} of the speech (max_set_aside_share is {shares.max_set_aside:g})"
        )
        return splits, [
            f"{count(len(shared), 'sentence')} said by speakers of several splits stay in all of them, because setting "
            f"them aside would {would}: error rates will say little about new sentences."
        ]
    return chosen, [
        f"{count(int(aside.sum()), 'utterance')} ({cost:.1%} of the speech) set aside as other, because their "
        "sentences are said in another split too."
    ]


def _choose_keepers(
    present: npt.NDArray[np.bool_],
    shared: npt.NDArray[np.int64],
    column: npt.NDArray[np.int64],
    speech: _Speech,
    shares: Shares,
    seed: int,
) -> npt.NDArray[np.int64]:
    """Choose for each shared sentence the one split (0 train, 1 dev, 2 test) that keeps it.

    A few sentences said by many cost least where train keeps them. Where most of what is said in dev or in test is
    shared (one reading list for everybody) that would empty it, so there each sentence is drawn by its hash.
    """
    first: npt.NDArray[np.int64] = np.argmax(present, axis=1)
    is_shared = np.zeros(len(speech.sentence_names), dtype=bool)
    is_shared[shared] = True
    seconds = np.bincount(column, weights=speech.seconds, minlength=3)
    lost = np.bincount(column, weights=speech.seconds * is_shared[speech.sentences], minlength=3)
    if (lost[1:] < 0.5 * np.maximum(seconds[1:], 1e-9)).all():
        return first
    names = [speech.sentence_names[position] for position in shared.tolist()]
    drawn = _fill_groups(names, np.ones(len(names)), shares.wanted, seed)
    wanted_column = np.select([drawn == TRAIN, drawn == DEV], [0, 1], default=2)
    has_it = present[np.arange(len(shared)), wanted_column]
    chosen: npt.NDArray[np.int64] = np.where(has_it, wanted_column, first)
    return chosen


def _draw_sentences(speech: _Speech, wanted: dict[str, float], seed: int) -> tuple[npt.NDArray[np.object_], list[str]]:
    """Draw whole sentences into the wanted splits, or utterances where there are too few different sentences."""
    if len(speech.sentence_names) >= _MIN_SENTENCES or len(speech.sentence_names) == len(speech.ids):
        lengths = np.zeros(len(speech.sentence_names))
        np.add.at(lengths, speech.sentences, speech.seconds)
        return _fill_groups(speech.sentence_names, lengths, wanted, seed)[speech.sentences], []
    different = count(len(speech.sentence_names), "different sentence")
    return _fill_groups(speech.ids, speech.seconds, wanted, seed), [
        f"There is no more than {different}, so the same ones are in train, dev and test: "
        "error rates will say little about new sentences."
    ]


def _fill_groups(
    names: Sequence[str], seconds: npt.NDArray[np.float64], wanted: dict[str, float], seed: int
) -> npt.NDArray[np.object_]:
    """Draw groups in hash order until each wanted split has its share of all seconds; the rest is train.

    A group of more than twice the room that is left goes elsewhere. At least one group stays in train.
    """
    total = float(seconds.sum())
    split_of = np.full(len(names), TRAIN, dtype=object)
    room = {split: share * total for split, share in wanted.items()}
    for position in order_by_hash(names, seed, "sentence")[: max(len(names) - 1, 0)]:
        if not room:
            break
        length = float(seconds[position])
        split = next((split for split, left in room.items() if length <= 2 * left), None)
        if split is not None:
            split_of[position] = split
            room[split] -= length
            if room[split] <= 1e-9 * total:
                del room[split]
    return split_of
