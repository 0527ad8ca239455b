"""What a trained recogniser hears in utterances of a corpus: greedily, and with a language model where there is one."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
import torch

from lowres.audio.constants import SAMPLE_RATE
from lowres.audio.shards import ShardReader
from lowres.backbones.native import Recognizer, load_recognizer
from lowres.decoding.beam_search import BeamHypothesis, BeamSettings, LogProbs
from lowres.decoding.beam_workers import BeamWorkers
from lowres.decoding.greedy import greedy_decode
from lowres.decoding.word_times import HeardWord, time_words
from lowres.model.ctc import CTCOutput
from lowres.stages.backbone import find_backbone
from lowres.text.vocabulary import Vocabulary
from lowres.training.batches import BatchSizes, Indices, cut_into_batches
from lowres.training.feed import TrainingSpeech, load_batch
from lowres.training.precision import Compute, hold_weights

DEFAULT_BATCH_SECONDS: Final = {"cpu": 40.0, "cuda": 320.0}
_NO_LIMIT: Final = 2**62
_FRAMES_AT_A_TIME: Final = 500_000
"""Log-probabilities that wait for the beam search: some hundred MB with a usual vocabulary."""


@dataclass(frozen=True)
class Heard:
    """What was heard in N utterances, as the vocabulary spells it.

    `greedy` is what needs no language model; `words` are those of `texts`, with how certain each is, or
    none where they were not wanted.
    """

    texts: list[str]
    greedy: list[str]
    words: list[list[HeardWord]]


@dataclass(frozen=True)
class Search:
    """A beam search that is ready: the workers with their model, and the settings."""

    workers: BeamWorkers
    settings: BeamSettings


def load_to_listen(project: Path, checkpoint: Path, compute: Compute) -> Recognizer:
    """Load a recogniser to transcribe with and nothing else.

    Raises:
        CheckpointError: as `load_recognizer`.
    """
    recognizer = load_recognizer(checkpoint, device=compute.device, find_backbone=partial(find_backbone, project))
    hold_weights(recognizer.model, compute)
    return recognizer


def listen(
    recognizer: Recognizer,
    speech: TrainingSpeech,
    *,
    compute: Compute,
    batch_seconds: float,
    search: Search | None = None,
    timed: bool = True,
    progress: Callable[[float], None] = lambda _seconds: None,
) -> Heard:
    """Decode utterances, in batches of like length, the longest first.

    In fp32 and int8 the text of an utterance does not depend on its batch; in bf16 the last bits of a score may, and
    with them, rarely, a letter.

    Args:
        recognizer: on `compute`'s device, in evaluation mode.
        speech: the N utterances; their `token_ids` are not read.
        compute: device and precision.
        batch_seconds: seconds of audio, padding included, that the network hears together.
        search: with a language model; without one `texts` are the greedy ones.
        timed: whether the words are wanted, for which labels have to be aligned once more.
        progress: told the seconds of audio done so far.

    Returns:
        N texts and their words; "" and none for an utterance too short for a single frame.
    """
    num_utterances = len(speech.num_samples)
    heard = Heard([""] * num_utterances, [""] * num_utterances, [[] for _ in range(num_utterances)])
    vocabulary = recognizer.vocabulary
    waiting: dict[int, LogProbs] = {}
    done = 0
    for indices, output in score_speech(recognizer, speech, compute=compute, batch_seconds=batch_seconds):
        hypotheses = greedy_decode(output.log_probs, output.num_frames)
        for (index, log_probs), hypothesis in zip(log_probs_of(indices, output).items(), hypotheses, strict=True):
            heard.greedy[index] = vocabulary.decode(hypothesis.token_ids)
            if search is None:
                heard.texts[index] = heard.greedy[index]
                if timed:
                    heard.words[index] = time_words(log_probs, hypothesis.token_ids, vocabulary)
            else:
                waiting[index] = log_probs
        if search is not None and sum(map(len, waiting.values())) > _FRAMES_AT_A_TIME:
            _search(search, waiting, heard, vocabulary, timed)
        done += int(speech.num_samples[list(indices)].sum())
        progress(done / SAMPLE_RATE)
    if search is not None:
        _search(search, waiting, heard, vocabulary, timed)
    return heard


def _search(search: Search, waiting: dict[int, LogProbs], heard: Heard, vocabulary: Vocabulary, timed: bool) -> None:
    found = search.workers.decode(list(waiting.values()), search.settings)
    for (index, log_probs), best in zip(waiting.items(), found, strict=True):
        heard.texts[index] = write_hypothesis(best[0], vocabulary)
        if timed:
            heard.words[index] = time_words(log_probs, best[0].token_ids, vocabulary)
    waiting.clear()


def write_hypothesis(hypothesis: BeamHypothesis, vocabulary: Vocabulary) -> str:
    """Give the text of a transcription: its words where a lexicon spelled them, else what its labels spell."""
    if hypothesis.words is not None:
        return " ".join(hypothesis.words)
    return vocabulary.decode(hypothesis.token_ids)


def log_probs_of(indices: Indices, output: CTCOutput) -> dict[int, LogProbs]:
    """Return (T, V) float32 scores of each utterance of a batch, by its index, without padding."""
    scores, lengths = output.log_probs.float().cpu().numpy(), output.num_frames.tolist()
    return {
        int(index): scores[row, :length].copy()
        for row, (index, length) in enumerate(zip(indices, lengths, strict=True))
    }


def score_speech(
    recognizer: Recognizer, speech: TrainingSpeech, *, compute: Compute, batch_seconds: float
) -> Iterator[tuple[Indices, CTCOutput]]:
    """Score utterances in batches of like length, the longest first; arguments as for `listen`.

    Yields:
        Which utterances, and their scores; those too short for a single frame never come.
    """
    batch_samples = 1 if compute.hears_alone else int(batch_seconds * SAMPLE_RATE)
    sizes = BatchSizes(samples_per_update=_NO_LIMIT, micro_batch_samples=batch_samples)
    longest_first = np.argsort(-speech.num_samples, kind="stable")
    receptive_field = recognizer.model.backbone.config.receptive_field_samples
    is_long_enough = speech.num_samples[longest_first] >= receptive_field
    for indices in cut_into_batches(speech.num_samples, longest_first[is_long_enough], sizes):
        batch = load_batch(speech, indices)
        with torch.inference_mode(), compute.autocast():  # not around the yield, or whoever reads this would be in it
            output: CTCOutput = recognizer.model(batch.waveforms.to(compute.device), batch.num_samples)
        yield indices, output


def speech_of(
    rows: pd.DataFrame, reader: ShardReader, token_ids: Sequence[Sequence[int]] | None = None
) -> TrainingSpeech:
    """Give the recordings of rows of a prepared corpus, with the targets `token_ids` where there are any."""
    shards, offsets = rows["shard"].tolist(), rows["offset_samples"].tolist()
    lengths = rows["num_samples"].to_numpy(dtype=np.int64)
    return TrainingSpeech(
        num_samples=lengths,
        token_ids=[()] * len(rows) if token_ids is None else token_ids,
        read_samples=lambda index: reader.read(shards[index], offsets[index], int(lengths[index])),
    )
