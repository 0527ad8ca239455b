"""transformers' and torchaudio's wav2vec 2.0 with the weights of one of ours."""

from typing import Any

import torch
from torch import Tensor, nn

from lowres.model.config import Wav2Vec2Config
from lowres.model.ctc import CTCRecognizer
from lowres.model.pretraining import PretrainingNetwork

_BLOCK_PARTS = {
    "attention.output": "attention.out_proj",
    "attention_norm": "layer_norm",
    "feed_forward.inner": "feed_forward.intermediate_dense",
    "feed_forward.output": "feed_forward.output_dense",
    "feed_forward_norm": "final_layer_norm",
}


def as_transformers(recognizer: CTCRecognizer) -> Any:
    """Build transformers' Wav2Vec2ForCTC; its `.wav2vec2` is the backbone."""
    from transformers import Wav2Vec2ForCTC

    config = _transformers_config(recognizer.backbone.config, vocab_size=recognizer.head.out_features)
    peer = Wav2Vec2ForCTC(config)
    peer.load_state_dict(under_transformers_names(dict(recognizer.state_dict())), strict=True)
    return peer.eval()


def as_transformers_for_pretraining(network: PretrainingNetwork) -> Any:
    """Build transformers' Wav2Vec2ForPreTraining, without dropout."""
    from transformers import Wav2Vec2ForPreTraining

    quantizer = network.quantizer.config
    peer = Wav2Vec2ForPreTraining(
        _transformers_config(
            network.backbone.config,
            num_codevector_groups=quantizer.num_codebooks,
            num_codevectors_per_group=quantizer.num_entries,
            codevector_dim=quantizer.code_width,
            proj_codevector_dim=quantizer.projection_width,
            **{f"{part}_dropout": 0.0 for part in ("feat_quantizer", "feat_proj", "hidden", "attention", "activation")},
            layerdrop=0.0,
        )
    )
    peer.load_state_dict(under_pretraining_names(dict(network.state_dict())), strict=True)
    return peer.eval()


def _transformers_config(config: Wav2Vec2Config, **more: Any) -> Any:
    from transformers import Wav2Vec2Config as PeerConfig

    channels, kernels, strides = zip(*config.conv_layers, strict=True)
    return PeerConfig(
        hidden_size=config.width,
        num_hidden_layers=config.num_layers,
        num_attention_heads=config.num_heads,
        intermediate_size=config.feed_forward_width,
        conv_dim=channels,
        conv_kernel=kernels,
        conv_stride=strides,
        conv_bias=config.conv_bias,
        num_feat_extract_layers=len(channels),
        feat_extract_norm=config.feature_norm,
        do_stable_layer_norm=config.transformer_norm == "pre",
        num_conv_pos_embeddings=config.positional_kernel,
        num_conv_pos_embedding_groups=config.positional_groups,
        attn_implementation="eager",
        **more,
    )


def under_transformers_names(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Rename (and cut into queries, keys and values) a CTCRecognizer's tensors, parameters or gradients."""
    heads = {"head.": "lm_head."}
    return {_with_prefix(name, heads): tensor for name, tensor in _rename(tensors).items()}


def under_pretraining_names(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Rename (and cut and reshape) a PretrainingNetwork's tensors, parameters or gradients."""
    heads = {
        "quantizer.logits.": "quantizer.weight_proj.",
        "quantizer.codebooks": "quantizer.codevectors",
        "context_projection.": "project_hid.",
        "target_projection.": "project_q.",
    }
    renamed = {_with_prefix(name, heads): tensor for name, tensor in _rename(tensors).items()}
    if "quantizer.codevectors" in renamed:
        renamed["quantizer.codevectors"] = renamed["quantizer.codevectors"].flatten(0, 1)[None]
    return renamed


def _with_prefix(name: str, heads: dict[str, str]) -> str:
    """Give what belongs to the backbone its prefix, and what is in `heads` its name there."""
    for ours, theirs in heads.items():
        if name.startswith(ours):
            return name.replace(ours, theirs, 1)
    name = name.replace("positional.weight_g", "pos_conv_embed.conv.parametrizations.weight.original0")
    name = name.replace("positional.weight_v", "pos_conv_embed.conv.parametrizations.weight.original1")
    name = name.replace("positional.bias", "pos_conv_embed.conv.bias")
    return "wav2vec2." + name


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
    for name, tensor in _rename(dict(recognizer.state_dict())).items():
        name = name.replace("feature_projection.", "encoder.feature_projection.").replace("head.", "aux.")
        name = name.replace("encoder.layer", "encoder.transformer.layer")
        name = name.replace("encoder.positional.weight_g", weight_g).replace("encoder.positional.weight_v", weight_v)
        name = name.replace("encoder.positional.bias", "encoder.transformer.pos_conv_embed.conv.bias")
        if name != "masked_spec_embed":
            renamed[name] = tensor
    peer.load_state_dict(renamed, strict=True)
    return peer.eval()


def _rename(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Names that both peers share once their prefixes are off."""
    renamed: dict[str, Tensor] = {}
    for name, tensor in tensors.items():
        parts = name.removeprefix("backbone.")
        if parts.startswith("feature_encoder."):
            _, kind, *rest = parts.split(".")
            index = 0 if kind == "first" else int(rest.pop(0)) + 1
            part, leaf = rest
            peer_part = "conv" if part == "convolution" else "layer_norm"
            renamed[f"feature_extractor.conv_layers.{index}.{peer_part}.{leaf}"] = tensor
        elif parts.startswith("latent_norm."):
            renamed[parts.replace("latent_norm", "feature_projection.layer_norm")] = tensor
        elif parts.startswith("projection."):
            renamed["feature_projection." + parts] = tensor
        elif parts == "mask_embedding":
            renamed["masked_spec_embed"] = tensor
        elif parts.startswith("context_network.blocks."):
            _, _, index, *rest = parts.split(".")
            leaf = rest.pop()
            part = ".".join(rest)
            prefix = f"encoder.layers.{index}."
            if part == "attention.query_key_value":
                for letter, third in zip("qkv", tensor.chunk(3), strict=True):
                    renamed[f"{prefix}attention.{letter}_proj.{leaf}"] = third
            else:
                renamed[f"{prefix}{_BLOCK_PARTS[part]}.{leaf}"] = tensor
        elif parts.startswith("context_network.norm."):
            renamed[parts.replace("context_network.norm", "encoder.layer_norm")] = tensor
        elif parts.startswith("context_network.positional_embedding."):
            renamed[parts.replace("context_network.positional_embedding", "encoder.positional")] = tensor
        else:
            renamed[parts] = tensor
    return renamed


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
