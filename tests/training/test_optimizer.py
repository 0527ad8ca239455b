import pytest
import torch
from torch import nn

from lowres.training.optimizer import AdamSettings, build_optimizer, clip_gradients, set_learning_rate


def test_biases_and_norms_are_not_decayed() -> None:
    module = nn.Sequential(nn.Linear(2, 2), nn.LayerNorm(2))
    optimizer = build_optimizer(module, AdamSettings(weight_decay=0.5))
    set_learning_rate(optimizer, 0.1)
    before = {name: parameter.detach().clone() for name, parameter in module.named_parameters()}
    for parameter in module.parameters():
        parameter.grad = torch.zeros_like(parameter)
    optimizer.step()
    decayed = {name for name, parameter in module.named_parameters() if not torch.equal(parameter, before[name])}
    assert decayed == {"0.weight"}


def test_parameters_without_a_gradient_stay_as_they_are() -> None:
    module = nn.Linear(2, 2)
    optimizer = build_optimizer(module, AdamSettings(weight_decay=0.5))
    set_learning_rate(optimizer, 0.1)
    before = module.weight.detach().clone()
    optimizer.step()
    assert torch.equal(module.weight, before)


@pytest.mark.parametrize(("limit", "norm_after"), [(1.0, 1.0), (0.0, 5.0), (10.0, 5.0)])
def test_a_gradient_is_scaled_down_to_the_limit_and_never_up(limit: float, norm_after: float) -> None:
    module = nn.Linear(2, 1, bias=False)
    module.weight.grad = torch.tensor([[3.0, 4.0]])
    assert float(clip_gradients(module, limit)) == 5.0
    assert float(module.weight.grad.norm()) == pytest.approx(norm_after, abs=1e-5)
