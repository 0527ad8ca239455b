"""Where a backbone is found that a recipe or a checkpoint names."""

from pathlib import Path

from lowres.backbones.native import Backbone, load_backbone
from lowres.errors import CheckpointError


def find_backbone(project: Path, reference: str, *, setting: str = "finetune.backbone") -> Backbone:
    """Load the backbone that `reference` names.

    Args:
        project: the project folder, to which a path is relative.
        reference: a checkpoint folder.
        setting: what holds the reference, for the hint.

    Raises:
        CheckpointError: there is none, or it is damaged.
    """
    folder = project / Path(reference).expanduser()
    if not folder.exists():
        raise CheckpointError(f"There is no backbone in {folder}.", f"{setting} must name a checkpoint folder.")
    return load_backbone(folder)
