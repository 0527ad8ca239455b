"""Decides which utterances train, which choose (dev) and which are scored (test).

Splits that came with the corpus are kept, renamed and merged as the recipe says, so that figures can be compared with
published ones; where none came, they are made by `lowres.manifest.disjoint`.
"""

from dataclasses import dataclass
from typing import Final, Literal

import pandas as pd

from lowres.errors import CorpusError
from lowres.manifest.disjoint import Shares, hold_out, make_disjoint_splits, order_by_hash
from lowres.manifest.overlap import SplitOverlap, count, count_overlap
from lowres.manifest.settings import DEV, OTHER, TEST, TRAIN, SplitSettings

_MADE_OF: Final = (TRAIN, DEV, TEST)

HELD_OUT_SECONDS: Final = 300.0
"""Of recordings without transcripts, as much is held out to watch pretraining on, ..."""
_LARGEST_HELD_OUT_SHARE: Final = 0.1
"""... or this share of all of it, where that is less."""


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

    Raises:
        CorpusError: a test speaker is none of the speakers.
    """
    tested = _rows_of_test_speakers(table, settings)
    merged = _merge_given(table["split"], settings)
    if settings.test_speakers:
        merged = merged.mask(merged == TEST, OTHER)
    others = table.assign(included=table["included"] & ~tested)
    given = set(merged[others["included"]].unique()) & set(_MADE_OF)
    has_test = TEST in given or bool(settings.test_speakers)
    warnings: list[str] = []
    make = settings.method == "make" or (settings.method == "auto" and len(given) < 2)
    if make:
        if settings.method == "auto" and given and len(table):
            warnings.append(f"Only one split came with the corpus ({given.pop()}), so new ones were made.")
        made = make_disjoint_splits(others, _shares(settings), seed)
        splits, warnings = made.splits, warnings + made.warnings
    else:
        splits = merged
        warnings += _warn_about_given(others, splits)
        if DEV not in given and TRAIN in given and has_test and settings.dev_when_missing_share > 0:
            held_out = hold_out(others, splits, settings.dev_when_missing_share, seed)
            splits, warnings = held_out.splits, warnings + held_out.warnings
    return _conclude(table, splits.mask(tested, TEST), warnings, "made" if make else "given")


def _rows_of_test_speakers(table: pd.DataFrame, settings: SplitSettings) -> "pd.Series[bool]":
    known = set(table["speaker"])
    for name in settings.test_speakers:
        if name not in known:
            raise CorpusError(
                f"splits.test_speakers names {name!r}, and nobody of that name speaks in this corpus.",
                f"Its speakers: {', '.join(sorted(known - {''})[:10]) or 'none is named'}.",
            )
    return table["speaker"].isin(settings.test_speakers)


def _shares(settings: SplitSettings) -> Shares:
    """Say how much of the speech that is divided goes where: of the test speakers' nothing does."""
    train, dev, test = settings.train_share, settings.dev_share, settings.test_share
    if settings.test_speakers:
        train, test = train + test, 0.0
    return Shares(train, dev, test, settings.max_set_aside_share)


def split_recordings(table: pd.DataFrame, settings: SplitSettings, seed: int = 1) -> SplitResult:
    """Assign recordings without transcripts: all of them train, but for a few minutes of dev to watch pretraining on.

    A dev split that came with the corpus is kept. Otherwise recordings are taken in the order of the hashes of their
    names, each that fits into what is still wanted (five minutes, at most a tenth of everything).

    Args:
        table, settings, seed: as `assign_splits`; of the settings only which given split becomes which of ours.

    Returns:
        The splits. A warning says when no recording is short enough to be held out.
    """
    merged = _merge_given(table["split"].where(table["split"] != "", TRAIN), settings)
    used = table["included"].to_numpy(dtype=bool)
    if (used & (merged == DEV).to_numpy()).any():
        return _conclude_recordings(table, merged, [], "given")
    in_train = used & (merged == TRAIN).to_numpy()
    places = [int(place) for place in in_train.nonzero()[0]]
    seconds = table["duration_seconds"].to_numpy()
    wanted = min(HELD_OUT_SECONDS, _LARGEST_HELD_OUT_SHARE * float(seconds[in_train].sum()))
    names = table["utterance_id"].iloc[places].tolist()
    splits = merged.copy()
    held_out = 0.0
    for number in order_by_hash(names, seed, "recording"):
        length = float(seconds[places[number]])
        if held_out + length <= wanted:
            splits.iloc[places[number]] = DEV
            held_out += length
    warning = (
        "No recording is short enough to be held out (at most five minutes, and a tenth of all), so pretraining is not "
        "watched on this corpus. Put some recordings into a folder called dev."
    )
    return _conclude_recordings(table, splits, [] if held_out else [warning], "made")


def _conclude_recordings(
    table: pd.DataFrame, splits: "pd.Series[str]", warnings: list[str], origin: Literal["given", "made"]
) -> SplitResult:
    return SplitResult(
        splits=splits,
        warnings=warnings,
        speaker_disjoint=False,
        sentence_disjoint=False,
        origin=origin,
        reported_split="dev",
        overlap=count_overlap(table.assign(split=splits)),
    )


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
