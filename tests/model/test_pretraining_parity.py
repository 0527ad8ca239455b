"""With the same weights, masks, distractors and noise, pretraining gives what transformers' pretraining gives.

Where the peer differs, found in its source (modeling_wav2vec2.py, transformers 5):

* In evaluation its diversity is that of the hard codes; ours is that of the softmax always, so that figures of training
  and evaluation can be compared. The hard one follows from `code_counts`.
* Its Gumbel softmax returns one-hot + soft - soft, which is a rounding error off 1, so in training a distractor with
  the target's codes is not always found equal to it. Ours compares codes. Here its one-hot rows are made exact.
* It knows neither the latent penalty nor the gradient scaling of the feature encoder, which fairseq has.
* It quantises and projects every frame, and gathers a vector for every distractor.
"""

import warnings
from typing import Any

import pytest
import torch
from peers import as_transformers_for_pretraining, randomize, tiny_config
from torch import Tensor
from torch.nn import functional
from torch.testing import assert_close

from lowres.backbones.transformers_layout import pretraining_names, under_transformers_names
from lowres.model.config import QuantizerConfig
from lowres.model.masking import Masks, draw_masks
from lowres.model.pretraining import PretrainingNetwork, PretrainingOutput
from lowres.model.quantizer import sample_gumbel_noise
from lowres.objectives.contrastive import ContrastiveLoss, contrastive_loss
from lowres.objectives.distractors import sample_distractors
from lowres.objectives.diversity import code_perplexity, diversity_loss

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    pytest.importorskip("transformers")

BASE: dict[str, Any] = {"feature_norm": "group", "conv_bias": False, "transformer_norm": "post"}
LARGE: dict[str, Any] = {"feature_norm": "layer", "conv_bias": True, "transformer_norm": "pre"}
VARIANTS = pytest.mark.parametrize("variant", [BASE, LARGE], ids=["base", "large"])
# Few entries, so that some distractors have the codes of their target.
QUANTIZER = QuantizerConfig(num_entries=6, code_width=8, projection_width=12, latent_dropout=0.0)
NUM_UTTERANCES, NUM_FRAMES, NUM_DISTRACTORS = 3, 62, 20
TEMPERATURE = 1.7


class Task:
    """The same network, waveforms, masks, distractors and noise for both."""

    def __init__(self, variant: dict[str, Any]) -> None:
        torch.manual_seed(0)
        self.network = PretrainingNetwork(tiny_config(**variant), QUANTIZER, feature_gradient_scale=1.0)
        randomize(self.network)
        self.peer = as_transformers_for_pretraining(self.network)
        generators = [torch.Generator().manual_seed(seed) for seed in range(NUM_UTTERANCES)]
        self.waveforms = torch.randn(NUM_UTTERANCES, 20_000, generator=torch.Generator().manual_seed(1)) * 0.3
        self.time_mask = draw_masks([NUM_FRAMES] * NUM_UTTERANCES, self.network.backbone.config, generators).time
        self.num_masked = self.time_mask.sum(1).tolist()
        self.distractors = [
            sample_distractors(length, NUM_DISTRACTORS, own)
            for length, own in zip(self.num_masked, generators, strict=True)
        ]
        self.noise = sample_gumbel_noise((NUM_UTTERANCES, NUM_FRAMES, 2, 6), generators[0])

    def ours(self, temperature: float | None) -> tuple[PretrainingOutput, ContrastiveLoss]:
        output = self.network(
            self.waveforms,
            torch.full((NUM_UTTERANCES,), 20_000),
            masks=Masks(self.time_mask, None),
            gumbel_temperature=temperature,
            gumbel_noise=None if temperature is None else self.noise[self.time_mask],
        )
        vectors = (output.predictions, output.targets, output.codes)
        return output, contrastive_loss(*vectors, output.num_masked, self.distractors)

    def theirs(self) -> Any:
        negatives = torch.zeros(NUM_UTTERANCES, NUM_FRAMES, NUM_DISTRACTORS, dtype=torch.int64)
        for index, (mask, places) in enumerate(zip(self.time_mask, self.distractors, strict=True)):
            negatives[index, mask] = mask.nonzero().squeeze(1)[places]
            negatives[index] += index * NUM_FRAMES
        return self.peer(
            self.waveforms, mask_time_indices=self.time_mask.long(), sampled_negative_indices=negatives.long()
        )

    def peers_gumbel_softmax(self, logits: Tensor, tau: float, hard: bool) -> Tensor:
        soft = functional.softmax((logits + self.noise.view(logits.shape)) / tau, dim=-1)
        one_hot = functional.one_hot(soft.argmax(-1), logits.shape[-1]).to(soft.dtype)
        return one_hot + (soft - soft.detach())


