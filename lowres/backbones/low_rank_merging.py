"""Low-rank updates added into the weights they update, for programs that know no such updates."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from torch import Tensor

from lowres.model.adapters import LowRankUpdate
from lowres.model.ctc import CTCRecognizer

_UPDATE: Final = "_update"


def without_low_rank_updates(recognizer: CTCRecognizer) -> CTCRecognizer:
    """Return a recogniser that computes the same without low-rank updates; itself where it has none."""
    config = recognizer.backbone.config
    if not config.lora_rank:
        return recognizer
    updates = {name: part.merged() for name, part in recognizer.named_modules() if isinstance(part, LowRankUpdate)}
    merged = CTCRecognizer(replace(config, lora_rank=0), recognizer.head.out_features)
    merged.load_state_dict(_merge(recognizer.state_dict(), updates), strict=True)
    return merged.to(recognizer.head.weight.device).train(recognizer.training)


def _merge(tensors: Mapping[str, Tensor], updates: Mapping[str, Tensor]) -> dict[str, Tensor]:
    kept = {name: tensor for name, tensor in tensors.items() if name.rpartition(".")[0] not in updates}
    for name, added in updates.items():
        weight = f"{name.removesuffix(_UPDATE)}.weight"
        kept[weight] = kept[weight] + added.detach()
    return kept
