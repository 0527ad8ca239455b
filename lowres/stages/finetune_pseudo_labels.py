"""Pseudo-labels: what a teacher heard in recordings that nobody transcribed, kept in the run folder of its student.

runs/<name>/pseudo_labels.tsv holds every piece of every recording, those that were left out too, and opens in a
spreadsheet. A run whose folder holds this file learns from it; a resumed run must find the very same labels and sound.
"""

import csv
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from lowres.audio.constants import SAMPLE_RATE
from lowres.audio.shards import ShardReader
from lowres.errors import CheckpointError, LowresError
from lowres.manifest.corpus import hash_file, read_corpus_json
from lowres.manifest.table import write_table
from lowres.stages.pretrain_corpora import PREPARED_FOLDER

PSEUDO_LABELS_FILE: Final = "pseudo_labels.tsv"
SELF_TRAIN_FOLDER: Final = "self-train"
"""Inside prepared/ of the project: the recordings of --self-train, a folder each."""

Use = Literal["kept", "less sure", "nothing heard", "too short"]
"""What becomes of a piece: learnt from, or left out and why; "too short" is so for its own text."""

_COLUMNS: Final = (
    "recording", "start_seconds", "end_seconds", "confidence", "use", "text",
    "shard", "offset_samples", "num_samples", "corpus", "teacher",
)  # fmt: skip


@dataclass(frozen=True)
class LabelledPiece:
    """A piece of a recording and what the teacher heard in it."""

    recording: str
    start_samples: int
    """Where it begins in its recording."""

    num_samples: int
    shard: str
    offset_samples: int
    """Where it begins in the shard."""

    text: str
    confidence: float
    """0-1, see `lowres.decoding.confidence`."""

    use: Use

    @property
    def seconds(self) -> tuple[float, float]:
        """Where it begins and ends in its recording."""
        return self.start_samples / SAMPLE_RATE, (self.start_samples + self.num_samples) / SAMPLE_RATE


@dataclass(frozen=True)
class PseudoLabels:
    """All pieces, and the sound they are pieces of."""

    pieces: tuple[LabelledPiece, ...]
    corpus_folder: Path
    """The prepared recordings."""

    teacher: str
    """Name of the run that labelled them."""

    sha256: str
    """Of the file and of the prepared recordings; a resumed run must have the same."""

    @cached_property
    def kept(self) -> tuple[LabelledPiece, ...]:
        """The pieces to learn from."""
        return tuple(piece for piece in self.pieces if piece.use == "kept")

    @property
    def hours(self) -> float:
        """Hours to learn from."""
        return hours_of(self.kept)

    def reader(self) -> "PieceReader":
        """Open the sound of the pieces that are kept."""
        return PieceReader(self.kept, ShardReader(self.corpus_folder))


@dataclass(frozen=True)
class PieceReader:
    """Reads the sound of pieces."""

    pieces: Sequence[LabelledPiece]
    shards: ShardReader

    def read(self, index: int) -> NDArray[np.int16]:
        """Return (S,) 16-bit samples of one piece."""
        piece = self.pieces[index]
        return self.shards.read(piece.shard, piece.offset_samples, piece.num_samples)


def hours_of(pieces: Sequence[LabelledPiece]) -> float:
    """Add up the lengths of pieces, in hours."""
    return sum(piece.num_samples for piece in pieces) / SAMPLE_RATE / 3600


def self_train_folder(project: Path, name: str) -> Path:
    """Return where the recordings of --self-train are prepared."""
    return project / PREPARED_FOLDER / SELF_TRAIN_FOLDER / name


def write_pseudo_labels(run_folder: Path, pieces: Sequence[LabelledPiece], *, corpus: str, teacher: str) -> None:
    """Write the pieces into a run folder, whole or not at all.

    Args:
        run_folder: of the student; made if it is not there.
        pieces: at least one of them kept.
        corpus: name of the folder that `self_train_folder` was asked for.
        teacher: name of the run that labelled them.

    Raises:
        CorpusError: the disk refused.
    """
    rows = [
        (
            piece.recording,
            *(f"{seconds:.3f}" for seconds in piece.seconds),
            f"{piece.confidence:.6f}",
            piece.use,
            piece.text,
            piece.shard,
            str(piece.offset_samples),
            str(piece.num_samples),
            corpus,
            teacher,
        )
        for piece in pieces
    ]
    write_table(run_folder / PSEUDO_LABELS_FILE, _COLUMNS, rows)


def read_pseudo_labels(project: Path, run_folder: Path) -> PseudoLabels | None:
    """Read the pieces of a run folder.

    Args:
        project: the project folder, where the recordings are prepared.
        run_folder: of the student.

    Returns:
        None where the folder holds none.

    Raises:
        CheckpointError: the file is damaged, or the recordings are no longer prepared.
    """
    path = run_folder / PSEUDO_LABELS_FILE
    if not path.exists():
        return None
    try:
        with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
            rows = list(csv.DictReader(file, delimiter="\t", strict=True))
        pieces = tuple(map(_parse_piece, rows))
        corpus, teacher = rows[0]["corpus"], rows[0]["teacher"]
    except (OSError, ValueError, KeyError, IndexError, TypeError, csv.Error) as error:
        raise CheckpointError(
            f"{path} is damaged: it is not a table of pseudo-labels as lowres writes it.",
            "Restore it from a copy, or label again under another name with --self-train FOLDER --run NAME.",
        ) from error
    folder = self_train_folder(project, Path(corpus).name)
    try:
        info = read_corpus_json(folder)
    except LowresError as error:
        raise CheckpointError(
            f"The recordings that {path} labels are no longer prepared: {error.message}",
            "Restore that folder from a copy, or label again under another name with --self-train FOLDER --run NAME.",
        ) from error
    facts = [hash_file(path), info.manifest_sha256, sorted(info.shard_sha256.items())]
    sha256 = hashlib.sha256(json.dumps(facts).encode("utf-8")).hexdigest()
    return PseudoLabels(pieces, folder, teacher, sha256)


def _parse_piece(row: dict[str, str]) -> LabelledPiece:
    """Make a piece of a row.

    Raises:
        ValueError, KeyError, TypeError: it is not one that `write_pseudo_labels` could have written.
    """
    use = next((known for known in get_args(Use) if known == row["use"]), None)
    if use is None:
        raise ValueError(row["use"])
    return LabelledPiece(
        recording=row["recording"],
        start_samples=round(float(row["start_seconds"]) * SAMPLE_RATE),
        num_samples=int(row["num_samples"]),
        shard=row["shard"],
        offset_samples=int(row["offset_samples"]),
        text=row["text"],
        confidence=float(row["confidence"]),
        use=use,
    )
