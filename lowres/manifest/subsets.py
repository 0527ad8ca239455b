"""Smaller training sets that nest (10 minutes in 1 hour in 10 hours) and are the same on every machine.

All amounts are cut from one order of the training utterances: each speaker's utterances in the order of the sha256 of
their names, and speakers in turn, always the one who has spoken least so far. So every speaker has an equal share of
time as far as their material goes, and any two subsets of one corpus nest, also those nobody has cut yet.
"""

import hashlib
import heapq
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from lowres.errors import CorpusError, RecipeError
from lowres.manifest.corpus import PreparedCorpus, load_corpus
from lowres.manifest.disjoint import order_by_hash
from lowres.manifest.settings import TRAIN
from lowres.manifest.table import write_atomically

SUBSETS_FOLDER: Final = "subsets"
STANDARD_MINUTES: Final = (10, 60, 600)
_AMOUNT: Final = re.compile(r"(?P<number>\d+(?:\.\d+)?)\s*(?P<unit>h|hours?|m|min|minutes?)?", re.IGNORECASE)


@dataclass(frozen=True)
class Subset:
    """Some of the training utterances.

    Attributes:
        label: of the amount asked for: "10min", "1h", "2.5h".
        utterance_ids: in the order in which they were chosen; a longer subset starts with the same ones.
        seconds: how much speech it really is; at most what was asked for.
        sha256: `subset_hash` of the ids.
        is_complete: whether there was enough training speech.
        sentence: what to tell the user, with the real amount.
    """

    label: str
    utterance_ids: tuple[str, ...]
    seconds: float
    sha256: str
    is_complete: bool
    sentence: str


def parse_amount(amount: str | float) -> float:
    """Return the minutes of an amount of speech: "10m", "10min", "1h", "0.5" and 0.5 (hours without a unit).

    Raises:
        RecipeError: it is not an amount, or not above zero.
    """
    found = _AMOUNT.fullmatch(str(amount).strip())
    minutes = 0.0
    if found:
        is_minutes = (found["unit"] or "h").lower().startswith("m")
        minutes = float(found["number"]) * (1 if is_minutes else 60)
    if not minutes > 0:
        raise RecipeError(f"{amount!r} is not an amount of speech.", "Write 10min, 1h, or a number of hours.")
    return minutes


def label_amount(minutes: float) -> str:
    """Name an amount as files and run folders do: "10min" under an hour, then "1h", "2.5h"."""
    return f"{minutes:.4g}min" if minutes < 60 else f"{minutes / 60:.4g}h"


def subset_hash(utterance_ids: Iterable[str]) -> str:
    """Return the sha256, in hex, of the ids as listed, joined by line feeds."""
    return hashlib.sha256("\n".join(utterance_ids).encode("utf-8", errors="surrogateescape")).hexdigest()


def choose_subset(train: pd.DataFrame, amount: str | float) -> Subset:
    """Cut any amount from the one order of a training split.

    Args:
        train: (N, ...) has utterance_id, speaker and duration_seconds; the order of its rows does not matter.
        amount: as `parse_amount` takes it.

    Returns:
        The longest beginning of the order that is not longer than asked; all of it where there is not enough.

    Raises:
        RecipeError: it is not an amount.
    """
    return _cut(train, order_for_subsets(train, parse_amount(amount)), parse_amount(amount))


def nested_subsets(train: pd.DataFrame, minutes: Sequence[float] = STANDARD_MINUTES) -> dict[str, list[str]]:
    """Cut the standard amounts, as far as there is training speech for them.

    Args:
        train: as `choose_subset`.
        minutes: amounts, in any order.

    Returns:
        Label ("10min", "1h", ...) to ids in the order they were chosen; amounts beyond the training split are left
        out. Each list begins with every shorter one.
    """
    order = order_for_subsets(train, max(minutes, default=0.0))
    cuts = [_cut(train, order, amount) for amount in sorted(minutes)]
    return {cut.label: list(cut.utterance_ids) for cut in cuts if cut.is_complete}


