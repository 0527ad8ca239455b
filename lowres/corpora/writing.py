"""Writes a prepared corpus for other programs: one 16 kHz recording an utterance, and the tables that they read.

Everything goes into a folder of a temporary name that is renamed when it is complete: half a corpus is never seen.
"""

import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from uuid import uuid4

import soundfile

from lowres.audio.constants import SAMPLE_RATE
from lowres.audio.shards import ShardReader
from lowres.corpora.written_annotations import AnnotationLayout, write_annotated
from lowres.corpora.written_layouts import (
    TableLayout,
    WrittenUtterance,
    audio_folder_of,
    describe_row,
    split_of,
    write_layout_tables,
    written_name,
)
from lowres.corpora.written_names import FileNames, file_name
from lowres.errors import CorpusError
from lowres.manifest.corpus import CorpusInfo, PreparedCorpus

__all__ = ["CorpusLayout", "WriteProgress", "WrittenCorpus", "write_for"]

CorpusLayout = TableLayout | AnnotationLayout
AudioSuffix = Literal[".wav", ".flac"]
WriteProgress = Callable[[int, int], None]
"""Called with how many utterances are written and how many there are."""

_UNKNOWN_LANGUAGE = "und"


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
    name; a Hugging Face audio folder has one folder a split. For ELAN and Praat (TextGrid), utterances of one recording
    are together in one, at their times and with silence between them. Samples are those of the shards, bit for bit;
    transcripts are those that were written, before the recipe's rules. README.md says what may be done with it all.

    Args:
        corpus: with transcripts.
        target: the folder to write; not there yet, or empty.
        layout: which.
        audio_suffix: how recordings are stored; Kaldi reads ".wav" alone.
        progress: see `WriteProgress`.

    Raises:
        CorpusError: no transcripts, `target` has something in it, two ids become the same, a text that the format
            cannot hold, or the disk refused.
        AudioError: a shard is missing or too short.
    """
    corpus.require_transcripts()
    target = target.absolute()
    _demand_empty(target)
    if layout == "kaldi" and audio_suffix != ".wav":
        raise CorpusError(f"Kaldi does not read {audio_suffix} by itself.", "Write wav files for it.")
    if layout != "elan" and layout != "textgrid":
        _demand_distinct_ids(corpus, layout)
    partial = target.with_name(f".{target.name}.{uuid4().hex[:8]}.partial")
    try:
        utterances, notes = _fill_folder(corpus, partial, layout, audio_suffix, progress)
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


def _demand_distinct_ids(corpus: PreparedCorpus, layout: TableLayout) -> None:
    names: dict[str, str] = {}
    for key in corpus.table.loc[corpus.table["included"], "utterance_id"].tolist():
        first = names.setdefault(written_name(layout, key), key)
        if first != key:
            raise CorpusError(
                f"The ids {first!r} and {key!r} would both be written as {written_name(layout, key)!r}.",
                "Give one of them another id in the corpus, then prepare it again.",
            )


def _fill_folder(
    corpus: PreparedCorpus, folder: Path, layout: CorpusLayout, suffix: AudioSuffix, progress: WriteProgress
) -> tuple[list[WrittenUtterance], list[str]]:
    """Make the folder and write everything into it; return what was written, and what the layout could not say."""
    folder.mkdir(parents=True)
    if layout == "elan" or layout == "textgrid":
        utterances, notes = write_annotated(corpus, folder, layout, suffix, progress)
    else:
        utterances = list(_write_recordings(corpus, folder, layout, suffix, progress))
        notes = write_layout_tables(folder, layout, utterances)
    (folder / "README.md").write_text(_describe(corpus.info), encoding="utf-8", newline="\n")
    return utterances, notes


def _write_recordings(
    corpus: PreparedCorpus, folder: Path, layout: TableLayout, suffix: AudioSuffix, progress: WriteProgress
) -> Iterator[WrittenUtterance]:
    """Write one recording an utterance and yield what it was written as, in manifest order."""
    included = corpus.table.loc[corpus.table["included"] & (corpus.table["num_samples"] > 0)]
    shards, names = ShardReader(corpus.folder), FileNames()
    language = file_name(corpus.info.language) or _UNKNOWN_LANGUAGE
    row: Any  # the columns of the manifest are its attributes
    for number, row in enumerate(included.itertuples(index=False), start=1):
        audio = f"{audio_folder_of(layout, split_of(row), language)}/{names.choose(row.utterance_id)}{suffix}"
        path = folder / audio
        path.parent.mkdir(parents=True, exist_ok=True)
        samples = shards.read(row.shard, row.offset_samples, row.num_samples)
        soundfile.write(path, samples, SAMPLE_RATE, subtype="PCM_16")
        yield describe_row(row, audio)
        progress(number, len(included))


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
