import pickle
import random
from pathlib import Path

import numpy as np
import pytest
import torch

from lowres.errors import CheckpointError
from lowres.training.batches import StreamPosition
from lowres.training.checkpoint import (
    BestSoFar,
    SavedTraining,
    TrainingState,
    capture_random_states,
    load_training_state,
    rebuild_training_state,
    restore_random_states,
    save_training_state,
)
from lowres.training.collapse import OutputSymptoms
from lowres.training.monitors import Window
from lowres.training.schedule import PlanPoint

STATE = TrainingState(
    plan=(PlanPoint(0, 0.0, 5000), PlanPoint(10, 0.1, 90)),
    seed=3,
    learning_rate=1e-3,
    attempt=2,
    step=14,
    position=StreamPosition(1, 5),
    best=BestSoFar(10, 0.5, 0.9, 1),
    history=(OutputSymptoms(10, 0.1, 2.0, 0.5, 7, 1.0),),
    window=Window(updates=4, loss=1.25),
)


def saved(masking: torch.Generator) -> SavedTraining[TrainingState]:
    return SavedTraining(STATE, {"state": {0: {"exp_avg": torch.ones(2)}}}, capture_random_states(masking), "abc")


def test_a_state_comes_back_as_it_was(tmp_path: Path) -> None:
    save_training_state(tmp_path / "training_state.pt", saved(torch.Generator()))
    found = load_training_state(tmp_path / "training_state.pt", rebuild_training_state)
    assert found.state == STATE
    assert found.run_sha256 == "abc"
    assert found.optimizer["state"][0]["exp_avg"].tolist() == [1.0, 1.0]


def test_every_generator_goes_on_where_it_was(tmp_path: Path) -> None:
    masking = torch.Generator().manual_seed(5)
    random.random(), np.random.random(), torch.rand(3), torch.rand(3, generator=masking)
    save_training_state(tmp_path / "training_state.pt", saved(masking))

    def draw() -> list[float]:
        drawn = torch.rand(1), torch.rand(1, generator=masking)
        return [random.random(), float(np.random.random()), *(float(number) for number in drawn)]

    first = draw()
    restore_random_states(
        load_training_state(tmp_path / "training_state.pt", rebuild_training_state).random_states, masking
    )
    assert draw() == first


def test_a_file_that_would_run_code_is_refused(tmp_path: Path) -> None:
    class Evil:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return print, ("owned",)

    path = tmp_path / "training_state.pt"
    path.write_bytes(pickle.dumps(Evil(), protocol=2))
    with pytest.raises(CheckpointError, match="is damaged"):
        load_training_state(path, rebuild_training_state)


def test_a_state_of_an_unknown_version_is_refused(tmp_path: Path) -> None:
    torch.save({"format_version": 99}, tmp_path / "training_state.pt")
    with pytest.raises(CheckpointError, match="format version 99"):
        load_training_state(tmp_path / "training_state.pt", rebuild_training_state)


def test_a_checkpoint_without_a_state_says_that_only_last_can_be_resumed(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"There is no training_state\.pt"):
        load_training_state(tmp_path / "training_state.pt", rebuild_training_state)
