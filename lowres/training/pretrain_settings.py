"""What a recipe may say about pretraining, and the values that follow from the size of the network.

The published numbers are those of wav2vec 2.0 (Baevski et al. 2020, arXiv 2006.11477, section 4.2): BASE as trained on
LibriSpeech, LARGE as trained on LibriVox (LV-60k), which is the architecture that XLSR-53 and XLS-R kept. What the
paper leaves open is taken from fairseq's `config/pretraining/wav2vec2_base_librispeech.yaml` and
`wav2vec2_large_librivox.yaml`. Nothing is published for a network as small as xs; those numbers are ours. Imports no
torch.
"""

from dataclasses import dataclass, fields, replace
from typing import Any, ClassVar, Literal

from pydantic import ConfigDict

from lowres.model.config import MOST, Wav2Vec2Config
from lowres.training.pretrain_corpus import PretrainCorpus
from lowres.training.settings import BELOW_ONE, LEAST_EPSILON, MOST_MINUTES, NO_LIMIT, Precision, refuse_out_of_range

Sharding = Literal["auto", "replicate", "shard"]


@dataclass(frozen=True)
class PretrainSettings:
    """The `[pretrain]` section of a recipe. A field that is None follows the size (`settle_pretraining`)."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    corpora: tuple[PretrainCorpus, ...] = ()
    """The corpora to learn from; without any, the project's own."""

    backbone: str = ""
    """Checkpoint folder to go on from, relative to the project; empty starts from random weights."""

    reset_codebooks: bool = False
    """Whether the codebooks begin anew when going on from a backbone; published continued pretrainings keep them."""

    learning_rate: float | None = None
    """Peak learning rate. Paper: 5e-4 BASE, 3e-4 LARGE (fairseq's file for LV-60k says 5e-3). Going on from a
    backbone it is a fifth of that, which is ours: XLSR's authors say no more than "lower" (fairseq issue 2997)."""

    updates: int | None = None
    """Number of optimizer updates; ignored with a time budget. Paper: 400,000 BASE, 250,000 LARGE (600,000 on LV-60k);
    1,000,000 from 1B on, as XLS-R; 20,000 xs. Going on from a backbone it is a tenth, which is ours (XLSR-53 went on
    for 100,000 on 234 h of Ainu: Nowakowski et al. 2023, arXiv 2301.07295)."""

    warmup_share: float = 0.08
    """Share of the updates in which the learning rate rises; it falls linearly to 0 afterwards (paper)."""

    seconds_per_update: float | None = None
    """Seconds of audio, over all processes, that one update learns from. Paper: 1.6 h = 5,760 s BASE, 2.7 h = 9,720 s
    LARGE; 40 s for xs."""

    micro_batch_seconds: float | None = None
    """Seconds of audio in memory at once on each device; None measures the memory of the device. The diversity loss is
    that of a micro batch over all processes, so it changes a little what is learnt."""

    crop_seconds: float | None = None
    """Longer utterances are cropped to this, at random. Paper: 250,000 samples = 15.6 s BASE, 20 s LARGE."""

    shortest_seconds: float = 1.0
    """Shorter utterances are left out. fairseq's files say 32,000 samples = 2 s; field recordings hold many single
    words, and 1 s is 49 frames of which 24 are masked, enough to tell from each other."""

    acoustic_start_hours: float | None = None
    """Hours of audio on which the feature encoder first learns to give log-mel bands, before anything else, and to
    whose latents the quantiser is then fitted: 0 BASE and LARGE, as published; 2 xs, without which its few hours of
    training end before its latents mean anything. From random weights only. Ours; see docs/decisions/."""

    encoder_frozen_share: float | None = None
    """Share of the run in which the convolutions then stay as they are: 0 BASE and LARGE, 0.7 xs."""

    language_alpha: float = 0.5
    """Languages are heard in proportion to (hours of the language / all hours) to this power, 0-1 (XLSR, XLS-R)."""

    corpus_alpha: float = 0.5
    """The same for the corpora of one language."""

    languages_per_micro_batch: Literal["mixed", "one"] = "mixed"
    """Whether a micro batch holds utterances of all languages or of one. Distractors always come from the same
    utterance; it is the diversity loss that sees the whole micro batch."""

    num_codebooks: int = 2
    """G (paper)."""

    num_entries: int = 320
    """V, entries of each codebook (paper)."""

    code_width: int | None = None
    """Width of a quantised vector, all codebooks together; for each of them 128 BASE and xs, 384 LARGE (d/G, paper)."""

    projection_width: int | None = None
    """Width in which context and targets are compared: 256 BASE and xs, 768 LARGE (fairseq's final_dim)."""

    num_distractors: int = 100
    """K (paper)."""

    temperature: float = 0.1
    """Of the contrastive loss, kappa (paper)."""

    diversity_weight: float = 0.1
    """Alpha of the paper's equation 2."""

    latent_penalty_weight: float | None = None
    """Weight of the L2 penalty on latents: 10 BASE and xs, 0 LARGE (fairseq's loss_weights; the paper has the penalty
    for LibriSpeech only)."""

    gumbel_start: float | None = None
    """Temperature of the Gumbel softmax in the first update: 2 (paper). Where codebooks that were learnt before are
    kept it begins at `gumbel_end`, so that noise does not unlearn them: ours."""

    gumbel_end: float | None = None
    """Lowest temperature: 0.5 BASE and xs, 0.1 LARGE (paper), and never above `gumbel_start`."""

    gumbel_factor: float | None = None
    """Of the temperature, at every update: 0.999995 in the paper, which reaches 0.5 after 277,000 of BASE's 400,000
    updates. None reaches the end after half of whatever the run's updates are."""

    span_start_probability: float | None = None
    """Share of frames at which a masked span starts, p = 0.065 (paper; fairseq's mask_prob is p x M)."""

    span_length: int | None = None
    """Frames in a masked span, M = 10 (paper)."""

    channel_span_start_probability: float | None = None
    """Share of channels at which a masked span of channels starts: 0, the paper masks channels in fine-tuning only."""

    channel_span_length: int | None = None
    """Channels in a masked span of channels."""

    feature_gradient_scale: float | None = None
    """What the gradient of the feature encoder is multiplied by: 0.1 BASE and xs (paper, for LibriSpeech), 1 LARGE
    (fairseq's feature_grad_mult for LV-60k)."""

    input_dropout: float | None = None
    """Dropout of the projected latents: 0.1 BASE, 0 LARGE (paper; fairseq) and xs, as the dropouts that follow."""

    latent_dropout: float | None = None
    """Dropout of the latents that are quantised."""

    dropout: float | None = None
    """Dropout after each attention and feed-forward part of the context network."""

    attention_dropout: float | None = None
    """Dropout of attention weights."""

    activation_dropout: float | None = None
    """Dropout inside the feed-forward parts: 0 for all sizes (fairseq)."""

    layer_drop: float | None = None
    """Probability of leaving out a whole transformer layer in one update: 0.05 BASE, 0 LARGE (paper) and xs."""

    weight_decay: float = 0.01
    """Decoupled weight decay (fairseq); biases and the weights of norms are not decayed, the gain of the positional
    embedding's weight norm is."""

    adam_beta1: float = 0.9
    """Adam's first decay rate (fairseq)."""

    adam_beta2: float = 0.98
    """Adam's second decay rate (fairseq)."""

    adam_epsilon: float = 1e-6
    """Adam's epsilon (fairseq)."""

    gradient_clip: float = 10.0
    """Largest L2 norm of the gradient of the loss per masked frame; larger ones are scaled down to it. 0 turns it off,
    as published; 10 is ours, and meets only what would throw a run off."""

    held_out_seconds: float = 120.0
    """Seconds of dev speech of each language that pretraining is watched on, the same every time."""

    evaluate_every_updates: int | None = None
    """Updates between two evaluations on held-out speech; None means 40 evaluations in the whole run."""

    log_every_updates: int = 10
    """Updates between two lines of metrics.jsonl."""

    checkpoint_every_minutes: float = 10.0
    """Longest time between two checkpoints; one is also written at every evaluation."""

    minutes: float | None = None
    """Time budget in minutes; the whole schedule is fitted into it."""

    precision: Precision = "auto"
    """bf16 where the processor or GPU computes in it, else fp32; the losses are always fp32."""

    compile: bool = False
    """Whether to compile the network (torch.compile). Not worth it on a processor, where every length of utterance is
    compiled anew: the first update of a tiny network took more than five minutes. Not tried on a GPU yet."""

    activation_checkpointing: bool | None = None
    """Whether to compute the context network's activations again for the backward pass instead of keeping them, which
    costs a third of the speed and saves most of the memory; LARGE and above do."""

    sharding: Sharding = "auto"
    """Where several processes train together, whether each holds a copy of the weights or a share of them; "auto"
    shares from XLS-R's 1B on."""

    seed: int = 1
    """Seed of the weights, of what is drawn when, of masks, distractors, Gumbel noise and dropout."""

    collapse_check_share: float = 0.3
    """Share of the run before which nothing counts as a collapse; above 1 is never."""

    collapse_check_updates: int = 2_000
    """Updates before which nothing counts as a collapse: at first all targets are alike and the loss stands still."""

    smallest_used_codes_share: float = 0.05
    """Share of the codes that held-out speech must use; fewer is a collapse."""

    largest_latent_similarity: float = 0.95
    """Mean cosine similarity of the targets of an utterance above which they count as all alike, a collapse."""

    def __post_init__(self) -> None:
        """Refuse values that no run could use.

        Raises:
            ValueError: naming the field, its value and the range it must lie in.
        """
        refuse_out_of_range(self, _RANGES)
        self._refuse_what_does_not_fit()

    def _refuse_what_does_not_fit(self) -> None:
        if self.crop_seconds is not None and self.crop_seconds < self.shortest_seconds:
            raise ValueError(f"crop_seconds is {self.crop_seconds}: it must be at least shortest_seconds")
        if self.code_width is not None and self.code_width % self.num_codebooks:
            raise ValueError(f"code_width is {self.code_width}: it must be a multiple of num_codebooks")
        if None not in (self.gumbel_start, self.gumbel_end) and self.gumbel_start < self.gumbel_end:  # type: ignore[operator]
            raise ValueError(f"gumbel_start is {self.gumbel_start}: it must be at least gumbel_end")
        names = [entry.called for entry in self.corpora]
        twice = [name for name in names if names.count(name) > 1]
        if twice:
            raise ValueError(f"two entries of corpora are called {twice[0]!r}: give one of them another name = ")


