"""A pretraining run of two processes, over gloo on the processor."""

import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from tone_corpus import TINY_PRETRAIN_RECIPE, write_project
from torch import multiprocessing

from lowres.recipe import load_recipe
from lowres.stages import pretrain_open
from lowres.stages.pretrain import PretrainOptions, PretrainResult, pretrain
from lowres.stages.pretrain_run import read_pretrain_record
from lowres.stages.run_folder import RunFolder

UNSETTLED_RECIPE = TINY_PRETRAIN_RECIPE.replace("micro_batch_seconds = 4.0\ncrop", "crop")


def free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])


@pytest.fixture(scope="module")
def together(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Have two processes pretrain in each of the projects; starting them takes longer than both runs."""
    folder = tmp_path_factory.mktemp("together")
    assert UNSETTLED_RECIPE != TINY_PRETRAIN_RECIPE
    write_project(folder / "unlike", recipe=UNSETTLED_RECIPE)
    write_project(folder / "stopped", recipe=TINY_PRETRAIN_RECIPE)
    multiprocessing.spawn(take_part, args=([free_port(), free_port()], str(folder)), nprocs=2)
    return folder


def take_part(rank: int, ports: list[int], folder: str) -> None:
    torch.set_num_threads(1)
    os.environ |= {"RANK": str(rank), "WORLD_SIZE": "2", "LOCAL_RANK": str(rank), "MASTER_ADDR": "127.0.0.1"}
    for port, what, name in zip(
        ports, (stop_in_one_of_them, train_with_unlike_memory), ("stopped", "unlike"), strict=True
    ):
        os.environ["MASTER_PORT"] = str(port)
        what(rank, Path(folder) / name)


def train(project: Path, *settings: str, is_stop_asked: Callable[[], bool] = lambda: False) -> PretrainResult:
    recipe = load_recipe(project=project, overrides=[f"pretrain.{setting}" for setting in settings])
    return pretrain(project, recipe, PretrainOptions(run="together"), is_stop_asked=is_stop_asked)


def train_with_unlike_memory(rank: int, project: Path) -> None:
    def choose_micro_batch_seconds(*_args: Any, **_options: Any) -> float:
        return (6.0, 2.0)[rank]

    pretrain_open.choose_micro_batch_seconds = choose_micro_batch_seconds
    result = train(project, "updates=2")
    assert result.record.settings["micro_batch_seconds"] == 2.0


@pytest.mark.slow
def test_processes_of_unlike_memory_deal_the_micro_batches_that_fit_all_of_them(together: Path) -> None:
    record = read_pretrain_record(RunFolder(together / "unlike" / "runs" / "together"))
    assert (record.status, record.updates) == ("finished", 2)
    assert record.settings["micro_batch_seconds"] == 2.0


def stop_in_one_of_them(rank: int, project: Path) -> None:
    result = train(project, "updates=2", "acoustic_start_hours=0.02", is_stop_asked=lambda: rank == 1)
    assert result.ending == "interrupted"


@pytest.mark.slow
def test_an_acoustic_start_that_is_stopped_in_one_process_stops_in_all_of_them(together: Path) -> None:
    folder = RunFolder(together / "stopped" / "runs" / "together")
    record = read_pretrain_record(folder)
    assert (record.status, record.updates) == ("training", 0)
    assert not folder.last.exists()
