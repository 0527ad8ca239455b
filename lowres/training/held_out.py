"""Looking at held-out speech while pretraining: the same crops, masks and distractors every time, no Gumbel noise."""

from collections.abc import Mapping, Sequence

import torch

from lowres.training.distributed import Processes
from lowres.training.mixture import Crop, SpeechSource, seed_of_crop
from lowres.training.pretraining_monitors import PretrainingSums
from lowres.training.self_supervision import PretrainingLossFunction, seeded_generator
from lowres.training.speech_feed import load_crops

_SEED = 0
"""Of masks and distractors: not the run's, so that runs of different seeds are measured alike."""

_CROPS_AT_ONCE = 4


def evaluate_held_out(
    compute_loss: PretrainingLossFunction,
    sources: Sequence[SpeechSource],
    held_out: Mapping[str, Sequence[Crop]],
    zeros: PretrainingSums,
    processes: Processes,
    *,
    is_sharded: bool = False,
) -> dict[str, PretrainingSums]:
    """Measure the losses on held-out crops, divided among the processes.

    Args:
        compute_loss: of the bare network in evaluation mode; it must not wait for other processes.
        sources: where the crops lie.
        held_out: crops of every language, in the same order in every process.
        zeros: sums over nothing.
        processes: who they are; all of them must ask.
        is_sharded: whether the processes hold parts of the weights. Then no one can compute without the others, and
            all of them go through all crops instead of dividing them.

    Returns:
        The sums of every language over all processes.
    """
    found = {}
    divided = Processes() if is_sharded else processes
    for language, crops in held_out.items():
        sums = zeros
        own = crops[divided.rank :: divided.count]
        with torch.no_grad():
            for first in range(0, len(own), _CROPS_AT_ONCE):
                batch = load_crops(sources, own[first : first + _CROPS_AT_ONCE])
                generators = [seeded_generator(seed_of_crop(crop, _SEED)) for crop in batch.crops]
                sums = sums.plus(PretrainingSums.of(compute_loss(batch, generators, None)))
        found[language] = PretrainingSums(divided.sum(sums.values), sums.num_codebooks)
    return found