_PROBABILITIES = (
    "channel_span_start_probability", "input_dropout", "latent_dropout", "dropout",
    "attention_dropout", "activation_dropout", "layer_drop",
)  # fmt: skip
_RANGES: dict[str, tuple[float, float]] = {
    **dict.fromkeys(_PROBABILITIES, (0, BELOW_ONE)),
    "span_start_probability": (1e-6, BELOW_ONE),  # where nothing is masked, there is nothing to learn
    "learning_rate": (1e-12, 1.0),
    "updates": (1, NO_LIMIT),
    "warmup_share": (0, 1),
    "seconds_per_update": (1e-3, NO_LIMIT),
    "micro_batch_seconds": (1e-3, NO_LIMIT),
    "crop_seconds": (0.1, NO_LIMIT),
    "shortest_seconds": (0.1, NO_LIMIT),
    "acoustic_start_hours": (0, NO_LIMIT),
    "encoder_frozen_share": (0, 1),
    "language_alpha": (0, 1),
    "corpus_alpha": (0, 1),
    "num_codebooks": (1, NO_LIMIT),
    "num_entries": (2, NO_LIMIT),
    "code_width": (1, NO_LIMIT),
    "projection_width": (1, NO_LIMIT),
    "num_distractors": (1, NO_LIMIT),
    "temperature": (1e-3, NO_LIMIT),
    "diversity_weight": (0, NO_LIMIT),
    "latent_penalty_weight": (0, NO_LIMIT),
    "gumbel_start": (1e-3, NO_LIMIT),
    "gumbel_end": (1e-3, NO_LIMIT),
    "gumbel_factor": (0.5, 1),
    "span_length": (1, MOST),
    "channel_span_length": (1, MOST),
    "feature_gradient_scale": (0, NO_LIMIT),
    "weight_decay": (0, NO_LIMIT),
    "adam_beta1": (0, BELOW_ONE),
    "adam_beta2": (0, BELOW_ONE),
    "adam_epsilon": (LEAST_EPSILON, 1),
    "gradient_clip": (0, NO_LIMIT),
    "held_out_seconds": (0, NO_LIMIT),
    "evaluate_every_updates": (1, NO_LIMIT),
    "log_every_updates": (1, NO_LIMIT),
    "checkpoint_every_minutes": (0, NO_LIMIT),
    "minutes": (1e-3, MOST_MINUTES),
    "seed": (0, 2**63 - 1),
    "collapse_check_share": (0, 2),
    "collapse_check_updates": (0, NO_LIMIT),
    "smallest_used_codes_share": (0, 1),
    "largest_latent_similarity": (-1, 1),
}


