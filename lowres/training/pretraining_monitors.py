"""What is watched while pretraining: statistics that add up over batches and processes, and the events they make."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import reduce
from typing import Any, Literal

import torch
from torch import Tensor

from lowres.objectives.diversity import code_perplexity
from lowres.training.self_supervision import PretrainingLoss

_SUMS = ("total", "contrastive", "diversity", "latent_penalty", "latent_similarity", "correct", "frames", "left_out")


@dataclass(frozen=True)
class PretrainingSums:
    """Sums over masked frames; two of them add up, whether they come from two batches or from two processes."""

    values: Tensor
    """(8 + 2 G V,) float64: the sums, then the code probabilities (G, V), then the code counts (G, V)."""

    num_codebooks: int

    @classmethod
    def zeros(cls, num_codebooks: int, num_entries: int) -> "PretrainingSums":
        """Return sums over nothing, for G codebooks of V entries."""
        return cls(torch.zeros(len(_SUMS) + 2 * num_codebooks * num_entries, dtype=torch.float64), num_codebooks)

    @classmethod
    def of(cls, loss: PretrainingLoss) -> "PretrainingSums":
        """Take the sums of one micro batch."""
        frames = loss.num_frames
        numbers = torch.stack(
            [
                loss.total.detach().double(),
                loss.contrastive.double(),
                loss.diversity.double() * frames,
                loss.latent_penalty.double() * frames,
                loss.latent_similarity.double() * frames,
                loss.num_correct.double(),
            ]
        ).cpu()
        counts = torch.tensor([frames, loss.num_left_out], dtype=torch.float64)
        codes = torch.cat([loss.probability_sums.flatten(), loss.code_counts.flatten()]).double().cpu()
        return cls(torch.cat([numbers, counts, codes]), len(loss.code_counts))

    def plus(self, others: "PretrainingSums") -> "PretrainingSums":
        """Add another's sums."""
        return PretrainingSums(self.values + others.values, self.num_codebooks)

    @property
    def num_frames(self) -> int:
        """Masked frames that counted."""
        return int(self._sum("frames"))

    @property
    def num_codes(self) -> int:
        """Entries of all codebooks together, G V."""
        return (len(self.values) - len(_SUMS)) // 2

    @property
    def num_left_out(self) -> int:
        """Utterances left out because fewer than two of their frames were masked."""
        return int(self._sum("left_out"))

    def describe(self) -> "PretrainingFigures":
        """Turn the sums into means per masked frame."""
        frames = max(self._sum("frames"), 1.0)
        probabilities, counts = self.values[len(_SUMS) :].view(2, self.num_codebooks, -1) / frames
        return PretrainingFigures(
            loss=self._sum("total") / frames,
            contrastive_loss=self._sum("contrastive") / frames,
            diversity_loss=self._sum("diversity") / frames,
            latent_penalty=self._sum("latent_penalty") / frames,
            contrastive_accuracy=self._sum("correct") / frames,
            latent_similarity=self._sum("latent_similarity") / frames,
            code_perplexity=tuple(code_perplexity(probabilities).tolist()),
            chosen_perplexity=tuple(code_perplexity(counts).tolist()),
            used_codes_share=float((counts > 0).double().mean()),
        )

    def _sum(self, name: str) -> float:
        return float(self.values[_SUMS.index(name)])


@dataclass(frozen=True)
class PretrainingFigures:
    """Means over masked frames."""

    loss: float
    """What is minimised, per masked frame."""

    contrastive_loss: float
    """Nats per masked frame; ln(K + 1) when every candidate looks alike."""

    diversity_loss: float
    latent_penalty: float
    contrastive_accuracy: float
    """Share of masked frames whose target is found among its distractors, 0-1; 1 / (K + 1) by chance."""

    latent_similarity: float
    """Mean cosine similarity of the targets of two masked frames, -1 to 1: near 1, all speech looks alike."""

    code_perplexity: tuple[float, ...]
    """Per codebook, of the mean softmax: 1 to V; V when all entries are equally likely."""

    chosen_perplexity: tuple[float, ...]
    """Per codebook, of the entries that were chosen: 1 to V."""

    used_codes_share: float
    """Share of the entries of all codebooks that were chosen at least once, 0-1."""


@dataclass(frozen=True)
class PretrainStepReport:
    """Some updates were done; means since the report before."""

    step: int
    progress: float
    total_updates: int
    learning_rate: float
    gumbel_temperature: float
    loss: float
    contrastive_loss: float
    diversity_loss: float
    latent_penalty: float
    contrastive_accuracy: float
    code_perplexity: tuple[float, ...]
    chosen_perplexity: tuple[float, ...]
    used_codes_share: float
    latent_similarity: float
    gradient_norm: float
    masked_frames: int
    left_out: int
    """Utterances since the report before of which fewer than two frames were masked."""

    hours_processed: float
    hours_per_hour: float
    waited_share: float
    elapsed_seconds: float
    hours_per_language: dict[str, float]
    """Hours drawn so far in the whole run."""

    attempt: int = 1
    event: Literal["step"] = "step"


@dataclass(frozen=True)
class HeldOutScore:
    """Held-out speech of one language."""

    contrastive_loss: float
    contrastive_accuracy: float
    num_frames: int


@dataclass(frozen=True)
class HeldOutReport:
    """Held-out speech was looked at, with the same masks and distractors every time and without Gumbel noise."""

    step: int
    progress: float
    held_out: dict[str, HeldOutScore]
    contrastive_loss: float
    """Mean over languages."""

    contrastive_accuracy: float
    code_perplexity: tuple[float, ...]
    """Per codebook, of the entries that were chosen."""

    used_codes_share: float
    latent_similarity: float
    is_best: bool
    seconds: float
    elapsed_seconds: float
    hours_processed: float
    attempt: int = 1
    event: Literal["evaluation"] = "evaluation"


def held_out_report(
    sums: Mapping[str, PretrainingSums], *, step: int, progress: float, is_best_below: float, **timing: Any
) -> HeldOutReport:
    """Put the sums of every language together.

    Args:
        sums: by language, at least one.
        step, progress: where the run is.
        is_best_below: the best mean loss so far.
        timing: `seconds`, `elapsed_seconds` and `hours_processed`.
    """
    figures = {language: found.describe() for language, found in sums.items()}
    loss = sum(found.contrastive_loss for found in figures.values()) / len(figures)
    first, *others = sums.values()
    together = reduce(PretrainingSums.plus, others, first).describe()
    return HeldOutReport(
        step=step,
        progress=progress,
        held_out={
            language: HeldOutScore(found.contrastive_loss, found.contrastive_accuracy, sums[language].num_frames)
            for language, found in figures.items()
        },
        contrastive_loss=loss,
        contrastive_accuracy=sum(found.contrastive_accuracy for found in figures.values()) / len(figures),
        code_perplexity=together.chosen_perplexity,
        used_codes_share=together.used_codes_share,
        latent_similarity=together.latent_similarity,
        is_best=loss < is_best_below,
        **timing,
    )
