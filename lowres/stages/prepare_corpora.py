"""Which corpora a project prepares: its own, and those that it pretrains on."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from lowres.errors import LowresError
from lowres.manifest.corpus import CORPUS_FOLDER, CorpusInfo, load_corpus
from lowres.manifest.typed_paths import expand_home
from lowres.recipe import Recipe, list_shipped_recipes, load_recipe
from lowres.stages.prepare_locate import locate_corpus
from lowres.stages.prepare_origin import fingerprint_origin, misfits_place, read_origin
from lowres.stages.pretrain_corpora import prepared_folder


@dataclass(frozen=True)
class Preparation:
    """One corpus to prepare."""

    name: str
    """What the recipe calls it among its corpora; "" for the project's own."""

    recipe: Recipe
    target: Path
    """Where the prepared corpus goes."""


def list_preparations(project: Path, recipe: Recipe) -> list[Preparation]:
    """List what `lowres prepare` has to do: the project's own corpus, then those of [[pretrain.corpora]] with a recipe.

    Args:
        project: the project folder; recipes that are named by a path are looked for from there.
        recipe: of the project. Where it names no corpus at all, its own is listed, for `prepare` to say so.

    Raises:
        RecipeError: a recipe of [[pretrain.corpora]] is missing or wrong.
    """
    entries = [entry for entry in recipe.pretrain.corpora if entry.recipe]
    has_own = bool(recipe.corpus.manifest or recipe.corpus.folder)
    listed = [Preparation("", recipe, project / CORPUS_FOLDER)] if has_own or not recipe.pretrain.corpora else []
    for entry in entries:
        is_name = entry.recipe in list_shipped_recipes()
        named = entry.recipe if is_name else str(project / expand_home(entry.recipe))
        own = load_recipe(named, entry.set, project=project)
        listed.append(Preparation(entry.called, own, prepared_folder(project, entry)))
    return listed


def find_unchanged(
    project: Path, preparation: Preparation, seed: int, progress: Callable[[str, int, int], None]
) -> CorpusInfo | None:
    """Return what is known of a corpus that is prepared already and would come out the same; None where it is not.

    Args:
        project: the project folder.
        preparation: which corpus.
        seed: of splits that are made.
        progress: as `lowres.stages.prepare.Progress`.

    Raises:
        RecipeError, CorpusError: as `lowres.stages.prepare.prepare`, for what the recipe names.
    """
    known = read_origin(preparation.target)
    if not known:
        return None
    located = locate_corpus(
        project, preparation.recipe, lambda _url, done, total: progress("downloading", done, total or 0)
    )
    misfits = misfits_place(project, preparation.target)
    if fingerprint_origin(preparation.recipe, located, seed, misfits) != known:
        return None
    try:
        return load_corpus(preparation.target).info
    except LowresError:  # damaged: made again
        return None
