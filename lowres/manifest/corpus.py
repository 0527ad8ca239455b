"""The prepared corpus: corpus.json (what it is, where it came from, what it hashes to) around the manifest.

A corpus is loaded strictly: another format version, an edited manifest or a missing shard is an error that says what
to do, never a guess.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Collection
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar, Final

import pandas as pd
from pydantic import TypeAdapter, ValidationError

from lowres import __version__
from lowres.errors import ON_NONSENSE, CorpusError
from lowres.manifest.overlap import SplitOverlap, count_overlap
from lowres.manifest.schema import MANIFEST_COLUMNS, SPLITS
from lowres.manifest.settings import TRAIN
from lowres.manifest.table import MANIFEST_FILE, read_manifest, write_atomically, write_manifest

CORPUS_FORMAT_VERSION: Final = 1
CORPUS_FILE: Final = "corpus.json"
CORPUS_FOLDER: Final = "corpus"
"""In a project, the prepared corpus that is its own."""

SOUND_COLUMNS: Final = ("num_samples", "shard", "offset_samples", "included")
"""Where the sound of an utterance lies, and whether it is used."""

_NEXT_FOLDER: Final = ".next"
"""In a prepared corpus, the manifest and the corpus.json that are about to take the place of those that are there."""

_BYTES_PER_SAMPLE: Final = 2
_MOST_READINGS: Final = 5
_PREPARE_AGAIN: Final = "Run `lowres prepare` again."


@dataclass(frozen=True, kw_only=True)
class CorpusInfo:
    """What corpus.json says. Everything `write_corpus` works out from the table has a default here.

    Attributes:
        name, language: what people call the corpus; an ISO 639-3 code where there is one.
        recipe_name: the recipe that prepared it.
        licence, consent, source, citation: as the recipe or the corpus manifest states them; "" is not stated.
        text_rules: one sentence per rule of the recipe, in order.
        warnings: everything `prepare` warned about, for the report to repeat.
        speaker_disjoint, sentence_disjoint: whether train shares no speaker (sentence) with dev and test.
        splits_origin: "given" or "made".
        reported_split: the split whose error rates are the result: "test", or "dev" where there is no test.
        overlap: what the splits share, counted.
        subset_sha256: label ("10min", "1h", ...) to `subset_hash` of its list.
        shard_sha256: name of a shard ("part-00000.pcm") to its sha256.
        synthetic: True where a machine spoke.
        transcribed: False where there are recordings alone, to pretrain on.
        taken_over: corrected utterances whose correction the corpus's own files had when it was prepared.
        format_version, created_with, num_utterances, num_excluded, utterances_per_split, hours_per_split,
        manifest_sha256: filled in by `write_corpus`; counts and hours are of included rows.
    """

    name: str
    language: str = ""
    recipe_name: str = ""
    licence: str = ""
    consent: str = ""
    source: str = ""
    citation: str = ""
    text_rules: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    speaker_disjoint: bool = False
    sentence_disjoint: bool = False
    splits_origin: str = "given"
    reported_split: str = "test"
    overlap: SplitOverlap = field(default_factory=SplitOverlap)
    subset_sha256: dict[str, str] = field(default_factory=dict)
    shard_sha256: dict[str, str] = field(default_factory=dict)
    synthetic: bool = False
    transcribed: bool = True
    taken_over: tuple[str, ...] = ()
    format_version: int = CORPUS_FORMAT_VERSION
    created_with: str = ""
    num_utterances: int = 0
    num_excluded: int = 0
    utterances_per_split: dict[str, int] = field(default_factory=dict)
    hours_per_split: dict[str, float] = field(default_factory=dict)
    manifest_sha256: str = ""

    __pydantic_config__: ClassVar[Any] = {"extra": "forbid"}


@dataclass(frozen=True)
class PreparedCorpus:
    """A corpus that is ready to train on: its folder, its (N, 14) manifest and what corpus.json says.

    Of the manifest there may be only the columns that somebody asked for.
    """

    folder: Path
    table: pd.DataFrame
    info: CorpusInfo

    def rows(self, split: str) -> pd.DataFrame:
        """Return the included rows of one split, in manifest order, with the manifest's index."""
        chosen: pd.DataFrame = self.table.loc[self.table["included"] & (self.table["split"] == split)]
        return chosen

    def require_transcripts(self) -> None:
        """Refuse a corpus of recordings alone.

        Raises:
            CorpusError: it has no transcripts.
        """
        if not self.info.transcribed:
            raise CorpusError(
                f"The corpus {self.info.name!r} in {self.folder} has no transcripts: it was prepared from recordings "
                "alone.",
                "Pretrain on it with `lowres pretrain`; to fine-tune, prepare a corpus with transcripts.",
            )


