"""Two processes against one, over gloo on the processor."""

import os
import socket
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from tiny_pretraining import first_state, tiny_run
from torch import multiprocessing

from lowres.training.distributed import Processes, joined_processes

UPDATES = 4


def free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])


def train_a_part(rank: int, port: int, sharding: str, folder: str) -> None:
    torch.set_num_threads(1)
    os.environ |= {"RANK": str(rank), "WORLD_SIZE": "2", "LOCAL_RANK": str(rank)}
    os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    with joined_processes() as processes:
        run = tiny_run(first_state(UPDATES), processes=processes, sharding=sharding)  # type: ignore[arg-type]
        assert run.network.is_sharded == (sharding == "shard")
        run.loop.run()
        if processes.is_first:
            training, weights = run.saved[-1]
            losses = [event.contrastive_loss for event in run.events if event.event == "evaluation"]
            content = {"weights": weights, "optimizer": training.optimizer, "losses": losses}
            torch.save(content, Path(folder) / "run.pt")


@pytest.mark.slow
@pytest.mark.parametrize("sharding", ["replicate", "shard"])
def test_two_processes_of_half_a_batch_equal_one_of_the_whole(tmp_path: Path, sharding: str) -> None:
    multiprocessing.spawn(train_a_part, args=(free_port(), sharding, str(tmp_path)), nprocs=2)
    together = torch.load(tmp_path / "run.pt", weights_only=True)
    alone = tiny_run(first_state(UPDATES))
    alone.loop.run()
    for name, tensor in alone.saved[-1][1].items():
        torch.testing.assert_close(together["weights"][name], tensor, atol=1e-5, rtol=0, msg=name)
    losses = [event.contrastive_loss for event in alone.events if event.event == "evaluation"]
    assert together["losses"] == pytest.approx(losses, abs=1e-4)


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
