"""How often 95 % intervals hold the truth, on simulated test sets whose true error rate is known.

    uv run python benchmarks/intervals.py [--trials 1000] [--real utterances.tsv ...]

Prints, for each kind of test set and each size, how many intervals in 100 hold the truth and how wide they are, beside
the plain percentile interval; the last line is JSON of the ratios of both shares to 0.95. `--real` takes the tables of
`lowres evaluate` and draws test sets from them, whose truth is the rate of the whole table.
"""

import argparse
import csv
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

from lowres.scoring.bootstrap import interval_of, redraw_rates

Units = tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]
"""Errors and lengths of the units that are drawn again."""

TRUE_RATE = 0.3


def alike(generator: np.random.Generator, num_units: int) -> Units:
    """Utterances of 3 to 14 words, some harder than others."""
    lengths = generator.integers(3, 15, size=num_units)
    return generator.binomial(lengths, generator.beta(1.8, 4.2, size=num_units)), lengths


def lopsided(generator: np.random.Generator, num_units: int) -> Units:
    """As before, their lengths spread by 0.95 of their mean: many of two words, a few of fifty."""
    lengths = np.maximum(1, np.round(generator.lognormal(1.8, 0.8, num_units))).astype(np.int64)
    return generator.binomial(lengths, generator.beta(1.8, 4.2, size=num_units)), lengths


def equal_speakers(generator: np.random.Generator, num_units: int) -> Units:
    """Speakers of 30 utterances, heard with error rates of 0.30 +- 0.14."""
    return _speakers(generator, np.full(num_units, 30))


def unequal_speakers(generator: np.random.Generator, num_units: int) -> Units:
    """Speakers heard likewise, of whom some said several times as much as others."""
    return _speakers(generator, np.maximum(1, generator.lognormal(np.log(30), 0.7, num_units)).astype(np.int64))


def _speakers(generator: np.random.Generator, num_utterances: npt.NDArray[np.int64]) -> Units:
    speaker = np.repeat(np.arange(len(num_utterances)), num_utterances)
    hardness = generator.beta(3, 7, size=len(num_utterances))[speaker]
    lengths = generator.integers(3, 15, size=len(speaker))
    errors = generator.binomial(lengths, generator.beta(hardness * 6, (1 - hardness) * 6))
    sums = (np.bincount(speaker, weights=each, minlength=len(num_utterances)) for each in (errors, lengths))
    found_errors, found_lengths = (each.astype(np.int64) for each in sums)
    return found_errors, found_lengths


def tables(path: Path) -> Iterator[tuple[str, Units]]:
    """Read words and characters from the table of a report."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    for unit, wrong, said in (("words", "word_errors", "num_words"), ("letters", "character_errors", "num_characters")):
        yield unit, (np.array([int(row[wrong]) for row in rows]), np.array([int(row[said]) for row in rows]))


def measure(draw: Callable[[], Units], truth: float, num_trials: int) -> tuple[float, float, float, float]:
    """Return the share of intervals that hold the truth and their mean width, ours first, then plain percentiles."""
    held, width = np.zeros(2), np.zeros(2)
    for trial in range(num_trials):
        errors, lengths = draw()
        rates = redraw_rates(errors, lengths, seed=trial)
        ours = interval_of(rates, len(errors))
        assert ours is not None
        for place, (low, high) in enumerate(((ours.low, ours.high), np.quantile(rates, [0.025, 0.975]))):
            held[place] += low <= truth <= high
            width[place] += high - low
    return (*(held / num_trials), *(width / num_trials))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=1_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--real", type=Path, nargs="*", default=[])
    options = parser.parse_args()
    generator = np.random.default_rng(options.seed)
    cases: list[tuple[str, float, Callable[[], Units]]] = []
    for draw, sizes in (
        (equal_speakers, (3, 4, 5, 8, 10, 20)),
        (unequal_speakers, (3, 4, 5, 8, 10, 20)),
        (alike, (30, 100, 200, 500)),
        (lopsided, (30, 100, 200, 500)),
    ):
        cases += [(f"{draw.__name__}, {n}", TRUE_RATE, lambda draw=draw, n=n: draw(generator, n)) for n in sizes]
    for path in options.real:
        for unit, (errors, lengths) in tables(path):
            for n in (100, 200, 500):

                def again(errors=errors, lengths=lengths, n=n) -> Units:
                    drawn = generator.integers(len(errors), size=n)
                    return errors[drawn], lengths[drawn]

                cases.append((f"{path.parent.name}, {unit}, {n}", float(errors.sum() / lengths.sum()), again))
    found = {}
    for name, truth, draw_one in cases:
        ours, plain, width, plain_width = measure(draw_one, truth, options.trials)
        print(f"{name:40s} {ours:7.1%} ({width:5.1%} wide)   percentiles {plain:7.1%} ({plain_width:5.1%})", flush=True)
        found[name.replace(", ", "_") + "_ratio"] = round(ours / 0.95, 4)
    print(json.dumps(found))


if __name__ == "__main__":
    main()
