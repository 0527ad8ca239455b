"""Recognisers and backbones out of lowres's own checkpoint folders, each with its vocabulary and its past checked."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import torch
from torch import Tensor

from lowres import __version__
from lowres.backbones.checkpoint_folder import RESTORE, WEIGHTS_FILE, Checkpoint, CheckpointMetadata, read_checkpoint
from lowres.errors import ON_NONSENSE, CheckpointError
from lowres.model.config import QuantizerConfig, Wav2Vec2Config, from_dict, quantizer_from_dict
from lowres.model.ctc import CTCRecognizer
from lowres.text.vocabulary import Vocabulary

BACKBONE_PREFIX: Final = "backbone."


@dataclass(frozen=True)
class Recognizer:
    """A backbone with its CTC head and its vocabulary."""

    model: CTCRecognizer
    vocabulary: Vocabulary
    metadata: CheckpointMetadata


@dataclass(frozen=True)
class PretrainingHeads:
    """What pretraining trains beside the backbone: the quantiser and the projections."""

    config: QuantizerConfig
    weights: dict[str, Tensor]
    """Names as in `PretrainingNetwork.state_dict()`, the backbone's left out."""


@dataclass(frozen=True)
class KnownLabels:
    """The CTC head that a network came with, and what each of its rows stands for."""

    tokens: tuple[str, ...]
    """V labels, as in `Vocabulary.tokens`."""
    weight: Tensor
    """(V, D)."""
    bias: Tensor
    """(V,)."""


@dataclass(frozen=True)
class Backbone:
    """A pretrained network without a head."""

    config: Wav2Vec2Config
    weights: dict[str, Tensor]
    """Names as in `Wav2Vec2.state_dict()`."""

    metadata: CheckpointMetadata
    heads: PretrainingHeads | None = None
    """None in a backbone that came without them."""

    known_labels: KnownLabels | None = None
    """What it could write, where it is a recogniser of lowres's own."""

    notes: tuple[str, ...] = ()
    """What was assumed or left out when it came from elsewhere, in sentences."""

    @property
    def sha256(self) -> str:
        """Hash of the file that the weights came from."""
        return self.metadata.files[WEIGHTS_FILE]


def load_recognizer(
    checkpoint_folder: Path, *, device: str = "cpu", find_backbone: Callable[[str], Backbone] | None = None
) -> Recognizer:
    """Load a recogniser: its network in evaluation mode, its vocabulary, and what is known about it.

    Args:
        checkpoint_folder: the folder.
        device: where to put the network.
        find_backbone: loads the backbone that a checkpoint of adapters names.

    Raises:
        CheckpointError: the folder is missing, damaged, of an unknown version, a backbone, its vocabulary does not
            fit its head, or the backbone it was trained on is missing or another one.
    """
    checkpoint = read_checkpoint(checkpoint_folder, device=device)
    vocabulary = vocabulary_of(checkpoint)
    _head_weight(checkpoint, vocabulary)
    model = CTCRecognizer(config_of(checkpoint.metadata, checkpoint_folder), len(vocabulary.tokens)).to(device)
    load_weights(model, _with_backbone(checkpoint, find_backbone), checkpoint_folder)
    return Recognizer(model.eval(), vocabulary, checkpoint.metadata)


def _with_backbone(checkpoint: Checkpoint, find_backbone: Callable[[str], Backbone] | None) -> dict[str, Tensor]:
    """Return all weights of a recogniser, those that lie in its backbone included."""
    metadata, folder = checkpoint.metadata, checkpoint.folder
    if not metadata.backbone_sha256:
        return checkpoint.weights
    if find_backbone is None:
        raise CheckpointError(
            f"{folder} holds only what was trained on top of the backbone {metadata.backbone_reference}.",
            "Use it through its project, which knows where that backbone is.",
        )
    backbone = find_backbone(metadata.backbone_reference)
    if backbone.sha256 != metadata.backbone_sha256:
        raise CheckpointError(
            f"{folder} was trained on top of another backbone than the one that {metadata.backbone_reference} is now "
            f"(sha256 {metadata.backbone_sha256[:12]}, found {backbone.sha256[:12]}).",
            "Put the backbone it was trained on back to where it was.",
        )
    return {BACKBONE_PREFIX + name: weight for name, weight in backbone.weights.items()} | checkpoint.weights


