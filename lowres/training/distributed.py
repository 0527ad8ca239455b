"""Training in many processes, on one machine or several, as `torchrun` starts them (torch.distributed).

Every process has its own GPU, or its share of the processor, and learns from its share of every micro batch. Gradients
are summed over processes by DistributedDataParallel; from XLS-R's 1B on the weights are sharded too (FSDP).
Without torchrun there is one process and nothing here does anything.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any, Final, Literal

import torch
from torch import Tensor, distributed, nn
from torch.distributed.checkpoint.state_dict import (
    StateDictOptions,
    get_model_state_dict,
    get_optimizer_state_dict,
    set_optimizer_state_dict,
)
from torch.distributed.fsdp import FSDPModule, fully_shard
from torch.nn.parallel import DistributedDataParallel

from lowres.errors import TrainingError

Sharding = Literal["auto", "replicate", "shard"]

SHARD_FROM_PARAMETERS: Final = 900_000_000
"""Parameters from which the weights are divided among the processes instead of copied to each: XLS-R's "1B" has
965 million."""

_TORCHRUN_VARIABLES: Final = ("RANK", "WORLD_SIZE", "LOCAL_RANK")


@dataclass(frozen=True)
class Processes:
    """How many processes train together, and which of them this is."""

    rank: int = 0
    count: int = 1
    local_rank: int = 0
    """Which of the processes on this machine; the number of its GPU."""

    @property
    def is_first(self) -> bool:
        """Whether this is the process that writes files and talks to people."""
        return self.rank == 0

    def sum(self, values: Tensor) -> Tensor:
        """Return the sum of `values` over all processes; every process must ask."""
        if self.count == 1:
            return values
        summed = values.detach().clone().to(_device_of_backend(self.local_rank))
        distributed.all_reduce(summed)
        return summed.to(values.device)

    def is_true_anywhere(self, claim: bool) -> bool:
        """Whether any process says so; every process must ask."""
        return bool(self.sum(torch.tensor(float(claim))) > 0)

    def maximum(self, value: float) -> float:
        """Return the largest value of any process; every process must ask."""
        if self.count == 1:
            return value
        largest = torch.tensor(value, dtype=torch.float64, device=_device_of_backend(self.local_rank))
        distributed.all_reduce(largest, op=distributed.ReduceOp.MAX)
        return float(largest)

    def minimum(self, value: float) -> float:
        """Return the smallest value of any process; every process must ask."""
        return -self.maximum(-value)

    def wait(self) -> None:
        """Wait until every process has come here."""
        if self.count > 1:
            distributed.barrier()

    def share_probabilities(self, sums: Tensor, count: int) -> tuple[Tensor, int]:
        """Add up the code probabilities of all processes; see `self_supervision.pretraining_loss_function`."""
        if self.count == 1:
            return sums, count
        packed = self.sum(torch.cat([sums.detach().flatten().double(), sums.new_tensor([count]).double()]))
        return packed[:-1].view_as(sums).to(sums.dtype), int(packed[-1])


@contextmanager
def joined_processes() -> Iterator[Processes]:
    """Join the processes that torchrun started; alone where it did not.

    Raises:
        TrainingError: torchrun's variables are there and the processes do not find each other.
    """
    if not all(name in os.environ for name in _TORCHRUN_VARIABLES):
        yield Processes()
        return
    rank, count, local_rank = (int(os.environ[name]) for name in _TORCHRUN_VARIABLES)
    on_gpu = torch.cuda.is_available()
    if on_gpu:
        torch.cuda.set_device(local_rank)
    try:
        distributed.init_process_group("nccl" if on_gpu else "gloo")
    except (RuntimeError, ValueError) as error:
        raise TrainingError(
            f"Process {rank} of {count} does not find the others: {error}.",
            "Start all of them with torchrun and the same --rdzv-endpoint.",
        ) from error
    try:
        yield Processes(rank, count, local_rank)
    finally:
        distributed.destroy_process_group()


def _device_of_backend(local_rank: int) -> torch.device:
    return torch.device("cuda", local_rank) if distributed.get_backend() == "nccl" else torch.device("cpu")


@dataclass(frozen=True)
class SpreadNetwork:
    """A network as all processes train it together."""

    module: nn.Module
    """The network itself: for evaluation and for its names."""

    train: nn.Module
    """What to call in training."""

    def without_sync(self, is_last: bool) -> AbstractContextManager[Any]:
        """Return the context of a micro batch: only the last of an update exchanges gradients."""
        if isinstance(self.train, DistributedDataParallel) and not is_last:
            return self.train.no_sync()
        if isinstance(self.train, FSDPModule):
            self.train.set_requires_gradient_sync(is_last)
        return nullcontext()

    @property
    def is_sharded(self) -> bool:
        """Whether every process holds a part of the weights only."""
        return isinstance(self.train, FSDPModule)

    def whole_weights(self) -> dict[str, Tensor]:
        """Gather the weights, on the CPU where they are sharded; every process must ask."""
        if not isinstance(self.train, FSDPModule):
            return dict(self.module.state_dict())
        self.train.reshard()  # an evaluation leaves the outermost weights gathered
        gathered: dict[str, Any] = get_model_state_dict(self.module, options=_WHOLE)
        return gathered

    def whole_optimizer_state(self, optimizer: torch.optim.Optimizer) -> dict[str, Any]:
        """Gather the optimizer's state; every process must ask."""
        if not isinstance(self.train, FSDPModule):
            return optimizer.state_dict()
        self.train.reshard()
        return dict(get_optimizer_state_dict(self.module, optimizer, options=_WHOLE))

    def load_optimizer_state(self, optimizer: torch.optim.Optimizer, state: dict[str, Any]) -> None:
        """Put a gathered state back into an optimizer."""
        if not self.is_sharded:
            optimizer.load_state_dict(state)
            return
        state = _by_names(state, self.module, optimizer)
        # What was frozen all along has no state, and torch looks for one of all that is not frozen now. Nor must it
        # get one of zeros: Adam would count its first update as the second.
        without = [
            parameter
            for name, parameter in self.module.named_parameters()
            if parameter.requires_grad and name not in state["state"]
        ]
        for parameter in without:
            parameter.requires_grad_(False)
        set_optimizer_state_dict(self.module, optimizer, state, options=_WHOLE)
        for parameter in without:
            parameter.requires_grad_(True)