@dataclass(frozen=True)
class SizeDefaults:
    """The values that follow from the size of the network, described in `PretrainSettings`; as they stand, BASE's."""

    learning_rate: float = 5e-4
    updates: int = 400_000
    seconds_per_update: float = 5_760.0
    crop_seconds: float = 15.6
    code_width_per_codebook: int = 128
    projection_width: int = 256
    latent_penalty_weight: float = 10.0
    gumbel_start: float = 2.0
    gumbel_end: float = 0.5
    span_start_probability: float = 0.065
    span_length: int = 10
    channel_span_start_probability: float = 0.0
    channel_span_length: int = 64
    feature_gradient_scale: float = 0.1
    input_dropout: float = 0.1
    latent_dropout: float = 0.1
    dropout: float = 0.1
    attention_dropout: float = 0.1
    activation_dropout: float = 0.0
    layer_drop: float = 0.05
    activation_checkpointing: bool = False
    acoustic_start_hours: float = 0.0
    encoder_frozen_share: float = 0.0


_BASE = SizeDefaults()
_XS = replace(
    _BASE, learning_rate=1e-3, updates=20_000, seconds_per_update=40.0, acoustic_start_hours=2.0,
    encoder_frozen_share=0.7, input_dropout=0.0, latent_dropout=0.0, dropout=0.0, attention_dropout=0.0, layer_drop=0.0,
)  # fmt: skip
_LARGE = replace(
    _BASE, learning_rate=3e-4, updates=250_000, seconds_per_update=9_720.0, crop_seconds=20.0,
    code_width_per_codebook=384, projection_width=768, latent_penalty_weight=0.0, gumbel_end=0.1,
    feature_gradient_scale=1.0, input_dropout=0.0, latent_dropout=0.0, dropout=0.0, attention_dropout=0.0,
    layer_drop=0.0, activation_checkpointing=True,
)  # fmt: skip
_BILLION = replace(_LARGE, updates=1_000_000)

