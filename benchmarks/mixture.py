"""Ten million utterances of 128 languages: how soon the first update is planned, how fast the rest, in how much memory.

    uv run python benchmarks/mixture.py [--utterances 10000000] [--updates 200]

Prints a table and, as its last line, JSON, above 1 = better than the goal. The goals: 10 s to the first update, 1 GB at
the peak, and nine of the paper's updates (1.6 h of audio) planned a second, three times what its 64 GPUs learnt from
(400,000 updates in 1.6 days).
"""

import argparse
import json
import resource
import sys
import time
from collections.abc import Iterator
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from lowres.training.mixture import (
    MixturePosition,
    MixtureSettings,
    MixtureUpdate,
    SpeechSource,
    plan_mixture,
    target_shares,
)

NUM_LANGUAGES = 128
GOAL_START_SECONDS = 10.0
GOAL_GIGABYTES = 1.0
GOAL_UPDATES_PER_SECOND = 9.0
SETTINGS = MixtureSettings(
    samples_per_update=5_760 * 16_000,
    micro_batch_samples=64 * 87 * 16_000,
    crop_samples=250_000,
    shortest_samples=16_000,
)


def read_nothing(_utterance: int, _start: int, _count: int) -> NDArray[np.int16]:
    """Stand for the recordings, which planning never looks at."""
    raise AssertionError("planning reads no audio")


def make_sources(num_utterances: int) -> list[SpeechSource]:
    """Make languages of very different size (Zipf), of 1 to 30 s an utterance, some with two corpora."""
    generator = np.random.default_rng(1)
    shares = 1 / np.arange(1, NUM_LANGUAGES + 1)
    counts = np.maximum(num_utterances * shares / shares.sum(), 2).astype(int)
    sources = []
    for number, count in enumerate(counts.tolist()):
        corpora = (count // 3, count - count // 3) if number % 4 == 0 else (count,)
        for corpus, size in enumerate(corpora):
            mean = 3.0 + number % 9
            seconds = np.clip(generator.gamma(4, mean / 4, size=size).astype(np.float32), 0.5, 30)
            lengths = (seconds * 16_000).astype(np.int32)
            sources.append(SpeechSource(f"l{number:03d}", f"corpus{corpus}", lengths, read_nothing))
    return sources


def peak_gigabytes() -> float:
    """Return the most memory this process has held, in 1e9 bytes (ru_maxrss counts KiB, on macOS bytes)."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1e9 if sys.platform == "darwin" else peak * 1024 / 1e9


def measure_shares(sources: list[SpeechSource], last: MixtureUpdate) -> float:
    """Return the largest difference between a language's share of the hours drawn and its target."""
    drawn: dict[str, int] = {}
    for source, position in zip(sources, last.next_position.sources, strict=True):
        drawn[source.language] = drawn.get(source.language, 0) + position.drawn_samples
    total = sum(drawn.values())
    targets = target_shares(sources, SETTINGS).languages
    return max(abs(drawn[language] / total - share) for language, share in targets.items())


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--utterances", type=int, default=10_000_000)
    parser.add_argument("--updates", type=int, default=200)
    arguments = parser.parse_args()
    before = peak_gigabytes()
    sources = make_sources(arguments.utterances)
    made = peak_gigabytes()
    started = time.perf_counter()
    plans: Iterator[MixtureUpdate] = plan_mixture(sources, SETTINGS, start=MixturePosition())
    first = next(plans)
    start_seconds = time.perf_counter() - started
    started = time.perf_counter()
    *_, last = islice(plans, arguments.updates)
    updates_per_second = arguments.updates / (time.perf_counter() - started)
    started = time.perf_counter()
    resumed = next(plan_mixture(sources, SETTINGS, start=first.next_position))
    resume_seconds = time.perf_counter() - started
    peak = peak_gigabytes()
    print(f"utterances           {sum(len(source.num_samples) for source in sources):>14,}")
    print(f"languages, corpora   {NUM_LANGUAGES:>6} {len(sources):>7}")
    print(f"crops per update     {sum(map(len, first.micro_batches)):>14,}")
    print(f"before anything      {before:>11.3f} GB")
    print(f"with the lengths     {made:>11.3f} GB")
    print(f"peak                 {peak:>11.3f} GB")
    print(f"first update         {start_seconds:>12.2f} s")
    print(f"resumed              {resume_seconds:>12.2f} s   (crops: {sum(map(len, resumed.micro_batches)):,})")
    print(f"updates per second   {updates_per_second:>14.1f}")
    print(f"largest share error  {measure_shares(sources, last):>14.5f}")
    print(
        json.dumps(
            {
                "start_ratio": round(GOAL_START_SECONDS / start_seconds, 2),
                "memory_ratio": round(GOAL_GIGABYTES / peak, 2),
                "updates_per_second_ratio": round(updates_per_second / GOAL_UPDATES_PER_SECOND, 2),
            }
        )
    )


if __name__ == "__main__":
    main()
