"""How fast files of annotations are read and written: 1,000 ELAN files of 300 annotations, and the same as TextGrids.

    uv run python benchmarks/annotation.py [--files 1000] [--annotations 300]

Each file has two speakers, each with a tier of utterances and one of translations that depends on it, as a glossed
text in ELAN has. Reading is timed twice: the files alone, and through `reader = "annotated"`, which also finds each
recording and makes the rows of a manifest. Times are of the processor, with the clock's beside them (a busy machine
shows there). The last line is JSON; the goal is that 1,000 ELAN files become rows in less than 20 s of the processor.
"""

import argparse
import gc
import json
import random
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from lowres.annotation.elan import read_elan
from lowres.annotation.elan_writing import write_elan
from lowres.annotation.textgrid import read_textgrid, write_textgrid
from lowres.annotation.tiers import Annotation, AnnotationFile, Tier
from lowres.corpora.layouts import read_corpus
from lowres.corpora.settings import ReaderSettings

GOAL_SECONDS = 20.0
WORDS = ["mbote", "na", "yo", "ɛ́ɛ́", "ndeko", "okondza", "bána", "ba", "mboka", "ntsína", "ya", "likambo", "malámu"]


def make_file(num_annotations: int, seed: int) -> AnnotationFile:
    """Make a file of two speakers, each with half of half the annotations and as many translations."""
    chance = random.Random(seed)
    tiers = []
    for number, speaker in enumerate(("Ana", "Ben")):
        utterances, translations, at = [], [], number * 0.7
        for _ in range(num_annotations // 4):
            end = round(at + chance.uniform(0.5, 6.0), 3)
            spoken = " ".join(chance.choices(WORDS, k=chance.randint(2, 14)))
            utterances.append(Annotation(at, end, spoken))
            translations.append(Annotation(at, end, f"a translation of {spoken}"))
            at = round(end + chance.uniform(0.0, 2.0), 3)
        tiers.append(Tier(f"tx@{speaker}", tuple(utterances), participant=speaker, linguistic_type="utterance"))
        tiers.append(Tier(f"ft@{speaker}", tuple(translations), participant=speaker, parent=f"tx@{speaker}"))
    return AnnotationFile(tuple(tiers))


def timed(work: Callable[[], int]) -> tuple[int, float, float]:
    """Return what `work` counted, the processor's seconds and the clock's."""
    gc.collect()
    cpu, wall = time.process_time(), time.perf_counter()
    counted = work()
    return counted, time.process_time() - cpu, time.perf_counter() - wall


def count_annotations(file: AnnotationFile) -> int:
    """Return how many annotations there are."""
    return sum(len(tier.annotations) for tier in file.tiers)


def main() -> None:
    """Write, read and count; print a table and a line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=1000)
    parser.add_argument("--annotations", type=int, default=300)
    options = parser.parse_args()
    made = [make_file(options.annotations, seed) for seed in range(min(options.files, 50))]
    with tempfile.TemporaryDirectory() as place:
        elan, grids = Path(place, "elan"), Path(place, "grids")
        for folder in (elan, grids):
            folder.mkdir()
            for seed in range(options.files):
                (folder / f"{seed:04d}.wav").write_bytes(b"")  # readers open no audio

        def write(folder: Path, ending: str, write_one: Callable[[AnnotationFile, Path], None]) -> int:
            counted = 0
            for seed in range(options.files):
                file = made[seed % len(made)]
                write_one(file, folder / f"{seed:04d}{ending}")
                counted += count_annotations(file)
            return counted

        def read(folder: Path, ending: str, read_one: Callable[[Path], AnnotationFile]) -> int:
            return sum(count_annotations(read_one(path)) for path in sorted(folder.glob(f"*{ending}")))

        def rows(folder: Path) -> int:
            return len(read_corpus(folder, ReaderSettings(reader="annotated", tiers=("tx",))).rows)

        measured = {
            "ELAN files written": timed(lambda: write(elan, ".eaf", write_elan)),
            "ELAN files read": timed(lambda: read(elan, ".eaf", read_elan)),
            "ELAN files to rows of a manifest": timed(lambda: rows(elan)),
            "TextGrids written": timed(lambda: write(grids, ".TextGrid", write_textgrid)),
            "TextGrids read": timed(lambda: read(grids, ".TextGrid", read_textgrid)),
            "TextGrids to rows of a manifest": timed(lambda: rows(grids)),
        }
    print(f"{options.files:,} files of {options.annotations} annotations\n")
    print("| work | annotations or rows | processor | clock | files a second |\n|---|---|---|---|---|")
    for name, (counted, cpu, wall) in measured.items():
        print(f"| {name} | {counted:,} | {cpu:.2f} s | {wall:.2f} s | {options.files / cpu:,.0f} |")
    seconds = measured["ELAN files to rows of a manifest"][1]
    print(
        json.dumps(
            {
                "files": options.files,
                "annotations_per_file": options.annotations,
                "processor_seconds": {name: round(cpu, 3) for name, (_, cpu, _) in measured.items()},
                "clock_seconds": {name: round(wall, 3) for name, (_, _, wall) in measured.items()},
                "elan_goal_ratio": round(GOAL_SECONDS / seconds, 2),
            }
        )
    )


if __name__ == "__main__":
    main()
