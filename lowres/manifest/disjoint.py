"""Makes splits that share no speaker and no sentence, as far as the speakers there are allow it.

Everything is ordered by sha256 of names with a seed, so that every machine makes the same splits.
"""

import hashlib
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from lowres.manifest.overlap import count, sentence_keys
from lowres.manifest.schema import DEV, OTHER, TEST, TRAIN

_TOO_LARGE: Final = 2.5
"""A speaker-disjoint dev or test may be up to this many times the share asked for, and as many times smaller."""
_TOO_SMALL: Final = 0.3


@dataclass(frozen=True)
class Shares:
    """Wanted shares of duration (together 1), and the share of speech that may be set aside (see SplitSettings)."""

    train: float
    dev: float
    test: float
    max_set_aside: float


@dataclass(frozen=True)
class MadeSplits:
    """Splits (N,) with the table's index, and plain sentences about what could not be had."""

    splits: "pd.Series[str]"
    warnings: list[str]


def order_by_hash(names: Sequence[str], seed: int, purpose: str) -> list[int]:
    """Return the positions of `names` in an order that looks random and is the same on every machine.

    The order of two names depends on these two, the seed and the purpose alone, not on what else is in the list.

    Args:
        names: N texts, any Unicode.
        seed: any integer. purpose: keeps orders for different purposes apart.

    Returns:
        N positions, sorted by sha256 of purpose, seed and name; equal names stay in the order they came in.
    """
    prefix = hashlib.sha256(f"{purpose}\x00{seed}\x00".encode())
    digests = []
    for name in names:
        hashed = prefix.copy()
        hashed.update(name.encode("utf-8", errors="surrogatepass"))
        digests.append(hashed.digest())
    return sorted(range(len(digests)), key=digests.__getitem__)


def make_disjoint_splits(table: pd.DataFrame, shares: Shares, seed: int) -> MadeSplits:
    """Make train, dev and test of utterances that came without splits.

    Speakers are kept apart where there are enough of them, then sentences; with too few speakers only sentences; with
    too few sentences utterances are drawn. Each step back is a warning.

    Args:
        table: has utterance_id, speaker, text, duration_seconds and included.
    """
    used = table.loc[table["included"]]
    seconds = used["duration_seconds"].to_numpy(dtype=np.float64)
    if not seconds.sum() > 0:
        seconds = np.ones(len(used))
    sentences = sentence_keys(used["text"])
    ids = used["utterance_id"]
    # Utterances without text are not one sentence: each stands for itself.
    sentences = sentences.mask(sentences == "", "\x00" + ids).astype("str")
    by_speaker, reason = _split_speakers(used["speaker"], seconds, shares, seed)
    if by_speaker is not None:
        chosen, warnings = _set_aside_shared(by_speaker, sentences, seconds, shares, seed)
        warnings = _warn_about_speakers(used["speaker"], by_speaker) + warnings
    else:
        warnings = [reason] if reason else []
        keys, step_back = _sentences_or_utterances(sentences, ids, seconds)
        warnings += step_back
        chosen = _fill_by_hash(keys, seconds, {TEST: shares.test, DEV: shares.dev}, seed)
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
    seconds = train["duration_seconds"].to_numpy(dtype=np.float64)
    if not seconds.sum() > 0:
        seconds = np.ones(len(train))
    keys, warnings = _sentences_or_utterances(sentence_keys(train["text"]), train["utterance_id"], seconds)
    changed = splits.copy()
    changed.loc[train.index] = _fill_by_hash(keys, seconds, {DEV: share}, seed)
    said = (
        f"There is no dev split: {share:.0%} of the training speech was held out as dev, to choose checkpoints by; "
        "its speakers are training's."
    )
    return MadeSplits(changed, [said, *warnings])


