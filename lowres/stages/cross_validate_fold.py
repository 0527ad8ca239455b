"""One fold of a cross-validation: a small project folder of its own, with a corpus that links the project's audio.

cross-validation/<name>/<fold>/corpus/      the manifest split anew; the shards are links to the project's
cross-validation/<name>/<fold>/runs/<fold>/ its run
cross-validation/<name>/<fold>/lowres.toml  so that `lowres evaluate --project` shows what it gets wrong

Folds lie apart from the project's own runs, so that no command takes one of them for the newest recogniser.
"""

import os
import re
import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from lowres.audio.shards import SHARDS_FOLDER, share_shard
from lowres.backbones.resolve import locate_backbone
from lowres.errors import CorpusError, LowresError
from lowres.manifest.corpus import CORPUS_FOLDER, PreparedCorpus, hash_file, load_corpus, write_corpus
from lowres.manifest.leave_out import LeftOut
from lowres.manifest.overlap import count_overlap
from lowres.manifest.settings import DEV, TEST, TRAIN
from lowres.manifest.table import write_manifest
from lowres.recipe import Recipe
from lowres.stages.prepare import recover_corpus, replace_corpus

FOLDS_FOLDER: Final = "cross-validation"
RUN_NAME: Final = "left-out"
RECIPE_FILE: Final = "lowres.toml"
_LONGEST_NAME: Final = 40


@dataclass(frozen=True)
class Fold:
    """Who is left out, and where the fold's project folder is."""

    speakers: tuple[str, ...]
    folder: Path


def fold_folder(parent: Path, number: int, speakers: tuple[str, ...]) -> Path:
    """Name the folder of a fold after its speaker, as far as a file name can; a speaker's name is foreign text."""
    what = speakers[0] if len(speakers) == 1 else f"{len(speakers)}-speakers"
    safe = re.sub(r"[^A-Za-z0-9]+", "-", what).strip("-")[:_LONGEST_NAME] or "speaker"
    return parent / f"{number:02d}-{safe}"


def open_fold(fold: Fold, corpus: PreparedCorpus, recipe: Recipe, left: LeftOut) -> PreparedCorpus:
    """Make the fold's project folder, or leave it as it is where it is there already.

    Args:
        fold: who and where.
        corpus: the project's.
        recipe: the fold's own (see `recipe_for_fold`).
        left: the corpus split around the fold's speakers.

    Raises:
        CorpusError: the disk refused.
    """
    target = fold.folder / CORPUS_FOLDER
    partial = _partial(fold)
    try:
        fold.folder.mkdir(parents=True, exist_ok=True)
        (fold.folder / RECIPE_FILE).write_text(recipe.to_toml(), encoding="utf-8", newline="\n")
        recover_corpus(target)
        shutil.rmtree(partial, ignore_errors=True)
        info = write_corpus(partial, left.table, replace(corpus.info, **_described(left, fold)))
        known = _load_known(target)
        if known is not None and known.info == info:
            shutil.rmtree(partial)
            return known
        (partial / SHARDS_FOLDER).mkdir()
        for name in corpus.table.loc[corpus.table["shard"] != "", "shard"].unique():
            share_shard(corpus.folder / SHARDS_FOLDER / str(name), partial / SHARDS_FOLDER / str(name))
        replace_corpus(target, partial)
    except OSError as error:
        raise CorpusError(
            f"The corpus of a fold could not be made in {fold.folder}: {error.strerror or error}.",
            "Its audio takes room where the disk has no links: free some, then give the same command again.",
        ) from error
    return load_corpus(target)


def hash_of_fold(fold: Fold, left: LeftOut) -> str:
    """Return the hash of the manifest that the fold would have today, and leave the one it has as it is.

    Raises:
        CorpusError: the disk refused.
    """
    partial = _partial(fold)
    try:
        return hash_file(write_manifest(left.table, partial))
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _partial(fold: Fold) -> Path:
    return fold.folder / f"{CORPUS_FOLDER}.partial"


def _load_known(target: Path) -> PreparedCorpus | None:
    try:
        return load_corpus(target)
    except LowresError:  # not there, or damaged: made again
        return None


def _described(left: LeftOut, fold: Fold) -> dict[str, Any]:
    """Say in corpus.json how the fold's splits came about."""
    overlap = count_overlap(left.table)
    with_test = [overlap.between(TRAIN, TEST), overlap.between(DEV, TEST)]
    return {
        "splits_origin": "made",
        "reported_split": TEST,
        "overlap": overlap,
        "speaker_disjoint": True,
        "sentence_disjoint": not any(pair.num_shared_sentences for pair in with_test if pair),
        "subset_sha256": {},
        "warnings": (f"Split anew to leave out {', '.join(fold.speakers)}.", *left.warnings),
    }


def recipe_for_fold(recipe: Recipe, project: Path, folder: Path) -> Recipe:
    """Name a backbone that lies in the project as it is seen from the fold's folder."""
    reference = recipe.finetune.backbone
    path, language = locate_backbone(reference, base=project) if reference else (None, "")
    if path is None or Path(reference).is_absolute() or path != project / _without(reference, language):
        return recipe
    seen = Path(os.path.relpath(path, folder)).as_posix() + (f":{language}" if language else "")
    return recipe.model_copy(update={"finetune": replace(recipe.finetune, backbone=seen)})


def _without(reference: str, language: str) -> str:
    return reference.removesuffix(f":{language}") if language else reference
