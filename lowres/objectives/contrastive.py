"""The contrastive loss: to tell the true quantised latent of a masked frame from distractors (paper equation 3)."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional


@dataclass(frozen=True)
class ContrastiveLoss:
    """The loss of a batch."""

    loss: Tensor
    """Scalar float32, in nats: the sum over the masked frames that count."""

    num_correct: Tensor
    """Scalar int64: frames whose target is more similar to the prediction than every distractor that counts. A tie is
    not correct, nor is a frame none of whose distractors counts (all equal the target: the codes have collapsed).
    fairseq calls both correct unless all similarities of the frame, target and distractors, are equal."""

    num_frames: int
    """Masked frames that count: those of utterances with at least two."""

    num_left_out: int
    """Utterances with fewer than two masked frames, where there is nothing to tell apart."""


def contrastive_loss(
    predictions: Tensor,
    targets: Tensor,
    codes: Tensor,
    num_masked: Sequence[int],
    distractors: Sequence[Tensor],
    *,
    temperature: float = 0.1,
) -> ContrastiveLoss:
    """Compare every prediction with its target and K distractors of the same utterance.

    The similarities of all masked frames of an utterance are one (M, W) by (W, M) product, out of which those with the
    distractors are picked: the same numbers as from gathering K vectors of width W for each frame, for a fraction of
    time and memory. Computed in float32 whatever the vectors come in.

    Args:
        predictions: (N_m, W), masked frames of all utterances end to end.
        targets: (N_m, W).
        codes: (N_m, G) int64, which tell when a distractor equals the target; it does not count then.
        num_masked: M of each utterance; they sum to N_m.
        distractors: for each utterance (M, K) int64, see `sample_distractors`; unread where M < 2.
        temperature: kappa.
    """
    device = predictions.device
    with torch.autocast(device.type, enabled=False):
        predictions = functional.normalize(predictions.float(), dim=-1)
        targets = functional.normalize(targets.float(), dim=-1)
        right, wrong, equal = [], [], []
        parts = zip(*(torch.split(tensor, list(num_masked)) for tensor in (predictions, targets, codes)), strict=True)
        for (prediction, target, code), places in zip(parts, distractors, strict=True):
            if len(prediction) >= 2:
                places = places.to(device, non_blocking=True)
                similarities = prediction @ target.t()
                right.append(similarities.diagonal())
                wrong.append(similarities.gather(1, places))
                equal.append((code[places] == code[:, None]).all(-1))
        num_left_out = sum(length < 2 for length in num_masked)
        if not wrong:
            # Nothing counts; the sum keeps the graph whole.
            nothing = (predictions.sum() + targets.sum()) * 0.0
            return ContrastiveLoss(nothing, torch.zeros((), dtype=torch.int64, device=device), 0, num_left_out)
        target_logits = torch.cat(right) / temperature
        logits = (torch.cat(wrong) / temperature).masked_fill(torch.cat(equal), -torch.inf)
        all_logits = torch.cat([target_logits[:, None], logits], dim=1)
        loss = (torch.logsumexp(all_logits, dim=1) - target_logits).sum()
        with torch.no_grad():
            best_distractor = logits.max(dim=1).values
            is_correct = (target_logits > best_distractor) & (best_distractor > -torch.inf)
        return ContrastiveLoss(loss, is_correct.sum(), len(target_logits), num_left_out)
