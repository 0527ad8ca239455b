"""Where to compute and in which numbers: the device, and bf16 only where the processor or GPU really computes in it."""

from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Literal

import torch
from torch import nn

from lowres.training.settings import Precision


@dataclass(frozen=True)
class Compute:
    """A device and the precision of its matrix products."""

    device: str
    precision: Literal["bf16", "fp32"]

    def autocast(self) -> AbstractContextManager[None]:
        """Return the context in which the network runs; weights, losses and updates stay in float32."""
        return torch.autocast(self.device, dtype=torch.bfloat16, enabled=self.precision == "bf16")


def choose_compute(precision: Precision = "auto") -> Compute:
    """Choose the first GPU, else the processor.

    Args:
        precision: "auto" takes bf16 where the hardware multiplies in it (a GPU since Ampere; a processor with AMX or
            AVX512-BF16). Elsewhere torch imitates it, more slowly than float32.
    """
    device = "cuda" if torch.cuda.is_available() else "cpu"
    if precision == "auto":
        return Compute(device, "bf16" if has_fast_bf16(device) else "fp32")
    return Compute(device, precision)


def hold_weights(model: nn.Module, compute: Compute) -> None:
    """Turn the weights of a network's linear layers, for good, into the numbers that they are multiplied in.

    Autocast does so for every batch anew and keeps both. The results are the same to the bit. Not for training, whose
    updates are too small for bf16.
    """
    if compute.precision == "bf16":
        for module in model.modules():
            if isinstance(module, nn.Linear):
                module.to(torch.bfloat16)


def has_fast_bf16(device: str) -> bool:
    """Tell whether the device has bf16 instructions."""
    if device == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    # Private in torch 2.13, and the only question it answers about them: absent means no.
    asks = (getattr(torch.cpu, name, None) for name in ("_is_amx_tile_supported", "_is_avx512_bf16_supported"))
    return any(bool(ask()) for ask in asks if ask is not None)