def _split_speakers(
    speakers: "pd.Series[str]", seconds: npt.NDArray[np.float64], shares: Shares, seed: int
) -> tuple[npt.NDArray[np.object_] | None, str]:
    """Give every speaker a split, or None and the reason why that is impossible."""
    durations = pd.Series(seconds, index=speakers.index).groupby(speakers).sum()
    total = float(durations.sum())
    names = [str(name) for name in durations.index if name != ""]
    wanted = {name: share for name, share in ((TEST, shares.test), (DEV, shares.dev)) if share > 0}
    if not names:
        return None, (
            "No utterance names its speaker, so speakers may be in train and test alike: "
            "error rates will say little about new speakers."
        )
    only = "All speech is by one speaker" if len(names) == 1 else f"There are only {len(names)} speakers"
    impossible = (
        f"{only}, too few to keep them apart: the same speakers are in train, dev and test (with other sentences), "
        "so error rates will say little about new speakers."
    )
    if len(names) < len(wanted) + 1:
        return None, impossible
    ordered = [names[position] for position in order_by_hash(names, seed, "speaker")]
    of_speaker = _fill(ordered, [float(durations[name]) for name in ordered], total, wanted)
    got = {split: sum(float(durations[n]) for n in names if of_speaker[n] == split) / total for split in wanted}
    if any(not _TOO_SMALL * wanted[s] <= got[s] <= _TOO_LARGE * wanted[s] for s in wanted):
        of_speaker, got = _smallest_speakers(durations.drop("", errors="ignore"), total, wanted)
        if any(got[s] < _TOO_SMALL * wanted[s] or got[s] > _TOO_LARGE * wanted[s] for s in wanted):
            few = (
                impossible
                if len(names) < 10
                else impossible.replace("only ", "").replace(
                    "too few to keep them apart", "of such unequal amounts that they cannot be kept apart"
                )
            )
            return None, few
    return speakers.map(of_speaker | {"": TRAIN}).to_numpy(dtype=object), ""


def _fill(names: list[str], seconds: list[float], total: float, wanted: dict[str, float]) -> dict[str, str]:
    """Fill each wanted split in turn with what fits into its share, in the given order; the rest is train."""
    filled = dict.fromkeys(wanted, 0.0)
    split_of = {}
    for name, length in zip(names, seconds, strict=True):
        fits = [s for s, share in wanted.items() if filled[s] + length <= share * total * 1.05]
        split_of[name] = fits[0] if fits else TRAIN
        if fits:
            filled[fits[0]] += length
    return split_of


def _smallest_speakers(
    durations: "pd.Series[float]", total: float, wanted: dict[str, float]
) -> tuple[dict[str, str], dict[str, float]]:
    """Give the speaker nearest to each wanted share to that split, where no combination in hash order came near."""
    split_of: dict[str, str] = {str(name): TRAIN for name in durations.index}
    got = {}
    for split, share in wanted.items():
        free = [name for name, taken in split_of.items() if taken == TRAIN]
        best = min(free, key=lambda name: (abs(np.log(max(float(durations[name]), 1e-9) / (share * total))), name))
        split_of[best] = split
        got[split] = float(durations[best]) / total
    return split_of, got


def _warn_about_speakers(speakers: "pd.Series[str]", splits: npt.NDArray[np.object_]) -> list[str]:
    warnings = []
    for split in (TEST, DEV):
        named = sorted(set(speakers[splits == split]))
        if len(named) == 1:
            warnings.append(f"Only one speaker is in {split} ({named[0]}): this one voice decides its error rates.")
    unnamed = int((speakers == "").sum())
    if unnamed:
        warnings.append(
            f"{count(unnamed, 'utterance')} without a speaker's name went to train; if a test speaker is among them, "
            "error rates come out too low."
        )
    return warnings


