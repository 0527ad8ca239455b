"""One door to the formats of time-aligned text: a file in, its tiers out."""

from pathlib import Path, PurePath
from typing import Final

from lowres.annotation.audacity import read_audacity
from lowres.annotation.elan import read_elan
from lowres.annotation.flextext import read_flextext
from lowres.annotation.subtitles import read_srt, read_vtt
from lowres.annotation.textgrid import read_textgrid
from lowres.annotation.tiers import AnnotationFile
from lowres.annotation.toolbox import begins_as_toolbox, read_toolbox
from lowres.annotation.transcriber import read_transcriber
from lowres.errors import CorpusError

_READERS: Final = {
    ".eaf": read_elan,
    ".textgrid": read_textgrid,
    ".trs": read_transcriber,
    ".srt": read_srt,
    ".vtt": read_vtt,
    ".flextext": read_flextext,
    ".tbt": read_toolbox,
    ".sht": read_toolbox,
    ".sfm": read_toolbox,
}

ANNOTATION_SUFFIXES: Final = tuple(_READERS)
"""Endings of files, in lower case, that hold time-aligned text. Audacity calls its label tracks .txt, and Toolbox
its texts, which anything may be, so those are read only where they are asked for."""


def read_annotations(path: Path) -> AnnotationFile:
    """Read a file of the format that its ending names; `.txt` is Toolbox's if it begins so, else a label track.

    Raises:
        CorpusError: it is damaged, or no format has that ending.
    """
    suffix = PurePath(path).suffix.lower()
    reader = _READERS.get(suffix)
    if suffix == ".txt":
        reader = read_toolbox if begins_as_toolbox(path) else read_audacity
    if reader is None:
        raise CorpusError(
            f"{path} has an ending that no format of annotations has.",
            f"The endings are {', '.join(ANNOTATION_SUFFIXES)}, and .txt for Toolbox and for label tracks of Audacity.",
        )
    return reader(path)
