"""The diversity loss: to use all entries of the codebooks equally often (paper section 3.2, equation 4)."""

from torch import Tensor

_TINY = 1e-30


def code_perplexity(mean_probabilities: Tensor) -> Tensor:
    """Count how many entries of each codebook are in use: exp of the entropy.

    Args:
        mean_probabilities: (G, V), summing to 1 over V.

    Returns:
        (G,), from 1 when a single entry is used to V when all are equally often.
    """
    # Probabilities that are 0 in float32 add nothing, and the bound keeps their gradient finite.
    entropy = -(mean_probabilities * mean_probabilities.clamp_min(_TINY).log()).sum(-1)
    return entropy.exp()


def diversity_loss(mean_probabilities: Tensor) -> Tensor:
    """Measure the share of entries that is not in use.

    The paper's equation 4 prints the negative entropy averaged over codebooks and entries, 1 / (G V) sum p log p. What
    fairseq trained the published models with, and transformers has, is (G V - sum of the codebooks' perplexities) /
    (G V): the same minimum, at equal use, and 0 there. This is the latter, since the weight of 0.1 was chosen for it.

    Args:
        mean_probabilities: (G, V), the softmax of the quantiser's logits averaged over all masked frames of a batch.

    Returns:
        Scalar in [0, 1).
    """
    num_codes = mean_probabilities.numel()
    return (num_codes - code_perplexity(mean_probabilities).sum()) / num_codes