def load_backbone(checkpoint_folder: Path, *, device: str = "cpu") -> Backbone:
    """Load the network of a backbone, or that of a recogniser without its head.

    Raises:
        CheckpointError: the folder is missing, damaged or of an unknown version.
    """
    checkpoint = read_checkpoint(checkpoint_folder, device=device)
    metadata, config = checkpoint.metadata, config_of(checkpoint.metadata, checkpoint_folder)
    demand_whole(checkpoint)
    if metadata.kind == "backbone" and metadata.quantizer_config is None:
        return Backbone(config, checkpoint.weights, metadata)
    inside = {name for name in checkpoint.weights if name.startswith(BACKBONE_PREFIX)}
    weights = {name.removeprefix(BACKBONE_PREFIX): checkpoint.weights[name] for name in inside}
    if metadata.quantizer_config is None:
        return Backbone(config, weights, metadata, known_labels=_known_labels(checkpoint))
    others = {name: tensor for name, tensor in checkpoint.weights.items() if name not in inside}
    try:
        heads = PretrainingHeads(quantizer_from_dict(metadata.quantizer_config), others)
    except ON_NONSENSE as error:
        raise _unknown_network(checkpoint_folder, error) from error
    return Backbone(config, weights, metadata, heads)


def demand_whole(checkpoint: Checkpoint) -> None:
    """Refuse a checkpoint of what was trained on top of a backbone, without that backbone.

    Raises:
        CheckpointError: it is one.
    """
    reference = checkpoint.metadata.backbone_reference
    if checkpoint.metadata.backbone_sha256:
        raise CheckpointError(
            f"{checkpoint.folder} is no whole network: it holds what was trained on top of {reference}.",
            f"Start from {reference} itself.",
        )


def _known_labels(checkpoint: Checkpoint) -> KnownLabels:
    vocabulary = vocabulary_of(checkpoint)
    weight, bias = _head_weight(checkpoint, vocabulary), checkpoint.weights.get("head.bias")
    if bias is None or bias.shape != weight.shape[:1]:
        raise CheckpointError(f"{checkpoint.folder} has no whole head: no bias for each of its rows.", RESTORE)
    return KnownLabels(vocabulary.tokens, weight, bias)


def _head_weight(checkpoint: Checkpoint, vocabulary: Vocabulary) -> Tensor:
    """Return the weight of a recogniser's head, (V, D).

    Raises:
        CheckpointError: it is missing, or has other rows than one for each label.
    """
    weight = checkpoint.weights.get("head.weight", torch.empty(0, 0))
    head_size = len(weight) if weight.dim() == 2 else 0
    if head_size != len(vocabulary.tokens):
        raise CheckpointError(
            f"{checkpoint.folder} has a head for {head_size} tokens and a vocabulary of {len(vocabulary.tokens)}.",
            RESTORE,
        )
    return weight


def vocabulary_of(checkpoint: Checkpoint) -> Vocabulary:
    """Return a recogniser's vocabulary.

    Raises:
        CheckpointError: it has none, or not the one its hash names.
    """
    metadata = checkpoint.metadata
    if metadata.kind != "recognizer" or metadata.vocabulary is None:
        raise CheckpointError(
            f"{checkpoint.folder} holds a backbone, which cannot write letters yet.",
            "Fine-tune it first: lowres finetune --set finetune.backbone=...",
        )
    vocabulary = Vocabulary.from_json(metadata.vocabulary)
    if vocabulary.hash != metadata.vocabulary_sha256:
        raise CheckpointError(f"The vocabulary in {checkpoint.folder} is not the one it was trained with.", RESTORE)
    return vocabulary


def config_of(metadata: CheckpointMetadata, folder: Path) -> Wav2Vec2Config:
    """Rebuild the network's config.

    Raises:
        CheckpointError: it names what this lowres does not know.
    """
    try:
        return from_dict(metadata.model_config)
    except ON_NONSENSE as error:
        raise _unknown_network(folder, error) from error


def _unknown_network(folder: Path, error: Exception) -> CheckpointError:
    return CheckpointError(
        f"{folder} describes a network that this lowres ({__version__}) does not know: {error}.", RESTORE
    )


def load_weights(
    module: torch.nn.Module, weights: Mapping[str, Tensor], folder: Path, *, names: Collection[str] | None = None
) -> None:
    """Put weights into a module, every name and shape matching.

    Args:
        module: what they are put into.
        weights: tensors by name.
        folder: where they came from, for the error.
        names: the tensors there must be, no fewer and no more; None demands all of the module's.

    Raises:
        CheckpointError: a tensor is missing, unknown or of another shape; the module is then unchanged.
    """
    wanted = {name: weight for name, weight in module.state_dict().items() if names is None or name in names}
    missing = sorted(set(wanted) - set(weights))
    unknown = sorted(set(weights) - set(wanted))
    shapes = sorted(name for name in set(wanted) & set(weights) if wanted[name].shape != weights[name].shape)
    if missing or unknown or shapes:
        parts = [
            f"{len(names)} {what} (the first is {names[0]})"
            for names, what in ((missing, "missing"), (unknown, "unknown"), (shapes, "of another shape"))
            if names
        ]
        raise CheckpointError(f"The weights in {folder} do not fit the network: tensors {', '.join(parts)}.", RESTORE)
    module.load_state_dict(weights, strict=names is None)
