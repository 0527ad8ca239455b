"""Writes a prepared corpus for other programs: one 16 kHz recording an utterance, and the tables that they read.

Everything goes into a folder of a temporary name that is renamed when it is complete: half a corpus is never seen.
"""

import re
import shutil
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from uuid import uuid4

import soundfile

from lowres.audio.constants import SAMPLE_RATE
from lowres.audio.shards import ShardReader
from lowres.corpora.written_layouts import (
    CorpusLayout,
    WrittenUtterance,
    audio_folder_of,
    write_layout_tables,
    written_name,
)
from lowres.errors import CorpusError
from lowres.manifest.corpus import CorpusInfo, PreparedCorpus
from lowres.manifest.settings import OTHER

__all__ = ["CorpusLayout", "WriteProgress", "WrittenCorpus", "write_for"]

AudioSuffix = Literal[".wav", ".flac"]
WriteProgress = Callable[[int, int], None]
"""Called with how many utterances are written and how many there are."""

_LONGEST_NAME_BYTES = 120
_UNKNOWN_LANGUAGE = "und"
_WINDOWS_DEVICE = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\.|$)", re.IGNORECASE)


@dataclass(frozen=True)
class WrittenCorpus:
    """What was written.

    Attributes:
        folder: the folder.
        layout: of it.
        utterances_per_split: how many there are of each split that has any.
        num_excluded: rows of the manifest that `prepare` had set aside, which are not written.
        seconds: of speech.
        notes: sentences on what the layout could not say as it was.
    """

    folder: Path
    layout: CorpusLayout
    utterances_per_split: dict[str, int]
    num_excluded: int
    seconds: float
    notes: tuple[str, ...]


def write_for(
    corpus: PreparedCorpus,
    target: Path,
    layout: CorpusLayout,
    *,
    audio_suffix: AudioSuffix = ".wav",
    progress: WriteProgress = lambda _done, _total: None,
) -> WrittenCorpus:
    """Write the included utterances of a prepared corpus in another program's layout.

    Kaldi's data directories are in data/, with paths that start from `target`; lhotse's manifests are pairs of
    recordings_SPLIT.jsonl.gz and supervisions_SPLIT.jsonl.gz; Common Voice's release is in a folder of the language's
    name; a Hugging Face audio folder has one folder a split. Samples are those of the shards, bit for bit; transcripts
    are those that were written, before the recipe's rules. README.md says what may be done with it all.

    Args:
        corpus: with transcripts.
        target: the folder to write; not there yet, or empty.
        layout: which.
        audio_suffix: how recordings are stored; Kaldi reads ".wav" alone.
        progress: see `WriteProgress`.

    Raises:
        CorpusError: no transcripts, `target` has something in it, two ids become the same, or the disk refused.
        AudioError: a shard is missing or too short.
    """
    corpus.require_transcripts()
    target = target.absolute()
    _demand_empty(target)
    if layout == "kaldi" and audio_suffix != ".wav":
        raise CorpusError(f"Kaldi does not read {audio_suffix} by itself.", "Write wav files for it.")
    _demand_distinct_ids(corpus, layout)
    partial = target.with_name(f".{target.name}.{uuid4().hex[:8]}.partial")
    try:
        partial.mkdir(parents=True)
        utterances = list(_write_recordings(corpus, partial, layout, audio_suffix, progress))
        notes = write_layout_tables(partial, layout, utterances)
        (partial / "README.md").write_text(_describe(corpus.info), encoding="utf-8", newline="\n")
        if target.is_dir():
            target.rmdir()
        partial.rename(target)
    except (OSError, soundfile.SoundFileError) as error:
        reason = getattr(error, "strerror", None) or error
        raise CorpusError(
            f"Could not write {target}: {reason}.", "Free some space or choose another folder."
        ) from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return WrittenCorpus(
        folder=target,
        layout=layout,
        utterances_per_split=dict(Counter(utterance.split for utterance in utterances)),
        num_excluded=len(corpus.table) - len(utterances),
        seconds=sum(utterance.num_samples for utterance in utterances) / SAMPLE_RATE,
        notes=tuple(notes),
    )


