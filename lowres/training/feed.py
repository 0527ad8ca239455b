"""Reading the planned batches ahead of training, in a thread, so that training never waits for data."""

import queue
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from types import TracebackType

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lowres.training.batches import StreamPosition, UpdatePlan


@dataclass(frozen=True)
class Batch:
    """One micro batch, padded with zeros at the end."""

    waveforms: Tensor
    """(B, S) float32 in -1..1."""

    num_samples: Tensor
    """(B,) int64 true lengths."""

    token_ids: Tensor
    """(B, L) int64, padded with 0."""

    num_tokens: Tensor
    """(B,) int64 true lengths."""

    indices: tuple[int, ...]
    """Which utterances of the training set these are."""


@dataclass(frozen=True)
class Update:
    """One whole update's micro batches, in memory."""

    batches: tuple[Batch, ...]
    total_tokens: int
    total_samples: int
    next_position: StreamPosition


@dataclass(frozen=True)
class TrainingSpeech:
    """The training utterances, as the feed needs them."""

    num_samples: NDArray[np.int64]
    """(N,) lengths in samples."""

    token_ids: Sequence[Sequence[int]]
    """(N,) targets of each utterance."""

    read_samples: Callable[[int], NDArray[np.int16]]
    """Returns utterance n's 16-bit samples, `num_samples[n]` of them."""


INT16_SCALE = 1.0 / 32768.0


def load_batch(speech: TrainingSpeech, indices: Sequence[int]) -> Batch:
    """Read utterances from the corpus and pad them together.

    Args:
        speech: where they come from.
        indices: which ones, at least one.
    """
    num_samples = torch.tensor([int(speech.num_samples[index]) for index in indices])
    tokens = [torch.tensor(speech.token_ids[index], dtype=torch.int64) for index in indices]
    waveforms = torch.zeros(len(indices), int(num_samples.max()))
    for row, index in enumerate(indices):
        samples = speech.read_samples(index)
        waveforms[row, : len(samples)] = torch.from_numpy(samples.astype(np.float32))
    waveforms *= INT16_SCALE
    return Batch(
        waveforms=waveforms,
        num_samples=num_samples,
        token_ids=torch.nn.utils.rnn.pad_sequence(tokens, batch_first=True),
        num_tokens=torch.tensor([len(ids) for ids in tokens]),
        indices=tuple(indices),
    )


def load_update(speech: TrainingSpeech, plan: UpdatePlan) -> Update:
    """Read everything one update learns from."""
    batches = tuple(load_batch(speech, indices) for indices in plan.micro_batches)
    return Update(
        batches=batches,
        total_tokens=sum(int(batch.num_tokens.sum()) for batch in batches),
        total_samples=sum(int(batch.num_samples.sum()) for batch in batches),
        next_position=plan.next_position,
    )


class Feed:
    """Reads updates ahead in a background thread; use it in a `with` block.

    Args:
        speech: where the audio comes from.
        plans: which updates, in order; may be endless.
        depth: updates held ready.
        pin_memory: whether to place the waveforms in page-locked memory, for a GPU.
    """

    def __init__(
        self, speech: TrainingSpeech, plans: Iterator[UpdatePlan], *, depth: int = 2, pin_memory: bool = False
    ) -> None:
        self.waited_seconds = 0.0
        """Seconds that `next_update` has waited so far."""
        self._speech = speech
        self._plans = plans
        self._pin_memory = pin_memory
        self._ready: queue.Queue[Update | BaseException] = queue.Queue(maxsize=depth)
        self._is_closed = threading.Event()
        self._thread = threading.Thread(target=self._read_ahead, name="lowres-feed", daemon=True)

    def __enter__(self) -> "Feed":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._is_closed.set()
        self._thread.join()

    def next_update(self) -> Update:
        """Return the next update, waiting for it if it is not read yet.

        Raises:
            Whatever reading it raised.
        """
        started = time.perf_counter()
        update = self._ready.get()
        self.waited_seconds += time.perf_counter() - started
        if isinstance(update, BaseException):
            raise update
        return update

    def _read_ahead(self) -> None:
        try:
            for plan in self._plans:
                update = load_update(self._speech, plan)
                self._offer(_pinned(update) if self._pin_memory else update)
                if self._is_closed.is_set():
                    return
        except Exception as error:  # handed to the thread that trains
            self._offer(error)

    def _offer(self, update: Update | BaseException) -> None:
        while not self._is_closed.is_set():
            try:
                self._ready.put(update, timeout=0.1)
                return
            except queue.Full:
                continue


def _pinned(update: Update) -> Update:
    batches = tuple(
        Batch(
            waveforms=batch.waveforms.pin_memory(),
            num_samples=batch.num_samples,
            token_ids=batch.token_ids,
            num_tokens=batch.num_tokens,
            indices=batch.indices,
        )
        for batch in update.batches
    )
    return Update(batches, update.total_tokens, update.total_samples, update.next_position)
