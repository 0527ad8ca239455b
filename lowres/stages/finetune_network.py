"""The network of a run: its configuration from recipe, backbone and hours of data, and its weights from either."""

import random
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from lowres.backbones.native import Backbone, KnownLabels, load_weights
from lowres.backbones.repeated import repeat_blocks
from lowres.errors import CheckpointError
from lowres.model.config import Wav2Vec2Config, from_dict, to_dict
from lowres.model.ctc import CTCRecognizer
from lowres.recipe import Recipe
from lowres.stages.backbone import find_backbone
from lowres.stages.finetune_speech import FinetuneSpeech
from lowres.text.vocabulary import Vocabulary
from lowres.training.adaptation import learn_only
from lowres.training.finetune_defaults import defaults_for_hours, with_hour_defaults
from lowres.training.settings import Adaptation, FinetuneSettings, known

# Which field of the network follows which setting of fine-tuning.
NETWORK_FIELDS = {
    "span_start_probability": "time_span_start_probability",
    "span_length": "time_span_length",
    "channel_span_start_probability": "channel_span_start_probability",
    "channel_span_length": "channel_span_length",
    "dropout": "dropout",
    "activation_dropout": "activation_dropout",
    "layer_drop": "layer_drop",
}


@dataclass(frozen=True)
class Start:
    """Where a run's weights come from."""

    config: Wav2Vec2Config
    """The network, before fine-tuning's masking and dropout are put into it."""

    backbone: Backbone | None = None
    """Without its weights; None starts from random ones."""

    num_parameters: int = 0
    """Of the backbone."""

    read_backbone: Callable[[], Backbone] | None = None
    """Reads the backbone with its weights, whenever a network is built: kept, they would double its memory all along.
    None where `backbone` is."""

    @property
    def backbone_sha256(self) -> str:
        """Hash of the backbone's weights; "" without one."""
        return self.backbone.sha256 if self.backbone else ""

    @property
    def backbone_licence(self) -> str:
        """Licence of the backbone, "" without one or when it states none."""
        return self.backbone.metadata.backbone_licence if self.backbone else ""


def choose_start(recipe: Recipe, project: Path) -> Start:
    """Look at the backbone that the recipe names, or take the size it names.

    Raises:
        CheckpointError: the backbone is missing or damaged, or cannot be repeated as the recipe asks.
    """
    reference, times = recipe.finetune.backbone, recipe.finetune.repeat_blocks
    if not reference and times > 1:
        raise CheckpointError(
            f"finetune.repeat_blocks is {times}, which repeats the blocks of a backbone, and there is none.",
            "Name one with finetune.backbone, or set model.num_layers for a deeper network.",
        )
    if not reference:
        return Start(recipe.network_config())
    backbone = repeat_blocks(find_backbone(project, reference), times)
    sha256 = backbone.sha256

    def read_backbone() -> Backbone:
        again = find_backbone(project, reference)
        if again.sha256 != sha256:
            raise CheckpointError(
                f"The backbone {reference} has changed since this run was opened.",
                "Start from a copy of it, or once its own training has ended.",
            )
        return repeat_blocks(again, times)

    return Start(
        backbone.config,
        replace(backbone, weights={}, heads=None, known_labels=None),
        num_parameters=sum(weight.numel() for weight in backbone.weights.values()),
        read_backbone=read_backbone,
    )


