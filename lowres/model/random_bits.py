"""Many random bits at once, several times faster than PyTorch draws them on a processor."""

import numpy as np
import torch
from torch import Tensor


def random_bits(count: int, generator: torch.Generator | None = None) -> Tensor:
    """Draw (count,) int64 of 64 random bits each, on the CPU.

    PyTorch draws them by a Mersenne Twister, some 10 ns each; here it only draws the seed of numpy's SFC64, at about 1
    ns each. The same state of `generator`, None being PyTorch's default, gives the same bits on every machine.
    """
    seed = int(torch.empty((), dtype=torch.int64).random_(generator=generator))
    limits = np.iinfo(np.int64)
    numbers = np.random.Generator(np.random.SFC64(seed)).integers(
        limits.min, limits.max, size=count, dtype=np.int64, endpoint=True
    )
    return torch.from_numpy(numbers) if count else torch.empty(0, dtype=torch.int64)  # numpy's has a stride of 0
