"""The network of a pretraining run: from scratch, or a backbone to go on from, with or without its codebooks."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from lowres.backbones.native import BACKBONE_PREFIX, Backbone, load_weights
from lowres.errors import TrainingError
from lowres.model.config import QuantizerConfig, Wav2Vec2Config, quantizer_to_dict
from lowres.model.pretraining import PretrainingNetwork
from lowres.recipe import Recipe
from lowres.stages.backbone import find_backbone
from lowres.training.pretrain_settings import PretrainSettings, settle_pretraining
from lowres.training.settings import known

# Which field of the network follows which setting of pretraining; a recipe's [model] section wins over the defaults.
NETWORK_FIELDS = (
    "span_start_probability",
    "span_length",
    "channel_span_start_probability",
    "channel_span_length",
    "input_dropout",
    "dropout",
    "attention_dropout",
    "activation_dropout",
    "layer_drop",
)


@dataclass(frozen=True)
class PretrainStart:
    """Where a pretraining run's weights come from, and everything that follows from that."""

    config: Wav2Vec2Config
    quantizer_config: QuantizerConfig
    settings: PretrainSettings
    """Without gaps, but for what only the machine decides."""

    backbone: Backbone | None
    """None starts from random weights."""

    keeps_codebooks: bool
    """Whether quantiser and projections go on too, instead of beginning anew."""

    warnings: tuple[str, ...] = ()

    @property
    def backbone_sha256(self) -> str:
        """Hash of the backbone's weights; "" without one."""
        return self.backbone.sha256 if self.backbone else ""

    @property
    def backbone_licence(self) -> str:
        """Licence of the backbone, "" without one or when it states none."""
        return self.backbone.metadata.backbone_licence if self.backbone else ""


def choose_pretrain_start(recipe: Recipe, settings: PretrainSettings, project: Path) -> PretrainStart:
    """Load the backbone that the recipe names, or take the size it names; fill in what follows from it.

    Raises:
        CheckpointError: the backbone is missing or damaged.
        TrainingError: [model] switches off masking.
    """
    backbone = None
    config = recipe.network_config()
    if settings.backbone:
        backbone = find_backbone(project, settings.backbone)
        config = backbone.config
    has_codebooks = backbone is not None and backbone.heads is not None
    settings = settle_pretraining(settings, config, is_continued=backbone is not None, has_codebooks=has_codebooks)
    wanted = {name: getattr(settings, name) for name in NETWORK_FIELDS}
    wanted |= {name: value for name, value in recipe.model.overrides.items() if _follows_model(name, recipe)}
    config = replace(config, **wanted)
    if config.span_start_probability == 0:
        raise TrainingError(
            "[model] span_start_probability is 0: nothing would be masked, and pretraining learns from nothing else.",
            "Leave it out, or set pretrain.span_start_probability, which pretraining alone follows.",
        )
    asked = QuantizerConfig(
        num_codebooks=known(settings.num_codebooks, "num_codebooks"),
        num_entries=known(settings.num_entries, "num_entries"),
        code_width=known(settings.code_width, "code_width"),
        projection_width=known(settings.projection_width, "projection_width"),
        latent_dropout=known(settings.latent_dropout, "latent_dropout"),
    )
    if backbone is None or settings.reset_codebooks:
        return PretrainStart(config, asked, settings, backbone, keeps_codebooks=False)
    if backbone.heads is None:
        warning = (
            f"The backbone in {settings.backbone} came without its codebooks: they begin anew, so the first updates "
            "have to bring quantiser and network together again."
        )
        return PretrainStart(config, asked, settings, backbone, keeps_codebooks=False, warnings=(warning,))
    kept = replace(backbone.heads.config, latent_dropout=asked.latent_dropout)
    warnings = tuple(_kept_codebooks_warnings(asked, kept))
    return PretrainStart(config, kept, settings, backbone, keeps_codebooks=True, warnings=warnings)


def _kept_codebooks_warnings(asked: QuantizerConfig, kept: QuantizerConfig) -> Iterator[str]:
    for name, value in quantizer_to_dict(kept).items():
        if (other := getattr(asked, name)) != value:
            yield (
                f"The codebooks of the backbone go on, so {name} stays {value}, and the {other} of [pretrain] has no "
                "effect; with pretrain.reset_codebooks=true they would begin anew."
            )


def _follows_model(name: str, recipe: Recipe) -> bool:
    """Whether a field of the network is one of pretraining's that [pretrain] says nothing about."""
    return name in NETWORK_FIELDS and getattr(recipe.pretrain, name) is None


def build_pretraining_network(start: PretrainStart, *, seed: int, device: str) -> PretrainingNetwork:
    """Build the network with the weights a fresh run begins with, and seed every global generator.

    Args:
        start: what to build and where its weights come from.
        seed: the same seed gives the same weights on every machine with this torch version.
        device: where to put it.
    """
    random.seed(seed)
    np.random.seed(seed % 2**32)
    torch.manual_seed(seed)
    network = PretrainingNetwork(
        start.config,
        start.quantizer_config,
        feature_gradient_scale=known(start.settings.feature_gradient_scale, "feature_gradient_scale"),
    )
    if start.backbone is not None:
        weights = {f"{BACKBONE_PREFIX}{name}": tensor for name, tensor in start.backbone.weights.items()}
        if start.keeps_codebooks and start.backbone.heads is not None:
            weights |= start.backbone.heads.weights
        else:
            fresh = network.state_dict()
            weights |= {name: fresh[name] for name in fresh if not name.startswith(BACKBONE_PREFIX)}
        load_weights(network, weights, Path(start.settings.backbone))
    return network.to(device)
