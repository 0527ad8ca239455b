"""A trained network as a small folder to start others from: lowres's own checkpoint folder, in half the bytes."""

from pathlib import Path
from typing import Final

import torch

from lowres.backbones.checkpoint_folder import Checkpoint, read_metadata, write_checkpoint
from lowres.backbones.model_card import Language, model_card
from lowres.errors import CheckpointError

CARD_FILE: Final = "README.md"


def write_backbone_folder(checkpoint: Checkpoint, folder: Path, language: Language) -> float:
    """Write a checkpoint's network with matrices in bfloat16, and its model card beside it.

    Fine-tuning reads it as any other checkpoint folder. The card can be edited: it is not part of what is checked.

    Args:
        checkpoint: a whole network, with its head and vocabulary where it has them.
        folder: is made, with its parents; it appears only when it is whole.
        language: for the model card.

    Returns:
        The largest change of any weight by rounding.

    Raises:
        CheckpointError: the folder exists and is not empty, the checkpoint is one of adapters alone, or the disk
            refuses.
    """
    if folder.exists() and (folder.is_file() or any(folder.iterdir())):
        raise CheckpointError(f"{folder} exists already.", "Name a folder that does not exist, or delete that one.")
    metadata = checkpoint.metadata
    if metadata.backbone_sha256:
        raise CheckpointError(
            f"{checkpoint.folder} is no whole network: it holds what was trained on top of "
            f"{metadata.backbone_reference}.",
            f"Start from {metadata.backbone_reference} itself.",
        )
    weights = {
        name: weight.bfloat16() if weight.ndim > 1 and weight.is_floating_point() else weight
        for name, weight in checkpoint.weights.items()
    }
    write_checkpoint(folder, weights, metadata)
    card = model_card(read_metadata(folder), language, (), "lowres")
    (folder / CARD_FILE).write_text(card, encoding="utf-8", newline="\n")
    changes = [(weight.float() - checkpoint.weights[name].float()).abs().max() for name, weight in weights.items()]
    return float(torch.stack(changes).max())
