"""Small trained parts inside a frozen context network: bottleneck adapters and low-rank updates. Not in the paper.

Bottleneck adapters as MMS has them (Pratap et al. 2023, arXiv 2305.13516, section 4; Houlsby et al. 2019, arXiv
1902.00751); low-rank updates as in LoRA (Hu et al. 2021, arXiv 2106.09685). Both begin as no change at all.
"""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from lowres.model.shapes import apply_linear

LORA_ALPHA = 16.0
"""What is added is multiplied by this over the rank, so that the learning rate need not change with the rank."""


class BottleneckAdapter(nn.Module):
    """Norm, a narrow hidden layer with a ReLU, and back to the width; its result is added to its input.

    Args:
        width: D.
        inner_width: of the hidden layer.
    """

    def __init__(self, width: int, inner_width: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.inner = nn.Linear(width, inner_width)
        self.output = nn.Linear(inner_width, width)
        nn.init.normal_(self.inner.weight, mean=0.0, std=0.02)
        nn.init.zeros_(self.inner.bias)
        nn.init.zeros_(self.output.weight)
        nn.init.zeros_(self.output.bias)

    def forward(self, rows: Tensor) -> Tensor:
        """Map rows (N, D) to (N, D)."""
        inner = functional.relu(apply_linear(self.inner, self.norm(rows)))
        return rows + apply_linear(self.output, inner)


class LowRankUpdate(nn.Module):
    """The product of two thin matrices, for each of the maps that one fused linear layer joins.

    Args:
        width: D, of the input and of each map's output.
        num_maps: maps joined, P: 3 for queries, keys and values, 1 for the output projection.
        rank: r.
    """

    def __init__(self, width: int, num_maps: int, rank: int) -> None:
        super().__init__()
        self.down = nn.Parameter(torch.empty(num_maps, rank, width))
        self.up = nn.Parameter(torch.zeros(num_maps, width, rank))
        nn.init.kaiming_uniform_(self.down.view(-1, width), a=math.sqrt(5))  # as nn.Linear, and as LoRA's own code
        self.scale = LORA_ALPHA / rank

    def forward(self, rows: Tensor) -> Tensor:
        """Compute what is added to the maps of rows (N, D): (N, P D)."""
        num_maps, rank, width = self.down.shape
        inner = functional.linear(rows, self.down.view(-1, width)).view(len(rows), num_maps, rank).transpose(0, 1)
        added = torch.bmm(inner, self.up.to(inner.dtype).transpose(1, 2) * self.scale)
        return added.transpose(0, 1).reshape(len(rows), num_maps * width)

    def merged(self) -> Tensor:
        """Return the same as one weight (P D, D), to be added to the fused layer's."""
        return (torch.bmm(self.up, self.down) * self.scale).flatten(0, 1)
