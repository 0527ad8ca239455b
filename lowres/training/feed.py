"""Reading the planned batches ahead of training, in a thread, so that training never waits for data."""

import queue
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Generic, Self, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lowres.model.wav2vec2 import Encoded
from lowres.training.augmentation import Augmentation, Place
from lowres.training.batches import StreamPosition, UpdatePlan

Plan = TypeVar("Plan")
Loaded = TypeVar("Loaded")


@dataclass(frozen=True)
class Batch:
    """One micro batch, padded with zeros at the end."""

    waveforms: Tensor
    """(B, S) float32 in -1..1; S is 0 where `encoded` comes in their place."""

    num_samples: Tensor
    """(B,) int64 true lengths."""

    token_ids: Tensor
    """(B, L) int64, padded with 0."""

    num_tokens: Tensor
    """(B,) int64 true lengths."""

    indices: tuple[int, ...]
    """Which utterances of the training set these are."""

    encoded: Encoded | None = None
    """What the feature encoder made of them, where that is kept (`lowres.training.latents`)."""


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

    fewest_samples: NDArray[np.int64] | None = None
    """(N,) samples below which an utterance is too short for its targets; only asked where speed is changed."""

    read_encoded: Callable[[int], Tensor] | None = None
    """Returns (T, C), what the feature encoder made of utterance n, where that is kept: no samples are read then."""


INT16_SCALE = 1.0 / 32768.0


def pad_samples(utterances: Sequence[NDArray[np.int16] | NDArray[np.float32]]) -> Tensor:
    """Put B utterances, at least one, on the scale of 16-bit samples, into (B, S) float32 with zeros behind them.

    The result lies in -1..1.
    """
    waveforms = torch.zeros(len(utterances), max(map(len, utterances)))
    for row, samples in enumerate(utterances):
        waveforms[row, : len(samples)] = torch.from_numpy(samples.astype(np.float32, copy=False))
    waveforms *= INT16_SCALE
    return waveforms


def load_batch(
    speech: TrainingSpeech,
    indices: Sequence[int],
    *,
    augmentation: Augmentation | None = None,
    place: Place | None = None,
) -> Batch:
    """Read utterances from the corpus and pad them together.

    Args:
        speech: where they come from.
        indices: which ones, at least one.
        augmentation: how they are altered; with a `place`, and without latents that are kept.
        place: where they are heard.
    """
    tokens = [torch.tensor(speech.token_ids[index], dtype=torch.int64) for index in indices]
    num_samples = [int(speech.num_samples[index]) for index in indices]
    encoded = None
    if speech.read_encoded is not None:
        rows = [speech.read_encoded(index) for index in indices]
        encoded, waveforms = Encoded(torch.cat(rows), [len(own) for own in rows]), torch.zeros(len(indices), 0)
    elif augmentation is not None and place is not None:
        altered = [_alter(speech, index, augmentation, place) for index in indices]
        num_samples, waveforms = list(map(len, altered)), pad_samples(altered)
    else:
        waveforms = pad_samples([speech.read_samples(index) for index in indices])
    return Batch(
        waveforms=waveforms,
        num_samples=torch.tensor(num_samples),
        token_ids=torch.nn.utils.rnn.pad_sequence(tokens, batch_first=True),
        num_tokens=torch.tensor([len(ids) for ids in tokens]),
        indices=tuple(indices),
        encoded=encoded,
    )


def _alter(speech: TrainingSpeech, index: int, augmentation: Augmentation, place: Place) -> NDArray[np.float32]:
    fewest = 0 if speech.fewest_samples is None else int(speech.fewest_samples[index])
    return augmentation.alter(index, speech.read_samples(index), place, fewest_samples=fewest)


def load_update(
    speech: TrainingSpeech,
    plan: UpdatePlan,
    *,
    pin_memory: bool = False,
    augmentation: Augmentation | None = None,
) -> Update:
    """Read everything one update learns from.

    Args:
        speech: where the audio comes from.
        plan: which utterances.
        pin_memory: whether to place waveforms or latents in page-locked memory, for a GPU.
        augmentation: how the utterances are altered.
    """
    epoch, batch = plan.next_position.epoch, plan.next_position.batch
    batches = tuple(
        load_batch(speech, indices, augmentation=augmentation, place=(epoch, batch, number))
        for number, indices in enumerate(plan.micro_batches)
    )
    if pin_memory:
        batches = tuple(_pinned(batch) for batch in batches)
    return Update(
        batches=batches,
        total_tokens=sum(int(batch.num_tokens.sum()) for batch in batches),
        total_samples=sum(int(batch.num_samples.sum()) for batch in batches),
        next_position=plan.next_position,
    )


def _pinned(batch: Batch) -> Batch:
    if batch.encoded is None:
        return replace(batch, waveforms=batch.waveforms.pin_memory())
    return replace(batch, encoded=replace(batch.encoded, rows=batch.encoded.rows.pin_memory()))


class Feed(Generic[Plan, Loaded]):
    """Reads updates ahead in a background thread; use it in a `with` block.

    Args:
        load: reads what a plan names, such as `partial(load_update, speech)`; called in the thread.
        plans: which updates, in order; may be endless.
        depth: updates held ready.
    """

    def __init__(self, load: Callable[[Plan], Loaded], plans: Iterator[Plan], *, depth: int = 2) -> None:
        self.waited_seconds = 0.0
        """Seconds that `next_update` has waited so far."""
        self._load = load
        self._plans = plans
        self._ready: queue.Queue[Loaded | BaseException] = queue.Queue(maxsize=depth)
        self._is_closed = threading.Event()
        self._thread = threading.Thread(target=self._read_ahead, name="lowres-feed", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._is_closed.set()
        self._thread.join()

    def next_update(self) -> Loaded:
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
                self._offer(self._load(plan))
                if self._is_closed.is_set():
                    return
        except Exception as error:  # handed to the thread that trains
            self._offer(error)

    def _offer(self, update: Loaded | BaseException) -> None:
        while not self._is_closed.is_set():
            try:
                self._ready.put(update, timeout=0.1)
                return
            except queue.Full:
                continue
