"""Adam as the paper uses it, with weight decay on matrices only (paper, section 4.3 and appendix B)."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class AdamSettings:
    """Adam's numbers: the paper's betas, fairseq's fine-tuning epsilon (1e-8; its pretraining uses 1e-6)."""

    betas: tuple[float, float] = (0.9, 0.98)
    epsilon: float = 1e-8
    weight_decay: float = 0.0


def build_optimizer(module: nn.Module, settings: AdamSettings) -> torch.optim.Optimizer:
    """Build Adam with decoupled weight decay over every parameter of `module`.

    Args:
        module: the network. Parameters frozen now are included: they have no gradient and are passed over until they
            are thawed, so that the head-only phase needs no second optimizer.
        settings: betas, epsilon, and the weight decay. Parameters of one axis or none (biases, normalisation weights,
            layer scales) are not decayed; the gain of the positional embedding's weight norm has three, and is.

    Returns:
        The optimizer, its learning rate 0 until `set_learning_rate` is called.
    """
    matrices = [parameter for parameter in module.parameters() if parameter.ndim >= 2]
    others = [parameter for parameter in module.parameters() if parameter.ndim < 2]
    groups = [
        {"params": matrices, "weight_decay": settings.weight_decay},
        {"params": others, "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(
        [group for group in groups if group["params"]], lr=0.0, betas=settings.betas, eps=settings.epsilon, fused=True
    )


def set_learning_rate(optimizer: torch.optim.Optimizer, learning_rate: float) -> None:
    """Set the learning rate of all groups for the next update."""
    for group in optimizer.param_groups:
        group["lr"] = learning_rate


def scale_gradients(module: nn.Module, factor: float) -> None:
    """Multiply the gradient of `module` by `factor`, in place."""
    gradients = [parameter.grad for parameter in module.parameters() if parameter.grad is not None]
    torch._foreach_mul_(gradients, factor)


def clip_gradients(module: nn.Module, largest_norm: float) -> Tensor:
    """Scale the gradient of `module` down to `largest_norm` in place; 0 leaves it as it is.

    Returns:
        Its L2 norm before that, a scalar tensor, not a number where the gradient is.
    """
    parameters = [parameter for parameter in module.parameters() if parameter.grad is not None]
    limit = largest_norm if largest_norm > 0 else float("inf")
    return nn.utils.clip_grad_norm_(parameters, limit)
