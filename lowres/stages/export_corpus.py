"""export, for corpora: a project's prepared corpus in the layout that another program reads."""

from pathlib import Path

from lowres.corpora.writing import CorpusLayout, WriteProgress, WrittenCorpus, write_for
from lowres.errors import CorpusError, RecipeError
from lowres.manifest.corpus import CORPUS_FOLDER, load_corpus
from lowres.recipe import load_recipe


def export_corpus(
    project: Path,
    target: Path,
    to: CorpusLayout,
    *,
    progress: WriteProgress = lambda _done, _total: None,
) -> WrittenCorpus:
    """Write a project's prepared corpus for another program.

    Args:
        project: the project folder.
        target: the folder to write; not there yet, or empty.
        to: the layout: "kaldi", "lhotse", "common_voice", "audio_folder", "elan" or "textgrid".
        progress: called with how many utterances are written and how many there are.

    Raises:
        CorpusError: nothing is prepared, the corpus has no transcripts, `target` has something in it or is in the
            folder of the recordings, two ids become the same, or the disk refused.
        AudioError: a shard is missing or too short.
    """
    recordings = _recordings_folder(project)
    if recordings is not None and target.resolve().is_relative_to(recordings):
        raise CorpusError(
            f"{target} is in the folder of the recordings, where `lowres prepare` would read them a second time.",
            f"Name a folder outside of {recordings}.",
        )
    return write_for(load_corpus(project / CORPUS_FOLDER), target, to, progress=progress)


def _recordings_folder(project: Path) -> Path | None:
    """Return the folder of the recordings that the project's recipe names; None where none says so."""
    try:
        folder = load_recipe(project=project).corpus_folder()
    except RecipeError:  # a corpus may be written without one
        return None
    return folder and folder.resolve()
