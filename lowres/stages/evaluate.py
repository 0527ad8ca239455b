"""Evaluate: from a trained recogniser and a prepared corpus to a report on speech it was not trained on."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final, Literal

import numpy as np
import pandas as pd
import torch

from lowres.audio.constants import SAMPLE_RATE
from lowres.audio.shards import ShardReader
from lowres.backbones.native import Recognizer, load_recognizer
from lowres.decoding.greedy import greedy_decode
from lowres.manifest.corpus import CORPUS_FOLDER, PreparedCorpus, load_corpus
from lowres.model.ctc import CTCOutput
from lowres.recipe import Recipe
from lowres.report.contents import ReportContents
from lowres.report.files import write_report
from lowres.report.recordings import embed_recordings
from lowres.scoring.scorecard import Rates, Scorecard, ScoredText, score
from lowres.stages.backbone import find_backbone
from lowres.stages.evaluate_run import (
    best_checkpoint,
    cautions_about_changes,
    choose_split,
    decoding_facts,
    describe_provenance,
    find_run,
    gather_split_facts,
    training_rows,
)
from lowres.text.graphemes import split_graphemes
from lowres.text.normalize import CollapseSpaces, NormalForm, compile_rules, unicode_form
from lowres.training.batches import BatchSizes, Indices, cut_into_batches
from lowres.training.feed import TrainingSpeech, load_batch
from lowres.training.precision import Compute, choose_compute, hold_weights
from lowres.training.settings import Precision

DEFAULT_BATCH_SECONDS: Final = {"cpu": 40.0, "cuda": 320.0}
_NO_LIMIT: Final = 2**62


@dataclass(frozen=True)
class EvaluateOptions:
    """What the command line adds to the recipe."""

    run: str | None = None
    """Name of the run; None takes the newest."""

    split: str | None = None
    """"train", "dev" or "test"; None takes the recipe's, or test, or dev where there is no test."""

    precision: Precision = "auto"
    batch_seconds: float | None = None
    """Seconds of padded audio decoded together; the result in fp32 does not depend on it."""

    embed_recordings: bool = True
    """Whether the page holds the recordings, as far as they are small."""


EvaluationTask = Literal["listening", "scoring", "embedding recordings", "writing"]


@dataclass(frozen=True)
class EvaluationProgress:
    """How far an evaluation is; seconds of audio listened to so far, of how many."""

    task: EvaluationTask
    done_seconds: float
    total_seconds: float


@dataclass(frozen=True)
class EvaluationResult:
    """What was measured and where the report lies."""

    folder: Path
    contents: ReportContents
    run_name: str
    split: str
    compute: Compute
    decoding_seconds: float
    """Wall time of reading, network and decoding."""

    wall_seconds: float
    num_embedded: int
    page_bytes: int

    @property
    def scorecard(self) -> Scorecard:
        """All figures."""
        return self.contents.scorecard

    @property
    def rates(self) -> Rates:
        """Word and character error rate after the recipe's rules."""
        return self.scorecard.normalised

    @property
    def audio_seconds(self) -> float:
        """Seconds of audio that were scored."""
        return sum(self.contents.text.durations_seconds)

    @property
    def hours_of_audio_per_hour(self) -> float:
        """Speed of decoding."""
        return self.audio_seconds / max(self.decoding_seconds, 1e-9)


def evaluate(
    project: Path,
    recipe: Recipe,
    options: EvaluateOptions,
    progress: Callable[[EvaluationProgress], None] = lambda _progress: None,
) -> EvaluationResult:
    """Score a run's best checkpoint on the test split (dev where there is none) and write its report.

    Args:
        project: the project folder; `corpus/` and `runs/` are read, `reports/<run>-<split>/` is written.
        recipe: its language, its text rules and its seed for the intervals.
        options: which run and split, and how to compute.
        progress: told how far it is.

    Returns:
        Every figure, and where the report is.

    Raises:
        CorpusError: no prepared corpus, or it has no such split.
        CheckpointError: no such run, or its checkpoint is damaged.
        LowresError: the report could not be written.
    """
    started = time.perf_counter()
    corpus = load_corpus(project / CORPUS_FOLDER)
    run = find_run(project, options.run)
    split = choose_split(corpus, options.split or recipe.evaluate.split)
    compute = choose_compute(options.precision)
    recognizer = load_to_listen(project, best_checkpoint(run), compute)
    rows = corpus.rows(split)
    total = float(rows["duration_seconds"].sum())
    speech = _speech_of(rows, ShardReader(corpus.folder))
    heard, decoding_seconds = _listen(recognizer, speech, compute, options, progress)
    progress(EvaluationProgress("scoring", total, total))
    contents = _score(
        corpus,
        recipe,
        recognizer,
        run_name=run.name,
        split=split,
        hypotheses=heard,
        facts=decoding_facts(compute, total / max(decoding_seconds, 1e-9)),
    )
    recordings: dict[int, str] = {}
    if options.embed_recordings:
        progress(EvaluationProgress("embedding recordings", total, total))
        recordings = embed_recordings([*contents.scorecard.worst, *range(len(rows))], speech.read_samples, SAMPLE_RATE)
    progress(EvaluationProgress("writing", total, total))
    folder = project / "reports" / f"{run.name}-{split}"
    sizes = write_report(folder, contents, split=_splitter(recipe), recordings=recordings)
    return EvaluationResult(
        folder=folder,
        contents=contents,
        run_name=run.name,
        split=split,
        compute=compute,
        decoding_seconds=decoding_seconds,
        wall_seconds=time.perf_counter() - started,
        num_embedded=len(recordings),
        page_bytes=sizes["report.html"],
    )


