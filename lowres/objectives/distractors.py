"""The wrong answers of the contrastive task (paper section 3.2)."""

import torch
from torch import Tensor


def sample_distractors(num_masked: int, num_distractors: int, generator: torch.Generator) -> Tensor:
    """Draw distractors for every masked frame of ONE utterance, uniformly from its other masked frames.

    They are drawn with replacement, as in fairseq: an utterance may have fewer than K other masked frames.

    Args:
        num_masked: M >= 0, the utterance's masked frames.
        num_distractors: K >= 1.
        generator: a CPU generator.

    Returns:
        (M, K) int64: places in 0..M-1 among the utterance's masked frames; row i never holds i. With fewer than two
        masked frames there is nothing to draw from: (M, 0).
    """
    if num_masked < 2:
        return torch.empty(num_masked, 0, dtype=torch.int64)
    drawn = torch.randint(num_masked - 1, (num_masked, num_distractors), generator=generator)
    # Places from i on move up by one, which skips i and leaves all others equally likely.
    return drawn + (drawn >= torch.arange(num_masked)[:, None])