def write_corpus(folder: Path, table: pd.DataFrame, info: CorpusInfo) -> CorpusInfo:
    """Write manifest.tsv and then corpus.json, each atomically; shards and subsets are the caller's.

    Args:
        folder: the prepared corpus; made if it is not there.
        table: (N, 14) manifest.
        info: what only the caller knows; counts, hours, version and the manifest's hash are worked out here.

    Returns:
        The completed info, as written.

    Raises:
        CorpusError: the table breaks a rule of the manifest, or the disk refused.
    """
    manifest = write_manifest(table, folder)
    completed = replace(complete_info(info, table), manifest_sha256=hash_file(manifest))
    write_corpus_json(folder, completed)
    return completed


def complete_info(info: CorpusInfo, table: pd.DataFrame) -> CorpusInfo:
    """Fill in the version and the counts and hours of included rows per split (all of SPLITS, rounded to 1e-4 h)."""
    included = table.loc[table["included"]]
    per_split = included.groupby("split")["duration_seconds"].agg(["size", "sum"])
    counts: dict[str, int] = {split: int(per_split["size"].get(split, 0)) for split in SPLITS}
    hours: dict[str, float] = {split: round(float(per_split["sum"].get(split, 0.0)) / 3600, 4) for split in SPLITS}
    return replace(
        info,
        format_version=CORPUS_FORMAT_VERSION,
        created_with=__version__,
        num_utterances=len(included),
        num_excluded=len(table) - len(included),
        utterances_per_split=counts,
        hours_per_split=hours,
    )


def write_corpus_json(folder: Path, info: CorpusInfo) -> None:
    """Write corpus.json atomically.

    Raises:
        CorpusError: the disk refused.
    """
    written = json.dumps(asdict(info), ensure_ascii=False, indent=2) + "\n"
    # Sentences in it may name files whose names are not UTF-8, and nobody reads back what JSON would have for those.
    write_atomically(folder / CORPUS_FILE, [written.encode("utf-8", errors="replace").decode("utf-8")])


def load_corpus(folder: Path, columns: Collection[str] = MANIFEST_COLUMNS) -> PreparedCorpus:
    """Load a prepared corpus strictly.

    The manifest's sha256 is compared with corpus.json (about 0.3 s for a million rows); shards must exist and be long
    enough, and are not hashed here (see `verify_shards`).

    Args:
        folder: the prepared corpus.
        columns: of its manifest, as `read_manifest` takes them; where its sound lies always comes with them.

    Raises:
        CorpusError: there is no prepared corpus, its version is unknown, or something was changed or lost since.
    """
    info = read_corpus_json(folder)
    manifest = folder / MANIFEST_FILE
    if not manifest.is_file():
        raise CorpusError(f"There is no {MANIFEST_FILE} in {folder}, though there is a {CORPUS_FILE}.", _PREPARE_AGAIN)
    for _ in range(_MOST_READINGS):
        before = manifest.stat()
        info = _info_of_manifest(folder, info)
        table = read_manifest(folder, {*columns, *SOUND_COLUMNS})
        # Somebody may correct a transcript at this very moment; then both files are read again.
        if os.path.samestat(before, manifest.stat()):
            break
    _check_shard_sizes(folder, table)
    return PreparedCorpus(folder, table, info)


def _info_of_manifest(folder: Path, info: CorpusInfo) -> CorpusInfo:
    """Return what belongs to the manifest that is there: `info`, or what is about to take, or just took, its place."""
    sha256 = hash_file(folder / MANIFEST_FILE)
    if sha256 == info.manifest_sha256:
        return info
    for place in (folder / _NEXT_FOLDER, folder):
        if (place / CORPUS_FILE).is_file() and (other := read_corpus_json(place)).manifest_sha256 == sha256:
            return other
    raise CorpusError(
        f"{folder / MANIFEST_FILE} was changed after `lowres prepare` wrote it.",
        "Run `lowres prepare` again; correct transcripts in the corpus itself or in `lowres studio`, not in the "
        "manifest.",
    )


