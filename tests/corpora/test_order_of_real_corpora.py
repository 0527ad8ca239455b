"""On every real corpus, as its reader gives it: true transcripts are not accused, wrong ones are caught."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from real_corpora import LARGE_ONES_SLOWLY, real_table

from lowres.manifest.transcript_order import check_transcript_order

pytestmark = [pytest.mark.corpora, pytest.mark.parametrize("name", LARGE_ONES_SLOWLY)]

_SEEDS = range(20)


def in_each_split(table: pd.DataFrame, change: Callable[[np.ndarray], np.ndarray]) -> pd.DataFrame:
    changed = table.copy()
    for rows in table.groupby("split", sort=False).groups.values():
        changed.loc[rows, "text"] = change(table.loc[rows, "text"].to_numpy(dtype=object))
    return changed


def test_the_true_transcripts_are_good(name: str, corpora_folder: Path) -> None:
    assert check_transcript_order(real_table(corpora_folder, name)).verdict == "good"


def test_a_shift_by_one_row_is_named(name: str, corpora_folder: Path) -> None:
    table = real_table(corpora_folder, name)
    orders = [check_transcript_order(in_each_split(table, lambda texts, by=by: np.roll(texts, by))) for by in (1, -1)]
    assert [(order.verdict, order.shift) for order in orders] == [("shifted", 1), ("shifted", -1)]


def test_scrambled_transcripts_are_caught_every_time(name: str, corpora_folder: Path) -> None:
    table = real_table(corpora_folder, name)
    permuted = (in_each_split(table, np.random.default_rng(seed).permutation) for seed in _SEEDS)
    assert {check_transcript_order(one).verdict for one in permuted} == {"scrambled"}
