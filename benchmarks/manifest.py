"""One million utterances: made, checked, split, subsetted, written and read again; seconds for each and peak memory.

    uv run python benchmarks/manifest.py [--rows 1000000]

Prints a table and, as its last line, JSON: {"seconds": ..., "peak_gigabytes": ...}. The time to make up the million
utterances is printed and not counted; the limits are 60 s and 2 GB.
"""

import argparse
import json
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import numpy as np
import pandas as pd

from lowres.manifest.checks import (
    CheckInputs,
    CheckSettings,
    apply_checks,
    check_shared_sentences,
    check_too_short_for_ctc,
    run_checks,
    write_checks,
)
from lowres.manifest.corpus import CorpusInfo, load_corpus, write_corpus
from lowres.manifest.schema import UtteranceRow, table_from_rows
from lowres.manifest.splits import SplitSettings, assign_splits, count_overlap
from lowres.manifest.subsets import nested_subsets, write_subsets
from lowres.manifest.transcript_order import check_transcript_order

T = TypeVar("T")
LETTERS = list("abcdefghijklmnoprstuwyɛɔé")


def make_rows(num_rows: int) -> pd.DataFrame:
    """Make utterances of 500 speakers with texts of 20 to 90 letters that nobody says twice."""
    generator = np.random.default_rng(0)
    words = ["".join(generator.choice(LETTERS, size=size)) for size in generator.integers(2, 10, size=5_000)]
    lengths = generator.integers(4, 13, size=num_rows)
    drawn = np.asarray(words, dtype=object)[generator.integers(0, len(words), size=int(lengths.sum()))]
    ends = np.cumsum(lengths)
    rows = (
        UtteranceRow(
            utterance_id=f"speaker{index % 500:03d}_{index:07d}",
            audio_path=f"audio/speaker{index % 500:03d}/{index:07d}.opus",
            speaker=f"speaker{index % 500:03d}",
            raw_text=" ".join(drawn[end - length : end]),
        )
        for index, (length, end) in enumerate(zip(lengths.tolist(), ends.tolist(), strict=True))
    )
    table = table_from_rows(rows)
    letters = table["text"].str.len().to_numpy(dtype=np.float64)
    seconds = np.round(0.4 + letters / 12 * generator.lognormal(0, 0.15, size=num_rows), 4)
    num_samples = (seconds * 16_000).astype(np.int64)
    return table.assign(
        duration_seconds=seconds,
        num_samples=num_samples,
        shard=[f"part-{index // 20_000:05d}.pcm" for index in range(num_rows)],
        offset_samples=np.cumsum(num_samples) - num_samples,
    )


def make_measures(num_rows: int) -> pd.DataFrame:
    """Make signal measures in which nearly everything is in order."""
    generator = np.random.default_rng(1)
    return pd.DataFrame(
        {
            "loudest_dbfs": generator.normal(-15, 4, size=num_rows),
            "clipped_share": generator.exponential(0.0005, size=num_rows),
            "bandwidth_hz": generator.normal(7_500, 500, size=num_rows),
            "audio_hash": [f"{index:032x}" for index in range(num_rows)],
        }
    )


def measure(num_rows: int) -> dict[str, float]:
    """Walk a table through everything `lowres prepare` does with it and time each step."""
    seconds: dict[str, float] = {}

    def timed(name: str, action: Callable[[], T]) -> T:
        started = time.perf_counter()
        result = action()
        seconds[name] = time.perf_counter() - started
        return result

    table = make_rows(num_rows)
    inputs = CheckInputs(measures=make_measures(num_rows), alphabet=LETTERS)
    results = timed("check", lambda: run_checks(table, inputs, CheckSettings()))
    timed("check the order of transcripts", lambda: check_transcript_order(table))
    table = timed("mark", lambda: apply_checks(table, results))
    split = timed("split", lambda: assign_splits(table, SplitSettings(), seed=1))
    table = table.assign(split=split.splits)
    overlap = timed("count overlap", lambda: count_overlap(table))
    num_tokens = table["text"].str.len().to_numpy(dtype=np.int64)
    num_frames = table["num_samples"].to_numpy(dtype=np.int64) // 320
    results.append(
        timed("check for CTC", lambda: check_too_short_for_ctc(table, num_frames, num_tokens, num_tokens // 20))
    )
    results.append(timed("check shared sentences", lambda: check_shared_sentences(table)))
    table = timed("mark again", lambda: apply_checks(table, results[-2:]))
    subsets = timed("subsets", lambda: nested_subsets(table[table["included"] & (table["split"] == "train")]))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        timed("write checks", lambda: write_checks(folder, results))
        hashes = timed("write subsets", lambda: write_subsets(folder, subsets))
        info = CorpusInfo(name="benchmark", synthetic=True, overlap=overlap, subset_sha256=hashes)
        table = table.assign(shard="")
        timed("write", lambda: write_corpus(folder, table, info))
        again = timed("read", lambda: load_corpus(folder))
        size = (folder / "manifest.tsv").stat().st_size / 1e6
    if not again.table.equals(table):
        sys.exit("The manifest did not come back as it was written.")
    print(f"manifest.tsv: {size:,.0f} MB")
    return seconds


def peak_gigabytes() -> float:
    """Return the most memory this process has held, in 1e9 bytes (ru_maxrss counts KiB, on macOS bytes)."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1e9 if sys.platform == "darwin" else peak * 1024 / 1e9


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    num_rows = parser.parse_args().rows
    started = time.perf_counter()
    seconds = measure(num_rows)
    total = sum(seconds.values())
    for name, value in seconds.items():
        print(f"{name:32s}{value:8.2f} s")
    print(f"{'all of it, ' + format(num_rows, ',') + ' rows':32s}{total:8.2f} s")
    print(f"{'making up the rows, not counted':32s}{time.perf_counter() - started - total:8.2f} s")
    print(json.dumps({"seconds": round(total, 2), "peak_gigabytes": round(peak_gigabytes(), 3)}))


if __name__ == "__main__":
    main()
