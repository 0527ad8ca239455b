"""The convolutional positional embedding added to the projected latents (paper section 2)."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from lowres.model.shapes import UTTERANCE_QUANTUM, num_missing


class PositionalEmbedding(nn.Module):
    """A grouped convolution over frames, weight-normalised per tap, and a GELU.

    Args:
        width: D.
        kernel: frames seen, K.
        groups: groups of the convolution.
    """

    def __init__(self, width: int, kernel: int, groups: int) -> None:
        super().__init__()
        self.kernel, self.groups = kernel, groups
        self.weight_v = nn.Parameter(torch.empty(width, width // groups, kernel))
        self.bias = nn.Parameter(torch.zeros(width))
        # As in fairseq, at dropout 0.
        nn.init.normal_(self.weight_v, mean=0.0, std=math.sqrt(4 / (kernel * width)))
        self.weight_g = nn.Parameter(self._tap_norms().detach())

    def forward(self, rows: Tensor, num_frames: Sequence[int]) -> Tensor:
        """Embed rows (N, D), the utterances' frames laid end to end; each utterance sees zeros around itself."""
        weight = (self.weight_v * (self.weight_g / self._tap_norms())).to(rows.dtype)
        bias = self.bias.to(rows.dtype)
        embedded = []
        for utterance in torch.split(rows, list(num_frames)):
            # An even kernel yields one frame too many at the end, which is left out as in the published models.
            missing = num_missing(len(utterance), UTTERANCE_QUANTUM, rows.device)
            padded = functional.pad(utterance.t()[None], (self.kernel // 2, (self.kernel - 1) // 2 + missing))
            convolved = functional.conv1d(padded, weight, bias, groups=self.groups)[0].t()
            embedded.append(convolved[: len(utterance)])
        activated: Tensor = functional.gelu(torch.cat(embedded))
        return activated

    def _tap_norms(self) -> Tensor:
        norms: Tensor = torch.linalg.vector_norm(self.weight_v, dim=(0, 1), keepdim=True)
        return norms
