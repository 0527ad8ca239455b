"""How surely `lowres prepare` tells true transcripts from shifted and scrambled ones, on every real corpus.

    uv run python benchmarks/transcript_order.py [--seeds 200] [--corpora ../shared/corpora]

Each corpus is read by its own reader, as it is; then every split's transcripts are moved by one row down and up, and
permuted with as many seeds. "Ten minutes" are as many drawn at random, one draw a seed, true and permuted. The grids of
Sarawak Malay that have no recordings say themselves how long each turn is; the other figures had a part in setting the
check's thresholds, these had none. The last line is JSON.
"""

import argparse
import json
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import soundfile

from lowres.annotation.textgrid import read_textgrid
from lowres.corpora.catalog import load_corpus_manifest
from lowres.corpora.layouts import read_corpus
from lowres.manifest.schema import UtteranceRow, table_from_rows
from lowres.manifest.transcript_order import check_transcript_order

CORPORA = ("mboshi", "yoruba", "kinyarwanda", "swahili", "nigerian_pidgin", "east_tusom", "sarawak_malay")
ACCUSED = ("scrambled", "shifted")
MINUTES = 10.0


def read_tables(corpora: Path) -> Iterator[tuple[str, pd.DataFrame]]:
    """Yield each corpus's name and its manifest with durations, and last the grids without recordings."""
    for name in CORPORA:
        manifest = load_corpus_manifest(name)
        assert manifest.reader is not None
        folder = corpora / manifest.folder
        rows = read_corpus(folder, manifest.reader).rows
        lengths = {path: soundfile.info(folder / path).duration for path in {row.audio_path for row in rows}}
        seconds = [(row.end_seconds or lengths[row.audio_path]) - row.start_seconds for row in rows]
        yield name, table_from_rows(rows).assign(duration_seconds=seconds)
    grids = [
        path
        for path in sorted((corpora / "sarawak_malay").glob("*.TextGrid"))
        if not path.with_suffix(".flac").is_file()
    ]
    rows = [
        UtteranceRow(f"{path.stem}/{number}", path.name, note.start_seconds, note.end_seconds, raw_text=note.text)
        for path in grids
        for tier in read_textgrid(path).tiers
        if tier.name == "Sarawak"
        for number, note in enumerate(tier.annotations)
    ]
    yield "its grids without recordings", table_from_rows(rows)


def change(table: pd.DataFrame, of_split: Callable[[np.ndarray], np.ndarray]) -> pd.DataFrame:
    """Give each split's transcripts to other recordings of it."""
    changed = table.copy()
    for rows in table.groupby("split", sort=False).groups.values():
        changed.loc[rows, "text"] = of_split(table.loc[rows, "text"].to_numpy(dtype=object))
    return changed


def draw_minutes(table: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Draw utterances of the largest split until there are ten minutes, and keep their order."""
    largest = table[table["split"] == table["split"].mode().iloc[0]]
    order = np.random.default_rng(seed).permutation(len(largest))
    so_far = largest["duration_seconds"].to_numpy()[order].cumsum()
    return largest.iloc[np.sort(order[so_far <= MINUTES * 60])].reset_index(drop=True)


def judge(table: pd.DataFrame) -> tuple[str, float]:
    """Return the verdict and the correlation."""
    order = check_transcript_order(table)
    return order.verdict, order.correlation if order.correlation is not None else float("nan")


def count(verdicts: list[str]) -> str:
    """Say how many are accused, too few to tell and good."""
    found = Counter("accused" if one in ACCUSED else one for one in verdicts)
    return f"{found['accused']} / {found['too few to tell']} / {found['good']}"


def measure(table: pd.DataFrame, seeds: range) -> dict[str, object]:
    """Return one row of figures."""
    verdict, correlation = judge(table)
    shifted = [judge(change(table, lambda texts, by=rows: np.roll(texts, by))) for rows in (1, -1)]  # type: ignore[misc]
    scrambled = [judge(change(table, np.random.default_rng(seed).permutation)) for seed in seeds]
    short = [draw_minutes(table, seed) for seed in seeds]
    short_true = [judge(one)[0] for one in short]
    short_scrambled = [
        judge(change(one, np.random.default_rng(seed).permutation))[0] for one, seed in zip(short, seeds, strict=True)
    ]
    correlations = [one for _, one in scrambled]
    return {
        "pairs": len(table),
        "true": verdict,
        "true_r": round(correlation, 2),
        "shifted": count([one for one, _ in shifted]),
        "shifted_r": " ".join(f"{one:+.2f}" for _, one in shifted),
        "scrambled": count([one for one, _ in scrambled]),
        "scrambled_r": f"{min(correlations):+.2f} to {max(correlations):+.2f}",
        "ten_minutes_true": count(short_true),
        "ten_minutes_scrambled": count(short_scrambled),
    }


def main() -> None:
    """Measure every corpus and print a table and a line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=200)
    parser.add_argument("--first-seed", type=int, default=5000)
    parser.add_argument("--corpora", type=Path, default=Path("../shared/corpora"))
    options = parser.parse_args()
    seeds = range(options.first_seed, options.first_seed + options.seeds)
    figures = {name: measure(table, seeds) for name, table in read_tables(options.corpora)}
    columns = list(next(iter(figures.values())))
    print("Counts are accused / too few to tell / good.\n")
    print("| corpus | " + " | ".join(column.replace("_", " ") for column in columns) + " |")
    print("|---" * (len(columns) + 1) + "|")
    for name, row in figures.items():
        print(f"| {name} | " + " | ".join(str(row[column]) for column in columns) + " |")
    print(json.dumps({"seeds": options.seeds, "first_seed": options.first_seed, "corpora": figures}))


if __name__ == "__main__":
    main()
