"""The tables of corpora that are written for other programs: Kaldi, lhotse, Common Voice, Hugging Face audio folders.

Everything here writes into a folder whose recordings are written already; `lowres.corpora.writing` is the door.
"""

import csv
import gzip
import io
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Literal, assert_never

from lowres.audio.constants import SAMPLE_RATE
from lowres.corpora.written_names import whole_text
from lowres.manifest.settings import OTHER

TableLayout = Literal["kaldi", "lhotse", "common_voice", "audio_folder"]

COMMON_VOICE_COLUMNS = (
    "client_id", "path", "sentence", "up_votes", "down_votes", "age", "gender", "accents", "locale", "segment",
    "utterance_id",
)  # fmt: skip
_AUDIO_FOLDER_COLUMNS = ("file_name", "transcription", "speaker_id", "language", "utterance_id")
_AUDIO_FOLDER_SPLITS: Mapping[str, str] = {"dev": "validation"}


@dataclass(frozen=True)
class WrittenUtterance:
    """One utterance as it stands in the written corpus.

    Attributes:
        utterance_id, speaker, language, text: as in the manifest; `text` is the transcript as it was written.
        split: "train", "dev", "test" or "other".
        audio: its recording, posix, relative to the written folder.
        num_samples: of the recording, at 16 kHz.
    """

    utterance_id: str
    split: str
    speaker: str
    language: str
    text: str
    audio: str
    num_samples: int


def describe_row(row: Any, audio: str) -> WrittenUtterance:
    """Say how a row of the manifest is written.

    Args:
        row: the columns of the manifest are its attributes.
        audio: its recording, posix, relative to the written folder.
    """
    return WrittenUtterance(
        utterance_id=whole_text(row.utterance_id),
        split=split_of(row),
        speaker=whole_text(row.speaker),
        language=whole_text(row.language),
        text=whole_text(row.raw_text),
        audio=audio,
        num_samples=row.num_samples,
    )


def split_of(row: Any) -> str:
    """Return the split that a row of the manifest is written in: "other" where it has none."""
    return str(row.split) or OTHER


def audio_folder_of(layout: TableLayout, split: str, language: str) -> str:
    """Return where the recordings of a split go, relative to the written folder.

    Args:
        layout: which.
        split: "train", "dev", "test" or "other".
        language: the name of Common Voice's folder of the language.
    """
    match layout:
        case "kaldi" | "lhotse":
            return "audio"
        case "common_voice":
            return f"{language}/clips"
        case "audio_folder":
            return _AUDIO_FOLDER_SPLITS.get(split, split)
        case _:
            assert_never(layout)


def write_layout_tables(folder: Path, layout: TableLayout, utterances: Sequence[WrittenUtterance]) -> list[str]:
    """Write the tables of a layout, and return sentences on what they could not say as it was.

    Args:
        folder: the written folder, with its recordings in it.
        layout: which.
        utterances: of all splits; a split without any gets no table.

    Raises:
        OSError: the disk is full or refuses.
    """
    per_split: dict[str, list[WrittenUtterance]] = {}
    for utterance in utterances:
        per_split.setdefault(utterance.split, []).append(utterance)
    notes: list[str] = []
    for split, members in per_split.items():
        match layout:
            case "kaldi":
                _write_kaldi(folder / "data" / split, members)
            case "lhotse":
                _write_lhotse(folder, split, members)
            case "common_voice":
                _write_common_voice((folder / members[0].audio).parent.parent / f"{split}.tsv", members)
            case "audio_folder":
                _write_audio_folder((folder / members[0].audio).parent / "metadata.csv", members)
            case _:
                assert_never(layout)
    notes += _note_names(layout, utterances)
    if layout == "kaldi" and not all(utterance.speaker for utterance in utterances):
        unknown = sum(not utterance.speaker for utterance in utterances)
        notes.append(
            f"{unknown} utterances have no speaker and are missing in utt2spk; Kaldi itself wants a line for each, "
            "with the utterance's own id where nobody knows."
        )
    if layout != "lhotse":
        changed = sum(_one_line(utterance.text) != utterance.text for utterance in utterances)
        notes += [f"{changed} transcripts lost line breaks, tabs or space at their ends."] if changed else []
    return notes


def written_name(layout: TableLayout, name: str) -> str:
    """Return an id or a speaker as a layout can have it: for Kaldi without white space, in tables on one line."""
    match layout:
        case "kaldi":
            return re.sub(r"[\s\x00-\x1f\x7f]+", "_", name)
        case "common_voice" | "audio_folder":
            return _one_line(name)
        case "lhotse":
            return name
        case _:
            assert_never(layout)


