"""Where a backbone is found that a recipe or a checkpoint names."""

from dataclasses import replace
from pathlib import Path

from lowres.backbones.bundled import bundled_folder
from lowres.backbones.catalogue import licence_of
from lowres.backbones.checkpoint_folder import has_checkpoint
from lowres.backbones.huggingface import published_name
from lowres.backbones.licences import licence_of_all
from lowres.backbones.native import Backbone
from lowres.backbones.origin import read_origin
from lowres.backbones.resolve import locate_backbone, open_backbone


def find_backbone(project: Path, reference: str) -> Backbone:
    """Load the backbone that `reference` names; `backbone_licence` of its metadata is then its own, "" if not known.

    What lowres trained is under those of its backbone and of its speech together, unless its publisher states one.

    Args:
        project: the project folder, to which a path is relative.
        reference: a folder, file or name, see `lowres.backbones.resolve`.

    Raises:
        CheckpointError: there is none, it is damaged, or it is one that lowres has no network for.
    """
    backbone = open_backbone(reference, base=project)
    metadata = backbone.metadata
    licence = _published_licence(project, reference) or licence_of_all(metadata.backbone_licence, metadata.training)
    return replace(backbone, metadata=replace(metadata, backbone_licence=licence))


def _published_licence(project: Path, reference: str) -> str:
    """Return the licence that came with the download, else the catalogue's; "" where neither knows it."""
    path, _ = locate_backbone(reference, base=project)
    if path is None:
        return licence_of(reference)
    folder = path.parent if path.is_file() else path
    origin = read_origin(folder)
    if origin and origin.licence:
        return origin.licence
    if has_checkpoint(path) and path != bundled_folder(reference):
        return ""  # one's own, even if it is called as one of the catalogue
    return licence_of(published_name(folder) or reference)
