"""How many seconds of audio a micro batch may hold in the memory there is."""

import math
from typing import Final

import torch

from lowres.audio.constants import SAMPLE_RATE
from lowres.model.config import Wav2Vec2Config
from lowres.training.machine_memory import machine_memory_gb

_MEMORY_SHARE: Final = 0.5
"""Share of the free memory to plan with: fragmentation, the other half of a desktop and our guess take the rest."""

_LARGEST_SECONDS: Final = 240.0
_SMALLEST_SECONDS: Final = 5.0
_CPU_SECONDS: Final = 60.0
_CPU_BYTES: Final = 2e9
"""More in one piece is not faster on a processor, and leaves less memory to everybody else: an update of BASE on 60 s
takes as long in two pieces as in one, and its peak is a gigabyte lower."""

# Float32 values kept for the backward pass, per frame and channel of a convolution (input of the norm, of GELU and of
# the next one) and per frame and width of a transformer layer (18 of the width, 2 x 4 of the feed-forward part).
_KEPT_PER_CHANNEL: Final = 4
_KEPT_PER_WIDTH: Final = 26


def bytes_per_second(config: Wav2Vec2Config, *, trains_feature_encoder: bool) -> float:
    """Estimate the memory that one second of audio takes in a training step, activations only.

    Args:
        config: the network.
        trains_feature_encoder: whether the convolutions keep what their gradient needs.
    """
    frames, values = float(SAMPLE_RATE), 0.0
    for channels, _, stride in config.conv_layers:
        frames /= stride
        # Without a gradient only the largest layer and its successor are alive at once: about the first one, twice.
        values += frames * channels * (_KEPT_PER_CHANNEL if trains_feature_encoder else 1)
    values += frames * config.width * _KEPT_PER_WIDTH * config.num_layers
    return values * 4.0


def choose_micro_batch_seconds(config: Wav2Vec2Config, *, device: str, trains_feature_encoder: bool) -> float:
    """Choose the seconds of audio that may be in memory at once.

    Args:
        config: the network.
        device: "cpu" or "cuda". Counted is what a GPU has free, or all memory beside a processor, which gets at most
            60 s and 2 GB.
        trains_feature_encoder: see `bytes_per_second`.

    Returns:
        Seconds, 5 to 240.
    """
    if device == "cuda":
        torch.cuda.empty_cache()  # what an earlier run of this process left is free, too
        memory, most = float(torch.cuda.mem_get_info()[0]), _LARGEST_SECONDS
    else:
        # Not what is free just now, which would make the same run another one tomorrow.
        total_gb, _ = machine_memory_gb()
        memory, most = (total_gb or math.inf) * 1e9, _CPU_SECONDS
    planned = _MEMORY_SHARE * memory if device == "cuda" else min(_MEMORY_SHARE * memory, _CPU_BYTES)
    seconds = planned / bytes_per_second(config, trains_feature_encoder=trains_feature_encoder)
    return float(min(max(seconds, _SMALLEST_SECONDS), most))
