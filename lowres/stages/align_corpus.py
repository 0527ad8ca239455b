"""How well the transcripts of a prepared corpus fit what was said: those that fit no better than wrong ones are named.

What a bad fit is depends on the recogniser, so it is measured: every utterance is also aligned with the transcript of
another one of like length. `lowres prepare` reads the file and flags the utterances (`[checks]`, "misfit").
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from lowres.audio.shards import ShardReader
from lowres.decoding.beam_search import LogProbs
from lowres.decoding.forced_alignment import align_labels
from lowres.decoding.greedy import greedy_decode
from lowres.decoding.text_alignment import fit_of
from lowres.errors import CorpusError
from lowres.manifest.corpus import CORPUS_FOLDER, load_corpus
from lowres.manifest.misfits import Misfits, write_misfits
from lowres.manifest.overlap import sentence_keys
from lowres.stages.evaluate_run import best_checkpoint, find_run, training_rows
from lowres.stages.listening import DEFAULT_BATCH_SECONDS, load_to_listen, log_probs_of, score_speech, speech_of
from lowres.text.vocabulary import Vocabulary
from lowres.training.precision import choose_compute

WRONG_SHARE = 0.9
"""The limit lies where this share of wrong transcripts fits worse."""

_FEWEST = 20
"""Utterances that it takes to say what fits badly."""


@dataclass(frozen=True)
class CorpusFit:
    """What was found: the table of `write_misfits`, where it lies, and how well right and wrong were told apart."""

    path: Path
    run_name: str
    misfits: Misfits
    num_heard_in_training: int
    """Utterances that the recogniser learned from: it may have learned their mistakes."""

    separation: float
    """The chance that the transcript of an utterance fits better than a wrong one does somewhere, 0.5-1."""


def align_corpus(
    project: Path, run_name: str | None = None, progress: Callable[[float, float], None] = lambda _done, _all: None
) -> CorpusFit:
    """Score the fit of every transcript of the project's corpus and write `misfits.tsv` into the project folder.

    Args:
        project: the project folder.
        run_name: the recogniser; None = the newest.
        progress: told the seconds of speech done, of how many.

    Raises:
        CorpusError: no prepared corpus, or too few utterances to say anything.
        CheckpointError: no such run, or its checkpoint is damaged.
    """
    corpus = load_corpus(project / CORPUS_FOLDER)
    run = find_run(project, run_name)
    compute = choose_compute("auto")
    recognizer = load_to_listen(project, best_checkpoint(run), compute)
    table = corpus.table.loc[corpus.table["included"] & (corpus.table["text"] != "")].reset_index(drop=True)
    if len(table) < _FEWEST:
        raise CorpusError(
            f"The corpus in {corpus.folder} has {len(table)} transcribed utterances: too few to say what fits badly.",
            f"At least {_FEWEST} are needed.",
        )
    other = _partners(table)
    texts = table["text"].tolist()
    fits, wrong, heard = np.zeros(len(table)), np.zeros(len(table)), [""] * len(table)
    speech = speech_of(table, ShardReader(corpus.folder))
    total, done = float(table["duration_seconds"].sum()), 0.0
    for indices, output in score_speech(
        recognizer, speech, compute=compute, batch_seconds=DEFAULT_BATCH_SECONDS[compute.device]
    ):
        hypotheses = greedy_decode(output.log_probs, output.num_frames)
        for (index, log_probs), hypothesis in zip(log_probs_of(indices, output).items(), hypotheses, strict=True):
            fits[index] = _fit(log_probs, texts[index], recognizer.vocabulary)
            wrong[index] = _fit(log_probs, texts[other[index]], recognizer.vocabulary)
            heard[index] = recognizer.vocabulary.decode(hypothesis.token_ids)
            done += float(table["duration_seconds"][index])
        progress(done, total)
    limit = float(np.quantile(wrong, WRONG_SHARE))
    learned = set(training_rows(corpus, recognizer.metadata)["utterance_id"])
    misfits = Misfits(
        utterance_ids=tuple(table["utterance_id"]),
        texts=tuple(texts),
        heard=tuple(heard),
        fits=tuple(fits.tolist()),
        limit=limit,
    )
    path = write_misfits(project, misfits)
    return CorpusFit(
        path,
        run.name,
        misfits,
        int(table["utterance_id"].isin(learned).sum()),
        float((fits[:, None] > wrong[None, :]).mean()),
    )


def _fit(log_probs: LogProbs, text: str, vocabulary: Vocabulary) -> float:
    spans = align_labels(log_probs, vocabulary.encode(text))
    return fit_of(log_probs, spans) if spans else 0.0


def _partners(table: pd.DataFrame) -> list[int]:
    """Return for each utterance another one of about its length in letters that says something else."""
    keys = sentence_keys(table)
    by_length = sorted(range(len(table)), key=lambda index: (len(keys[index]), keys[index]))
    partner = [0] * len(table)
    for place, index in enumerate(by_length):
        # Past those that say the same; behind the longest, the first ones.
        following = (by_length[(place + step) % len(by_length)] for step in range(1, len(by_length)))
        partner[index] = next((one for one in following if keys[one] != keys[index]), index)
    return partner
