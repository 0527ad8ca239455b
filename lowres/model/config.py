"""The numbers that define a wav2vec 2.0 network, and the published sizes (paper section 4.2, XLS-R table 2).

Nothing here imports torch: recipes and `lowres --help` read these names too.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Literal

FeatureNorm = Literal["group", "layer"]
TransformerNorm = Literal["post", "pre"]
FrontEnd = Literal["waveform", "log_mel"]
ConvLayers = tuple[tuple[int, int, int], ...]


def published_conv_layers(channels: int) -> ConvLayers:
    """Return the paper's seven convolutions (channels, kernel, stride): 400 samples seen, one frame every 320."""
    return ((channels, 10, 5), *((channels, 3, 2),) * 4, *((channels, 2, 2),) * 2)


def receptive_field_and_hop(conv_layers: Sequence[tuple[int, int, int]]) -> tuple[int, int]:
    """Return the inputs that one output of these layers is computed from, and those from one output to the next."""
    seen, hop = 1, 1
    for _, kernel, stride in conv_layers:
        seen += (kernel - 1) * hop
        hop *= stride
    return seen, hop


BASE_CONV_LAYERS = published_conv_layers(512)

MOST = 1 << 20
"""Most of any of a network's whole numbers: far above any network, and low enough to compute with its shapes."""

_RANGES = {
    **dict.fromkeys(("num_layers", "positional_layers"), (1, 1_000)),
    **dict.fromkeys(("width", "num_heads", "feed_forward_width", "positional_kernel", "positional_groups"), (1, MOST)),
    **dict.fromkeys(("span_length", "channel_span_length"), (1, MOST)),
    **dict.fromkeys(("adapter_width", "lora_rank"), (0, MOST)),
}
"""Least and most of a network's whole numbers."""