def _write_kaldi(directory: Path, utterances: Sequence[WrittenUtterance]) -> None:
    """Write a data directory, sorted by bytes as Kaldi's tools demand; paths start from the written folder."""
    directory.mkdir(parents=True)
    listed = sorted(
        ((written_name("kaldi", one.utterance_id), one) for one in utterances), key=lambda pair: pair[0].encode()
    )
    speakers: dict[str, list[str]] = {}
    for key, utterance in listed:
        if utterance.speaker:
            speakers.setdefault(written_name("kaldi", utterance.speaker), []).append(key)
    of_speaker = sorted(speakers.items(), key=lambda pair: pair[0].encode())
    _write_lines(directory / "wav.scp", (f"{key} {one.audio}" for key, one in listed))
    _write_lines(directory / "text", (f"{key} {_one_line(one.text)}" for key, one in listed))
    _write_lines(
        directory / "utt2spk", (f"{key} {written_name('kaldi', one.speaker)}" for key, one in listed if one.speaker)
    )
    _write_lines(directory / "spk2utt", (f"{speaker} {' '.join(keys)}" for speaker, keys in of_speaker))


def _note_names(layout: TableLayout, utterances: Sequence[WrittenUtterance]) -> list[str]:
    notes = []
    for what, names in (
        ("ids", {utterance.utterance_id for utterance in utterances}),
        ("speakers", {utterance.speaker for utterance in utterances}),
    ):
        changed = sorted(name for name in names if written_name(layout, name) != name)
        if changed:
            first = f"{changed[0]!r} as {written_name(layout, changed[0])!r}"
            notes.append(
                f"{len(changed)} {what} hold what the layout cannot and are written otherwise, such as {first}."
            )
    return notes


def _write_lhotse(folder: Path, split: str, utterances: Sequence[WrittenUtterance]) -> None:
    recordings, supervisions = [], []
    for one in utterances:
        duration = one.num_samples / SAMPLE_RATE
        source = {"type": "file", "channels": [0], "source": one.audio}
        recordings.append(
            {
                "id": one.utterance_id,
                "sources": [source],
                "sampling_rate": SAMPLE_RATE,
                "num_samples": one.num_samples,
                "duration": duration,
                "channel_ids": [0],
            }
        )
        known = {"text": one.text, "language": one.language, "speaker": one.speaker}
        supervisions.append(
            {
                "id": one.utterance_id,
                "recording_id": one.utterance_id,
                "start": 0.0,
                "duration": duration,
                "channel": 0,
                **{key: value for key, value in known.items() if value},
            }
        )
    _write_json_lines(folder / f"recordings_{split}.jsonl.gz", recordings)
    _write_json_lines(folder / f"supervisions_{split}.jsonl.gz", supervisions)


def _write_json_lines(path: Path, objects: Iterable[Mapping[str, Any]]) -> None:
    # Without a time and a name in its header, the same corpus gives the same bytes.
    with path.open("wb") as raw, gzip.GzipFile(filename="", mode="wb", fileobj=raw, mtime=0) as file:
        for one in objects:
            file.write(f"{json.dumps(one, ensure_ascii=False)}\n".encode())


def _write_common_voice(path: Path, utterances: Sequence[WrittenUtterance]) -> None:
    rows = []
    for one in utterances:
        known = {
            "client_id": _one_line(one.speaker),
            "path": PurePosixPath(one.audio).name,
            "sentence": _one_line(one.text),
            "locale": _one_line(one.language),
            "utterance_id": _one_line(one.utterance_id),
        }
        rows.append("\t".join(_tab_cell(known.get(column, "")) for column in COMMON_VOICE_COLUMNS))
    _write_lines(path, ["\t".join(COMMON_VOICE_COLUMNS), *rows])


def _write_audio_folder(path: Path, utterances: Sequence[WrittenUtterance]) -> None:
    file = io.StringIO(newline="")
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(_AUDIO_FOLDER_COLUMNS)
    for one in utterances:
        cells = (PurePosixPath(one.audio).name, one.text, one.speaker, one.language, one.utterance_id)
        writer.writerow([_one_line(cell) for cell in cells])
    path.write_text(file.getvalue(), encoding="utf-8", newline="\n")


def _tab_cell(cell: str) -> str:
    """Put a cell that is itself between quotation marks between more of them, or a reader would take them off."""
    return '"' + cell.replace('"', '""') + '"' if len(cell) > 1 and cell[0] == cell[-1] == '"' else cell


def _one_line(text: str) -> str:
    return re.sub(r"[\x00-\x1f\x7f\x85\u2028\u2029]+", " ", text).strip()


def _write_lines(path: Path, lines: Iterable[str]) -> None:
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.writelines(f"{line}\n" for line in lines)