@VARIANTS
def test_hard_codes_give_the_peers_vectors_and_loss_parts(variant: dict[str, Any]) -> None:
    task = Task(variant)
    task.network.eval()
    with torch.no_grad():
        output, contrastive = task.ours(None)
        theirs = task.theirs()
    assert_close(output.predictions, theirs.projected_states[task.time_mask], atol=1e-4, rtol=1e-4)
    assert_close(output.targets, theirs.projected_quantized_states[task.time_mask], atol=1e-4, rtol=1e-4)
    assert_close(contrastive.loss, theirs.contrastive_loss, atol=1e-4, rtol=1e-4)
    shares = functional.one_hot(output.codes, 6).float().mean(0)
    assert_close(code_perplexity(shares).sum(), theirs.codevector_perplexity, atol=1e-4, rtol=1e-4)
    assert_close(diversity_loss(shares) * contrastive.num_frames, theirs.diversity_loss, atol=1e-4, rtol=1e-4)


@VARIANTS
def test_training_gives_the_peers_loss_parts_and_every_gradient(
    variant: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    task = Task(variant)
    monkeypatch.setattr(functional, "gumbel_softmax", task.peers_gumbel_softmax)
    task.peer.train().set_gumbel_temperature(TEMPERATURE)
    output, contrastive = task.ours(TEMPERATURE)
    diversity = diversity_loss(output.probabilities.mean(0)) * contrastive.num_frames
    total = contrastive.loss + 0.1 * diversity
    theirs = task.theirs()
    assert_close(contrastive.loss, theirs.contrastive_loss, atol=1e-4, rtol=1e-4)
    assert_close(diversity, theirs.diversity_loss, atol=1e-4, rtol=1e-4)
    assert_close(total, theirs.loss, atol=1e-4, rtol=1e-4)
    total.backward()
    theirs.loss.backward()
    gradients = {name: tensor.grad for name, tensor in task.network.named_parameters() if tensor.grad is not None}
    ours = under_transformers_names(gradients, pretraining_names(task.network.backbone.config))
    largest = max(float(parameter.grad.abs().max()) for parameter in task.peer.parameters())
    assert {name for name, _ in task.peer.named_parameters()} == set(ours)
    for name, parameter in task.peer.named_parameters():
        # A key's bias moves all scores of a query alike: its gradient is 0 but for rounding.
        scale = max(float(parameter.grad.abs().max()), 1e-5 * largest)
        assert_close(ours[name] / scale, parameter.grad / scale, atol=1e-3, rtol=1e-3, msg=lambda m, n=name: n + m)


def test_some_distractors_of_this_task_have_the_codes_of_their_target() -> None:
    task = Task(BASE)
    output, _ = task.ours(None)
    codes = output.codes.split(task.num_masked)[0]
    equal = (codes[task.distractors[0]] == codes[:, None]).all(-1)
    assert 0 < int(equal.sum()) < equal.numel()


@VARIANTS
def test_bfloat16_is_as_near_to_float32_as_the_peer_is(variant: dict[str, Any]) -> None:
    task = Task(variant)
    task.network.eval()
    with torch.no_grad():
        exact = task.theirs().projected_states[task.time_mask]
        with torch.autocast("cpu", torch.bfloat16):
            ours = task.ours(None)[0].predictions.float()
            theirs = task.theirs().projected_states[task.time_mask].float()
    assert float((ours - exact).norm()) < 1.2 * float((theirs - exact).norm())
