"""Two processes against one, over gloo on the processor."""

import os
import socket
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from tiny_pretraining import SETTINGS, TinyRun, first_state, tiny_run
from torch import multiprocessing

from lowres.model.config import QuantizerConfig, preset
from lowres.model.pretraining import PretrainingNetwork
from lowres.training.distributed import SHARD_FROM_PARAMETERS, Processes, joined_processes
from lowres.training.pretraining_monitors import HeldOutReport, PretrainStepReport

UPDATES = 4
FROZEN_FOR_HALF = replace(SETTINGS, encoder_frozen_share=0.5)


def free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])


@pytest.fixture(scope="module")
def together(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Any]:
    """Return what two processes left of each of their runs; starting them takes longer than all runs."""
    folder = tmp_path_factory.mktemp("together")
    ports = {name: free_port() for name in RUNS}
    multiprocessing.spawn(take_part, args=(ports, str(folder)), nprocs=2)
    return lambda name: torch.load(folder / f"{name}.pt", weights_only=True)


def take_part(rank: int, ports: dict[str, int], folder: str) -> None:
    torch.set_num_threads(1)
    os.environ |= {"RANK": str(rank), "WORLD_SIZE": "2", "LOCAL_RANK": str(rank), "MASTER_ADDR": "127.0.0.1"}
    for name, run in RUNS.items():
        os.environ["MASTER_PORT"] = str(ports[name])
        run(Path(folder) / f"{name}.pt")


def train_a_part(file: Path, sharding: str) -> None:
    with joined_processes() as processes:
        run = tiny_run(first_state(UPDATES), processes=processes, sharding=sharding)  # type: ignore[arg-type]
        assert run.network.is_sharded == (sharding == "shard")
        run.loop.run()
        if processes.is_first:
            weights = run.saved[-1][1]
            content = {"weights": weights, "losses": losses_of(run), "norms": norms_of(run)}
            torch.save(content, file)


def losses_of(run: TinyRun) -> list[float]:
    return [event.contrastive_loss for event in run.events if isinstance(event, HeldOutReport)]


def norms_of(run: TinyRun) -> list[float]:
    return [event.gradient_norm for event in run.events if isinstance(event, PretrainStepReport)]


@pytest.mark.slow
@pytest.mark.parametrize("sharding", ["replicate", "shard"])
def test_two_processes_of_half_a_batch_equal_one_of_the_whole(together: Callable[[str], Any], sharding: str) -> None:
    found = together(sharding)
    alone = tiny_run(first_state(UPDATES))
    alone.loop.run()
    for name, tensor in alone.saved[-1][1].items():
        torch.testing.assert_close(found["weights"][name], tensor, atol=1e-5, rtol=0, msg=name)
    assert found["losses"] == pytest.approx(losses_of(alone), abs=1e-4)
    assert found["norms"] == pytest.approx(norms_of(alone), rel=1e-3)


def go_on_with_a_frozen_encoder(file: Path, begun: str) -> None:
    with joined_processes() as processes:
        alone = partial(tiny_run, settings=FROZEN_FOR_HALF)
        part = partial(alone, processes=processes, sharding="shard")
        begin = part if begun == "sharded" else alone
        stopped = begin(first_state(UPDATES), is_stop_asked=lambda: True)
        assert stopped.loop.run() == "interrupted"
        if processes.is_first:
            training, weights = stopped.saved[-1]
            torch.save({"optimizer": training.optimizer, "weights": weights}, file)
        processes.wait()
        read = torch.load(file, weights_only=True)
        training = replace(stopped.saved[-1][0], optimizer=read["optimizer"])
        resumed = part(training.state, saved=(training, read["weights"]))
        assert resumed.loop.run() == "finished"
        if processes.is_first:
            torch.save(resumed.saved[-1][1], file)


@pytest.mark.slow
@pytest.mark.parametrize("begun", ["sharded", "whole"])
def test_a_sharded_run_goes_on_where_its_encoder_has_learnt_nothing_yet(
    together: Callable[[str], Any], begun: str
) -> None:
    found = together(f"begun-{begun}")
    alone = tiny_run(first_state(UPDATES), settings=FROZEN_FOR_HALF)
    alone.loop.run()
    for name, tensor in alone.saved[-1][1].items():
        torch.testing.assert_close(found[name], tensor, atol=1e-5, rtol=0, msg=name)


RUNS: dict[str, Callable[[Path], None]] = {
    **{name: partial(train_a_part, sharding=name) for name in ("replicate", "shard")},
    **{f"begun-{name}": partial(go_on_with_a_frozen_encoder, begun=name) for name in ("sharded", "whole")},
}


def test_the_size_that_is_called_1b_is_sharded_and_large_is_not() -> None:
    def count(size: str) -> int:
        with torch.device("meta"):
            network = PretrainingNetwork(preset(size), QuantizerConfig(code_width=768, projection_width=768))
        return sum(parameter.numel() for parameter in network.parameters())

    assert count("large") < SHARD_FROM_PARAMETERS <= count("xlsr_1b")


def test_alone_there_is_nothing_to_wait_for() -> None:
    with joined_processes() as processes:
        assert processes == Processes()
        assert processes.is_first
        values = torch.ones(2)
        assert processes.sum(values) is values
        assert processes.share_probabilities(values, 3) == (values, 3)
        assert processes.maximum(2.0) == processes.minimum(2.0) == 2.0
        assert not processes.is_true_anywhere(False)
    assert not replace(processes, rank=1).is_first