@dataclass(frozen=True, kw_only=True)
class Wav2Vec2Config:
    """A wav2vec 2.0 network, its regularisation and its masking. The defaults are BASE, fine-tuned as published."""

    front_end: FrontEnd = "waveform"
    """What the feature encoder reads: the waveform (paper), or log-mel bands of it, which need far less speech to learn
    from (`lowres.model.log_mel`); the first of conv_layers is then (bands, window, hop), and no convolution."""

    conv_layers: ConvLayers = BASE_CONV_LAYERS
    """Feature encoder: (channels, kernel, stride) of each convolution, first to last; stride <= kernel <= 2 stride."""

    feature_norm: FeatureNorm = "group"
    """"group": the first convolution only, each channel over the utterance's time (BASE); "layer": all of them."""

    conv_bias: bool = False
    """Whether the convolutions of the feature encoder have a bias (LARGE and XLS-R do)."""

    normalize_waveforms: bool = False
    """Whether each utterance is brought to mean 0 and variance 1 first (LARGE and XLS-R expect it)."""

    width: int = 768
    """D, the size of a frame in the context network; a multiple of num_heads and of positional_groups."""

    num_layers: int = 12
    """Transformer blocks of the context network."""

    num_heads: int = 12
    """Attention heads of each block."""

    feed_forward_width: int = 3072
    """Inner size of each block's feed-forward part."""

    transformer_norm: TransformerNorm = "post"
    """Layer norm after each residual addition (BASE) or before each part, with one more at the end (LARGE, XLS-R)."""

    positional_kernel: int = 128
    """Frames seen by the convolutional positional embedding."""

    positional_groups: int = 16
    """Groups of that convolution."""

    positional_layers: int = 1
    """Convolutions of the positional embedding: 1, weight-normalised (wav2vec 2.0, HuBERT), or more, each followed by a
    layer norm without weights (data2vec: 5, with a kernel of 19)."""

    adapter_width: int = 0
    """Inner width of the bottleneck adapter after each transformer block (MMS: 16); 0 for none."""

    lora_rank: int = 0
    """Rank of what is added to each of a block's attention projections (LoRA); 0 for none."""

    input_dropout: float = 0.0
    """Dropout of the projected latents, before masking."""

    dropout: float = 0.0
    """Dropout after the positional embedding, each attention and each feed-forward part."""

    attention_dropout: float = 0.0
    """Dropout of attention weights."""

    activation_dropout: float = 0.1
    """Dropout inside the feed-forward part, after its GELU."""

    final_dropout: float = 0.0
    """Dropout of the context before the CTC head."""

    layer_drop: float = 0.1
    """Probability that a transformer block is skipped in a training step."""

    span_start_probability: float = 0.065
    """p of the paper: the share of frames at which a masked span starts (elsewhere `mask_prob` means p x M)."""

    span_length: int = 10
    """M of the paper: frames in a masked span; spans may overlap."""

    channel_span_start_probability: float = 0.004
    """The share of channels of the projected latents at which a masked span of channels starts; 0 switches it off."""

    channel_span_length: int = 64
    """Channels in a masked span of channels."""

    def __post_init__(self) -> None:
        for name, (least, most) in _RANGES.items():
            number = getattr(self, name)
            if not isinstance(number, int) or not least <= number <= most:
                raise ValueError(f"{name} is {number!r}; it must be a whole number from {least} to {most:,}")
        if not self.conv_layers:
            raise ValueError("conv_layers holds no convolution; it must hold at least one")
        convolutions = self.conv_layers
        if self.front_end == "log_mel":
            (bands, window, hop), convolutions = self.conv_layers[0], self.conv_layers[1:]
            if not convolutions:
                raise ValueError("conv_layers holds nothing but the log-mel bands; a convolution must follow them")
            if bands < 1 or not 2 <= hop <= window:
                raise ValueError(f"conv_layers: log-mel bands ({bands}, {window}, {hop}) need 2 <= hop <= window")
        for channels, kernel, stride in convolutions:
            if not 1 <= channels <= MOST or not 1 <= stride <= kernel <= 2 * stride <= MOST:
                raise ValueError(f"conv_layers: ({channels}, {kernel}, {stride}) needs stride <= kernel <= 2 stride")
        for name, divisor in (("num_heads", self.num_heads), ("positional_groups", self.positional_groups)):
            if self.width % divisor:
                raise ValueError(f"width {self.width} is not a multiple of {name} {divisor}")
        for field in fields(self):
            value = getattr(self, field.name)
            if field.name.endswith(("dropout", "layer_drop", "probability")) and not 0 <= value < 1:
                raise ValueError(f"{field.name} is {value}; it must be at least 0 and below 1")

    @property
    def latent_width(self) -> int:
        """Channels of the latents, the feature encoder's output."""
        return self.conv_layers[-1][0]

    @property
    def samples_per_frame(self) -> int:
        """Samples from one frame to the next: 320 as published (20 ms)."""
        return receptive_field_and_hop(self.conv_layers)[1]

    @property
    def receptive_field_samples(self) -> int:
        """Samples one latent is computed from: 400 as published (25 ms)."""
        return receptive_field_and_hop(self.conv_layers)[0]


@dataclass(frozen=True, kw_only=True)
class QuantizerConfig:
    """The parts that only pretraining has: quantisation and the two projections. The defaults are BASE's."""

    num_codebooks: int = 2
    """G, the codebooks whose entries together make a quantised vector."""

    num_entries: int = 320
    """V, the entries of each codebook."""

    code_width: int = 256
    """Width of a quantised vector, all codebooks together; a multiple of num_codebooks."""

    projection_width: int = 256
    """W, the width in which context and targets are compared."""

    latent_dropout: float = 0.1
    """Dropout of the latents that are quantised (fairseq's dropout_features)."""

    def __post_init__(self) -> None:
        for name in ("num_codebooks", "num_entries", "code_width", "projection_width"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}; it must be at least 1")
        if self.code_width % self.num_codebooks:
            raise ValueError(f"code_width {self.code_width} is not a multiple of num_codebooks {self.num_codebooks}")
        if not 0 <= self.latent_dropout < 1:
            raise ValueError(f"latent_dropout is {self.latent_dropout}; it must be at least 0 and below 1")


