"""The crops of one corpus, pass after pass, each in an order that only the seed decides. Imports no torch."""

import hashlib
import struct
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class SpeechSource:
    """The utterances of one corpus in one language."""

    language: str
    corpus: str

    num_samples: NDArray[np.int32] | NDArray[np.int64]
    """(N,) length of every utterance."""

    read_samples: Callable[[int, int, int], NDArray[np.int16]]
    """Returns samples of utterance n: called with n, the first sample and how many, all inside the utterance."""


@dataclass(frozen=True)
class Crop:
    """A piece of an utterance: all of it where it is no longer than a crop."""

    source: int
    utterance: int
    start_sample: int
    num_samples: int

    draw: int
    """How often this utterance was drawn before; with `seed_of_crop` it decides what is random about this time."""


@dataclass(frozen=True)
class SourcePosition:
    """How far one source is."""

    epoch: int = 0
    """Passes over it that are complete."""

    place: int = 0
    """Crops of this pass that were drawn."""

    drawn_samples: int = 0
    """Samples drawn so far, in all passes."""


def seed_of_crop(crop: Crop, seed: int) -> int:
    """Return the seed (0 to 2^63 - 1) of whatever is random when this crop is learnt from.

    It follows from the run's seed, the utterance and the draw alone: not from what is drawn beside it, the update, or
    the process it falls to.
    """
    return _hash("crop", seed, crop.source, crop.utterance, crop.draw) >> 1


class Passes:
    """One source's crops in the order of its passes: a permutation per pass, made when the pass begins.

    Args:
        source: the utterances; `number` is what its crops call it.
        crop_samples: longest crop. shortest_samples: shorter utterances are left out.
        seed: of the orders and of the places of crops.
        start: how far it is.
    """

    def __init__(
        self,
        source: SpeechSource,
        number: int,
        *,
        crop_samples: int,
        shortest_samples: int,
        seed: int,
        start: SourcePosition,
    ) -> None:
        self.epoch, self.place, self.drawn_samples = start.epoch, start.place, start.drawn_samples
        self._number, self._seed, self._crop_samples = number, seed, crop_samples
        self._lengths = source.num_samples
        usable = source.num_samples >= shortest_samples
        self._utterances = None if usable.all() else np.flatnonzero(usable).astype(np.int32)
        self._first_slots = self._count_slots()
        self._order: NDArray[np.int32] | NDArray[np.int64] | None = None

    def _count_slots(self) -> NDArray[np.int64] | None:
        """Return (N + 1,) at which place of an unshuffled pass each utterance begins; None where each has one place."""
        lengths = self._lengths if self._utterances is None else self._lengths[self._utterances]
        if (int(lengths.max(initial=0)) + self._crop_samples // 2) // self._crop_samples <= 1:
            return None  # before a crop longer than an int32 can hold meets the lengths
        slots = (lengths + self._crop_samples // 2) // self._crop_samples
        np.maximum(slots, 1, out=slots)
        return np.concatenate([[0], np.cumsum(slots, dtype=np.int64)])

    @property
    def position(self) -> SourcePosition:
        """How far it is now."""
        return SourcePosition(self.epoch, self.place, self.drawn_samples)

    def peek(self) -> Crop:
        """Return the crop that is next."""
        if self._order is None:
            self._order = self._shuffle()
        if self.place == len(self._order):
            self.epoch, self.place = self.epoch + 1, 0
            self._order = self._shuffle()
        slot = int(self._order[self.place])
        index, stretch, num_stretches = slot, 0, 1
        if self._first_slots is not None:
            index = int(np.searchsorted(self._first_slots, slot, side="right")) - 1
            first, following = self._first_slots[index : index + 2].tolist()
            stretch, num_stretches = slot - first, following - first
        utterance = index if self._utterances is None else int(self._utterances[index])
        length, draw = int(self._lengths[utterance]), self.epoch * num_stretches + stretch
        num_samples = min(length, self._crop_samples)
        # A number below num_stretches << 64, evenly spread over this stretch, scaled to the possible first samples.
        chosen = (stretch << 64) + _hash("start", self._seed, self._number, utterance, draw)
        start = (length - num_samples + 1) * chosen // (num_stretches << 64)
        return Crop(self._number, utterance, start, num_samples, draw)

    def take(self, crop: Crop) -> None:
        """Go past the crop that `peek` returned."""
        self.place += 1
        self.drawn_samples += crop.num_samples

    def _shuffle(self) -> NDArray[np.int32] | NDArray[np.int64]:
        """Return the order of this pass."""
        utterances = self._lengths if self._utterances is None else self._utterances
        count = len(utterances) if self._first_slots is None else int(self._first_slots[-1])
        order = np.arange(count, dtype=np.int32) if count < 2**31 else np.arange(count, dtype=np.int64)
        np.random.Generator(np.random.PCG64([self._seed, self._number, self.epoch])).shuffle(order)
        return order


def _hash(*parts: str | int) -> int:
    """Return 64 bits that depend on all parts and look random."""
    name, *numbers = parts
    packed = str(name).encode() + struct.pack(f"<{len(numbers)}q", *(int(number) for number in numbers))
    return int.from_bytes(hashlib.blake2b(packed, digest_size=8).digest(), "little")
