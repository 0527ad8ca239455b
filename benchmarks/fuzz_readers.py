"""Tries every reader of annotations and corpora with damaged and hostile files, each for so many minutes.

    uv run python benchmarks/fuzz_readers.py MINUTES [--only WORD] [--processes 2] [--seed 1] [--log FILE]

Minutes are of the processor, for each reader; the layouts of one, such as TextGrid's three, share them. Failures are
crashes, hangs (10 s of the processor for one small file), text of an entity or of another file that was read, and
anything opened outside of the corpus. Each is printed with the seed that repeats it. The log gets a line of JSON for
each reader that is through; one that the log has already, for the same minutes and seed, is not tried again. The last
line is JSON.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from fuzzing import all_targets, try_one


@dataclass
class Tally:
    """What became of one reader's inputs; `seconds` of the processor, `slowest` for one input."""

    tried: int = 0
    refused: int = 0
    seconds: float = 0.0
    slowest: float = 0.0
    failures: dict[str, int] = field(default_factory=dict)


def try_for(name: str, minutes: float, first_seed: int) -> Tally:
    """Try one reader until it has had its time."""
    if "TMPDIR" not in os.environ and Path("/dev/shm").is_dir():
        tempfile.tempdir = "/dev/shm"  # making and taking away folders is most of the work
    target, tally = all_targets()[name], Tally()
    while tally.seconds < 60 * minutes:
        number = first_seed + tally.tried
        began = time.process_time()
        trial = try_one(target, number)
        took = time.process_time() - began
        tally.tried += 1
        tally.refused += trial.outcome == "refused"
        tally.seconds += took
        tally.slowest = max(tally.slowest, took)
        if trial.failure:
            tally.failures.setdefault(trial.failure, number)
    return tally


def reader_of(name: str) -> str:
    """Return a target's reader: its name without the layout."""
    return name.partition(",")[0]


def read_log(options: argparse.Namespace) -> dict[str, Tally]:
    """Return what an earlier run with the same minutes and seed found, by reader."""
    if not options.log or not options.log.exists():
        return {}
    runs = [json.loads(line) for line in options.log.read_text().splitlines()]
    return {
        run["reader"]: Tally(**run["tally"])
        for run in runs
        if (run["minutes"], run["seed"]) == (options.minutes, options.seed)
    }


def main() -> None:
    """Try all readers; exit with status 1 if any failed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("minutes", type=float)
    parser.add_argument("--only", default="", help="try only the readers with this in their names")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--log", type=Path)
    options = parser.parse_args()
    num_layouts = Counter(reader_of(name) for name in all_targets())
    names = [name for name in all_targets() if options.only.lower() in name.lower()]
    tallies = {name: tally for name, tally in read_log(options).items() if name in names}
    with ProcessPoolExecutor(options.processes) as pool:
        waiting = {
            pool.submit(try_for, name, options.minutes / num_layouts[reader_of(name)], options.seed * 10_000_000): name
            for name in names
            if name not in tallies
        }
        for done in as_completed(waiting):
            name, tally = waiting[done], done.result()
            tallies[name] = tally
            if options.log:
                with options.log.open("a") as log:
                    run = {"reader": name, "minutes": options.minutes, "seed": options.seed}
                    log.write(json.dumps({**run, "tally": asdict(tally)}) + "\n")
    print("| reader | inputs | read | refused | failures | slowest |\n|---|---|---|---|---|---|")
    for name in names:
        tally = tallies[name]
        num_failures = len(tally.failures)
        read = tally.tried - tally.refused
        print(f"| {name} | {tally.tried:,} | {read:,} | {tally.refused:,} | {num_failures} | {tally.slowest:.2f} s |")
    for name, tally in tallies.items():
        for failure, number in tally.failures.items():
            print(f"FAILED {name}, seed {number}: {failure}")
    figures = {
        name: {
            "inputs": tally.tried,
            "refused": tally.refused,
            "failures": len(tally.failures),
            "slowest_seconds": round(tally.slowest, 3),
        }
        for name, tally in tallies.items()
    }
    print(json.dumps({"minutes": options.minutes, "seed": options.seed, "readers": figures}))
    sys.exit(any(tally.failures for tally in tallies.values()))


if __name__ == "__main__":
    main()