def rewrite_corpus(corpus: PreparedCorpus, table: pd.DataFrame) -> PreparedCorpus:
    """Put another table in the place of a prepared corpus's: of the same utterances, with other transcripts.

    Whoever loads the corpus meanwhile finds the old table or the new one, whole and with the corpus.json that belongs
    to it; so does whoever loads it after the machine stopped in between.

    Args:
        corpus: as it is now; nobody else may write it (`lowres.manifest.writing_alone`).
        table: (N, 14) manifest; what the splits share is counted anew.

    Raises:
        CorpusError: the table breaks a rule of the manifest, or the disk refused; the corpus is then as it was.
    """
    overlap = count_overlap(table)
    is_disjoint = all(not pair.num_shared_sentences for pair in overlap.pairs if pair.first == TRAIN)
    coming = corpus.folder / _NEXT_FOLDER
    info = replace(corpus.info, overlap=overlap, sentence_disjoint=corpus.info.sentence_disjoint and is_disjoint)
    completed = write_corpus(coming, table, info)
    try:
        for name in (MANIFEST_FILE, CORPUS_FILE):
            (coming / name).replace(corpus.folder / name)
        shutil.rmtree(coming, ignore_errors=True)
    except OSError as error:
        raise CorpusError(
            f"{corpus.folder} could not be written: {error.strerror or error}.", "Check the folder's permissions."
        ) from error
    return PreparedCorpus(corpus.folder, table, completed)


def read_corpus_json(folder: Path) -> CorpusInfo:
    """Read corpus.json alone, without the manifest; older versions go through their upgrade function.

    Raises:
        CorpusError: it is missing, not JSON, of an unknown version, or has unknown or missing keys.
    """
    path = folder / CORPUS_FILE
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise CorpusError(f"There is no prepared corpus in {folder}.", "Run `lowres prepare` first.") from error
    except (OSError, *ON_NONSENSE) as error:
        raise CorpusError(f"{path} cannot be read: {error}.", _PREPARE_AGAIN) from error
    upgraded = _upgrade(found, path)
    try:
        return TypeAdapter(CorpusInfo).validate_json(json.dumps(upgraded), strict=True)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise CorpusError(f"{path} is not what lowres writes: {place}: {first['msg']}.", _PREPARE_AGAIN) from error


UPGRADES: dict[int, Callable[[dict[str, Any]], dict[str, Any]]] = {}
"""From an old format version to the function that turns its corpus.json into the next version's."""


def _upgrade(found: object, path: Path) -> dict[str, Any]:
    version = found.get("format_version") if isinstance(found, dict) else None
    if not isinstance(found, dict) or not isinstance(version, int) or isinstance(version, bool):
        raise CorpusError(f"{path} has no format_version: it was not written by `lowres prepare`.", _PREPARE_AGAIN)
    while version != CORPUS_FORMAT_VERSION:
        if version not in UPGRADES:
            raise CorpusError(
                f"{path} has format version {version}; this lowres ({__version__}) knows {CORPUS_FORMAT_VERSION}.",
                "Update lowres." if version > CORPUS_FORMAT_VERSION else _PREPARE_AGAIN,
            )
        found = UPGRADES[version](found)
        version += 1
    return found | {"format_version": CORPUS_FORMAT_VERSION}


def verify_shards(corpus: PreparedCorpus, progress: Callable[[str], None] = lambda _name: None) -> None:
    """Hash every shard and compare with corpus.json; reads the whole corpus once (about 1 GB per second).

    Args:
        progress: called with each shard's name after it was found good.

    Raises:
        CorpusError: a shard is missing or differs.
    """
    for name, expected in corpus.info.shard_sha256.items():
        path = corpus.folder / "shards" / name
        if not path.is_file() or hash_file(path) != expected:
            raise CorpusError(f"{path} is missing or was changed after it was written.", _PREPARE_AGAIN)
        progress(name)


def hash_file(path: Path) -> str:
    """Return the sha256 of a file's bytes, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _check_shard_sizes(folder: Path, table: pd.DataFrame) -> None:
    used = table.loc[table["included"] & (table["shard"] != ""), ["shard", "offset_samples", "num_samples"]]
    ends = (used["offset_samples"] + used["num_samples"]).groupby(used["shard"]).max()
    for name, end in ends.items():
        path = folder / "shards" / str(name)
        size = path.stat().st_size if path.is_file() else 0
        if size < int(end) * _BYTES_PER_SAMPLE:
            what = "is too short" if path.is_file() else "is missing"
            raise CorpusError(f"The audio shard {path} {what}.", _PREPARE_AGAIN)
