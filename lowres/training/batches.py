"""Batches of utterances of like length, sized in seconds of audio, in an order that only the seed decides.

The order is a pure function of (seed, epoch), so a place in it is two numbers and a resumed run goes on exactly where
the killed one was. One update learns from one or several micro batches, the largest pieces that fit in memory. The
longest utterances come first in a run, so that a machine too small for them says so at once.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Indices = tuple[int, ...]


@dataclass(frozen=True)
class StreamPosition:
    """A place in the endless stream of micro batches."""

    epoch: int = 0
    """Passes over the training speech that are complete."""

    batch: int = 0
    """Micro batches of this pass already used."""


@dataclass(frozen=True)
class BatchSizes:
    """How much audio goes together, in samples."""

    samples_per_update: int
    """Samples (without padding) that one update should learn from."""

    micro_batch_samples: int
    """Samples (with padding) that may be in memory at once; one utterance may be longer than that."""


@dataclass(frozen=True)
class UpdatePlan:
    """What one update learns from."""

    micro_batches: tuple[Indices, ...]
    """Indices of utterances, one tuple per micro batch."""

    next_position: StreamPosition
    """Where the next update begins."""


LENGTH_JITTER = 0.1
"""Lengths are shaken by this share before sorting, so that an utterance meets other neighbours in every epoch."""


def plan_epoch(num_samples: NDArray[np.int64], sizes: BatchSizes, *, seed: int, epoch: int) -> list[Indices]:
    """Cut one pass over the utterances into micro batches.

    Args:
        num_samples: (N,) length of every utterance, at least 1.
        sizes: limits of a micro batch.
        seed: the run's seed.
        epoch: passes done before this one; pass 0 begins with the micro batch that has the longest utterance.

    Returns:
        Micro batches in the order of training; every utterance is in exactly one.
    """
    generator = np.random.Generator(np.random.PCG64([seed, epoch]))
    shaken = num_samples * generator.uniform(1.0 - LENGTH_JITTER, 1.0 + LENGTH_JITTER, size=len(num_samples))
    batches = cut_into_batches(num_samples, np.argsort(-shaken, kind="stable"), sizes)
    order = generator.permutation(len(batches))
    shuffled = [batches[place] for place in order]
    if epoch == 0 and shuffled:
        longest = int(np.argmax(num_samples))
        first = next(place for place, batch in enumerate(shuffled) if longest in batch)
        shuffled.insert(0, shuffled.pop(first))
    return shuffled


def cut_into_batches(num_samples: NDArray[np.int64], order: NDArray[np.int64], sizes: BatchSizes) -> list[Indices]:
    """Cut utterances, taken in `order`, into micro batches that respect both sizes.

    A micro batch ends when padding it to its longest utterance would pass `micro_batch_samples`, or when it holds
    `samples_per_update` of true audio.
    """
    batches: list[Indices] = []
    batch: list[int] = []
    longest = true_samples = 0
    for index in order.tolist():
        length = int(num_samples[index])
        grown = max(longest, length)
        is_too_much = grown * (len(batch) + 1) > sizes.micro_batch_samples
        if batch and (is_too_much or true_samples + length // 2 > sizes.samples_per_update):
            batches.append(tuple(batch))
            batch, grown, true_samples = [], length, 0
        batch.append(index)
        longest = grown
        true_samples += length
    if batch:
        batches.append(tuple(batch))
    return batches


def plan_updates(
    num_samples: Sequence[int] | NDArray[np.int64], sizes: BatchSizes, *, seed: int, start: StreamPosition
) -> Iterator[UpdatePlan]:
    """Yield updates without end, from a place in the stream.

    Args:
        num_samples: (N,) length of every utterance; N is at least 1.
        sizes: audio per update and per micro batch. An update takes micro batches, across the end of an epoch if need
            be, until one more would bring it further from `samples_per_update` than it is.
        seed: the run's seed.
        start: the place to begin at: `StreamPosition()` or the `next_position` of an earlier update.

    Raises:
        ValueError: when there are no utterances.
    """
    lengths = np.asarray(num_samples, dtype=np.int64)
    if lengths.size == 0:
        raise ValueError("there are no utterances to plan updates from")
    micro_batches: list[Indices] = []
    collected = 0
    epoch, skip = start.epoch, start.batch
    while True:
        planned = plan_epoch(lengths, sizes, seed=seed, epoch=epoch)
        for place, batch in enumerate(planned[skip:], start=skip):
            samples = int(lengths[list(batch)].sum())
            if micro_batches and collected + samples // 2 > sizes.samples_per_update:
                yield UpdatePlan(tuple(micro_batches), StreamPosition(epoch, place))
                micro_batches, collected = [], 0
            micro_batches.append(batch)
            collected += samples
        epoch, skip = epoch + 1, 0
