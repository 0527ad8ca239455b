"""A prepared corpus as recordings with their annotations beside them, for ELAN or Praat: one file a recording.

What was cut from a long recording comes together again at its own times. Tiers are called `transcript@SPEAKER`, which
lowres reads back (`reader = "annotated"`) with nothing more to say.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
import pandas as pd
import soundfile

from lowres.annotation.elan_writing import write_elan
from lowres.annotation.textgrid import write_textgrid
from lowres.annotation.tiers import Annotation, AnnotationFile, MediaLink, Tier
from lowres.audio.constants import SAMPLE_RATE
from lowres.audio.shards import Int16Array, ShardReader
from lowres.corpora.written_layouts import WrittenUtterance, describe_row, split_of
from lowres.corpora.written_names import FileNames, whole_text
from lowres.manifest.corpus import PreparedCorpus

AnnotationLayout = Literal["elan", "textgrid"]

TRANSCRIPT_TIER: Final = "transcript"
MIXED_FOLDER: Final = "mixed"
"""Of recordings whose utterances are of several splits."""

_ENDINGS: Final = {"elan": ".eaf", "textgrid": ".TextGrid"}
# ELAN's files say when they were made; the same corpus gives the same bytes, whenever it is written.
_WRITTEN: Final = datetime(2000, 1, 1, tzinfo=UTC)
_SILENT_BLOCK: Final = np.zeros(10 * SAMPLE_RATE, dtype=np.int16)


@dataclass(frozen=True)
class AnnotatedRecording:
    """One recording as it will be written.

    Attributes:
        name: of its files, without their endings; posix, relative to the written folder.
        rows: its utterances, as positions in the table, by the time they begin.
        starts: the sample that each of them begins with in the recording, at 16 kHz.
        tiers: one a speaker, or several where somebody's utterances overlap.
    """

    name: str
    rows: tuple[int, ...]
    starts: tuple[int, ...]
    tiers: tuple[Tier, ...]


def plan_recordings(table: pd.DataFrame, *, apart: frozenset[str] = frozenset()) -> list[AnnotatedRecording]:
    """Put utterances of one recording together, at their times in it, which are those of its samples at 16 kHz.

    Args:
        table: the rows to be written of a manifest.
        apart: recordings (audio_path) whose utterances are written one by one all the same, from 0 s on.
    """
    rows: list[Any] = list(table.itertuples(index=False))
    groups: dict[str, list[int]] = {}
    for position, row in enumerate(rows):
        groups.setdefault(f"\0{position}" if row.audio_path in apart else row.audio_path, []).append(position)
    names: dict[str, FileNames] = {}
    planned = []
    for path, positions in groups.items():
        positions.sort(key=lambda position: (rows[position].start_seconds, position))
        first = rows[positions[0]]
        is_cut = not path.startswith("\0") and (len(positions) > 1 or first.start_seconds > 0)
        splits = {split_of(rows[position]) for position in positions}
        folder = splits.pop() if len(splits) == 1 else MIXED_FOLDER
        stem = path.rpartition(".")[0] or path if is_cut else first.utterance_id
        starts = [round(rows[position].start_seconds * SAMPLE_RATE) if is_cut else 0 for position in positions]
        name = f"{folder}/{names.setdefault(folder, FileNames()).choose(stem)}"
        tiers = _make_tiers([rows[position] for position in positions], starts)
        planned.append(AnnotatedRecording(name, tuple(positions), tuple(starts), tiers))
    return planned


def write_annotation_file(recording: AnnotatedRecording, folder: Path, layout: AnnotationLayout, audio: str) -> Path:
    """Write the file of annotations of one recording and return where it is.

    Args:
        recording: as planned.
        folder: the written folder; the recording's own folder in it is there.
        layout: "elan" or "textgrid".
        audio: the name of the recording's file, beside which this one goes.

    Raises:
        CorpusError: a text or a speaker's name holds what the format cannot, or the disk refused.
    """
    path = folder / f"{recording.name}{_ENDINGS[layout]}"
    match layout:
        case "elan":
            media = (MediaLink("", f"./{audio}"),)
            write_elan(AnnotationFile(_number_names(recording.tiers), media), path, written=_WRITTEN)
        case "textgrid":
            write_textgrid(AnnotationFile(recording.tiers), path)
    return path


def write_annotated(
    corpus: PreparedCorpus, folder: Path, layout: AnnotationLayout, suffix: str, progress: Callable[[int, int], None]
) -> tuple[list[WrittenUtterance], list[str]]:
    """Write every recording with its annotations.

    Args:
        corpus: with transcripts. folder: where to. layout: "elan" or "textgrid". suffix: ".wav" or ".flac".
        progress: called with how many utterances are written and how many there are.

    Returns:
        The utterances in the order in which they were written, and what whoever uses the folder must know.

    Raises:
        CorpusError: a text holds what the format cannot. AudioError: a shard is missing. OSError: the disk refused.
    """
    table = corpus.table.loc[corpus.table["included"] & (corpus.table["num_samples"] > 0)].reset_index(drop=True)
    rows: list[Any] = list(table.itertuples(index=False))
    shards = ShardReader(corpus.folder)

    def read(position: int) -> Int16Array:
        return shards.read(rows[position].shard, rows[position].offset_samples, rows[position].num_samples)

    together = plan_recordings(table)
    apart = frozenset(rows[one.rows[0]].audio_path for one in together if _differ(one, read))
    planned = plan_recordings(table, apart=apart) if apart else together
    written: list[WrittenUtterance] = []
    silent = 0
    for recording in planned:
        audio = f"{recording.name}{suffix}"
        (folder / audio).parent.mkdir(parents=True, exist_ok=True)
        silent += _write_sound(recording, folder / audio, read) > 0
        write_annotation_file(recording, folder, layout, audio.rpartition("/")[2])
        for position in recording.rows:
            written.append(describe_row(rows[position], audio))
            progress(len(written), len(rows))
    return written, list(_notes(planned, len(apart), silent))


def _make_tiers(rows: Sequence[Any], starts: Sequence[int]) -> tuple[Tier, ...]:
    """Give each speaker a tier, and another one for what begins before the tier has ended."""
    tiers: dict[str, list[list[Annotation]]] = {}
    for row, start in zip(rows, starts, strict=True):
        stretch = Annotation(
            start / SAMPLE_RATE, (start + row.num_samples) / SAMPLE_RATE, whole_text(row.raw_text).strip("\r\n")
        )
        layers = tiers.setdefault(whole_text(row.speaker), [])
        free = next((one for one in layers if one[-1].end_seconds <= stretch.start_seconds), None)
        if free is None:
            layers.append([stretch])
        else:
            free.append(stretch)
    languages = {row.language for row in rows}
    return tuple(
        Tier(
            name=f"{TRANSCRIPT_TIER}@{speaker}" if speaker else TRANSCRIPT_TIER,
            annotations=tuple(layer),
            participant=speaker,
            linguistic_type="utterance",
            language=languages.copy().pop() if len(languages) == 1 else "",
        )
        for speaker, layers in tiers.items()
        for layer in layers
    )


def _number_names(tiers: Sequence[Tier]) -> tuple[Tier, ...]:
    """Number tiers of one name from the second on: ELAN, unlike Praat, needs different names."""
    used: set[str] = set()
    numbered = []
    for tier in tiers:
        name, number = tier.name, 1
        while name in used:
            number += 1
            name = f"{tier.name} ({number})"
        used.add(name)
        numbered.append(replace(tier, name=name))
    return tuple(numbered)


def _differ(recording: AnnotatedRecording, read: Callable[[int], Int16Array]) -> bool:
    """Return whether two utterances that overlap sound different where they do: they are of different channels."""
    reached, last = 0, -1
    for number, (position, start) in enumerate(zip(recording.rows, recording.starts, strict=True)):
        samples = read(position)
        if last >= 0 and start < reached:
            before = read(recording.rows[last])[start - recording.starts[last] :]
            shared = min(len(before), len(samples))
            if not np.array_equal(before[:shared], samples[:shared]):
                return True
        if start + len(samples) > reached:
            reached, last = start + len(samples), number
    return False


def _write_sound(recording: AnnotatedRecording, path: Path, read: Callable[[int], Int16Array]) -> int:
    """Write the utterances at their times, silence between them; return how many samples of silence there are."""
    reached = silent = 0
    with soundfile.SoundFile(path, "w", SAMPLE_RATE, 1, subtype="PCM_16") as file:
        for position, start in zip(recording.rows, recording.starts, strict=True):
            missing = max(0, start - reached)
            silent += missing
            for done in range(0, missing, len(_SILENT_BLOCK)):
                file.write(_SILENT_BLOCK[: missing - done])
            samples = read(position)
            file.write(samples[max(0, reached - start) :])
            reached = max(reached, start + len(samples))
    return silent


def _notes(planned: Sequence[AnnotatedRecording], num_apart: int, num_silent: int) -> Iterator[str]:
    mixed = sum(one.name.startswith(f"{MIXED_FOLDER}/") for one in planned)
    if num_silent:
        yield (
            f"{num_silent} recordings are silent wherever nothing was transcribed: only the utterances were prepared, "
            "not what lies between them."
        )
    if mixed:
        yield f"{mixed} recordings hold utterances of several splits and are in {MIXED_FOLDER}/, which tells none."
    if num_apart:
        yield (
            f"{num_apart} recordings have utterances that overlap on different channels; those are written one by one."
        )
