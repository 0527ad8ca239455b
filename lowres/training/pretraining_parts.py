"""What the pretraining loop is given, and the state it goes on from."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import torch

from lowres.training.checkpoint import SavedTraining
from lowres.training.distributed import Processes, SpreadNetwork
from lowres.training.feed import Feed
from lowres.training.mixture import Crop, MixturePosition, MixtureUpdate, SourcePosition
from lowres.training.monitors import Window
from lowres.training.pretraining_collapse import PretrainingCollapseRule
from lowres.training.pretraining_monitors import HeldOutReport, PretrainingSums
from lowres.training.schedule import GumbelSchedule, Plan, PlanPoint
from lowres.training.self_supervision import PretrainingLossFunction
from lowres.training.speech_feed import SpeechUpdate


@dataclass(frozen=True)
class BestHeldOut:
    """The evaluation of held-out speech that was best."""

    step: int = 0
    contrastive_loss: float = math.inf
    contrastive_accuracy: float = 0.0


@dataclass(frozen=True)
class PretrainingState:
    """Where pretraining is, apart from the weights and the optimizer."""

    plan: Plan
    seed: int
    sums: PretrainingSums
    """Since the last report."""

    step: int = 0
    position: MixturePosition = field(default_factory=MixturePosition)
    samples_processed: int = 0
    elapsed_seconds: float = 0.0
    """Seconds of work so far, evaluations and checkpoints included."""

    started_seconds: float = 0.0
    """`elapsed_seconds` when the first update began: an acoustic start comes before it."""

    last_evaluation_seconds: float = 0.0
    last_evaluation_progress: float = 0.0
    best: BestHeldOut = field(default_factory=BestHeldOut)
    window: Window = field(default_factory=Window)
    """Since the last report."""


def rebuild_pretraining_state(found: dict[str, Any]) -> PretrainingState:
    """Rebuild the dataclasses inside a state that `dataclasses.asdict` took apart."""
    position = found["position"]
    return replace(
        PretrainingState(**found),
        plan=tuple(PlanPoint(**point) for point in found["plan"]),
        sums=PretrainingSums(**found["sums"]),
        position=replace(
            MixturePosition(**position), sources=tuple(SourcePosition(**source) for source in position["sources"])
        ),
        best=BestHeldOut(**found["best"]),
        window=Window(**found["window"]),
    )


@dataclass(frozen=True)
class PretrainingLoopSettings:
    """What the loop is told; the meaning of each field is in `PretrainSettings`."""

    learning_rate: float
    warmup_share: float
    gumbel: GumbelSchedule
    encoder_frozen_share: float
    gradient_clip: float
    evaluate_every_updates: int | None
    """None: as `spacing_of_evaluations` says."""

    log_every_updates: int
    checkpoint_every_seconds: float
    budget_seconds: float | None
    collapse_rule: PretrainingCollapseRule
    hours_per_update: float


@dataclass(frozen=True)
class PretrainingParts:
    """What the loop works with."""

    network: SpreadNetwork
    optimizer: torch.optim.Optimizer
    processes: Processes
    compute_loss: PretrainingLossFunction
    open_feed: Callable[[MixturePosition], Feed[MixtureUpdate, SpeechUpdate]]
    """Opens this process's updates from a place in the stream."""

    languages: Sequence[str]
    """Language of each source, in the order of the sources."""

    name_crop: Callable[[Crop], str]
    """Names an utterance for people."""

    set_encoder_frozen: Callable[[bool], None]
    evaluate: Callable[[], Mapping[str, PretrainingSums]] | None
    """Looks at held-out speech by language, the same in every process; None where there is none."""

    save_best: Callable[[PretrainingState, HeldOutReport], None]
    save_last: Callable[[SavedTraining[PretrainingState]], None]
    report: Callable[[Any], None]
    run_sha256: str
    is_stop_asked: Callable[[], bool]
    clock: Callable[[], float]
