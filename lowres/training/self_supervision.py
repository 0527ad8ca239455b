"""The loss of pretraining on one micro batch, in the form the training loop takes (paper, section 3.2)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import torch
from torch import Tensor, nn
from torch.nn import functional

from lowres.model.config import QuantizerConfig, Wav2Vec2Config, num_frames_for
from lowres.model.masking import Masks, draw_masks
from lowres.model.pretraining import PretrainingOutput
from lowres.model.quantizer import sample_gumbel_noise
from lowres.objectives.contrastive import contrastive_loss
from lowres.objectives.distractors import sample_distractors
from lowres.objectives.diversity import diversity_loss
from lowres.objectives.latent_penalty import latent_penalty
from lowres.training.precision import Compute


class Speech(Protocol):
    """A micro batch of untranscribed utterances."""

    @property
    def waveforms(self) -> Tensor:
        """(B, S) float32 in -1..1; what lies behind an utterance's samples is never read."""

    @property
    def num_samples(self) -> Tensor:
        """(B,) int64 true lengths, on the CPU."""


@dataclass(frozen=True, kw_only=True)
class LossWeights:
    """The numbers of the pretraining loss. The defaults are those of the BASE model."""

    diversity: float = 0.1
    """alpha of the paper's equation 2."""

    latent_penalty: float = 10.0
    """Of the mean square of the latents: 10 in fairseq's BASE recipe (loss_weights: [0.1, 10]), 0 in that of LARGE."""

    temperature: float = 0.1
    """kappa of equation 3."""

    num_distractors: int = 100
    """K of equation 3."""


@dataclass(frozen=True)
class PretrainingLoss:
    """What one micro batch cost. Everything but `total` is without a graph."""

    total: Tensor
    """Scalar float32 with its graph: contrastive + num_frames (weighted diversity + weighted latent penalty)."""

    contrastive: Tensor
    """Scalar float32, in nats: the sum over masked frames."""

    diversity: Tensor
    """Scalar float32 in [0, 1), over the masked frames of all processes."""

    latent_penalty: Tensor
    """Scalar float32: the mean square of the latents before their norm."""

    num_frames: int
    """Masked frames that count."""

    num_correct: Tensor
    """Scalar int64: those of them whose target beat every distractor, see `ContrastiveLoss`."""

    num_left_out: int
    """Utterances with fewer than two masked frames: they are neither masked nor learned from."""

    probability_sums: Tensor
    """(G, V) float32: the softmax of the quantiser's logits summed over the frames that count, of this process."""

    code_counts: Tensor
    """(G, V) int64: how often each entry was chosen."""

    latent_similarity: Tensor
    """Scalar float32 in -1..1: the mean cosine similarity of two different targets of an utterance; 1 = collapsed."""


PretrainingLossFunction = Callable[[Speech, Sequence[torch.Generator], float | None], PretrainingLoss]
ShareProbabilities = Callable[[Tensor, int], tuple[Tensor, int]]


def seeded_generator(seed: int) -> torch.Generator:
    """Return a CPU generator that starts from `seed`, 0 to 2^63 - 1."""
    generator = torch.Generator()
    generator.manual_seed(seed)
    return generator


def keep_own(probability_sums: Tensor, num_frames: int) -> tuple[Tensor, int]:
    """Share with nobody: the sums and the number of frames of a process that is alone."""
    return probability_sums, num_frames


