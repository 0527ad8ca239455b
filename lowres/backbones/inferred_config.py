"""The config of a network whose file holds tensors alone: torchaudio's and fairseq2's, read off their shapes.

Shapes tell every size but two, for which there is no other choice than what was published: the convolutions' strides
(paper section 4.2) and the number of attention heads (paper; XLS-R table 2; fairseq2's wav2vec 2.0 archs).
"""

import re
from itertools import count, takewhile
from typing import Any, Final

from torch import Tensor

from lowres.backbones.foreign import ForeignWeights
from lowres.errors import CheckpointError
from lowres.model.config import BASE_CONV_LAYERS, Wav2Vec2Config

HEADS_BY_WIDTH: Final = {768: 12, 1024: 16, 1280: 16, 1920: 16, 2048: 16}
_INNER: Final = "encoder.layers.0.feed_forward.intermediate_dense"
_POSITIONAL: Final = "encoder.pos_conv_embed.conv.parametrizations.weight.original1"
_OTHER_FORM: Final = "Take this model from its Hugging Face folder, whose config.json states what the tensors do not."


def config_from_shapes(found: ForeignWeights) -> tuple[Wav2Vec2Config, list[str]]:
    """Read a config off the tensors; dropout and masking are BASE's.

    Returns:
        The config, and a sentence for each thing that the file does not state.

    Raises:
        CheckpointError: a tensor needed for it is missing, or the network is of no published kind.
    """
    convolutions = _numbered(found, "feature_extractor.conv_layers.{}.conv.weight")
    width = _demand(found, "feature_projection.projection.weight", num_axes=2).shape[0]
    if width not in HEADS_BY_WIDTH:
        raise CheckpointError(
            f"{found.place} does not say how many attention heads its {width} wide network has, "
            f"and no published one is that wide.",
            _OTHER_FORM,
        )
    is_layer_norm = found.find("feature_extractor.conv_layers.1.layer_norm.weight") is not None
    # torchaudio's names do not tell where the norms are, but there every network that normalises all convolutions has
    # its norms first. fairseq2's do tell.
    is_pre_norm = is_layer_norm
    if found.spelling.home == "fairseq2":
        is_pre_norm = found.spelling.spell("encoder.layer_norm.") == "encoder.layer_norm."
    try:
        config = Wav2Vec2Config(
            conv_layers=_with_strides(found, convolutions),
            conv_bias=found.find("feature_extractor.conv_layers.0.conv.bias") is not None,
            feature_norm="layer" if is_layer_norm else "group",
            normalize_waveforms=is_layer_norm,
            width=width,
            num_heads=HEADS_BY_WIDTH[width],
            num_layers=_num_layers(found),
            feed_forward_width=_demand(found, f"{_INNER}.weight", num_axes=2).shape[0],
            transformer_norm="pre" if is_pre_norm else "post",
            **_positional_sizes(found, width),
        )
    except (ValueError, ZeroDivisionError) as error:
        raise CheckpointError(f"{found.place} has shapes that fit no network: {error}.", _OTHER_FORM) from error
    settings = f"{config.num_heads} attention heads, norms {'first' if is_pre_norm else 'last'}"
    waveforms = "normalised" if is_layer_norm else "as recorded"
    note = f"The backbone's file states no settings: {settings} and waveforms {waveforms} are those of its size."
    return config, [note]


def _num_layers(found: ForeignWeights) -> int:
    layers = re.escape(found.name_of("encoder.layers."))
    numbers = [int(match[1]) for name in found.tensors if (match := re.match(rf"{layers}(\d+)\.", name))]
    return max(numbers, default=0) + 1


def _positional_sizes(found: ForeignWeights, width: int) -> dict[str, Any]:
    layers = _numbered(found, "encoder.pos_conv_embed.layers.{}.conv.weight", at_least=0)
    weight = layers[0] if layers else _demand(found, _POSITIONAL, num_axes=3)
    return {
        "positional_layers": max(len(layers), 1),
        "positional_kernel": weight.shape[2],
        "positional_groups": width // weight.shape[1],
    }


def _with_strides(found: ForeignWeights, convolutions: list[Tensor]) -> tuple[tuple[int, int, int], ...]:
    kernels = tuple(tensor.shape[2] for tensor in convolutions)
    if kernels != tuple(kernel for _, kernel, _ in BASE_CONV_LAYERS):
        raise CheckpointError(
            f"{found.place} does not say by how many samples its convolutions step, and no published network has "
            f"kernels of {', '.join(map(str, kernels))}.",
            _OTHER_FORM,
        )
    return tuple(
        (tensor.shape[0], kernel, stride)
        for tensor, (_, kernel, stride) in zip(convolutions, BASE_CONV_LAYERS, strict=True)
    )


def _numbered(found: ForeignWeights, name: str, *, at_least: int = 1) -> list[Tensor]:
    """Collect the tensors of three axes called `name` with 0, 1, 2 ... in it."""
    num_found = sum(1 for _ in takewhile(lambda n: found.find(name.format(n)) is not None, count()))
    return [_demand(found, name.format(n), num_axes=3) for n in range(max(num_found, at_least))]


def _demand(found: ForeignWeights, theirs: str, *, num_axes: int) -> Tensor:
    tensor, name = found.find(theirs), found.name_of(theirs)
    if tensor is None or tensor.dim() != num_axes:
        what = "is missing" if tensor is None else f"has {tensor.dim()} axes instead of {num_axes}"
        raise CheckpointError(
            f"{found.place} does not hold a whole network ({found.spelling.home}): the tensor {name} {what}.",
            "Download it again, or take another checkpoint of this model.",
        )
    return tensor