def load_to_listen(project: Path, checkpoint: Path, compute: Compute) -> Recognizer:
    """Load a recogniser to transcribe with and nothing else.

    Raises:
        CheckpointError: as `load_recognizer`.
    """
    recognizer = load_recognizer(checkpoint, device=compute.device, find_backbone=partial(find_backbone, project))
    hold_weights(recognizer.model, compute)
    return recognizer


def _listen(
    recognizer: Recognizer,
    speech: TrainingSpeech,
    compute: Compute,
    options: EvaluateOptions,
    progress: Callable[[EvaluationProgress], None],
) -> tuple[list[str], float]:
    """Transcribe the split; return the texts and the seconds that it took."""
    total = int(speech.num_samples.sum()) / SAMPLE_RATE
    started = time.perf_counter()
    heard = transcribe_speech(
        recognizer,
        speech,
        compute=compute,
        batch_seconds=options.batch_seconds or DEFAULT_BATCH_SECONDS[compute.device],
        progress=lambda done: progress(EvaluationProgress("listening", done, total)),
    )
    return heard, time.perf_counter() - started


def transcribe_speech(
    recognizer: Recognizer,
    speech: TrainingSpeech,
    *,
    compute: Compute,
    batch_seconds: float,
    progress: Callable[[float], None] = lambda _seconds: None,
) -> list[str]:
    """Decode utterances greedily, in batches of like length, the longest first.

    In fp32 the text of an utterance does not depend on its batch; in bf16 the last bits of a score may, and with
    them, rarely, a letter.

    Args:
        recognizer: on `compute`'s device, in evaluation mode.
        speech: the N utterances; their `token_ids` are not read.
        compute: device and precision.
        batch_seconds: seconds of audio, padding included, that are decoded together.
        progress: told the seconds of audio done so far.

    Returns:
        N texts, as the vocabulary spells them; "" for an utterance too short for a single frame.
    """
    texts = [""] * len(speech.num_samples)
    done = 0
    for indices, output in score_speech(recognizer, speech, compute=compute, batch_seconds=batch_seconds):
        hypotheses = greedy_decode(output.log_probs, output.num_frames)
        for index, hypothesis in zip(indices, hypotheses, strict=True):
            texts[index] = recognizer.vocabulary.decode(hypothesis.token_ids)
        done += int(speech.num_samples[list(indices)].sum())
        progress(done / SAMPLE_RATE)
    return texts


def score_speech(
    recognizer: Recognizer, speech: TrainingSpeech, *, compute: Compute, batch_seconds: float
) -> Iterator[tuple[Indices, CTCOutput]]:
    """Score utterances in batches of like length, the longest first; arguments as for `transcribe_speech`.

    Yields:
        Which utterances, and their scores; those too short for a single frame never come.
    """
    sizes = BatchSizes(samples_per_update=_NO_LIMIT, micro_batch_samples=int(batch_seconds * SAMPLE_RATE))
    longest_first = np.argsort(-speech.num_samples, kind="stable")
    receptive_field = recognizer.model.backbone.config.receptive_field_samples
    is_long_enough = speech.num_samples[longest_first] >= receptive_field
    for indices in cut_into_batches(speech.num_samples, longest_first[is_long_enough], sizes):
        batch = load_batch(speech, indices)
        with torch.inference_mode(), compute.autocast():  # not around the yield, or whoever reads this would be in it
            output: CTCOutput = recognizer.model(batch.waveforms.to(compute.device), batch.num_samples)
        yield indices, output


def _speech_of(rows: pd.DataFrame, reader: ShardReader) -> TrainingSpeech:
    shards, offsets = rows["shard"].tolist(), rows["offset_samples"].tolist()
    lengths = rows["num_samples"].to_numpy(dtype=np.int64)
    return TrainingSpeech(
        num_samples=lengths,
        token_ids=[()] * len(rows),
        read_samples=lambda index: reader.read(shards[index], offsets[index], int(lengths[index])),
    )


def _score(
    corpus: PreparedCorpus,
    recipe: Recipe,
    recognizer: Recognizer,
    *,
    run_name: str,
    split: str,
    hypotheses: Sequence[str],
    facts: Sequence[tuple[str, str]],
) -> ReportContents:
    rows, training = corpus.rows(split), training_rows(corpus, recognizer.metadata)
    # The recogniser writes what the rules made of its training text. Applying them again could change letters a second
    # time (x > y, y > z), so only spelling that nobody sees is settled: marks written apart, spaces at the ends.
    tidy = compile_rules((NormalForm(unicode_form(recipe.text.rules) or "nfc"), CollapseSpaces()))
    text = ScoredText(
        utterance_ids=rows["utterance_id"].tolist(),
        speakers=rows["speaker"].tolist(),
        durations_seconds=rows["duration_seconds"].tolist(),
        references=rows["text"].tolist(),
        raw_references=rows["raw_text"].tolist(),
        hypotheses=[tidy(hypothesis) for hypothesis in hypotheses],
    )
    return ReportContents(
        text=text,
        scorecard=score(
            text,
            training_words={word for line in training["text"] for word in line.split()},
            split_graphemes=_splitter(recipe),
            seed=recipe.evaluate.seed,
        ),
        provenance=describe_provenance(corpus, recipe, recognizer, run_name=run_name, split=split, facts=facts),
        split_facts=gather_split_facts(corpus, rows, training, recognizer, split),
        more_cautions=tuple(cautions_about_changes(corpus, recipe, recognizer.metadata)),
    )


def _splitter(recipe: Recipe) -> Callable[[str], list[str]]:
    return partial(split_graphemes, declared=recipe.text.graphemes)