def settle(
    settings: FinetuneSettings,
    start: Start,
    speech: FinetuneSpeech,
    overrides: Mapping[str, Any],
    adaptation: Adaptation = "full",
) -> tuple[FinetuneSettings, Wav2Vec2Config]:
    """Fill in what follows from the hours of data, and put masking, dropout and adapters into the network.

    Args:
        settings: as the recipe and the command line have them.
        start: where the weights come from.
        speech: the training speech, for its hours and the mean length of its utterances.
        overrides: what the recipe's [model] sets; it wins over the defaults by hours, not over [finetune]. Of a
            network that is given, only dropouts can be other.
        adaptation: what of the backbone learns.

    Returns:
        Settings without gaps, and the network to build.
    """
    defaults = defaults_for_hours(
        speech.hours,
        mean_seconds=speech.mean_seconds,
        backbone_width=start.config.width if start.backbone else None,
        adaptation=adaptation,
    )
    from_model = {setting: overrides[name] for name, setting in NETWORK_FIELDS.items() if name in overrides}
    filled = with_hour_defaults(replace(settings, adaptation=adaptation), replace(defaults, **from_model))
    if adaptation != "full":
        filled = replace(filled, train_feature_encoder=False)  # as `learn_only` has it, whatever was asked for
    network = {name: value for name, value in overrides.items() if name.endswith("_dropout")}
    network |= {name: known(getattr(filled, setting), setting) for name, setting in NETWORK_FIELDS.items()}
    if adaptation == "adapter":
        network["adapter_width"] = start.config.adapter_width or settings.adapter_width
    if adaptation == "lora":
        network["lora_rank"] = settings.lora_rank
    return filled, from_dict(to_dict(start.config) | network)


def build_network(
    config: Wav2Vec2Config, vocabulary: Vocabulary, start: Start, settings: FinetuneSettings, *, seed: int, device: str
) -> CTCRecognizer:
    """Build the network with the weights a fresh attempt begins with, and seed every global generator.

    Args:
        config: what `settle` returned.
        vocabulary: the labels. Those that a backbone can write already begin with its rows of the head.
        start: where the backbone's weights come from.
        settings: what of it learns.
        seed: of this attempt; the same seed gives the same weights on every machine with this torch version.
        device: where to put it.
    """
    random.seed(seed)
    np.random.seed(seed % 2**32)
    torch.manual_seed(seed)
    model = CTCRecognizer(config, len(vocabulary.tokens))
    if start.read_backbone is not None:
        backbone = start.read_backbone()
        new = {name: weight for name, weight in model.backbone.state_dict().items() if _ADAPTER_NAMES.search(name)}
        load_weights(model.backbone, new | backbone.weights, Path(settings.backbone))
        if backbone.known_labels is not None:
            take_over_labels(model.head, vocabulary, backbone.known_labels)
    model.freeze_feature_encoder(not known(settings.train_feature_encoder, "train_feature_encoder"))
    adaptation = chosen_adaptation(settings)
    learn_only(model, adaptation, num_last_layers=settings.num_last_layers)
    return model.to(device)


def take_over_labels(head: nn.Linear, vocabulary: Vocabulary, known_labels: KnownLabels) -> int:
    """Begin every label that the backbone could write, the blank and the word boundary included, with its weights.

    Args:
        head: (V, D), changed in place.
        vocabulary: its V labels.
        known_labels: those of the backbone, of width D too.

    Returns:
        How many labels were taken over.
    """
    places = {token: place for place, token in enumerate(known_labels.tokens)}
    shared = [(row, places[token]) for row, token in enumerate(vocabulary.tokens) if token in places]
    if shared:
        rows, sources = (torch.tensor(column) for column in zip(*shared, strict=True))
        with torch.no_grad():
            head.weight[rows] = known_labels.weight[sources].to(head.weight.dtype)
            head.bias[rows] = known_labels.bias[sources].to(head.bias.dtype)
    return len(shared)


_ADAPTER_NAMES = re.compile(r"\.adapter\.|_update\.")
"""What adaptation adds to a backbone's tensors."""


def chosen_adaptation(settings: FinetuneSettings) -> Adaptation:
    """Return the adaptation of settings that `settle` has filled.

    Raises:
        ValueError: it is still "auto", which is a defect of the caller.
    """
    if settings.adaptation == "auto":
        raise ValueError("the adaptation is not chosen yet: call settle first")
    return settings.adaptation
