"""Few matrix shapes, because on CPUs each new one costs the time of several products.

oneDNN writes machine code for every shape it meets, some milliseconds each in bf16, and utterances come in every
length. So rows are filled up with zeros to a multiple of a quantum, and what is computed from them is dropped.
"""

import os

import torch
from torch import Tensor, nn
from torch.nn import functional

# Read by oneDNN when it first runs; its default of 1024 is less than the shapes of one training run.
os.environ.setdefault("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "8192")

ROWS_QUANTUM = 64
"""Rows of a whole batch are filled up to a multiple of this."""

UTTERANCE_QUANTUM = 32
"""Frames of one utterance are filled up to a multiple of this, where it is computed on alone."""

PIECE_QUANTUM = 20
"""Frames of a piece of the feature encoder are filled up to a multiple of this."""


def num_missing(length: int, quantum: int, device: torch.device) -> int:
    """Count the rows missing to the next multiple of `quantum`; 0 on anything but a CPU."""
    return -length % quantum if device.type == "cpu" else 0


def apply_linear(linear: nn.Linear, inputs: Tensor) -> Tensor:
    """Apply `linear` to (..., D) as rows filled up to a multiple of ROWS_QUANTUM."""
    rows = inputs.reshape(-1, inputs.shape[-1])
    missing = num_missing(len(rows), ROWS_QUANTUM, rows.device)
    outputs: Tensor = linear(functional.pad(rows, (0, 0, 0, missing)))
    return outputs[: len(rows)].view(*inputs.shape[:-1], linear.out_features)
