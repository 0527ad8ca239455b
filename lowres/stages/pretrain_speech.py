"""What pretraining learns from and is watched on: the speech of several prepared corpora, by language.

A corpus is a few columns of numbers here: ten million utterances must not become ten million objects. Names are looked
up in the manifest when somebody asks for one.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lowres.audio.constants import SAMPLE_RATE
from lowres.audio.shards import ShardReader
from lowres.errors import TrainingError
from lowres.manifest.corpus import PreparedCorpus
from lowres.manifest.disjoint import order_by_hash
from lowres.manifest.settings import DEV
from lowres.manifest.table import read_manifest
from lowres.stages.pretrain_corpora import LocatedEntry, load_entry, locate_entries
from lowres.training.mixture import Crop, SpeechSource
from lowres.training.pretrain_corpus import PretrainCorpus
from lowres.training.pretrain_settings import PretrainSettings
from lowres.training.settings import known


@dataclass(frozen=True)
class SourceInfo:
    """What there is to say about one source; hours and utterances are those that are learnt from."""

    language: str
    corpus: str
    hours: float
    num_utterances: int
    num_left_out: int
    """Utterances of the chosen splits that are too short."""

    licence: str
    consent: str
    manifest_sha256: str
    is_synthetic: bool


@dataclass(frozen=True)
class _Origin:
    """Where the utterances of a source are listed, to find their names again."""

    corpus_folder: Path
    positions: NDArray[np.int64]
    """(N,) rows of the manifest."""


@dataclass(frozen=True)
class PretrainingSpeech:
    """Everything a pretraining run takes from its corpora."""

    sources: tuple[SpeechSource, ...]
    """What is learnt from, one for each corpus and language in it."""

    infos: tuple[SourceInfo, ...]
    """One for each source."""

    held_out_sources: tuple[SpeechSource, ...]
    """Dev speech."""

    held_out: dict[str, tuple[Crop, ...]]
    """Language to the crops it is watched on, always the same; languages without dev speech are missing. Their
    `Crop.source` counts in `all_sources`."""

    warnings: tuple[str, ...]
    """Sentences about what is left out or cannot be watched."""

    _origins: tuple[_Origin, ...] = field(repr=False)
    """One for each of `all_sources`."""

    @property
    def all_sources(self) -> tuple[SpeechSource, ...]:
        """The sources and then the held-out ones: where the crops of either lie."""
        return self.sources + self.held_out_sources

    @property
    def hours(self) -> float:
        """Hours of speech to learn from."""
        return sum(info.hours for info in self.infos)

    @property
    def held_out_seconds(self) -> dict[str, float]:
        """Language to the seconds of speech it is watched on."""
        return {
            language: sum(crop.num_samples for crop in crops) / SAMPLE_RATE for language, crops in self.held_out.items()
        }

    def name_crop(self, crop: Crop) -> str:
        """Name the utterance of a crop for people, with its corpus; reads the manifest again.

        Raises:
            CorpusError: the manifest cannot be read any more.
        """
        origin = self._origins[crop.source]
        ids = read_manifest(origin.corpus_folder, ("utterance_id",))["utterance_id"]
        start, end = (samples / SAMPLE_RATE for samples in (crop.start_sample, crop.start_sample + crop.num_samples))
        name = ids.iloc[origin.positions[crop.utterance]]
        return f"{self.all_sources[crop.source].corpus}/{name} ({start:.1f}-{end:.1f} s)"


def load_pretraining_speech(
    project: Path, entries: Sequence[PretrainCorpus], settings: PretrainSettings
) -> PretrainingSpeech:
    """Load the corpora of a pretraining run and choose what it is watched on.

    Args:
        project: the project folder, where relative folders start.
        entries: the corpora; without any, the project's own.
        settings: as `settle_pretraining` returned them; the lengths and `held_out_seconds` are read.

    Raises:
        CorpusError: a corpus is not prepared, or damaged.
        TrainingError: a corpus has no speech in the splits that are asked for, or there is none that is long enough.
    """
    gathering = _Gathering(settings)
    for located in locate_entries(project, entries):
        gathering.add(located, load_entry(located, ("language",)))
    return gathering.finish()


class _Gathering:
    """Collects corpus by corpus, so that only one table of utterances is in memory at a time."""

    def __init__(self, settings: PretrainSettings) -> None:
        self._shortest = round(settings.shortest_seconds * SAMPLE_RATE)
        self._crop = round(known(settings.crop_seconds, "crop_seconds") * SAMPLE_RATE)
        self._held_out_samples = round(settings.held_out_seconds * SAMPLE_RATE)
        self._sources: list[SpeechSource] = []
        self._infos: list[SourceInfo] = []
        self._origins: list[_Origin] = []
        self._held_out_sources: list[SpeechSource] = []
        self._held_out_origins: list[_Origin] = []
        self._candidates: dict[str, list[tuple[str, Crop]]] = {}
        self._warnings: list[str] = []

    def add(self, located: LocatedEntry, corpus: PreparedCorpus) -> None:
        """Take what is needed of one corpus.

        Raises:
            TrainingError: it has no speech in the splits that are asked for.
        """
        name = located.name or corpus.info.name
        splits = located.entry.splits
        rows = pd.concat([corpus.rows(split) for split in splits])
        if rows.empty:
            raise TrainingError(
                f"The corpus {name!r} in {corpus.folder} has no speech in {' and '.join(splits)}.",
                "Name other splits in its entry of pretrain.corpora, or look at checks.tsv for why nothing is left.",
            )
        reader = ShardReader(corpus.folder)
        for language, of_language in _by_language(rows, located.entry, corpus):
            source = _source_of(of_language, reader, language, name)
            self._sources.append(source)
            self._infos.append(self._describe(source, corpus))
            self._origins.append(_Origin(corpus.folder, of_language.index.to_numpy(dtype=np.int64)))
        if DEV not in splits and self._held_out_samples:
            for language, of_language in _by_language(corpus.rows(DEV), located.entry, corpus):
                self._held_out_origins.append(_Origin(corpus.folder, of_language.index.to_numpy(dtype=np.int64)))
                self._add_held_out(_source_of(of_language, reader, language, name), of_language["utterance_id"])

    def finish(self) -> PretrainingSpeech:
        """Choose the held-out crops, now that all are known.

        Raises:
            TrainingError: no utterance is long enough.
        """
        if not any(info.num_utterances for info in self._infos):
            raise TrainingError(
                f"No utterance lasts {self._shortest / SAMPLE_RATE:g} s or longer.",
                "Lower pretrain.shortest_seconds, or add longer recordings.",
            )
        languages = dict.fromkeys(source.language for source in self._sources)
        held_out = {
            language: self._choose(self._candidates[language]) for language in languages if language in self._candidates
        }
        self._warnings += [
            f"Nothing is held out for {language!r}: its corpora have no dev speech that is not learnt from, so "
            "pretraining is not watched on it."
            for language in languages
            if language not in held_out and self._held_out_samples
        ]
        return PretrainingSpeech(
            sources=tuple(self._sources),
            infos=tuple(self._infos),
            held_out_sources=tuple(self._held_out_sources),
            held_out=held_out,
            warnings=tuple(self._warnings),
            _origins=tuple(self._origins + self._held_out_origins),
        )

    def _describe(self, source: SpeechSource, corpus: PreparedCorpus) -> SourceInfo:
        is_usable = source.num_samples >= self._shortest
        num_left_out = int((~is_usable).sum())
        if num_left_out:
            noun = "utterance is" if num_left_out == 1 else "utterances are"
            limit = f"{self._shortest / SAMPLE_RATE:g} s"
            self._warnings.append(f"{source.corpus}: {num_left_out:,} {noun} shorter than {limit} and left out.")
        return SourceInfo(
            language=source.language,
            corpus=source.corpus,
            hours=round(int(source.num_samples.sum(dtype=np.int64, where=is_usable)) / SAMPLE_RATE / 3600, 4),
            num_utterances=int(is_usable.sum()),
            num_left_out=num_left_out,
            licence=corpus.info.licence,
            consent=corpus.info.consent,
            manifest_sha256=corpus.info.manifest_sha256,
            is_synthetic=corpus.info.synthetic,
        )

    def _add_held_out(self, source: SpeechSource, ids: "pd.Series[str]") -> None:
        """Cut a corpus's dev speech into pieces that may be chosen: long recordings into consecutive crops."""
        number = len(self._held_out_sources)
        self._held_out_sources.append(source)
        for utterance, (name, length) in enumerate(zip(ids.tolist(), source.num_samples.tolist(), strict=True)):
            for start in range(0, length, self._crop):
                num_samples = min(self._crop, length - start)
                if num_samples >= self._shortest:
                    crop = Crop(number, utterance, start, num_samples, draw=start // self._crop)
                    self._candidates.setdefault(source.language, []).append((f"{source.corpus}/{name}/{start}", crop))

    def _choose(self, candidates: list[tuple[str, Crop]]) -> tuple[Crop, ...]:
        """Take crops in the order of the hashes of their names, until there are as many seconds as asked for."""
        chosen: list[Crop] = []
        samples = 0
        for place in order_by_hash([name for name, _ in candidates], 0, "held-out"):
            crop = candidates[place][1]
            if chosen and samples + crop.num_samples > self._held_out_samples:
                break
            chosen.append(replace(crop, source=len(self._sources) + crop.source))
            samples += crop.num_samples
        return tuple(chosen)


def _by_language(rows: pd.DataFrame, entry: PretrainCorpus, corpus: PreparedCorpus) -> list[tuple[str, pd.DataFrame]]:
    """Divide rows by language, sorted: all are of the one the entry names, or the corpus, unless it has several.

    Where every row has the same code the corpus's own counts: a recipe's ISO 639-3 code, not Common Voice's.
    """
    if rows.empty:
        return []
    default = corpus.info.language or corpus.info.name
    is_one = bool(corpus.info.language) and corpus.table["language"].nunique() == 1
    if entry.language or is_one:
        return [(entry.language or default, rows)]
    languages = rows["language"].where(rows["language"] != "", default)
    return [(str(language), of_language) for language, of_language in rows.groupby(languages, sort=True)]


def _source_of(rows: pd.DataFrame, reader: ShardReader, language: str, corpus: str) -> SpeechSource:
    """Make a source that remembers numbers only: lengths, and where in which shard each utterance begins."""
    codes, names = pd.factorize(rows["shard"].to_numpy(dtype=object))
    shards = [str(name) for name in names]
    shard_of: NDArray[np.int32] = codes.astype(np.int32)
    offsets = rows["offset_samples"].to_numpy(dtype=np.int64).copy()
    lengths = rows["num_samples"].to_numpy(dtype=np.int64)
    is_short = len(lengths) == 0 or int(lengths.max()) < 2**31

    def read_samples(utterance: int, start: int, count: int) -> NDArray[np.int16]:
        return reader.read(shards[shard_of[utterance]], int(offsets[utterance]) + start, count)

    return SpeechSource(language, corpus, lengths.astype(np.int32) if is_short else lengths.copy(), read_samples)
