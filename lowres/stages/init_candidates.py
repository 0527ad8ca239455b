"""What in a folder of recordings may hold the transcripts, where there is a choice: files beside them, or tables."""

from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final

from lowres.annotation.formats import ANNOTATION_SUFFIXES
from lowres.corpora.files import CorpusFiles
from lowres.corpora.settings import AUDIO_SUFFIXES, ReaderSettings
from lowres.stages.init_signs import lists_transcripts, stems_of

TABLE_SUFFIXES: Final = (".csv", ".tsv")

_NUM_EXAMPLES, _MOST_BYTES, _MOST_LOOKED_INTO = 5, 20_000, 25
_NO_TRANSCRIPTS: Final = (*AUDIO_SUFFIXES, *ANNOTATION_SUFFIXES, *TABLE_SUFFIXES, ".json", ".pfsx", ".xml", ".pdf")


@dataclass(frozen=True)
class Sidecar:
    """A kind of file that stands beside recordings: the ending of their names, how many, and what is in some."""

    ending: str
    num_files: int
    examples: tuple[str, ...]


def list_sidecars(folder: Path, files: Sequence[Path]) -> list[Sidecar]:
    """List the kinds of text that stand beside recordings under the same name, the most frequent first.

    Args:
        folder: what links lead out of it to is not opened.
        files: of the folder, recordings and all.
    """
    stems = {str(stem) for stem in stems_of(files)}
    found: dict[str, list[Path]] = {}
    for path in files:
        if (ending := _ending_behind(stems, path)) and not ending.lower().endswith(_NO_TRANSCRIPTS):
            found.setdefault(ending, []).append(path)
    most = max(map(len, found.values()), default=0)
    listed = [
        Sidecar(ending, len(paths), _read_some(folder, paths))
        for ending, paths in found.items()
        if 2 * len(paths) > most
    ]
    # Where they are all so long, or empty, that none can be shown, they are what there is nevertheless.
    shown = [one for one in listed if one.examples] or listed
    return sorted(shown, key=lambda one: (-one.num_files, len(one.ending)))


def list_tables(folder: Path, files: Sequence[Path]) -> list[str]:
    """List the tables of a folder, those that list transcripts of its recordings before those of other things.

    Where there is one for each split, all of these come first, as one, with {split}.

    Args:
        folder: what links lead out of it to is not opened.
        files: of the folder, recordings and all.
    """
    tables = [path.relative_to(folder) for path in files if path.suffix.lower() in TABLE_SUFFIXES]
    stems, inside = stems_of(files), CorpusFiles(folder)
    if len(tables) <= _MOST_LOOKED_INTO:
        tables.sort(
            key=lambda path: not (inside.is_inside(path.as_posix()) and lists_transcripts(folder / path, stems))
        )
    settings = ReaderSettings()
    patterns = Counter(
        path.with_name(f"{{split}}{path.suffix}").as_posix() for path in tables if settings.split_for(path.stem)
    )
    together = [pattern for pattern, number in patterns.items() if number > 1]
    return [*together, *(path.as_posix() for path in tables)]


def _ending_behind(stems: set[str], path: Path) -> str:
    """Return what a file's name has behind that of a recording; "" where it does not begin as one."""
    dots = [place for place, character in enumerate(path.name) if character == "." and place]
    for place in dots:
        if str(path.with_name(path.name[:place])) in stems:
            return path.name[place:]
    return ""


def _read_some(folder: Path, paths: Sequence[Path]) -> tuple[str, ...]:
    inside = CorpusFiles(folder)
    some = (path for path in paths[:_MOST_LOOKED_INTO] if inside.is_inside(path.relative_to(folder).as_posix()))
    texts = (_read(path) for path in some if path.is_file())
    return tuple(islice((" ".join(text.split()) for text in texts if text.strip()), _NUM_EXAMPLES))


def _read(path: Path) -> str:
    """Return a small file's text; "" where it is none."""
    try:
        if path.stat().st_size > _MOST_BYTES:
            return ""
        contents = path.read_bytes()
    except OSError:
        return ""
    # What Windows calls Unicode; no other text has zero bytes.
    encoding = "utf-16" if contents.startswith((BOM_UTF16_LE, BOM_UTF16_BE)) else "utf-8-sig"
    text = contents.decode(encoding, errors="replace")
    return "" if "\x00" in text else text
