"""prepare, step 3: what people corrected in `lowres studio` takes the place of the corpus's own transcripts."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from lowres.corpora.reading import CorpusReading
from lowres.manifest.corpus import CORPUS_FOLDER
from lowres.manifest.corrections import CORRECTIONS_FILE, apply_corrections, read_corrections
from lowres.manifest.overlap import count

_NUM_NAMED: Final = 10


def correct_reading(reading: CorpusReading, project: Path, target: Path) -> CorpusReading:
    """Apply the corrections of a project to what was read of its own corpus; other corpora have none.

    Args:
        reading: as the reader found it. project: the folder. target: where the prepared corpus goes.

    Returns:
        The reading with corrected transcripts, with sentences on what was corrected and what could not be, and with the
        utterances whose correction the corpus has taken over.

    Raises:
        CorpusError: the history of corrections is damaged.
    """
    if target != project / CORPUS_FOLDER:
        return reading
    applied = apply_corrections(reading.rows, read_corrections(project))
    notes = list(reading.notes)
    if applied.num_applied:
        notes.append(
            f"{count(applied.num_applied, 'transcript')} taken as corrected in `lowres studio` ({CORRECTIONS_FILE}), "
            "not as the corpus has it."
        )
    if applied.outdated:
        names = [one.utterance_id for one in applied.outdated]
        notes.append(
            f"{count(len(names), 'transcript')} changed in the corpus itself after the correction in `lowres studio` "
            f"({_name(names)}): taken as the corpus has it now."
        )
    if applied.missing:
        notes.append(
            f"{count(len(applied.missing), 'utterance')} corrected in `lowres studio` and no longer in the corpus "
            f"({_name(applied.missing)})."
        )
    return replace(reading, rows=applied.rows, notes=notes, taken_over=applied.taken_over)


def _name(names: Sequence[str]) -> str:
    return ", ".join(names[:_NUM_NAMED]) + (", ..." if len(names) > _NUM_NAMED else "")
