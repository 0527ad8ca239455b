"""Everything beside the weights that training needs to go on as if it had never stopped: `training_state.pt`.

It holds tensors, numbers and text only, so that `torch.load(weights_only=True)` reads it and a tampered file can run
nothing. The folder around it, its hashes and its renaming belong to `lowres.backbones.checkpoint_folder`.
"""

import pickle
import random
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Final, Generic, TypeVar

import numpy as np
import torch
from torch import Tensor

from lowres.errors import CheckpointError
from lowres.training.batches import StreamPosition
from lowres.training.collapse import OutputSymptoms
from lowres.training.monitors import Window
from lowres.training.schedule import Plan, PlanPoint

STATE_FORMAT_VERSION: Final = 1

State = TypeVar("State")


@dataclass(frozen=True)
class BestSoFar:
    """The evaluation on dev that was best."""

    step: int = 0
    error_rate: float = float("inf")
    """Dev character error rate, 0-1 and above; infinite before the first evaluation."""

    word_error_rate: float = float("inf")
    """Dev word error rate of the same evaluation."""

    evaluations_since: int = 0
    """Evaluations after it, none of them better."""

    attempt: int = 1
    """The attempt it belongs to; a later attempt that is no better leaves it in place."""


@dataclass(frozen=True)
class TrainingState:
    """Where training is, apart from the weights, the optimizer and the random numbers."""

    plan: Plan
    """How the schedule runs; see `lowres.training.schedule`."""

    seed: int
    """Seed of this attempt."""

    learning_rate: float
    """Peak learning rate of this attempt."""

    attempt: int = 1
    """1, and one more after every collapse."""

    step: int = 0
    """Updates done in this attempt."""

    position: StreamPosition = field(default_factory=StreamPosition)
    samples_processed: int = 0
    """Samples of audio learnt from in this attempt, every repetition counted, padding not."""

    elapsed_seconds: float = 0.0
    """Seconds of work in all attempts, evaluations and checkpoints included."""

    attempt_started_seconds: float = 0.0
    """`elapsed_seconds` when this attempt began."""

    last_evaluation_seconds: float = 0.0
    """How long the latest evaluation took."""

    best: BestSoFar = field(default_factory=BestSoFar)
    history: tuple[OutputSymptoms, ...] = ()
    """Every evaluation of this attempt."""

    window: Window = field(default_factory=Window)
    """Sums since the last line of metrics."""

    evaluation_window: Window = field(default_factory=Window)
    """Sums since the last evaluation."""


@dataclass(frozen=True)
class RandomStates:
    """The state of every random number generator that training draws from."""

    torch_cpu: Tensor
    torch_cuda: tuple[Tensor, ...]
    masking: Tensor
    numpy: tuple[str, Tensor, int, int, float]
    python: tuple[int, tuple[int, ...], float | None]


def capture_random_states(masking: torch.Generator) -> RandomStates:
    """Copy the state of torch's, numpy's and Python's global generators and of the masking generator."""
    name, keys, place, has_gauss, gauss = np.random.get_state(legacy=True)
    return RandomStates(
        torch_cpu=torch.get_rng_state(),
        torch_cuda=tuple(torch.cuda.get_rng_state_all()) if torch.cuda.is_available() else (),
        masking=masking.get_state(),
        numpy=(
            str(name),
            torch.from_numpy(np.asarray(keys).astype(np.int64)),
            int(place),
            int(has_gauss),
            float(gauss),
        ),
        python=random.getstate(),
    )


def restore_random_states(states: RandomStates, masking: torch.Generator) -> None:
    """Put every generator back to a captured state; GPUs that were not there then keep theirs."""
    torch.set_rng_state(states.torch_cpu)
    if torch.cuda.is_available() and len(states.torch_cuda) == torch.cuda.device_count():
        torch.cuda.set_rng_state_all(list(states.torch_cuda))
    masking.set_state(states.masking)
    name, keys, place, has_gauss, gauss = states.numpy
    np.random.set_state((name, keys.numpy().astype(np.uint32), place, has_gauss, gauss))
    random.setstate(states.python)


@dataclass(frozen=True)
class SavedTraining(Generic[State]):
    """The contents of `training_state.pt`; `State` is a dataclass of numbers, text and other such dataclasses."""

    state: State
    optimizer: dict[str, Any]
    random_states: RandomStates | None
    """None where training draws no random number that does not follow from its step."""

    run_sha256: str
    """Hash of what must not change between the killed run and the resumed one."""


def save_training_state(path: Path, saved: SavedTraining[Any]) -> None:
    """Write `training_state.pt`.

    Raises:
        OSError, RuntimeError: the disk is full or refuses.
    """
    random_states = saved.random_states
    content = {
        "format_version": STATE_FORMAT_VERSION,
        "state": asdict(saved.state),
        "optimizer": saved.optimizer,
        "random_states": random_states
        and {item.name: getattr(random_states, item.name) for item in fields(RandomStates)},
        "run_sha256": saved.run_sha256,
    }
    torch.save(content, path)


def load_training_state(path: Path, rebuild: Callable[[dict[str, Any]], State]) -> SavedTraining[State]:
    """Read `training_state.pt`, running no code from it.

    Args:
        path: the file.
        rebuild: makes the state of what `dataclasses.asdict` made of it.

    Raises:
        CheckpointError: it is missing, damaged, or of another format version.
    """
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
        version = content["format_version"]
    except FileNotFoundError as error:
        raise CheckpointError(
            f"There is no {path.name} in {path.parent}, so training cannot go on from it.",
            "Only the checkpoint called `last` can be resumed from; train anew under another --run name.",
        ) from error
    except (OSError, RuntimeError, pickle.UnpicklingError, EOFError, KeyError, TypeError, ValueError) as error:
        raise CheckpointError(
            f"{path} is damaged and was not loaded.", "Train anew under another --run name."
        ) from error
    if version != STATE_FORMAT_VERSION:
        raise CheckpointError(
            f"{path} has format version {version}; this lowres knows {STATE_FORMAT_VERSION}.",
            "Go on with the lowres version that wrote it, or train anew under another --run name.",
        )
    return SavedTraining(
        state=rebuild(content["state"]),
        optimizer=content["optimizer"],
        random_states=content["random_states"] and RandomStates(**content["random_states"]),
        run_sha256=content["run_sha256"],
    )


def rebuild_training_state(found: dict[str, Any]) -> TrainingState:
    """Rebuild fine-tuning's state, with the dataclasses inside it."""
    return replace(
        TrainingState(**found),
        plan=tuple(PlanPoint(**point) for point in found["plan"]),
        position=StreamPosition(**found["position"]),
        best=BestSoFar(**found["best"]),
        history=tuple(OutputSymptoms(**symptoms) for symptoms in found["history"]),
        window=Window(**found["window"]),
        evaluation_window=Window(**found["evaluation_window"]),
    )
