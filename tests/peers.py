"""transformers' and torchaudio's wav2vec 2.0 with the weights of one of ours."""

from typing import Any

import torch
from torch import nn

from lowres.backbones.transformers_layout import (
    backbone_prefix,
    model_type,
    pretraining_names,
    recognizer_names,
    transformers_config,
    under_transformers_names,
)
from lowres.model.config import QuantizerConfig, Wav2Vec2Config
from lowres.model.ctc import CTCRecognizer
from lowres.model.pretraining import PretrainingNetwork


def as_transformers(recognizer: CTCRecognizer) -> Any:
    """Build transformers' Wav2Vec2ForCTC (its `.wav2vec2` is the backbone) or, for data2vec, Data2VecAudioForCTC."""
    from transformers import AutoConfig, AutoModelForCTC

    config = recognizer.backbone.config
    numbers = transformers_config(config) | {"vocab_size": recognizer.head.out_features}
    peer = AutoModelForCTC.from_config(AutoConfig.for_model(model_type(config), **numbers, attn_implementation="eager"))
    peer.load_state_dict(under_transformers_names(recognizer.state_dict(), recognizer_names(config)), strict=True)
    return peer.eval()


def as_transformers_for_pretraining(network: PretrainingNetwork) -> Any:
    """Build transformers' Wav2Vec2ForPreTraining, without dropout or masked channels."""
    from transformers import Wav2Vec2Config as PeerConfig
    from transformers import Wav2Vec2ForPreTraining

    config = network.backbone.config
    numbers = transformers_config(config) | transformers_quantizer_config(network.quantizer.config)
    numbers |= {name: 0.0 for name in numbers if name.endswith(("dropout", "layerdrop"))}
    numbers |= {"mask_feature_prob": 0.0}  # it would draw them itself
    peer = Wav2Vec2ForPreTraining(PeerConfig(**numbers, attn_implementation="eager"))
    peer.load_state_dict(under_transformers_names(network.state_dict(), pretraining_names(config)), strict=True)
    return peer.eval()


def transformers_quantizer_config(config: QuantizerConfig) -> dict[str, Any]:
    """Give the keyword arguments that pretraining adds to those of `transformers_config`."""
    return {
        "num_codevector_groups": config.num_codebooks,
        "num_codevectors_per_group": config.num_entries,
        "codevector_dim": config.code_width,
        "proj_codevector_dim": config.projection_width,
        "feat_quantizer_dropout": config.latent_dropout,
    }


def as_torchaudio(recognizer: CTCRecognizer) -> Any:
    """Build torchaudio's Wav2Vec2Model with an output layer."""
    from torchaudio.models import wav2vec2_model

    config = recognizer.backbone.config
    peer = wav2vec2_model(
        extractor_mode="group_norm" if config.feature_norm == "group" else "layer_norm",
        extractor_conv_layer_config=list(config.conv_layers),
        extractor_conv_bias=config.conv_bias,
        encoder_embed_dim=config.width,
        encoder_projection_dropout=0.0,
        encoder_pos_conv_kernel=config.positional_kernel,
        encoder_pos_conv_groups=config.positional_groups,
        encoder_num_layers=config.num_layers,
        encoder_num_heads=config.num_heads,
        encoder_attention_dropout=0.0,
        encoder_ff_interm_features=config.feed_forward_width,
        encoder_ff_interm_dropout=0.0,
        encoder_dropout=0.0,
        encoder_layer_norm_first=config.transformer_norm == "pre",
        encoder_layer_drop=0.0,
        aux_num_out=recognizer.head.out_features,
    )
    renamed = {}
    weight_g, weight_v = (name for name in peer.state_dict() if "pos_conv_embed.conv" in name and "bias" not in name)
    for name, tensor in under_transformers_names(recognizer.state_dict(), recognizer_names(config)).items():
        name = name.removeprefix(backbone_prefix(config)).replace("lm_head.", "aux.")
        name = name.replace("encoder.", "encoder.transformer.").replace("feature_proj", "encoder.feature_proj")
        if name.endswith("original0"):
            name = weight_g
        elif name.endswith("original1"):
            name = weight_v
        if name != "masked_spec_embed":
            renamed[name] = tensor
    peer.load_state_dict(renamed, strict=True)
    return peer.eval()


def randomize(module: nn.Module, seed: int = 0) -> None:
    """Give every parameter a value that shows in the output: biases and norms too, which start at 0 and 1."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in module.parameters():
            spread = 0.2 if parameter.dim() < 2 else 0.5 / parameter[0].numel() ** 0.5
            parameter.add_(torch.randn(parameter.shape, generator=generator) * spread)


def tiny_config(**changes: Any) -> Wav2Vec2Config:
    """A network small enough for a test, with the published kernels and strides."""
    layers = ((16, 10, 5), *((16, 3, 2),) * 4, *((16, 2, 2),) * 2)
    numbers: dict[str, Any] = {"width": 32, "num_layers": 2, "num_heads": 4, "feed_forward_width": 48}
    numbers |= {"conv_layers": layers, "positional_kernel": 16, "positional_groups": 4, "activation_dropout": 0.0}
    return Wav2Vec2Config(**(numbers | {"layer_drop": 0.0} | changes))
