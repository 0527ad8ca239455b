"""What a run learns from and is watched on: utterances out of the prepared corpus, their targets and the vocabulary."""

import hashlib
from array import array
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lowres.audio.constants import SAMPLE_RATE
from lowres.audio.shards import ShardReader
from lowres.decoding.forced_alignment import num_frames_needed
from lowres.errors import TrainingError
from lowres.manifest.corpus import CorpusInfo, load_corpus
from lowres.manifest.subsets import label_amount, read_subset, subset_hash
from lowres.model.config import Wav2Vec2Config, num_frames_for
from lowres.stages.finetune_pseudo_labels import PseudoLabels
from lowres.stages.listening import speech_of
from lowres.text.vocabulary import Vocabulary, VocabularySettings, build_vocabulary
from lowres.training.feed import TrainingSpeech


@dataclass(frozen=True)
class DevSpeech:
    """The utterances a run is watched on."""

    speech: TrainingSpeech
    """`token_ids` are empty: the references are text."""

    references: tuple[str, ...]


@dataclass(frozen=True)
class FinetuneSpeech:
    """Everything a run takes from its corpus."""

    info: CorpusInfo
    """Of the corpus; its table is not kept, since a run of days needs none of it."""

    vocabulary: Vocabulary
    utterance_ids: tuple[str, ...]
    training: TrainingSpeech
    dev: DevSpeech | None
    subset_label: str
    """Such as "10min" or "1h", or "all"."""

    subset_sha256: str
    """`subset_hash` of the chosen list, those left out below included."""

    left_out: tuple[str, ...]
    """Training utterances that have too few frames for their tokens."""

    unknown_dev_symbols: str
    """Different symbols of the dev text that training never shows, in order of code points."""

    num_speakers: int = 0
    """Different speakers who are named, of the transcribed training utterances."""

    num_without_speaker: int = 0
    """Transcribed training utterances of whom nobody said who speaks."""

    pseudo_labels: PseudoLabels | None = None
    """What a teacher heard in other recordings; the pieces that are kept come after the transcribed utterances."""

    @property
    def hours(self) -> float:
        """Hours of training speech, whoever wrote its text."""
        return float(self.training.num_samples.sum()) / SAMPLE_RATE / 3600

    @property
    def num_transcribed(self) -> int:
        """Training utterances that people transcribed."""
        return len(self.utterance_ids) - (len(self.pseudo_labels.kept) if self.pseudo_labels else 0)

    @property
    def transcribed_hours(self) -> float:
        """Hours of training speech that people transcribed."""
        return float(self.training.num_samples[: self.num_transcribed].sum()) / SAMPLE_RATE / 3600

    @property
    def mean_seconds(self) -> float:
        """Mean length of a training utterance in seconds."""
        return float(self.training.num_samples.mean()) / SAMPLE_RATE


def hours_label(hours: float | None) -> str:
    """Name an amount of speech as run folders do: "all", "10min" under an hour, "1h", "2.5h"."""
    return "all" if hours is None else label_amount(hours * 60)


def load_speech(
    corpus_folder: Path,
    *,
    hours: float | None,
    vocabulary_settings: VocabularySettings,
    config: Wav2Vec2Config,
    dev_seconds: float,
) -> FinetuneSpeech:
    """Load a prepared corpus and choose what to train on.

    Args:
        corpus_folder: the project's `corpus/`.
        hours: hours of training speech, cut from the corpus's nested order; None takes all of it.
        vocabulary_settings: the vocabulary is built from the chosen training text and nothing else.
        config: the network, for the number of frames an utterance has.
        dev_seconds: seconds of dev speech to watch.

    Raises:
        CorpusError: there is no prepared corpus, it is damaged, or it has no transcripts.
        TrainingError: no training speech is left.
    """
    corpus = load_corpus(corpus_folder, ("speaker", "duration_seconds", "text"))
    corpus.require_transcripts()
    train = corpus.rows("train")
    chosen = train["utterance_id"].tolist() if hours is None else read_subset(corpus, f"{hours * 60:.6f}min")
    if hours is not None:
        train = train.loc[train["utterance_id"].isin(set(chosen))]
    if train.empty:
        asked = "" if hours is None else f" in {hours_label(hours)}"
        raise TrainingError(
            f"The corpus in {corpus_folder} has no training speech{asked}.",
            "Ask for more --hours, or look at corpus/checks.tsv for why utterances were left out.",
        )
    vocabulary = build_vocabulary(train["text"].tolist(), vocabulary_settings)
    tokens = _encode(train["text"].tolist(), vocabulary)
    fits = np.fromiter(
        (fits_ctc(ids, samples, config) for ids, samples in zip(tokens, train["num_samples"].tolist(), strict=True)),
        dtype=np.bool_,
        count=len(tokens),
    )
    left_out = tuple(train["utterance_id"][~fits])
    train, tokens = train.loc[fits], [ids for ids, is_kept in zip(tokens, fits, strict=True) if is_kept]
    if train.empty:
        raise TrainingError(
            f"None of the {len(left_out)} training utterances is long enough for its transcript.",
            "Check that transcripts belong to their recordings: look at corpus/checks.tsv.",
        )
    reader = ShardReader(corpus_folder)
    dev = corpus.rows("dev")
    known = "".join(dev["text"])
    return FinetuneSpeech(
        info=corpus.info,
        vocabulary=vocabulary,
        utterance_ids=tuple(train["utterance_id"]),
        training=replace(speech_of(train, reader, tokens), fewest_samples=_fewest_samples(tokens, config)),
        dev=_choose_dev(dev, reader, dev_seconds, config),
        subset_label=hours_label(hours),
        subset_sha256=subset_hash(chosen),
        left_out=left_out,
        unknown_dev_symbols="".join(sorted(set(vocabulary.unknown_symbols(known)))),
        num_speakers=train.loc[train["speaker"] != "", "speaker"].nunique(),
        num_without_speaker=int((train["speaker"] == "").sum()),
    )