CONTINUED_RATE_SHARE = 0.2
"""Peak learning rate when going on from a backbone, as a share of the one from random weights."""

CONTINUED_UPDATES_SHARE = 0.1
"""Updates when going on from a backbone, as a share of those from random weights."""


def defaults_for_size(config: Wav2Vec2Config) -> SizeDefaults:
    """Choose the values of the published size that is nearest: BASE has width 768, LARGE 1,024, XLS-R's 1B 1,280."""
    if config.width < 512:
        return _XS
    if config.width < 1024:
        return _BASE
    return _LARGE if config.width < 1280 else _BILLION


def settle_pretraining(
    settings: PretrainSettings, config: Wav2Vec2Config, *, is_continued: bool, has_codebooks: bool = True
) -> PretrainSettings:
    """Fill in what follows from the size of the network and from where its weights come from.

    Args:
        settings: as recipe and command line have them; what they say wins.
        config: the network.
        is_continued: whether the run goes on from a backbone.
        has_codebooks: whether that backbone came with its codebooks.

    Returns:
        Settings in which only `micro_batch_seconds`, `minutes`, `evaluate_every_updates` and `gumbel_factor` can
        still be None: the machine, the user and the length of the run decide those.
    """
    defaults = defaults_for_size(config)
    if is_continued:
        defaults = replace(
            defaults,
            learning_rate=defaults.learning_rate * CONTINUED_RATE_SHARE,
            updates=round(defaults.updates * CONTINUED_UPDATES_SHARE),
            acoustic_start_hours=0.0,
            encoder_frozen_share=0.0,
        )
    end = defaults.gumbel_end if settings.gumbel_end is None else settings.gumbel_end
    if settings.gumbel_end is None and settings.gumbel_start is not None:
        end = min(end, settings.gumbel_start)
    keeps_codebooks = is_continued and has_codebooks and not settings.reset_codebooks
    highest = end if keeps_codebooks else max(defaults.gumbel_start, end)
    defaults = replace(defaults, gumbel_start=highest, gumbel_end=end)
    filled: dict[str, Any] = {
        field.name: getattr(defaults, field.name)
        for field in fields(SizeDefaults)
        if getattr(settings, field.name, defaults) is None
    }
    if settings.crop_seconds is None:
        filled["crop_seconds"] = max(defaults.crop_seconds, settings.shortest_seconds)
    if settings.code_width is None:
        filled["code_width"] = defaults.code_width_per_codebook * settings.num_codebooks
    return replace(settings, **filled)
