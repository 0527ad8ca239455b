"""Weights under another library's names, checked tensor by tensor and put under ours."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor

from lowres.backbones.checkpoint_folder import WEIGHTS_FILE, CheckpointMetadata
from lowres.backbones.native import BACKBONE_PREFIX, Backbone, PretrainingHeads
from lowres.backbones.spellings import PRETRAINING_HEADS, Spelling, spelling_of
from lowres.backbones.transformers_layout import (
    CODEBOOKS,
    TensorNames,
    backbone_names,
    pretraining_names,
    under_our_names,
)
from lowres.errors import ON_NONSENSE, CheckpointError
from lowres.model.config import QuantizerConfig, Wav2Vec2Config, quantizer_to_dict, to_dict
from lowres.model.pretraining import PretrainingNetwork
from lowres.model.wav2vec2 import Wav2Vec2

_MASK_EMBEDDING: Final = "mask_embedding"
_WEIGHT_NORM: Final = {"parametrizations.weight.original0": "weight_g", "parametrizations.weight.original1": "weight_v"}
"""PyTorch's newer and older names of a normalised weight's length and direction."""


@dataclass(frozen=True)
class ForeignWeights:
    """A network's tensors as a file has them."""

    place: str
    """The file or folder, for sentences."""

    tensors: Mapping[str, Tensor]
    """By their names in the file, heads included."""

    sha256: str
    """Of the file, or see `tensor_files.hash_files`."""

    spelling: Spelling
    prefix: str = ""
    """What stands before every name of the network, but not before those of heads."""

    def name_of(self, theirs: str) -> str:
        """Return the name in the file of what transformers calls `theirs`."""
        name = self.spelling.spell(theirs)
        if not theirs.startswith(PRETRAINING_HEADS):
            name = self.prefix + name
        for newer, older in _WEIGHT_NORM.items():
            if name.endswith(newer) and name not in self.tensors:
                older_name = name.removesuffix(newer) + older
                name = older_name if older_name in self.tensors else name
        return name

    def find(self, theirs: str) -> Tensor | None:
        """Return the tensor that transformers calls `theirs`, if there is one."""
        return self.tensors.get(self.name_of(theirs))


def recognise_weights(
    place: str, tensors: Mapping[str, Tensor], sha256: str, *, choices: Sequence[Spelling] = ()
) -> ForeignWeights:
    """Find out whose names these tensors have: one of `choices`, or anybody's.

    Raises:
        CheckpointError: nobody's that lowres knows.
    """
    found = spelling_of(tensors, choices)
    if found is None:
        first = next(iter(tensors), None)
        what = "nothing but adapters" if first is None else f"its first tensor is {first}"
        raise CheckpointError(
            f"{place} holds no wav2vec 2.0 network: {what}.",
            "Name a wav2vec 2.0, HuBERT or data2vec network; speaker recognition has other networks.",
        )
    return ForeignWeights(place, tensors, sha256, *found)


def import_backbone(
    found: ForeignWeights, config: Wav2Vec2Config, *, notes: Sequence[str] = (), latent_dropout: float = 0.1
) -> Backbone:
    """Put a network's weights under our names, and its codebooks and projections where they are there.

    Args:
        found: the weights.
        config: what network they are.
        notes: sentences on what was assumed so far.
        latent_dropout: of the quantiser; the file's shapes say the rest.

    Raises:
        CheckpointError: a tensor is missing, unexpected or of another shape.
    """
    try:
        quantizer_config = _quantizer_config(found, latent_dropout)
    except ON_NONSENSE as error:
        raise _misfit(found, str(error)) from error
    names, head_names = backbone_names(config), _head_names(config) if quantizer_config else {}
    lacks_mask_embedding = found.find(names[_MASK_EMBEDDING][0]) is None
    if lacks_mask_embedding:
        del names[_MASK_EMBEDDING]
    left_out = _demand_fit(found, names | head_names, _shapes(config, quantizer_config))
    remarks = [*notes, *(f"{what} was left out." for what in left_out if what)]
    weights, heads = _renamed(found, names), None
    if lacks_mask_embedding:
        remarks.append("The backbone came without the embedding that stands for masked frames, which begins at random.")
        weights[_MASK_EMBEDDING] = torch.rand(config.width, generator=torch.Generator().manual_seed(0))
    if quantizer_config is not None:
        head_weights = _renamed(found, head_names, num_codebooks=quantizer_config.num_codebooks)
        heads = PretrainingHeads(quantizer_config, head_weights)
    metadata = CheckpointMetadata(
        kind="backbone",
        model_config=to_dict(config),
        quantizer_config=None if quantizer_config is None else quantizer_to_dict(quantizer_config),
        training={"imported_from": found.place, "format": found.spelling.home, "notes": remarks},
        files={WEIGHTS_FILE: found.sha256},
    )
    return Backbone(config, weights, metadata, heads, notes=tuple(remarks))


