"""Decides which utterances train, which choose (dev) and which are scored (test).

Splits that came with the corpus are kept, renamed and merged as the recipe says, so that figures can be compared with
published ones; where none came, they are made by `lowres.manifest.disjoint`.
"""

from collections import Counter
from dataclasses import dataclass
from typing import Any, ClassVar, Final, Literal

import pandas as pd

from lowres.manifest.disjoint import Shares, hold_out, make_disjoint_splits
from lowres.manifest.overlap import PairOverlap, SplitOverlap, count, count_overlap
from lowres.manifest.schema import DEV, OTHER, TEST, TRAIN

__all__ = ["PairOverlap", "SplitOverlap", "SplitResult", "SplitSettings", "assign_splits", "count_overlap"]

_MADE_OF: Final = (TRAIN, DEV, TEST)


@dataclass(frozen=True, kw_only=True)
class SplitSettings:
    """How splits come about; the recipe's section [splits].

    Attributes:
        method: "auto" keeps splits that were given and makes them where none were; "given" never makes any; "make"
            always does.
        train, dev, test: which of the given splits (train, dev, test, other) make up each of ours. `train = ["train",
            "dev"]` with `dev = []` trains on both, as some published figures do. No given split in two of ours.
        dev_when_missing_share: where the given splits have a test but leave no dev, this share (0-0.5) of training's
            duration is held out to choose checkpoints by; 0 holds nothing out.
        train_share, dev_share, test_share: shares of the duration of splits that are made (0-1, together 1).
        max_set_aside_share: sentences that speakers of two splits both said are set aside (split "other") as long as
            that costs at most this share (0-1) of all speech; beyond it they stay, and a warning says so.
    """

    method: Literal["auto", "given", "make"] = "auto"
    train: tuple[str, ...] = (TRAIN,)
    dev: tuple[str, ...] = (DEV,)
    test: tuple[str, ...] = (TEST,)
    dev_when_missing_share: float = 0.05
    train_share: float = 0.8
    dev_share: float = 0.1
    test_share: float = 0.1
    max_set_aside_share: float = 0.1

    __pydantic_config__: ClassVar[Any] = {"extra": "forbid"}

    def __post_init__(self) -> None:
        """Refuse shares that do not add up and given splits that would be in two of ours."""
        named = Counter((*self.train, *self.dev, *self.test))
        twice = [name for name, times in named.items() if times > 1]
        if twice:
            raise ValueError(
                f"the given split {twice[0]!r} is in more than one of train, dev and test; "
                f"when train takes it, leave it out of the other, as in dev = []"
            )
        unknown = sorted(set(named) - {TRAIN, DEV, TEST, OTHER})
        if unknown:
            raise ValueError(f"unknown split {unknown[0]!r}: use train, dev, test or other")
        if not self.train:
            raise ValueError("train needs at least one of the given splits")
        shares = (self.train_share, self.dev_share, self.test_share)
        if min(shares) < 0 or abs(sum(shares) - 1) > 1e-6 or self.train_share == 0:
            raise ValueError(f"train_share, dev_share and test_share are {shares}; they must add up to 1")
        if not 0 <= self.dev_when_missing_share <= 0.5:
            raise ValueError("dev_when_missing_share must be between 0 and 0.5")
        if not 0 <= self.max_set_aside_share <= 1:
            raise ValueError("max_set_aside_share must be between 0 and 1")


@dataclass(frozen=True)
class SplitResult:
    """What `assign_splits` decided.

    Attributes:
        splits: (N,) "train", "dev", "test" or "other", with the table's index.
        warnings: plain sentences for the terminal and the report, in order of weight.
        speaker_disjoint, sentence_disjoint: no named speaker (no sentence) of train is in dev or test. Counted
            afterwards, whatever was intended.
        origin: "given" or "made".
        reported_split: "test", or "dev" where there is no test.
        overlap: what the splits share, counted.
    """

    splits: "pd.Series[str]"
    warnings: list[str]
    speaker_disjoint: bool
    sentence_disjoint: bool
    origin: Literal["given", "made"]
    reported_split: Literal["test", "dev"]
    overlap: SplitOverlap


