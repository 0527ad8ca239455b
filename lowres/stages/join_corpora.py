"""Joins the transcribed corpora of `[[pretrain.corpora]]` into one, for a recogniser of several languages.

Its audio is that of the prepared corpora: their shards are linked, or copied where the disk has no links.
"""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from lowres.audio.shards import SHARDS_FOLDER, share_shard
from lowres.backbones.licences import together
from lowres.errors import CorpusError
from lowres.manifest.corpus import (
    CORPUS_FILE,
    CORPUS_FOLDER,
    CorpusInfo,
    PreparedCorpus,
    read_corpus_json,
    write_corpus,
)
from lowres.manifest.overlap import count_overlap
from lowres.manifest.settings import DEV, OTHER, TEST, TRAIN
from lowres.manifest.subsets import nested_subsets, write_subsets
from lowres.recipe import Recipe
from lowres.stages.prepare import recover_corpus, replace_corpus
from lowres.stages.prepare_decode import shard_name
from lowres.stages.pretrain_corpora import load_entry, locate_entries

SEVERAL_LANGUAGES = "mul"
"""The ISO 639-2 code for several languages."""


@dataclass(frozen=True)
class JoinedCorpora:
    """A corpus of several."""

    corpus: PreparedCorpus
    names: tuple[str, ...]
    """Of the corpora in it."""

    untranscribed: tuple[str, ...]
    """Those left out, since they are recordings alone."""


@dataclass(frozen=True)
class _Part:
    name: str
    learns_from: tuple[str, ...]
    """Splits."""

    language: str
    """Of all of it; "" leaves it to its rows."""

    corpus: PreparedCorpus


def join_corpora(project: Path, recipe: Recipe) -> JoinedCorpora | None:
    """Join what is prepared into the project's own corpus.

    The splits that an entry learns from become train; its dev and test stay what they are, the rest is not used.
    Utterances and speakers bear their corpus's name before their own.

    Args:
        project: the project folder.
        recipe: its `[[pretrain.corpora]]` are prepared.

    Returns:
        None where the recipe has a corpus of its own, or fewer than two of the corpora have transcripts.

    Raises:
        CorpusError: one of them is missing or damaged, or the disk is full; an older joined corpus is then untouched.
    """
    if recipe.corpus.manifest or recipe.corpus.folder or len(recipe.pretrain.corpora) < 2:
        return None
    entries = locate_entries(project, recipe.pretrain.corpora)
    loaded = [_Part(entry.name, entry.entry.splits, entry.entry.language, load_entry(entry)) for entry in entries]
    parts = [part for part in loaded if part.corpus.info.transcribed]
    if len(parts) < 2:
        return None
    target = project / CORPUS_FOLDER
    _refuse_to_replace(target, parts, recipe.name)
    partial = target.with_name(f"{CORPUS_FOLDER}.partial")
    recover_corpus(target)
    shutil.rmtree(partial, ignore_errors=True)
    try:
        table, shard_hashes = _join_tables(parts, partial / SHARDS_FOLDER)
    except OSError as error:
        raise CorpusError(
            f"The corpora could not be joined in {partial}: {error.strerror}.",
            f"Their shards take room where the disk has no links; or delete {partial}.",
        ) from error
    train = table[table["included"] & (table["split"] == TRAIN)]
    overlap = count_overlap(table)
    names = tuple(part.name for part in parts)
    info = write_corpus(
        partial,
        table,
        CorpusInfo(
            **_describe(recipe.name, [part.corpus.info for part in parts], names),
            reported_split=TEST if (table["included"] & (table["split"] == TEST)).any() else DEV,
            overlap=overlap,
            speaker_disjoint=all(not pair.num_shared_speakers for pair in overlap.pairs if pair.first == TRAIN),
            sentence_disjoint=all(not pair.num_shared_sentences for pair in overlap.pairs if pair.first == TRAIN),
            subset_sha256=write_subsets(partial, nested_subsets(train)),
            shard_sha256=shard_hashes,
        ),
    )
    replace_corpus(target, partial)
    left_out = tuple(part.name for part in loaded if not part.corpus.info.transcribed)
    return JoinedCorpora(PreparedCorpus(target, table, info), names, left_out)


def _refuse_to_replace(target: Path, parts: Sequence[_Part], name: str) -> None:
    if any(part.corpus.folder.resolve() == target.resolve() for part in parts):
        raise CorpusError(
            f"[[pretrain.corpora]] names {target} itself, where its corpora would be joined.",
            "Move that corpus to another folder, or join them in another project.",
        )
    if (target / CORPUS_FILE).is_file() and (found := read_corpus_json(target)).recipe_name != name:
        raise CorpusError(
            f"{target} holds the corpus {found.name!r}, which is not of the recipe {name!r}.",
            "Use another project folder for several corpora together.",
        )


def _join_tables(parts: Sequence[_Part], shards: Path) -> tuple[pd.DataFrame, dict[str, str]]:
    """Bring the shards together and return one manifest for them, and their hashes."""
    shards.mkdir(parents=True)
    tables, hashes = [], dict[str, str]()
    for part in parts:
        renamed = {}
        for old, sha256 in part.corpus.info.shard_sha256.items():
            renamed[old] = shard_name(len(hashes))
            hashes[renamed[old]] = sha256
            share_shard(part.corpus.folder / SHARDS_FOLDER / old, shards / renamed[old])
        table, prefix = part.corpus.table, f"{part.name}/"
        spoken = table["language"].where(table["language"] != "", part.corpus.info.language)
        tables.append(
            table.assign(
                utterance_id=prefix + table["utterance_id"],
                language=part.language or spoken,
                speaker=table["speaker"].where(table["speaker"] == "", prefix + table["speaker"]),
                audio_path=prefix + table["audio_path"],
                split=[_split_for(split, part.learns_from) for split in table["split"]],
                shard=table["shard"].map(renamed).fillna(""),
            )
        )
    return pd.concat(tables, ignore_index=True), hashes


def _split_for(split: str, learns_from: Sequence[str]) -> str:
    if split in learns_from:
        return TRAIN
    return split if split in (DEV, TEST) else OTHER


def _describe(name: str, infos: Sequence[CorpusInfo], names: Sequence[str]) -> dict[str, Any]:
    """Gather what the corpora say of themselves."""
    return {
        "name": name,
        "language": SEVERAL_LANGUAGES,
        "recipe_name": name,
        "licence": together(info.licence for info in infos),
        "consent": together(info.consent for info in infos),
        "source": together(info.source for info in infos),
        "citation": together(info.citation for info in infos),
        "text_rules": _of_each(names, [info.text_rules for info in infos]),
        "warnings": _of_each(names, [info.warnings for info in infos]),
        "splits_origin": "given" if all(info.splits_origin == "given" for info in infos) else "made",
        "synthetic": any(info.synthetic for info in infos),
    }


def _of_each(names: Sequence[str], sentences: Sequence[tuple[str, ...]]) -> tuple[str, ...]:
    return tuple(f"{name}: {sentence}" for name, own in zip(names, sentences, strict=True) for sentence in own)
