"""Watching a run on dev: greedy decoding and error rates, the same utterances every time."""

import numpy as np
import torch

from lowres.decoding.greedy import greedy_decode
from lowres.model.ctc import CTCRecognizer
from lowres.scoring.error_rates import character_error_rate, word_error_rate
from lowres.stages.finetune_speech import DevSpeech
from lowres.text.vocabulary import Vocabulary
from lowres.training.batches import BatchSizes, cut_into_batches
from lowres.training.feed import load_batch
from lowres.training.monitors import DevScores
from lowres.training.precision import Compute
from lowres.training.recognition import score_batch

NUM_EXAMPLES = 3


def evaluate_on_dev(
    model: CTCRecognizer, vocabulary: Vocabulary, dev: DevSpeech, *, compute: Compute, sizes: BatchSizes
) -> DevScores:
    """Decode dev greedily and score it.

    Args:
        model: in evaluation mode.
        vocabulary: of its head.
        dev: utterances and references.
        compute: device and precision.
        sizes: `micro_batch_samples` is what may be in memory at once.
    """
    hypotheses = [""] * len(dev.references)
    blanks = frames = 0
    seen: set[int] = set()
    longest_first = np.argsort(-dev.speech.num_samples, kind="stable")
    whole = BatchSizes(samples_per_update=2**62, micro_batch_samples=sizes.micro_batch_samples)
    with torch.no_grad():
        for indices in cut_into_batches(dev.speech.num_samples, longest_first, whole):
            output = score_batch(model, load_batch(dev.speech, indices), compute)
            for index, found in zip(indices, greedy_decode(output.log_probs, output.num_frames), strict=True):
                hypotheses[index] = vocabulary.decode(found.token_ids)
                blanks += found.num_blank_frames
                frames += found.num_frames
                seen.update(found.token_ids)
    references = list(dev.references)
    return DevScores(
        character_error_rate=character_error_rate(references, hypotheses),
        word_error_rate=word_error_rate(references, hypotheses),
        blank_share=blanks / max(frames, 1),
        distinct_tokens=len(seen),
        examples=tuple(zip(references, hypotheses, strict=True))[:NUM_EXAMPLES],
    )