def with_pseudo_labels(
    speech: FinetuneSpeech, pseudo_labels: PseudoLabels | None, config: Wav2Vec2Config
) -> FinetuneSpeech:
    """Put the pieces that a teacher labelled behind the transcribed utterances: each is learnt from as often as these.

    Args:
        speech: transcribed; its vocabulary stays as it is.
        pseudo_labels: None changes nothing.
        config: the network.
    """
    if pseudo_labels is None:
        return speech
    kept, reader, transcribed = pseudo_labels.kept, pseudo_labels.reader(), speech.training
    tokens = _encode([piece.text for piece in kept], speech.vocabulary)
    num_transcribed = len(speech.utterance_ids)

    def read_samples(index: int) -> NDArray[np.int16]:
        return transcribed.read_samples(index) if index < num_transcribed else reader.read(index - num_transcribed)

    all_tokens = [*transcribed.token_ids, *tokens]
    lengths = np.array([piece.num_samples for piece in kept], dtype=np.int64)
    return replace(
        speech,
        utterance_ids=(*speech.utterance_ids, *(f"{piece.recording} at {piece.seconds[0]:.2f} s" for piece in kept)),
        training=TrainingSpeech(
            num_samples=np.concatenate([transcribed.num_samples, lengths]),
            token_ids=all_tokens,
            read_samples=read_samples,
            fewest_samples=_fewest_samples(all_tokens, config),
        ),
        pseudo_labels=pseudo_labels,
    )


def _encode(texts: Sequence[str], vocabulary: Vocabulary) -> "list[array[int]]":
    """Give the label ids of texts in arrays: lists would take twice the memory."""
    return [array("I", vocabulary.encode(text)) for text in texts]


def fits_ctc(token_ids: Sequence[int], num_samples: int, config: Wav2Vec2Config) -> bool:
    """Tell whether CTC can align the tokens: one frame each, and one blank between two equal neighbours."""
    return 0 < num_frames_needed(token_ids) <= num_frames_for(num_samples, config)


def _fewest_samples(token_ids: Sequence[Sequence[int]], config: Wav2Vec2Config) -> NDArray[np.int64]:
    """Return the shortest lengths (N,) in samples at which CTC can align the tokens of each utterance."""
    frames = np.fromiter(map(num_frames_needed, token_ids), dtype=np.int64, count=len(token_ids))
    return config.receptive_field_samples + (frames - 1) * config.samples_per_frame


def _choose_dev(
    rows: pd.DataFrame, reader: ShardReader, dev_seconds: float, config: Wav2Vec2Config
) -> DevSpeech | None:
    rows = choose_dev_rows(rows.loc[rows["num_samples"] >= config.receptive_field_samples], dev_seconds)
    if rows.empty:
        return None
    return DevSpeech(speech=speech_of(rows, reader), references=tuple(rows["text"].tolist()))


def choose_dev_rows(rows: pd.DataFrame, dev_seconds: float) -> pd.DataFrame:
    """Choose dev utterances in the order of the hashes of their names, until `dev_seconds` are together."""
    order = rows["utterance_id"].map(
        lambda name: hashlib.sha256(str(name).encode("utf-8", errors="surrogateescape")).hexdigest()
    )
    rows = rows.assign(order=order).sort_values("order", kind="stable")
    before = rows["duration_seconds"].cumsum() - rows["duration_seconds"]
    return rows.loc[before < dev_seconds]