def _set_aside_shared(
    splits: npt.NDArray[np.object_],
    sentences: "pd.Series[str]",
    seconds: npt.NDArray[np.float64],
    shares: Shares,
    seed: int,
) -> tuple[npt.NDArray[np.object_], list[str]]:
    """Set aside utterances whose sentence is in several splits, keeping it in the one that its hash draws."""
    codes, uniques = pd.factorize(sentences.to_numpy(dtype=object))
    present = np.zeros((len(uniques), 3), dtype=bool)
    names = (TRAIN, DEV, TEST)
    for column, name in enumerate(names):
        present[codes[splits == name], column] = True
    shared = present.sum(axis=1) > 1
    if not shared.any():
        return splits, []
    keep = np.zeros_like(present)
    keep[~shared] = present[~shared]
    positions = np.flatnonzero(shared)
    wanted = {TEST: shares.test, DEV: shares.dev}
    drawn = _fill_by_hash([str(uniques[p]) for p in positions], np.ones(len(positions)), wanted, seed)
    # A sentence that one speaker of test and many of train said costs least where it is dropped from test. Where most
    # sentences are shared (one reading list for everybody) that would empty test, so there the hash decides.
    test_kept = seconds[(splits == TEST) & ~shared[codes]].sum() / max(seconds[splits == TEST].sum(), 1e-9)
    for position, name in zip(positions, drawn, strict=True):
        column = names.index(name) if test_kept < 0.5 else 0
        choices = np.flatnonzero(present[position])
        keep[position, column if present[position, column] else choices[0]] = True
    columns = np.select([splits == TRAIN, splits == DEV], [0, 1], default=2)
    aside = ~keep[codes, columns]
    cost = float(seconds[aside].sum() / seconds.sum())
    if cost > shares.max_set_aside:
        return splits, [
            f"{count(int(shared.sum()), 'sentence')} said by speakers of several splits stay in all of them, because "
            f"setting them aside would cost {cost:.0%} of the speech (max_set_aside_share = {shares.max_set_aside:g}): "
            "error rates will say little about new sentences."
        ]
    chosen = splits.copy()
    chosen[aside] = OTHER
    return chosen, [
        f"{count(int(aside.sum()), 'utterance')} ({cost:.1%} of the speech) set aside as other, because their "
        "sentences are said in another split too."
    ]


def _sentences_or_utterances(
    sentences: "pd.Series[str]", ids: "pd.Series[str]", seconds: npt.NDArray[np.float64]
) -> tuple[list[str], list[str]]:
    """Choose what is kept whole: sentences, or utterances where a few sentences are most of the speech."""
    largest = pd.Series(seconds, index=sentences.index).groupby(sentences).sum().sort_values(ascending=False)
    if len(largest) >= 10 or len(largest) == len(ids):
        return sentences.tolist(), []
    return ids.tolist(), [
        f"There are only {count(len(largest), 'different sentence')}, so the same ones are in train, dev and test: "
        "error rates will say little about new sentences."
    ]


def _fill_by_hash(
    keys: Sequence[Hashable], seconds: npt.NDArray[np.float64], wanted: dict[str, float], seed: int
) -> npt.NDArray[np.object_]:
    """Draw whole groups of equal keys in hash order until each wanted split has its share; the rest is train."""
    codes, uniques = pd.factorize(np.asarray(keys, dtype=object))
    group_seconds = np.bincount(codes, weights=seconds, minlength=len(uniques))
    order = order_by_hash([str(key) for key in uniques], seed, "sentence")
    total = float(seconds.sum())
    split_of_group = np.full(len(uniques), TRAIN, dtype=object)
    filled = dict.fromkeys(wanted, 0.0)
    open_splits = list(wanted)
    for position in order:
        if not open_splits:
            break
        length = group_seconds[position]
        for split in open_splits:
            room = wanted[split] * total - filled[split]
            if length <= 2 * room:
                split_of_group[position] = split
                filled[split] += length
                if wanted[split] * total - filled[split] <= 0:
                    open_splits.remove(split)
                break
    chosen: npt.NDArray[np.object_] = split_of_group[codes]
    return chosen
