"""How time and memory of each stage grow with the rows of a manifest; every stage runs in a process of its own.

    uv run python benchmarks/scale.py [--rows 1000 10000 100000 1000000] [--stages prepare read ...] [--most-scored N]

Prints a table (seconds of processor time and peak memory by stage and rows) and, as its last line, JSON of the same.
The corpora are made up as in benchmarks/manifest.py, their audio is holes in files: measured is what grows with the
rows, not the decoding or the network, which grow with the hours. Start-up is part of the peak, not of the time.
"""

import argparse
import itertools
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from manifest import Stopwatch, peak_gigabytes
from manifest import prepare as prepare_table

from lowres.manifest.corpus import CORPUS_FOLDER, load_corpus
from lowres.manifest.table import read_manifest


def prepare(project: Path, num_rows: int) -> float:
    """Check, split, subset and write; making the rows up is not counted."""
    watch = Stopwatch()
    (project / CORPUS_FOLDER).mkdir(parents=True)
    prepare_table(num_rows, project / CORPUS_FOLDER, watch)
    return sum(watch.processor.values())


def read(project: Path, _num_rows: int) -> float:
    """Read the manifest, as every command does first."""
    return _seconds(lambda: load_corpus(project / CORPUS_FOLDER))


def audit(project: Path, _num_rows: int) -> float:
    """Look at all transcripts as written."""
    from lowres.stages.audit import AUDITED_COLUMNS
    from lowres.text.audit import audit_orthography

    table = read_manifest(project / CORPUS_FOLDER, AUDITED_COLUMNS)
    texts = list(zip(table["utterance_id"].tolist(), table["raw_text"].tolist(), strict=True))
    return _seconds(lambda: audit_orthography(texts))


def inspect(project: Path, _num_rows: int) -> float:
    """Make the data report."""
    from lowres.recipe import parse_recipe
    from lowres.stages.inspect import inspect_corpus

    recipe = parse_recipe('name = "benchmark"\n')
    return _seconds(lambda: inspect_corpus(project, recipe, with_recordings=False))


def finetune(project: Path, _num_rows: int) -> float:
    """Open all of the training speech for fine-tuning and plan the first hundred updates."""
    from lowres.model.config import preset
    from lowres.stages.finetune_speech import load_speech
    from lowres.text.vocabulary import VocabularySettings
    from lowres.training.batches import BatchSizes, StreamPosition, plan_updates

    def open_speech() -> None:
        speech = load_speech(
            project / CORPUS_FOLDER,
            hours=None,
            vocabulary_settings=VocabularySettings(),
            config=preset("xs_mel"),
            dev_seconds=900,
        )
        sizes = BatchSizes(samples_per_update=24 * 16_000, micro_batch_samples=24 * 16_000)
        updates = plan_updates(speech.training.num_samples, sizes, seed=1, start=StreamPosition())
        list(itertools.islice(updates, 100))

    return _seconds(open_speech)


def pretrain(project: Path, _num_rows: int) -> float:
    """Open all of the training speech for pretraining."""
    from lowres.model.config import preset
    from lowres.stages.pretrain_speech import load_pretraining_speech
    from lowres.training.pretrain_settings import PretrainSettings, settle_pretraining

    settings = settle_pretraining(PretrainSettings(), preset("xs"), is_continued=False)
    return _seconds(lambda: load_pretraining_speech(project, (), settings))


def evaluate(project: Path, _num_rows: int) -> float:
    """Score a hypothesis, with some errors, for every utterance."""
    from lowres.scoring.scorecard import ScoredText, score

    table = load_corpus(project / CORPUS_FOLDER, ("speaker", "duration_seconds", "raw_text", "text")).table
    references = table["text"].tolist()
    heard = [text.replace("a", "e", number % 3) for number, text in enumerate(references)]
    text = ScoredText(
        table["utterance_id"].tolist(),
        table["speaker"].tolist(),
        table["duration_seconds"].tolist(),
        references,
        table["raw_text"].tolist(),
        heard,
    )
    return _seconds(lambda: score(text, training_counts={}, split_graphemes=list))


STAGES: dict[str, Callable[[Path, int], float]] = {
    stage.__name__: stage for stage in (prepare, read, audit, inspect, finetune, pretrain, evaluate)
}


def _seconds(action: Callable[[], object]) -> float:
    started = time.process_time()
    action()
    return time.process_time() - started


def measure(stage: str, project: Path, num_rows: int) -> tuple[float, float]:
    """Run one stage in a process of its own: seconds, and the most memory in 1e9 bytes."""
    command = [sys.executable, __file__, "--one", stage, "--project", str(project), "--rows", str(num_rows)]
    finished = subprocess.run(command, capture_output=True, text=True, check=False)
    if finished.returncode:
        sys.exit(f"{stage} with {num_rows:,} rows failed:\n{finished.stderr}")
    found = json.loads(finished.stdout.splitlines()[-1])
    return found["seconds"], found["peak_gigabytes"]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, nargs="+", default=[1_000, 10_000, 100_000, 1_000_000])
    parser.add_argument("--stages", nargs="+", choices=list(STAGES), default=list(STAGES))
    parser.add_argument("--most-scored", type=int, default=100_000, help="Utterances of the largest test set.")
    parser.add_argument("--one", choices=list(STAGES), help=argparse.SUPPRESS)
    parser.add_argument("--project", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        seconds = STAGES[options.one](options.project, options.rows[0])
        print(json.dumps({"seconds": round(seconds, 3), "peak_gigabytes": round(peak_gigabytes(), 3)}))
        return
    found: dict[str, dict[int, tuple[float, float]]] = {}
    for num_rows in options.rows:
        with tempfile.TemporaryDirectory() as name:
            for stage in dict.fromkeys(("prepare", *options.stages)):
                if stage == "evaluate" and num_rows > options.most_scored:
                    continue
                found.setdefault(stage, {})[num_rows] = measured = measure(stage, Path(name), num_rows)
                print(f"{stage}, {num_rows:,} rows: {measured[0]:.2f} s, {measured[1]:.2f} GB", flush=True)
    print(f"{'':12s}" + "".join(f"{rows:>22,}" for rows in options.rows))
    for stage, by_rows in found.items():
        cells = (f"{seconds:10.2f} s {peak:6.2f} GB" for seconds, peak in by_rows.values())
        print(f"{stage:12s}" + " ".join(f"{cell:>21s}" for cell in cells))
    print(json.dumps(found))


if __name__ == "__main__":
    main()
