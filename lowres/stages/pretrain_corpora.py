"""Where the corpora of a pretraining run lie: prepared in the project, or elsewhere already."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from lowres.errors import CorpusError
from lowres.manifest.corpus import CORPUS_FILE, CORPUS_FOLDER, PreparedCorpus, load_corpus
from lowres.manifest.schema import MANIFEST_COLUMNS
from lowres.manifest.typed_paths import expand_home
from lowres.training.pretrain_corpus import PretrainCorpus

PREPARED_FOLDER = "prepared"
"""In a project, where the corpora of `[[pretrain.corpora]]` are prepared, a folder each. Not `corpora/`, which holds
recordings that were downloaded."""


@dataclass(frozen=True)
class LocatedEntry:
    """One corpus to learn from, on this disk."""

    entry: PretrainCorpus
    name: str
    """What to call it; "" takes the name in its corpus.json."""

    folder: Path
    """The prepared corpus: corpus.json is in it, or should be."""


def prepared_folder(project: Path, entry: PretrainCorpus) -> Path:
    """Return where `lowres prepare` puts the corpus of an entry that names a recipe."""
    return project / PREPARED_FOLDER / entry.called


def locate_entries(project: Path, entries: Sequence[PretrainCorpus]) -> tuple[LocatedEntry, ...]:
    """Say where each corpus should be; without entries it is the project's own."""
    if not entries:
        return (LocatedEntry(PretrainCorpus(folder=CORPUS_FOLDER), "", project / CORPUS_FOLDER),)
    return tuple(LocatedEntry(entry, entry.called, _folder_of(project, entry)) for entry in entries)


def load_entry(located: LocatedEntry, columns: Collection[str] = MANIFEST_COLUMNS) -> PreparedCorpus:
    """Load one corpus, or some columns of its manifest.

    Raises:
        CorpusError: it is not there (says what would prepare it), or is damaged.
    """
    if located.folder.joinpath(CORPUS_FILE).is_file() or not located.name:
        return load_corpus(located.folder, columns)
    hint = "Run `lowres prepare`: it prepares every corpus that [[pretrain.corpora]] names by a recipe."
    if located.entry.folder:
        hint = "pretrain.corpora's folder must name a prepared corpus, or a project that holds one in its corpus/."
    raise CorpusError(
        f"The corpus {located.name!r} is not prepared: there is no {CORPUS_FILE} in {located.folder}.", hint
    )


def _folder_of(project: Path, entry: PretrainCorpus) -> Path:
    if entry.recipe:
        return prepared_folder(project, entry)
    folder = project / expand_home(entry.folder)
    inside = folder / CORPUS_FOLDER
    return inside if not (folder / CORPUS_FILE).is_file() and (inside / CORPUS_FILE).is_file() else folder
