"""What of a backbone learns in fine-tuning, chosen by hours, size and memory; and which tensors that is."""

from dataclasses import dataclass
from typing import Final

from torch import nn

from lowres.model.adapters import BottleneckAdapter, LowRankUpdate
from lowres.model.ctc import CTCRecognizer
from lowres.training.settings import Adaptation

_BYTES_PER_LEARNING_PARAMETER: Final = 16
"""Float32 weight and gradient, and Adam's two moments."""

_MEMORY_SHARE: Final = 0.6
"""Of the memory; activations and everybody else take the rest."""

_MANY_FOR_A_PROCESSOR: Final = 200e6
"""Parameters from which a processor takes the better part of a minute for one update of all of them."""

_MANY_FOR_LITTLE_SPEECH: Final = 900e6
_LITTLE_SPEECH_HOURS: Final = 10.0


@dataclass(frozen=True)
class AdaptationChoice:
    """What learns, and why."""

    adaptation: Adaptation
    sentence: str


def choose_adaptation(num_parameters: int, *, hours: float, device: str, memory_gb: float | None) -> AdaptationChoice:
    """Choose what of a backbone learns.

    Args:
        num_parameters: of the whole network.
        hours: hours of training speech.
        device: "cpu" or "cuda".
        memory_gb: of that device, in 10^9 bytes; None where it is not known.

    Returns:
        "full" wherever it fits, as published; else "adapter".
    """
    size = f"{num_parameters / 1e6:.0f} million parameters"
    needed = num_parameters * _BYTES_PER_LEARNING_PARAMETER / 1e9
    if memory_gb is not None and needed > _MEMORY_SHARE * memory_gb:
        why = f"training all of its {size} takes {needed:.0f} GB of memory, and there are {memory_gb:.0f}"
    elif device == "cpu" and num_parameters >= _MANY_FOR_A_PROCESSOR:
        why = f"a processor takes too long to train all of its {size}"
    elif num_parameters >= _MANY_FOR_LITTLE_SPEECH and hours < _LITTLE_SPEECH_HOURS:
        why = f"{hours:.1f} h of speech are little for its {size}"
    else:
        return AdaptationChoice("full", f"Adaptation: full, since the backbone's {size} fit this machine.")
    return AdaptationChoice("adapter", f"Adaptation: adapter. The backbone stays as it is, since {why}.")


def learn_only(model: CTCRecognizer, adaptation: Adaptation, *, num_last_layers: int) -> None:
    """Freeze all parameters but those of the head and those that `adaptation` trains.

    Args:
        model: with the adapters or low-rank updates that it is to learn.
        adaptation: "full" changes nothing.
        num_last_layers: blocks that learn with "last_layers", with the norm behind them, if any.
    """
    if adaptation == "full":
        return
    model.requires_grad_(False)
    for module in (model.head, *_learning_modules(model, adaptation, num_last_layers)):
        module.requires_grad_(True)


def _learning_modules(model: CTCRecognizer, adaptation: Adaptation, num_last_layers: int) -> list[nn.Module]:
    network = model.backbone.context_network
    match adaptation:
        case "adapter":
            return [module for module in network.modules() if isinstance(module, BottleneckAdapter)]
        case "lora":
            return [module for module in network.modules() if isinstance(module, LowRankUpdate)]
        case _:
            return [*network.blocks[-num_last_layers:], *([network.norm] if network.is_pre_norm else [])]


def names_that_learn(model: CTCRecognizer) -> set[str]:
    """Name the parameters that learn, as `learn_only` and `freeze_feature_encoder` left them."""
    return {name for name, parameter in model.named_parameters() if parameter.requires_grad}
