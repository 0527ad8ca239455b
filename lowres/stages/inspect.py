"""inspect: what a prepared corpus holds, what its checks found and how that sounds, as a page that opens offline."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from lowres.annotation.tiers import split_tier_name
from lowres.corpora.catalog import load_corpus_manifest
from lowres.corpora.settings import ReaderSettings
from lowres.manifest.checks import read_checks
from lowres.manifest.corpus import CORPUS_FOLDER, PreparedCorpus, load_corpus
from lowres.recipe import Recipe
from lowres.report.data_contents import DataContents
from lowres.report.data_figures import gather_data
from lowres.report.data_page import write_data_report
from lowres.report.writing import PAGE_FILE, link_pages
from lowres.stages.embed_clips import embed_clips

DATA_FOLDER: Final = Path("reports", "data")
"""Where in a project the data report is written."""

ORTHOGRAPHY_FOLDER: Final = Path("reports", "orthography")


@dataclass(frozen=True)
class InspectResult:
    """A data report: what it says, its page, how many recordings that holds, and its size in bytes."""

    contents: DataContents
    page: Path
    num_embedded: int
    page_bytes: int
    owner: Path | None
    """The project whose own corpus it is; None for a prepared corpus elsewhere."""


def inspect_corpus(
    project: Path, recipe: Recipe, *, folder: Path | None = None, with_recordings: bool = True
) -> InspectResult:
    """Write the data report of a prepared corpus: reports/data/report.html and report.json.

    Args:
        project: the project folder.
        recipe: says whether the corpus has tiers and an alphabet, if it is the one that prepared the corpus.
        folder: another prepared corpus than the project's own; its report goes to reports/data-NAME, by the name of the
            folder, or of the project whose own corpus it is.
        with_recordings: whether the page holds recordings of what the checks found.

    Raises:
        CorpusError: there is no prepared corpus, or it is damaged.
        LowresError: the report cannot be written.
    """
    corpus = load_corpus(folder or project / CORPUS_FOLDER)
    is_own = recipe.name == corpus.info.recipe_name
    contents = gather_data(
        corpus,
        read_checks(corpus.folder),
        tiers=_tiers(corpus, recipe) if is_own else (),
        language=recipe.language.name if is_own else "",
        alphabet=bool(recipe.text.alphabet) or not is_own,
    )
    wanted = [offender.utterance_id for offender in contents.offenders()]
    recordings = embed_clips(corpus.folder, corpus.table, wanted) if with_recordings else {}
    owner = project if folder is None else _owner_of(folder.resolve())
    name = "" if folder is None else f"-{(owner or folder.resolve()).name}"
    target = project / DATA_FOLDER.with_name(DATA_FOLDER.name + name)
    num_bytes = write_data_report(target, contents, recordings)
    if folder is None:
        link_corpus_pages(project)
    return InspectResult(contents, target / PAGE_FILE, len(recordings), num_bytes, owner)


def _owner_of(corpus_folder: Path) -> Path | None:
    return corpus_folder.parent if corpus_folder.name == CORPUS_FOLDER and corpus_folder.parent.name else None


def link_corpus_pages(project: Path) -> None:
    """Let the data report and the orthography audit of a project name each other, where both are there.

    Raises:
        LowresError: a page cannot be written.
    """
    link_pages(
        (project / DATA_FOLDER / PAGE_FILE, "The data report: hours, speakers, what the checks found"),
        (project / ORTHOGRAPHY_FOLDER / PAGE_FILE, "The orthography audit: letters, marks, suggested rules"),
    )


def _tiers(corpus: PreparedCorpus, recipe: Recipe) -> list[str]:
    """Name the tier of every utterance; none where the layout has no tiers."""
    reader = recipe.corpus.reader
    if reader is None and recipe.corpus.manifest:
        reader = load_corpus_manifest(recipe.corpus.manifest).reader
    reader = reader or ReaderSettings()
    if reader.reader != "annotated":
        return []
    return [split_tier_name(_tier_in(name, reader.tiers))[0] for name in corpus.table["utterance_id"].tolist()]


def _tier_in(utterance_id: str, tiers: Sequence[str]) -> str:
    """Take the tier out of file/tier/times; a name with a slash in it is told by the tiers of the recipe alone."""
    place = utterance_id.rpartition("/")[0]
    return next((tier for tier in tiers if place.endswith(f"/{tier}")), place.rpartition("/")[2])
