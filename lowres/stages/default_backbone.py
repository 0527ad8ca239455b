"""What fine-tuning starts from where a recipe names neither a backbone nor a size."""

from dataclasses import dataclass, replace

from lowres.backbones.bundled import BUNDLED_NAME, bundled_folder
from lowres.backbones.cache import downloaded_folder
from lowres.backbones.catalogue import CatalogueEntry, load_catalogue
from lowres.recipe import Recipe

NO_BACKBONE = "none"
"""What a recipe says that wants random weights."""

_SUGGESTED = "facebook/wav2vec2-xls-r-300m"


@dataclass(frozen=True)
class DefaultBackbone:
    """A backbone, and why it was chosen."""

    reference: str
    sentence: str


def default_backbone(recipe: Recipe) -> DefaultBackbone | None:
    """Choose what to start from where the recipe leaves it open: a larger one that is here, else lowres's own.

    Only what `lowres backbones get` downloaded counts as here: what lies in Hugging Face's cache came for another
    purpose. Of several, the one of the most languages is taken, and of these the smallest.

    Returns:
        None where the recipe names a backbone, a size, or "none", or where there is no backbone.
    """
    if not _is_open(recipe):
        return None
    here = [entry for entry in load_catalogue() if downloaded_folder(entry.name) is not None]
    if here:
        return _describe_downloaded(max(here, key=lambda entry: (entry.languages, -entry.parameters)))
    if bundled_folder(BUNDLED_NAME) is None:
        return None
    return DefaultBackbone(
        BUNDLED_NAME,
        f"Backbone: {BUNDLED_NAME}, which comes with lowres, since the recipe names none. One that heard thousands of "
        "hours usually makes far fewer errors, for a large download and slow training: "
        f"lowres backbones get {_SUGGESTED}",
    )


def _describe_downloaded(entry: CatalogueEntry) -> DefaultBackbone:
    use = "" if entry.allows_commercial_use else f" Its licence, {entry.licence}, allows no commercial use."
    return DefaultBackbone(
        entry.name,
        f"Backbone: {entry.name}, which was downloaded, since the recipe names none.{use} The small one that comes "
        f"with lowres is quicker: --set finetune.backbone={BUNDLED_NAME}",
    )


def settle_backbone(recipe: Recipe, recorded: str | None) -> tuple[Recipe, str]:
    """Put into a recipe what its run starts from.

    Args:
        recipe: as it was written.
        recorded: the backbone of a run that is gone on with, "" for none; None where a run begins.

    Returns:
        The recipe with that backbone, "" standing for random weights, and a sentence on it where lowres chose.
    """
    if recipe.finetune.backbone == NO_BACKBONE:
        return _with_backbone(recipe, ""), ""
    if recorded is not None and _is_open(recipe):  # what is here may have changed since
        return _with_backbone(recipe, recorded), ""
    chosen = default_backbone(recipe)
    if chosen is None:
        return recipe, ""
    return _with_backbone(recipe, chosen.reference), chosen.sentence


def to_read_again(recipe: Recipe) -> Recipe:
    """Name random weights in a settled recipe that would leave its backbone open to who reads it once more."""
    return _with_backbone(recipe, NO_BACKBONE) if _is_open(recipe) else recipe


def _is_open(recipe: Recipe) -> bool:
    return not recipe.finetune.backbone and not recipe.model.names_a_network


def _with_backbone(recipe: Recipe, reference: str) -> Recipe:
    return recipe.model_copy(update={"finetune": replace(recipe.finetune, backbone=reference)})
