"""Labelling for self-training: a teacher listens to untranscribed recordings, and what it is surest of is kept."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import ceil

import numpy as np
import pandas as pd

from lowres.audio.constants import SAMPLE_RATE
from lowres.audio.pauses import cut_at_pauses
from lowres.audio.shards import ShardReader
from lowres.backbones.native import Recognizer
from lowres.decoding.confidence import label_confidence
from lowres.decoding.greedy import greedy_decode
from lowres.manifest.corpus import PreparedCorpus
from lowres.stages.finetune_pseudo_labels import LabelledPiece, PieceReader, Use
from lowres.stages.finetune_speech import fits_ctc
from lowres.stages.listening import DEFAULT_BATCH_SECONDS, score_speech
from lowres.training.feed import TrainingSpeech
from lowres.training.precision import Compute


@dataclass(frozen=True)
class Cutting:
    """The recordings in pieces; nothing heard yet."""

    pieces: tuple[LabelledPiece, ...]
    too_short: tuple[str, ...]
    """Recordings shorter than the shortest piece."""

    known: tuple[str, ...]
    """Recordings that are utterances of the corpus itself: their dev and test texts must not be learnt from, and
    their training texts are known better."""


def cut_recordings(recordings: PreparedCorpus, corpus: PreparedCorpus) -> Cutting:
    """Cut every prepared recording at its pauses, leaving out what the corpus holds already.

    Args:
        recordings: untranscribed.
        corpus: the project's own. Only whole recordings that are the same as one of its utterances to the last sample
            are found; an utterance that was cut out of a longer recording is not.
    """
    table = recordings.table.loc[recordings.table["included"]]
    reader = ShardReader(recordings.folder)
    own = _hash_sounds(corpus, set(table["num_samples"]))
    pieces: list[LabelledPiece] = []
    too_short, known = [], []
    places = zip(table["utterance_id"], table["shard"], table["offset_samples"], table["num_samples"], strict=True)
    for name, shard, offset, length in places:
        samples = reader.read(shard, offset, length)
        cut = cut_at_pauses(samples)
        if own and hashlib.sha256(samples.tobytes()).digest() in own:
            known.append(name)
        elif not cut:
            too_short.append(name)
        else:
            pieces += [
                LabelledPiece(
                    recording=name,
                    start_samples=piece.start_samples,
                    num_samples=piece.num_samples,
                    shard=shard,
                    offset_samples=int(offset) + piece.start_samples,
                    text="",
                    confidence=0.0,
                    use="nothing heard",
                )
                for piece in cut
            ]
    return Cutting(tuple(pieces), tuple(too_short), tuple(known))


def _hash_sounds(corpus: PreparedCorpus, lengths: set[int]) -> set[bytes]:
    """Hash the utterances of a corpus that have one of these lengths, whatever split they are in."""
    reader = ShardReader(corpus.folder)
    table: pd.DataFrame = corpus.table.loc[corpus.table["included"] & corpus.table["num_samples"].isin(lengths)]
    places = zip(table["shard"], table["offset_samples"], table["num_samples"], strict=True)
    return {hashlib.sha256(reader.read(*place).tobytes()).digest() for place in places}


def label_pieces(
    pieces: Sequence[LabelledPiece],
    recordings: PreparedCorpus,
    teacher: Recognizer,
    compute: Compute,
    progress: Callable[[float, float], bool],
) -> list[LabelledPiece] | None:
    """Let the teacher transcribe every piece greedily and say how sure it is.

    Args:
        pieces: as `cut_recordings` made them.
        recordings: that they are pieces of.
        teacher: on `compute`'s device, in evaluation mode.
        compute: device and precision.
        progress: told the seconds done and the seconds in all after every batch; says whether to go on.

    Returns:
        The pieces with their texts, in order, none of them chosen yet; None when `progress` did not want to go on.
    """
    config, vocabulary = teacher.model.backbone.config, teacher.vocabulary
    speech = TrainingSpeech(
        num_samples=np.array([piece.num_samples for piece in pieces], dtype=np.int64),
        token_ids=[()] * len(pieces),
        read_samples=PieceReader(pieces, ShardReader(recordings.folder)).read,
    )
    labelled, done = list(pieces), 0
    total = int(speech.num_samples.sum())
    batch_seconds = DEFAULT_BATCH_SECONDS[compute.device]
    for indices, output in score_speech(teacher, speech, compute=compute, batch_seconds=batch_seconds):
        heard = greedy_decode(output.log_probs, output.num_frames)
        confidences = label_confidence(output.log_probs, output.num_frames)
        for index, hypothesis, confidence in zip(indices, heard, confidences, strict=True):
            piece = pieces[index]
            text = " ".join(vocabulary.decode(hypothesis.token_ids).split())
            does_fit = fits_ctc(vocabulary.encode(text), piece.num_samples, config)
            use: Use = "nothing heard" if not text else "less sure" if does_fit else "too short"
            labelled[index] = replace(piece, text=text, confidence=confidence, use=use)
            done += piece.num_samples
        if not progress(done / SAMPLE_RATE, total / SAMPLE_RATE):
            return None
    return labelled


def keep_surest(pieces: Sequence[LabelledPiece], share: float) -> list[LabelledPiece]:
    """Keep a share of the pieces that have a text to learn from: the surest; of equally sure ones, the first.

    Args:
        pieces: as `label_pieces` returned them.
        share: above 0 to 1, of the pieces with a text; at least one is kept where there is one.
    """
    usable = [number for number, piece in enumerate(pieces) if piece.use == "less sure"]
    surest = sorted(usable, key=lambda number: -pieces[number].confidence)
    # What floating point makes of 0.55 x 100 is a little above 55, and is not meant as 56.
    kept = set(surest[: ceil(share * len(usable) - 1e-9)])
    return [replace(piece, use="kept") if number in kept else piece for number, piece in enumerate(pieces)]
