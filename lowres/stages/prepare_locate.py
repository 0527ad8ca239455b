"""prepare, step 1: where the corpus is, how it is laid out, and what may be done with it."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from lowres.corpora.catalog import CORPORA_VARIABLE, CorpusManifest, find_corpora_folder, load_corpus_manifest
from lowres.corpora.download import DownloadProgress, download_corpus
from lowres.corpora.parquet import unpack_parquet
from lowres.corpora.settings import ReaderSettings
from lowres.corpora.written_names import file_name
from lowres.errors import CorpusError, RecipeError
from lowres.recipe import Recipe

UNPACKED_FOLDER: Final = "unpacked"
"""Where the recordings of data sets go that are no files, inside the project."""


@dataclass(frozen=True)
class LocatedCorpus:
    """A corpus on this disk, and what its recipe or its manifest says of it.

    `subset_hashes` are those that the manifest expects of the nested training subsets; empty where it expects none.
    """

    folder: Path
    reader: ReaderSettings
    licence: str
    consent: str
    citation: str
    source: str
    subset_hashes: Mapping[str, str]


def locate_corpus(project: Path, recipe: Recipe, progress: DownloadProgress) -> LocatedCorpus:
    """Find the recipe's corpus: its own folder, else LOWRES_CORPORA, else its public home.

    Args:
        project: where a download goes when LOWRES_CORPORA is not set: to its folder `corpora`.
        progress: see `lowres.corpora.download`.

    Raises:
        RecipeError: the recipe names no corpus. CorpusError: it is not there, or its layout cannot be read.
    """
    corpus = recipe.corpus
    if not corpus.manifest and not corpus.folder:
        raise RecipeError(
            f"The recipe {recipe.name!r} names no corpus.",
            'Write [corpus] folder = "path/to/recordings" in it, or manifest = "NAME" of a public corpus.',
        )
    manifest = load_corpus_manifest(corpus.manifest) if corpus.manifest else None
    reader = corpus.reader or (manifest.reader if manifest else ReaderSettings())
    if reader is None:
        notes = f" {_one_line(manifest.notes)}" if manifest else ""
        raise CorpusError(
            f"lowres cannot read the layout of the corpus {corpus.manifest!r} yet.{notes}",
            "Convert it to recordings with a transcript file beside each, or to one table, and say so in the recipe's "
            "corpus.reader.",
        )
    folder = recipe.corpus_folder() or _find_public(project, manifest, progress)
    if not folder.is_dir():
        raise CorpusError(
            f"There is no corpus folder {folder}.", "Correct corpus.folder in the recipe, or put the recordings there."
        )
    if reader.reader == "hf_dataset":
        # Its recordings are bytes in tables, and what comes after this reads files.
        unpacked = project / UNPACKED_FOLDER / _folder_name(recipe.name)
        unpack_parquet(folder, unpacked, reader)
        folder, reader = unpacked, replace(reader, reader="audio_folder", subfolder="", columns={})
    return LocatedCorpus(
        folder=folder,
        reader=reader,
        licence=corpus.licence or (manifest.licence if manifest else ""),
        consent=corpus.consent or (manifest.consent if manifest else ""),
        citation=corpus.citation or (manifest.citation if manifest else ""),
        source=corpus.source or (manifest.homepage if manifest else ""),
        subset_hashes=manifest.subset_hashes if manifest else {},
    )


def _folder_name(recipe: str) -> str:
    """Return a recipe's name as that of a folder, which leads nowhere else."""
    is_plain = recipe.isprintable() and recipe != ".." and Path(recipe).name == recipe
    return (recipe if is_plain else file_name(recipe)) or "corpus"


def _find_public(project: Path, manifest: CorpusManifest | None, progress: DownloadProgress) -> Path:
    if manifest is None:
        raise AssertionError("a recipe without a folder has a manifest")
    known = find_corpora_folder()
    own = project / "corpora"
    for place in (known, own):
        if place is not None and _has_files(place / manifest.folder):
            return place / manifest.folder
    target = known if known is not None and os.environ.get(CORPORA_VARIABLE) else own
    if manifest.downloads:
        return download_corpus(manifest, target, progress)
    raise CorpusError(
        f"The corpus {manifest.name!r} ({manifest.title}) is not on this machine and cannot be fetched by lowres.",
        f"{_one_line(manifest.how_to_get) or f'Get it from {manifest.homepage}.'} Put it in {target / manifest.folder} "
        f"or set {CORPORA_VARIABLE} to the folder that holds {manifest.folder}/.",
    )


def _has_files(folder: Path) -> bool:
    return folder.is_dir() and any(folder.iterdir())


def _one_line(text: str) -> str:
    """Join the lines of a longer text in a manifest: an error is one line, however long."""
    return " ".join(text.split())
