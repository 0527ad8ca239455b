"""A deeper network out of a trained one: every block several times, each doing its part of what the block did.

Not in the paper. Stacking trained blocks is Gong et al. 2019 ("Efficient Training of BERT by Progressively Stacking");
that each copy adds its share of the residual, so that the deeper network begins as about the same function, is ours.
"""

import re
from dataclasses import replace

from torch import Tensor

from lowres.backbones.native import Backbone
from lowres.errors import CheckpointError

_BLOCK = re.compile(r"(context_network\.blocks\.)(\d+)(\..+)")
_RESIDUAL = (".attention.output.", ".feed_forward.output.", ".adapter.output.")
"""Projections whose output is added to the rows that pass by."""


def repeat_blocks(backbone: Backbone, times: int) -> Backbone:
    """Repeat every transformer block.

    Args:
        backbone: with its weights.
        times: copies of each block, one behind the other, at least 1. What each adds is divided by it.

    Returns:
        A backbone of `times` as many layers; with 1 the same.

    Raises:
        CheckpointError: the network normalises behind each addition (BASE), where a part of a block is no block.
    """
    if times == 1:
        return backbone
    if backbone.config.transformer_norm != "pre":
        raise CheckpointError(
            "finetune.repeat_blocks needs a backbone that normalises before each part of a block; this one does after.",
            "Leave finetune.repeat_blocks out, or start from another backbone.",
        )
    weights: dict[str, Tensor] = {}
    for name, weight in backbone.weights.items():
        in_block = _BLOCK.fullmatch(name)
        if in_block is None:
            weights[name] = weight
            continue
        before, number, behind = in_block.groups()
        shared = weight / times if behind.startswith(_RESIDUAL) else weight
        for copy in range(times):
            weights[f"{before}{int(number) * times + copy}{behind}"] = shared.clone()
    config = replace(backbone.config, num_layers=backbone.config.num_layers * times)
    return replace(backbone, config=config, weights=weights)