def _head_names(config: Wav2Vec2Config) -> TensorNames:
    return {ours: theirs for ours, theirs in pretraining_names(config).items() if not ours.startswith(BACKBONE_PREFIX)}


def _renamed(found: ForeignWeights, names: TensorNames, *, num_codebooks: int = 2) -> dict[str, Tensor]:
    theirs = {their: found.tensors[found.name_of(their)] for parts in names.values() for their in parts}
    renamed = under_our_names(theirs, names, num_codebooks=num_codebooks)
    return {name: tensor.float() for name, tensor in renamed.items()}


def _quantizer_config(found: ForeignWeights, latent_dropout: float) -> QuantizerConfig | None:
    """Read the quantiser's sizes off its tensors; None where there are none."""
    entries, targets = found.find("quantizer.codevectors"), found.find("project_q.weight")
    if entries is None or targets is None or entries.dim() != 3 or targets.dim() != 2:
        return None
    num_codebooks = max(targets.shape[1] // entries.shape[2], 1)
    return QuantizerConfig(
        num_codebooks=num_codebooks,
        num_entries=max(entries.shape[1] // num_codebooks, 1),
        code_width=entries.shape[2] * num_codebooks,
        projection_width=targets.shape[0],
        latent_dropout=latent_dropout,
    )


def _shapes(config: Wav2Vec2Config, quantizer_config: QuantizerConfig | None) -> dict[str, torch.Size]:
    """List the shapes of the network's tensors, by our names."""
    with torch.device("meta"):
        network = Wav2Vec2(config) if quantizer_config is None else PretrainingNetwork(config, quantizer_config)
    return {name.removeprefix(BACKBONE_PREFIX): tensor.shape for name, tensor in network.state_dict().items()}


def _demand_fit(found: ForeignWeights, names: TensorNames, shapes: Mapping[str, torch.Size]) -> list[str]:
    """Compare a file's tensors with the network's, and say what of the file is left out.

    Raises:
        CheckpointError: naming the first that is missing, of another shape or unexpected, as the file calls it.
    """
    wanted: dict[str, torch.Size] = {}
    for ours, theirs in names.items():
        whole = shapes[ours]
        part = torch.Size((whole[0] // len(theirs), *whole[1:]))
        if ours == CODEBOOKS:
            part = torch.Size((1, whole[0] * whole[1], whole[2]))
        wanted |= {found.name_of(name): part for name in theirs}
    for name, shape in wanted.items():
        if name not in found.tensors:
            raise _misfit(found, f"the tensor {name} is missing")
        if (stated := found.tensors[name].shape) != shape:
            raise _misfit(found, f"the tensor {name} is {_by(stated)} instead of {_by(shape)}")
    left_out: dict[str, None] = {}
    for name in found.tensors:
        if name not in wanted:
            what = found.spelling.why_left_out(name)
            if what is None:
                raise _misfit(found, f"the tensor {name} is unexpected")
            left_out[what] = None
    return list(left_out)


def _by(shape: torch.Size) -> str:
    return " x ".join(str(size) for size in shape) or "a single number"


def _misfit(found: ForeignWeights, what: str) -> CheckpointError:
    return CheckpointError(
        f"{found.place} does not fit the network that it describes ({found.spelling.home}): {what}.",
        "Download it again, or take another checkpoint of this model.",
    )