def num_frames_for(num_samples: int, config: Wav2Vec2Config) -> int:
    """Count the frames of an utterance: those whose receptive field lies wholly inside it.

    Args:
        num_samples: true length of the utterance, >= 0.
        config: only its conv_layers are read.

    Returns:
        T >= 0; 0 when the utterance is shorter than one receptive field.
    """
    uncovered = num_samples - config.receptive_field_samples
    return 0 if uncovered < 0 else uncovered // config.samples_per_frame + 1


PRESETS: dict[str, Wav2Vec2Config] = {
    # For laptops, trained from random weights. Group norm, because folded into the first convolution it costs nothing
    # where layer norm costs a pass over every activation of the conv stack; pre-norm, because it trains from scratch
    # without the long warm-up that post-norm needs.
    "xs": Wav2Vec2Config(
        conv_layers=published_conv_layers(256),
        transformer_norm="pre",
        width=256,
        num_layers=6,
        num_heads=4,
        feed_forward_width=1024,
        layer_drop=0.0,
    ),
    "base": Wav2Vec2Config(),
    # LARGE as trained on LibriVox (LV-60k), the recipe that XLSR-53 and XLS-R kept.
    "large": Wav2Vec2Config(
        feature_norm="layer",
        conv_bias=True,
        normalize_waveforms=True,
        transformer_norm="pre",
        width=1024,
        num_layers=24,
        num_heads=16,
        feed_forward_width=4096,
    ),
}
# The same context network on log-mel bands, at half the frames: for minutes to hours of speech and nothing else.
PRESETS["xs_mel"] = replace(
    PRESETS["xs"],
    front_end="log_mel",
    conv_layers=((80, 400, 160), (256, 3, 2), (256, 3, 2)),
    positional_kernel=32,
)
DEFAULT_PRESET = "xs_mel"
"""What a recipe trains that names neither a size nor a backbone: the one that learns from the least speech and time."""

PRESETS["xlsr_300m"] = PRESETS["large"]
PRESETS["xlsr_1b"] = replace(PRESETS["large"], width=1280, num_layers=48, feed_forward_width=5120)


def preset(name: str) -> Wav2Vec2Config:
    """Return the published size called `name`.

    Raises:
        ValueError: there is no such size; the message lists those there are.
    """
    if name not in PRESETS:
        raise ValueError(f"no model size is called {name!r}; there are {', '.join(PRESETS)}")
    return PRESETS[name]


def to_dict(config: Wav2Vec2Config) -> dict[str, Any]:
    """Return the config as plain data that JSON and TOML can hold."""
    return {**asdict(config), "conv_layers": [list(layer) for layer in config.conv_layers]}


def from_dict(data: Mapping[str, Any]) -> Wav2Vec2Config:
    """Rebuild a config from `to_dict`'s data.

    Raises:
        ValueError: an unknown or missing name, or numbers that do not fit together.
    """
    _demand_names(data, Wav2Vec2Config, "model config")
    layers = tuple((int(channels), int(kernel), int(stride)) for channels, kernel, stride in data["conv_layers"])
    return Wav2Vec2Config(**{**data, "conv_layers": layers})


def quantizer_to_dict(config: QuantizerConfig) -> dict[str, Any]:
    """Return the quantiser's config as plain data that JSON and TOML can hold."""
    return asdict(config)


def quantizer_from_dict(data: Mapping[str, Any]) -> QuantizerConfig:
    """Rebuild a config from `quantizer_to_dict`'s data.

    Raises:
        ValueError: an unknown or missing name, or numbers that do not fit together.
    """
    _demand_names(data, QuantizerConfig, "quantizer config")
    return QuantizerConfig(**data)


def _demand_names(data: Mapping[str, Any], kind: type[Wav2Vec2Config] | type[QuantizerConfig], what: str) -> None:
    names = {field.name for field in fields(kind)}
    if set(data) != names:
        raise ValueError(f"{what}: unknown {sorted(set(data) - names)}, missing {sorted(names - set(data))}")
