"""Where to compute and in which numbers: the device, and fewer bits only where the processor or GPU is fast in them."""

from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Literal

import torch
from torch import nn

from lowres.errors import LowresError
from lowres.model.ctc import CTCRecognizer
from lowres.model.int8 import is_int8_here, multiply_in_int8
from lowres.training.settings import ListeningPrecision


@dataclass(frozen=True)
class Compute:
    """A device and the precision of its matrix products."""

    device: str
    precision: Literal["bf16", "fp32", "int8"]

    def autocast(self) -> AbstractContextManager[None]:
        """Return the context in which the network runs; weights, losses and updates stay in float32."""
        return torch.autocast(self.device, dtype=torch.bfloat16, enabled=self.precision == "bf16")

    @property
    def hears_alone(self) -> bool:
        """Whether utterances are heard one by one: in int8, what is heard together shares one scale."""
        return self.precision == "int8"


def choose_compute(precision: ListeningPrecision = "auto") -> Compute:
    """Choose the first GPU, else the processor.

    Args:
        precision: "auto" takes bf16 where the hardware multiplies in it (a GPU since Ampere; a processor with AMX or
            AVX512-BF16). Elsewhere torch imitates it, more slowly than float32. "int8" is for listening on a processor.

    Raises:
        LowresError: int8 where torch has no products in it.
    """
    device = "cuda" if torch.cuda.is_available() else "cpu"
    if precision == "int8":
        if not is_int8_here():
            raise LowresError(
                "This installation of torch cannot compute in int8.",
                "Use --precision auto; int8 needs an x86 processor.",
            )
        return Compute("cpu", "int8")
    if precision == "auto":
        return Compute(device, "bf16" if has_fast_bf16(device) else "fp32")
    return Compute(device, precision)


def hold_weights(model: CTCRecognizer, compute: Compute) -> None:
    """Turn the weights of a network's linear layers, for good, into the numbers that they are multiplied in.

    In bf16, autocast does so for every batch anew and keeps both; the results are the same to the bit. In int8 this is
    what makes the network compute in it. Not for training, whose updates are too small for either.
    """
    if compute.precision == "int8":
        multiply_in_int8(model.backbone)
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