def pretraining_loss_function(
    network: nn.Module,
    config: Wav2Vec2Config,
    quantizer_config: QuantizerConfig,
    compute: Compute,
    weights: LossWeights,
    *,
    share_probabilities: ShareProbabilities = keep_own,
) -> PretrainingLossFunction:
    """Bind a network to a device, a precision and the numbers of the loss.

    Args:
        network: a `PretrainingNetwork`, wrapped or not: it is only called.
        config: the backbone's.
        quantizer_config: the quantiser's.
        compute: the network runs in its precision, the losses in float32.
        weights: the numbers of the loss.
        share_probabilities: given this process's probability_sums, without a graph, and num_frames, returns the sums of
            both over all processes. So the diversity loss sees the whole batch, while its gradient, like that of
            everything else, is this process's share: summed over processes, it is that of the whole batch.

    Returns:
        A function of a micro batch, a CPU generator for each of its utterances, and the Gumbel temperature (None: hard
        codes without noise, for evaluation). Each utterance draws from its own generator, first masks, then
        distractors, then noise, so that it learns the same whatever it is batched with.
    """
    entries = (quantizer_config.num_codebooks, quantizer_config.num_entries)

    def loss_of(
        speech: Speech, generators: Sequence[torch.Generator], gumbel_temperature: float | None
    ) -> PretrainingLoss:
        num_frames = [num_frames_for(length, config) for length in speech.num_samples.tolist()]
        masks = _leave_out_single_frames(draw_masks(num_frames, config, generators))
        num_masked: list[int] = masks.time.sum(1).tolist()
        parts = list(zip(num_masked, generators, strict=True))
        distractors = [sample_distractors(length, weights.num_distractors, own) for length, own in parts]
        noise = None
        if gumbel_temperature is not None:
            noise = torch.cat([sample_gumbel_noise((length, *entries), own) for length, own in parts])
            noise = noise.to(compute.device, non_blocking=True)
        waveforms = speech.waveforms.to(compute.device, non_blocking=True)
        with compute.autocast():
            output = network(
                waveforms,
                speech.num_samples,
                masks=masks,
                gumbel_temperature=gumbel_temperature,
                gumbel_noise=noise,
            )
        return _join_losses(output, distractors, weights, share_probabilities)

    return loss_of


def _leave_out_single_frames(masks: Masks) -> Masks:
    """Unmask utterances of a single masked frame, whose target could not be told from anything."""
    counts = masks.time.sum(1, keepdim=True) >= 2
    return replace(masks, time=masks.time & counts)


def _join_losses(
    output: PretrainingOutput,
    distractors: Sequence[Tensor],
    weights: LossWeights,
    share_probabilities: ShareProbabilities,
) -> PretrainingLoss:
    contrastive = contrastive_loss(
        output.predictions,
        output.targets,
        output.codes,
        output.num_masked,
        distractors,
        temperature=weights.temperature,
    )
    count = contrastive.num_frames
    own_sums = output.probabilities.sum(0)
    shared_sums, shared_count = share_probabilities(own_sums.detach(), count)
    diversity = diversity_loss((own_sums + (shared_sums - own_sums).detach()) / max(shared_count, 1))
    penalty = latent_penalty(output.unnormalized_latents, output.num_frames, output.num_masked)
    # The value counts once for each frame of this process; the gradient through this process's probabilities, for each
    # frame of all, since each of these frames' losses has them.
    diversity_sum = count * diversity.detach() + shared_count * (diversity - diversity.detach())
    return PretrainingLoss(
        total=contrastive.loss + weights.diversity * diversity_sum + weights.latent_penalty * count * penalty,
        contrastive=contrastive.loss.detach(),
        diversity=diversity.detach(),
        latent_penalty=penalty.detach(),
        num_frames=count,
        num_correct=contrastive.num_correct,
        num_left_out=contrastive.num_left_out,
        probability_sums=own_sums.detach(),
        code_counts=_count_codes(output.codes, output.probabilities.shape[-1]),
        latent_similarity=mean_similarity(output.targets.detach(), output.num_masked),
    )


def _count_codes(codes: Tensor, num_entries: int) -> Tensor:
    """Count how often each entry occurs in codes (N_m, G): (G, V) int64."""
    num_codebooks = codes.shape[1]
    places = codes + torch.arange(num_codebooks, device=codes.device) * num_entries
    return torch.bincount(places.flatten(), minlength=num_codebooks * num_entries).view(num_codebooks, num_entries)


def mean_similarity(vectors: Tensor, num_masked: Sequence[int]) -> Tensor:
    """Average the cosine similarity of all pairs of different vectors of an utterance, then over utterances by frames.

    M unit vectors with mean m have M^2 |m|^2 as the sum of all similarities, and M of them are 1.

    Args:
        vectors: (N_m, W), the utterances' end to end.
        num_masked: M of each utterance; those with fewer than two are left out.

    Returns:
        Scalar float32 in -1..1; 0 when there is no pair.
    """
    units = functional.normalize(vectors.float(), dim=-1)
    total, count = units.new_zeros(()), 0
    for utterance in torch.split(units, list(num_masked)):
        length = len(utterance)
        if length >= 2:
            total = total + (utterance.sum(0).square().sum() - length) / (length - 1)
            count += length
    return total / max(count, 1)