def _by_names(state: dict[str, Any], module: nn.Module, optimizer: torch.optim.Optimizer) -> dict[str, Any]:
    """Call the parameters by their names in a state that was saved where the weights were not sharded."""
    if not all(isinstance(key, int) for key in state["state"]):
        return state
    names = {parameter: name for name, parameter in module.named_parameters()}
    order = [names[parameter] for group in optimizer.param_groups for parameter in group["params"]]
    return {
        "state": {order[key]: value for key, value in state["state"].items()},
        "param_groups": [
            {**group, "params": [order[key] for key in group["params"]]} for group in state["param_groups"]
        ],
    }


_WHOLE: Final = StateDictOptions(full_state_dict=True, cpu_offload=True)


def spread(
    network: nn.Module,
    processes: Processes,
    *,
    blocks: Callable[[], list[nn.Module]],
    sharding: Sharding = "auto",
    skips_layers: bool = False,
) -> SpreadNetwork:
    """Have all processes train one network.

    Args:
        network: with its final weights, the same in every process, on its device.
        processes: who they are.
        blocks: returns the modules to gather one at a time where the weights are sharded.
        sharding: "auto" shards from `SHARD_FROM_PARAMETERS` on.
        skips_layers: whether some parameters may have no part in an update, as with layer drop.
    """
    if processes.count == 1:
        return SpreadNetwork(network, network)
    num_parameters = sum(parameter.numel() for parameter in network.parameters())
    if sharding == "shard" or (sharding == "auto" and num_parameters >= SHARD_FROM_PARAMETERS):
        for block in blocks():
            fully_shard(block)
        fully_shard(network)
        return SpreadNetwork(network, network)
    wrapped = DistributedDataParallel(network, find_unused_parameters=skips_layers)
    return SpreadNetwork(network, wrapped)
