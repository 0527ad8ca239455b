"""Measures a run without writing a report: the errors of every utterance of a split, kept beside its checkpoints."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from lowres.audio.shards import ShardReader
from lowres.backbones.checkpoint_folder import WEIGHTS_FILE, read_metadata
from lowres.errors import ON_NONSENSE, CheckpointError
from lowres.manifest.corpus import PreparedCorpus
from lowres.manifest.whole_files import replace_file
from lowres.recipe import Recipe
from lowres.scoring.alignment import Alignment, align_characters, align_words
from lowres.stages.evaluate_run import best_checkpoint, find_run
from lowres.stages.listening import DEFAULT_BATCH_SECONDS, listen, load_to_listen, speech_of
from lowres.stages.tidying import tidier
from lowres.text.normalize import unicode_form
from lowres.training.precision import choose_compute

MEASURED_FORMAT_VERSION: Final = 2
"""1 counted against references that were not tidied: what it counted is counted again."""

Counts = npt.NDArray[np.int64]


@dataclass(frozen=True)
class MeasuredRun:
    """Errors and reference lengths of the N utterances of a split, greedily decoded after the recipe's rules.

    `origin` is the hash of the checkpoint, the corpus and the spelling that the figures belong to.
    """

    split: str
    utterance_ids: tuple[str, ...]
    speakers: tuple[str, ...]
    durations_seconds: tuple[float, ...]
    word_errors: tuple[int, ...]
    num_words: tuple[int, ...]
    character_errors: tuple[int, ...]
    num_characters: tuple[int, ...]
    origin: str
    format_version: int = MEASURED_FORMAT_VERSION

    @property
    def seconds(self) -> float:
        """Speech that was scored."""
        return sum(self.durations_seconds)

    @property
    def words(self) -> tuple[Counts, Counts]:
        """(N,) word errors and (N,) reference lengths in words."""
        return np.array(self.word_errors, dtype=np.int64), np.array(self.num_words, dtype=np.int64)

    @property
    def characters(self) -> tuple[Counts, Counts]:
        """(N,) character errors and (N,) reference lengths in characters."""
        return np.array(self.character_errors, dtype=np.int64), np.array(self.num_characters, dtype=np.int64)


def measure_run(
    project: Path,
    recipe: Recipe,
    corpus: PreparedCorpus,
    run: str,
    split: str,
    progress: Callable[[float, float], None] = lambda _done, _total: None,
) -> MeasuredRun:
    """Decode a split greedily with a run's best checkpoint and count its errors, or read what was counted before.

    Args:
        project: the project folder; `runs/<run>/measured-<split>.json` is read, or written.
        recipe: its text rules say how the spelling is settled, as `lowres evaluate` does.
        corpus: the project's.
        run: name of the run.
        split: one that holds utterances.
        progress: told how many seconds of audio are done, of how many.

    Raises:
        CheckpointError: no such run, or its checkpoint is damaged.
    """
    folder = find_run(project, run)
    path = folder / f"measured-{split}.json"
    origin = _origin(folder, corpus, recipe)
    known = _read(path)
    if known is not None and known.origin == origin:
        return known
    compute = choose_compute("auto")
    recognizer = load_to_listen(project, best_checkpoint(folder), compute)
    rows = corpus.rows(split)
    total = float(rows["duration_seconds"].sum())
    heard = listen(
        recognizer,
        speech_of(rows, ShardReader(corpus.folder)),
        compute=compute,
        batch_seconds=DEFAULT_BATCH_SECONDS[compute.device],
        timed=False,
        progress=lambda done: progress(done, total),
    )
    tidy = tidier(recipe.text.rules)
    references, hypotheses = ([tidy(text) for text in texts] for texts in (rows["text"].tolist(), heard.texts))
    word_errors, num_words = _count(align_words(references, hypotheses))
    character_errors, num_characters = _count(align_characters(references, hypotheses))
    measured = MeasuredRun(
        split=split,
        utterance_ids=tuple(rows["utterance_id"]),
        speakers=tuple(rows["speaker"]),
        durations_seconds=tuple(map(float, rows["duration_seconds"])),
        word_errors=word_errors,
        num_words=num_words,
        character_errors=character_errors,
        num_characters=num_characters,
        origin=origin,
    )
    replace_file(path, [(json.dumps(asdict(measured)) + "\n").encode()])
    return measured


def _count(alignments: list[Alignment]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    return tuple(one.num_errors for one in alignments), tuple(one.num_reference for one in alignments)


def _origin(run: Path, corpus: PreparedCorpus, recipe: Recipe) -> str:
    files = read_metadata(best_checkpoint(run)).files
    if WEIGHTS_FILE not in files:
        raise CheckpointError(f"{best_checkpoint(run)} names no weights.", "Train the run again.")
    parts = (files[WEIGHTS_FILE], corpus.info.manifest_sha256, unicode_form(recipe.text.rules) or "nfc")
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _read(path: Path) -> MeasuredRun | None:
    """Return what was counted before; None where there is nothing, or nothing that this version understands."""
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, *ON_NONSENSE):
        return None
    names = {item.name for item in fields(MeasuredRun)}
    if not isinstance(found, dict) or set(found) != names or found["format_version"] != MEASURED_FORMAT_VERSION:
        return None
    values: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in found.items()}
    return MeasuredRun(**values)