def _demand_empty(target: Path) -> None:
    if target.is_dir() and not any(target.iterdir()):
        return
    if target.exists() or target.is_symlink():
        raise CorpusError(f"{target} exists already.", "Name a folder that is not there yet, or is empty.")


def _demand_distinct_ids(corpus: PreparedCorpus, layout: CorpusLayout) -> None:
    names: dict[str, str] = {}
    for key in corpus.table.loc[corpus.table["included"], "utterance_id"].tolist():
        first = names.setdefault(written_name(layout, key), key)
        if first != key:
            raise CorpusError(
                f"The ids {first!r} and {key!r} would both be written as {written_name(layout, key)!r}.",
                "Give one of them another id in the corpus, then prepare it again.",
            )


def _write_recordings(
    corpus: PreparedCorpus, folder: Path, layout: CorpusLayout, suffix: AudioSuffix, progress: WriteProgress
) -> Iterator[WrittenUtterance]:
    """Write one recording an utterance and yield what it was written as, in manifest order."""
    included = corpus.table.loc[corpus.table["included"] & (corpus.table["num_samples"] > 0)]
    shards, names = ShardReader(corpus.folder), FileNames()
    language = _file_name(corpus.info.language) or _UNKNOWN_LANGUAGE
    row: Any  # the columns of the manifest are its attributes
    for number, row in enumerate(included.itertuples(index=False), start=1):
        split = row.split or OTHER
        audio = f"{audio_folder_of(layout, split, language)}/{names.choose(row.utterance_id)}{suffix}"
        path = folder / audio
        path.parent.mkdir(parents=True, exist_ok=True)
        samples = shards.read(row.shard, row.offset_samples, row.num_samples)
        soundfile.write(path, samples, SAMPLE_RATE, subtype="PCM_16")
        yield WrittenUtterance(
            utterance_id=_whole(row.utterance_id),
            split=split,
            speaker=_whole(row.speaker),
            language=_whole(row.language),
            text=_whole(row.raw_text),
            audio=audio,
            num_samples=row.num_samples,
        )
        progress(number, len(included))


def _whole(text: str) -> str:
    """Return a text with bytes that were no UTF-8 when it was read marked as such: no program could read them."""
    return text.encode(errors="surrogateescape").decode(errors="replace")


class FileNames:
    """Names for files, each once, even where capitals and the form of accents make no difference."""

    def __init__(self) -> None:
        self._used: set[str] = set()

    def choose(self, utterance_id: str) -> str:
        """Return a name without suffix that says which utterance it is and that every system can have."""
        stem = _file_name(utterance_id) or "utterance"
        name, number = stem, 1
        while name.casefold() in self._used:
            number += 1
            name = f"{stem}_{number}"
        self._used.add(name.casefold())
        return name


def _file_name(text: str) -> str:
    """Keep letters with their marks, digits, dots and hyphens; anything else becomes `_`."""
    normal = unicodedata.normalize("NFC", text)
    kept = "".join(one if one in ".-_" or unicodedata.category(one)[0] in "LMN" else "_" for one in normal)
    short = re.sub(r"_+", "_", kept).encode()[:_LONGEST_NAME_BYTES].decode(errors="ignore")
    # A hidden file is no part of a corpus, and Windows has no name that ends in a dot, or is a device's.
    name = short.strip("._-")
    return f"_{name}" if _WINDOWS_DEVICE.match(name) else name


def _describe(info: CorpusInfo) -> str:
    """Say in README.md what the corpus is and what may be done with it."""
    hours = ", ".join(f"{split} {hours:.2f} h" for split, hours in info.hours_per_split.items() if hours)
    stated = {
        "Language": info.language,
        "Speech": hours,
        "Licence": info.licence or "not stated",
        "Consent": info.consent or "not stated",
        "Source": info.source,
        "Citation": info.citation,
        "Spoken by": "a machine (synthetic speech)" if info.synthetic else "",
    }
    facts = [f"* {name}: {' '.join(value.split())}" for name, value in stated.items() if value]
    warnings = [f"* {warning}" for warning in info.warnings]
    known = ["", "What to know of it:", "", *warnings] if warnings else []
    return "\n".join([f"# {info.name}", "", *facts, *known, "", f"Written by lowres {info.created_with}.", ""])