def order_for_subsets(train: pd.DataFrame, minutes: float) -> list[int]:
    """Return positions of training rows in the order subsets are cut from, until `minutes` are together.

    Durations count in whole milliseconds, so that decoders that differ by a sample give the same order.
    """
    ids = train["utterance_id"].tolist()
    milliseconds = _milliseconds(train)
    queues: dict[str, list[int]] = {}
    speakers = train["speaker"].tolist()
    for position in reversed(order_by_hash(ids, 0, "subset")):
        queues.setdefault(speakers[position], []).append(position)
    names = sorted(queues)
    # Each entry: milliseconds so far, rank among speakers (breaks ties), name.
    turns = [(0, rank, names[position]) for rank, position in enumerate(order_by_hash(names, 0, "subset-speaker"))]
    order: list[int] = []
    total, wanted = 0, minutes * 60_000
    while turns and total <= wanted:
        spoken, rank, name = turns[0]
        position = queues[name].pop()
        order.append(position)
        total += milliseconds[position]
        if queues[name]:
            heapq.heapreplace(turns, (spoken + milliseconds[position], rank, name))
        else:
            heapq.heappop(turns)
    return order


def write_subsets(corpus_folder: Path, subsets: dict[str, list[str]]) -> dict[str, str]:
    """Write `subsets/train-<label>.txt`, one id a line, and return label to hash for corpus.json.

    Raises:
        CorpusError: the disk refused.
    """
    for label, ids in subsets.items():
        write_atomically(_subset_file(corpus_folder, label), ["".join(f"{name}\n" for name in ids)])
    return {label: subset_hash(ids) for label, ids in subsets.items()}


def read_subset(corpus: PreparedCorpus | Path, amount: str | float) -> list[str]:
    """Return the ids of a subset of a prepared corpus: its list where one was written, else cut from the same order.

    Args:
        corpus: a loaded corpus, or its folder.
        amount: hours, or a label such as "10min".

    Raises:
        CorpusError: the corpus cannot be loaded, or the list differs from its hash in corpus.json.
        RecipeError: it is not an amount.
    """
    prepared = load_corpus(corpus) if isinstance(corpus, Path) else corpus
    label = label_amount(parse_amount(amount))
    expected = prepared.info.subset_sha256.get(label)
    if expected is None:
        return list(choose_subset(prepared.rows(TRAIN), amount).utterance_ids)
    path = _subset_file(prepared.folder, label)
    try:
        ids = path.read_bytes().decode("utf-8", errors="surrogateescape").split("\n")[:-1]
    except OSError as error:
        raise CorpusError(f"{path} cannot be read: {error.strerror}.", "Run `lowres prepare` again.") from error
    if subset_hash(ids) != expected:
        raise CorpusError(f"{path} was changed after it was written.", "Run `lowres prepare` again.")
    return ids


def _subset_file(corpus_folder: Path, label: str) -> Path:
    return corpus_folder / SUBSETS_FOLDER / f"{TRAIN}-{label}.txt"


def _milliseconds(train: pd.DataFrame) -> list[int]:
    rounded = np.rint(train["duration_seconds"].to_numpy(dtype=np.float64) * 1000).astype(np.int64)
    return [int(value) for value in rounded]


def _cut(train: pd.DataFrame, order: list[int], minutes: float) -> Subset:
    milliseconds = np.asarray(_milliseconds(train), dtype=np.int64)[order]
    so_far = np.cumsum(milliseconds)
    length = int(np.searchsorted(so_far, minutes * 60_000, side="right"))
    names = train["utterance_id"].tolist()
    ids = tuple(names[position] for position in order[:length])
    seconds = float(so_far[length - 1]) / 1000 if length else 0.0
    is_complete = length < len(train) or seconds >= minutes * 60
    label = label_amount(minutes)
    real = label_amount(seconds / 60)
    sentence = f"{label}: {len(ids):,} utterances, {real} of speech."
    if not is_complete:
        sentence = f"There is less training speech than {label}: all of it is taken, {len(ids):,} utterances, {real}."
    return Subset(label, ids, seconds, subset_hash(ids), is_complete, sentence)
