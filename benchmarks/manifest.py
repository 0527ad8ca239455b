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

from lowres.manifest.checks import CheckInputs, apply_checks, run_checks, write_checks
from lowres.manifest.corpus import CorpusInfo, load_corpus, write_corpus
from lowres.manifest.schema import UtteranceRow, table_from_rows
from lowres.manifest.settings import CheckSettings, SplitSettings
from lowres.manifest.splits import assign_splits
from lowres.manifest.subsets import nested_subsets, write_subsets
from lowres.manifest.text_checks import check_shared_sentences, check_too_short_for_ctc
from lowres.manifest.transcript_order import check_transcript_order

T = TypeVar("T")
ROWS_PER_SHARD = 20_000
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
    offsets = np.cumsum(num_samples) - num_samples
    return table.assign(
        duration_seconds=seconds,
        num_samples=num_samples,
        shard=[f"part-{index // ROWS_PER_SHARD:05d}.pcm" for index in range(num_rows)],
        offset_samples=offsets - offsets[np.arange(num_rows) // ROWS_PER_SHARD * ROWS_PER_SHARD],
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


def make_empty_shards(folder: Path, table: pd.DataFrame) -> None:
    """Make shards of the right length that take no room on disk."""
    (folder / "shards").mkdir()
    ends = (table["offset_samples"] + table["num_samples"]).groupby(table["shard"]).max()
    for name, end in ends.items():
        with (folder / "shards" / str(name)).open("wb") as file:
            file.truncate(2 * int(end))


class Stopwatch:
    """Seconds of wall time and of processor time, by step."""

    def __init__(self) -> None:
        self.wall: dict[str, float] = {}
        self.processor: dict[str, float] = {}

    def time(self, name: str, action: Callable[[], T]) -> T:
        """Run one step and remember how long it took."""
        started, processor_started = time.perf_counter(), time.process_time()
        result = action()
        self.wall[name] = time.perf_counter() - started
        self.processor[name] = time.process_time() - processor_started
        return result


def prepare(num_rows: int, folder: Path, watch: Stopwatch) -> CorpusInfo:
    """Walk a table through everything `lowres prepare` does with it."""
    table = make_rows(num_rows)
    inputs = CheckInputs(measures=make_measures(num_rows), alphabet=LETTERS)
    results = watch.time("check", lambda: run_checks(table, inputs, CheckSettings()))
    watch.time("check the order of transcripts", lambda: check_transcript_order(table))
    marked = watch.time("mark", lambda: apply_checks(table, results))
    split = watch.time("split and count overlap", lambda: assign_splits(marked, SplitSettings(), seed=1))
    marked = marked.assign(split=split.splits)
    num_tokens = np.array([len(text) for text in marked["text"].tolist()], dtype=np.int64)
    num_frames = marked["num_samples"].to_numpy(dtype=np.int64) // 320
    later = [
        watch.time("check for CTC", lambda: check_too_short_for_ctc(marked, num_frames, num_tokens, num_tokens // 20)),
        watch.time("check shared sentences", lambda: check_shared_sentences(marked)),
    ]
    final = watch.time("mark again", lambda: apply_checks(marked, later))
    train = final[final["included"] & (final["split"] == "train")]
    subsets = watch.time("subsets", lambda: nested_subsets(train))
    watch.time("write checks", lambda: write_checks(folder, results + later))
    hashes = watch.time("write subsets", lambda: write_subsets(folder, subsets))
    info = CorpusInfo(name="benchmark", synthetic=True, overlap=split.overlap, subset_sha256=hashes)
    make_empty_shards(folder, final)
    return watch.time("write", lambda: write_corpus(folder, final, info))


def measure(num_rows: int, watch: Stopwatch) -> None:
    """Prepare, then load as another command would: without the table it was made from."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        written = prepare(num_rows, folder, watch)
        corpus = watch.time("read", lambda: load_corpus(folder))
        print(f"manifest.tsv: {(folder / 'manifest.tsv').stat().st_size / 1e6:,.0f} MB")
        if write_corpus(folder, corpus.table, written).manifest_sha256 != written.manifest_sha256:
            sys.exit("The manifest did not come back as it was written.")


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
    watch = Stopwatch()
    measure(num_rows, watch)
    total = sum(watch.wall.values())
    print(f"{'':32s}{'wall':>10s}{'processor':>12s}")
    for name, value in watch.wall.items():
        print(f"{name:32s}{value:8.2f} s{watch.processor[name]:10.2f} s")
    print(f"{'all of it, ' + format(num_rows, ',') + ' rows':32s}{total:8.2f} s{sum(watch.processor.values()):10.2f} s")
    print(f"{'making up the rows, not counted':32s}{time.perf_counter() - started - total:8.2f} s")
    print(json.dumps({"seconds": round(total, 2), "peak_gigabytes": round(peak_gigabytes(), 3)}))


if __name__ == "__main__":
    main()
