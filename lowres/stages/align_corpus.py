"""How well the transcripts of a prepared corpus fit what was said: those that fit no better than wrong ones are named.

What a bad fit is depends on the recogniser, so it is measured: every utterance is also aligned with the transcript of
another one of like length. `lowres prepare` reads the file and flags the utterances (`[checks]`, "misfit").
"""

from collections.abc import Callable, Sequence
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
from lowres.manifest.misfits import MISFIT_CHECK, Misfits, write_misfits
from lowres.manifest.overlap import sentence_keys
from lowres.manifest.schema import FLAG_SEPARATOR
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
        CorpusError: no prepared corpus, or too few utterances, or all the same, to say anything.
        CheckpointError: no such run, or its checkpoint is damaged.
    """
    corpus = load_corpus(project / CORPUS_FOLDER)
    run = find_run(project, run_name)
    compute = choose_compute("auto")
    recognizer = load_to_listen(project, best_checkpoint(run), compute)
    table = _rows_to_hear(corpus.table)
    if len(table) < _FEWEST:
        raise CorpusError(
            f"The corpus in {corpus.folder} has {len(table)} transcribed utterances: too few to say what fits badly.",
            f"At least {_FEWEST} are needed.",
        )
    other = _partners(sentence_keys(table))
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
        seconds=tuple(table["duration_seconds"]),
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


def _rows_to_hear(table: pd.DataFrame) -> pd.DataFrame:
    """Return the transcribed utterances; also those left out as misfits, or the next file would take them in again."""
    flags = table["flags"].str.split(FLAG_SEPARATOR)
    was_misfit = pd.Series([MISFIT_CHECK in one for one in flags], index=table.index, dtype=bool)
    is_there = (table["included"] | was_misfit) & (table["text"] != "") & (table["num_samples"] > 0)
    return table.loc[is_there].reset_index(drop=True)


def _partners(keys: Sequence[str]) -> list[int]:
    """Return for each utterance another one that is about as many letters long and says something else.

    Args:
        keys: equal for those that say the same.

    Raises:
        CorpusError: all say the same.
    """
    by_length = sorted(range(len(keys)), key=lambda index: (len(keys[index]), keys[index]))
    if keys[by_length[0]] == keys[by_length[-1]]:
        raise CorpusError(
            "All utterances say the same.", "There is no wrong transcript to compare the right ones with."
        )
    partner = [0] * len(keys)
    following = by_length[0]  # behind the longest, the first
    for place in reversed(range(len(by_length))):
        index = by_length[place]
        after = by_length[(place + 1) % len(by_length)]
        following = after if keys[after] != keys[index] else following
        partner[index] = following
    return partner