def assign_splits(table: pd.DataFrame, settings: SplitSettings, seed: int = 1) -> SplitResult:
    """Assign every utterance to train, dev, test or other.

    The same table gives the same splits on every machine and in whatever order its rows are (sha256 of names and
    sentences with the seed; no random numbers).

    Args:
        table: has utterance_id, split (as given), speaker, text, duration_seconds and included. Rows with included
            false get a split as well and count for nothing.
        settings: see `SplitSettings`.
        seed: any integer; another one makes other splits.

    Returns:
        The splits, whether they are disjoint, and what to warn of.
    """
    merged = _merge_given(table["split"], settings)
    given = set(merged[table["included"]].unique()) & set(_MADE_OF)
    warnings: list[str] = []
    make = settings.method == "make" or (settings.method == "auto" and len(given) < 2)
    if make:
        if settings.method == "auto" and given and len(table):
            warnings.append(f"Only one split came with the corpus ({given.pop()}), so new ones were made.")
        shares = Shares(settings.train_share, settings.dev_share, settings.test_share, settings.max_set_aside_share)
        made = make_disjoint_splits(table, shares, seed)
        splits, warnings = made.splits, warnings + made.warnings
    else:
        splits = merged
        warnings += _warn_about_given(table, splits)
        if DEV not in given and {TRAIN, TEST} <= given and settings.dev_when_missing_share > 0:
            held_out = hold_out(table, splits, settings.dev_when_missing_share, seed)
            splits, warnings = held_out.splits, warnings + held_out.warnings
    return _conclude(table, splits, warnings, "made" if make else "given")


def _merge_given(given: "pd.Series[str]", settings: SplitSettings) -> "pd.Series[str]":
    ours = dict.fromkeys(settings.train, TRAIN)
    ours |= dict.fromkeys(settings.dev, DEV)
    ours |= dict.fromkeys(settings.test, TEST)
    names = {theirs: ours.get(theirs, OTHER) for theirs in given.unique()}
    return given.map(names).astype("str")


def _warn_about_given(table: pd.DataFrame, splits: "pd.Series[str]") -> list[str]:
    warnings = []
    unassigned = int(((table["split"] == "") & table["included"]).sum())
    if unassigned:
        warnings.append(
            f"{count(unassigned, 'utterance')} came without a split while others have one: kept as other, used nowhere."
        )
    if not (table["included"] & (splits == TRAIN)).any():
        warnings.append("No utterance is left to train on: see train, dev and test in [splits] of the recipe.")
    return warnings


def _conclude(
    table: pd.DataFrame, splits: "pd.Series[str]", warnings: list[str], origin: Literal["given", "made"]
) -> SplitResult:
    overlap = count_overlap(table.assign(split=splits))
    used = set(splits[table["included"]].to_numpy(dtype=object).tolist())
    with_train = [pair for pair in overlap.pairs if pair.first == TRAIN]
    speaker_disjoint = not any(pair.num_shared_speakers for pair in with_train) and bool(with_train)
    all_unnamed = bool((table.loc[table["included"], "speaker"] == "").all())
    sentence_disjoint = not any(pair.num_shared_sentences for pair in with_train) and bool(with_train)
    if origin == "given":
        warnings = warnings + overlap.sentences()
    if TEST not in used and DEV in used:
        warnings = [
            *warnings,
            "There is no test split: dev is used both to choose checkpoints and to report, "
            "so its error rates come out somewhat too low.",
        ]
    return SplitResult(
        splits=splits,
        warnings=warnings,
        speaker_disjoint=speaker_disjoint and not all_unnamed,
        sentence_disjoint=sentence_disjoint,
        origin=origin,
        reported_split="test" if TEST in used or DEV not in used else "dev",
        overlap=overlap,
    )
