"""Where a backbone is found that a recipe or a checkpoint names."""

from pathlib import Path

from lowres.backbones.native import Backbone
from lowres.backbones.resolve import open_backbone


def find_backbone(project: Path, reference: str) -> Backbone:
    """Load the backbone that `reference` names.

    Args:
        project: the project folder, to which a path is relative.
        reference: a folder, file or name, see `lowres.backbones.resolve`.

    Raises:
        CheckpointError: there is none, it is damaged, or it is one that lowres has no network for.
    """
    return open_backbone(reference, base=project)
