"""What the training loop is given: numbers, and the network, data and callbacks it works with."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import nn

from lowres.training.augmentation import Augmentation
from lowres.training.batches import BatchSizes
from lowres.training.checkpoint import SavedTraining, TrainingState
from lowres.training.collapse import CollapseRule
from lowres.training.feed import TrainingSpeech
from lowres.training.monitors import DevScores, TrainingEvent
from lowres.training.recognition import LossFunction
from lowres.training.schedule import TriStage


@dataclass(frozen=True)
class LoopSettings:
    """What the loop is told; the meaning of each field is in `FinetuneSettings`."""

    schedule: TriStage
    sizes: BatchSizes
    gradient_clip: float
    head_only_share: float
    """Share of the run that trains the head alone, 0-1."""

    evaluate_every_updates: int | None
    """None under a time budget: then evaluations follow progress."""

    log_every_updates: int
    checkpoint_every_seconds: float
    budget_seconds: float | None
    patience: int
    collapse_rule: CollapseRule
    vocabulary_size: int


@dataclass(frozen=True)
class LoopParts:
    """What the loop works with."""

    model: nn.Module
    optimizer: torch.optim.Optimizer
    masking: torch.Generator
    compute_loss: LossFunction
    set_head_only: Callable[[bool], None]
    speech: TrainingSpeech
    utterance_ids: Sequence[str]
    """(N,) names of the training utterances, to name one that makes a loss not a number."""

    evaluate: Callable[[], DevScores] | None
    """Decodes dev; None when there is no dev speech."""

    save_best: Callable[[TrainingState, DevScores], None]
    save_last: Callable[[SavedTraining[TrainingState]], None]
    report: Callable[[TrainingEvent], None]
    run_sha256: str
    augmentation: Augmentation | None = None
    is_stop_asked: Callable[[], bool] = lambda: False
    """Asked after every update; a stop saves a checkpoint first."""

    clock: Callable[[], float] = time.perf_counter
