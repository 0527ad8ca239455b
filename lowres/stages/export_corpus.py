"""export, for corpora: a project's prepared corpus in the layout that another program reads."""

from pathlib import Path

from lowres.corpora.writing import CorpusLayout, WriteProgress, WrittenCorpus, write_for
from lowres.manifest.corpus import CORPUS_FOLDER, load_corpus


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
        CorpusError: nothing is prepared, the corpus has no transcripts, `target` has something in it, two ids become
            the same, or the disk refused.
        AudioError: a shard is missing or too short.
    """
    return write_for(load_corpus(project / CORPUS_FOLDER), target, to, progress=progress)
