"""A trained network as a small folder to start others from: lowres's own checkpoint folder, in half the bytes."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from lowres.backbones.card_results import Result
from lowres.backbones.checkpoint_folder import Checkpoint, demand_free, write_checkpoint
from lowres.backbones.model_card import Language, model_card
from lowres.backbones.native import demand_whole

CARD_FILE: Final = "README.md"


def write_backbone_folder(
    checkpoint: Checkpoint, folder: Path, language: Language, *, results: Sequence[Result] = ()
) -> None:
    """Write a checkpoint's network with matrices in bfloat16, and its model card beside it.

    Fine-tuning reads it as any other checkpoint folder. The card can be edited: it is not part of what is checked.

    Args:
        checkpoint: a whole network, with its head and vocabulary where it has them.
        folder: is made, with its parents; it appears only when it is whole.
        language, results: for the model card.

    Raises:
        CheckpointError: the folder exists and is not empty, the checkpoint is one of adapters alone, or the disk
            refuses.
    """
    demand_free(folder)
    demand_whole(checkpoint)
    weights = {
        name: weight.bfloat16() if weight.ndim > 1 and weight.is_floating_point() else weight
        for name, weight in checkpoint.weights.items()
    }
    write_checkpoint(folder, weights, checkpoint.metadata)
    card = model_card(checkpoint.metadata, language, (), "lowres", results=results)
    (folder / CARD_FILE).write_text(card, encoding="utf-8", newline="\n")
