"""Reading the crops that an update of pretraining learns from: audio alone, no transcripts."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from lowres.training.feed import pad_samples
from lowres.training.mixture import Crop, MixturePosition, MixtureUpdate, SpeechSource, share_of_process


@dataclass(frozen=True)
class SpeechBatch:
    """One micro batch's crops, or one process's part of them, padded with zeros at the end."""

    waveforms: Tensor
    """(B, S) float32 in -1..1."""

    num_samples: Tensor
    """(B,) int64 true lengths."""

    crops: tuple[Crop, ...]
    """(B,) which pieces of which utterances these are."""


@dataclass(frozen=True)
class SpeechUpdate:
    """One whole update's micro batches, in memory."""

    batches: tuple[SpeechBatch, ...]
    """This process's part of every micro batch."""

    samples_per_source: tuple[int, ...]
    """Samples of each source that the update learns from, in all processes together."""

    next_position: MixturePosition

    @property
    def total_samples(self) -> int:
        """Samples that the update learns from, in all processes together."""
        return sum(self.samples_per_source)


def load_crops(sources: Sequence[SpeechSource], crops: Sequence[Crop]) -> SpeechBatch:
    """Read crops, at least one, and pad them together.

    Args:
        sources: where they come from; `Crop.source` counts in them.
        crops: which ones.
    """
    samples = [sources[crop.source].read_samples(crop.utterance, crop.start_sample, crop.num_samples) for crop in crops]
    return SpeechBatch(pad_samples(samples), torch.tensor([crop.num_samples for crop in crops]), tuple(crops))


def load_speech_update(
    sources: Sequence[SpeechSource],
    plan: MixtureUpdate,
    *,
    rank: int = 0,
    num_processes: int = 1,
    pin_memory: bool = False,
) -> SpeechUpdate:
    """Read one process's part of everything an update learns from.

    Args:
        sources: where the audio comes from.
        plan: the update, the same in all processes.
        rank: this process, from 0.
        num_processes: how many there are; the plan was made for so many.
        pin_memory: whether to place the waveforms in page-locked memory, for a GPU.
    """
    parts = [share_of_process(micro_batch, rank, num_processes) for micro_batch in plan.micro_batches]
    batches = tuple(load_crops(sources, part) for part in parts)
    if pin_memory:
        batches = tuple(replace(batch, waveforms=batch.waveforms.pin_memory()) for batch in batches)
    counted = [0] * len(sources)
    for micro_batch in plan.micro_batches:
        for crop in micro_batch:
            counted[crop.source] += crop.num_samples
    return SpeechUpdate(batches, tuple(counted), plan.next_position)
