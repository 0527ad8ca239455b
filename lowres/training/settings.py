"""What a recipe may say about fine-tuning. Imports no torch."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Final, Literal, TypeVar

from pydantic import ConfigDict

from lowres.model.config import MOST

Adaptation = Literal["full", "adapter", "lora", "last_layers"]
"""What of a backbone learns: everything but the convolutions; adapters in it (MMS); low-rank updates of its attention
(LoRA); its last transformer blocks. The CTC head always does."""

Precision = Literal["auto", "bf16", "fp32"]
ListeningPrecision = Literal["auto", "bf16", "fp32", "int8"]
Known = TypeVar("Known")


@dataclass(frozen=True)
class FinetuneSettings:
    """The `[finetune]` section of a recipe. A field that is None follows hours and backbone (`finetune_defaults`)."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    backbone: str = ""
    """Checkpoint folder or name to start from, a path relative to the project. Empty takes a network of the size that
    [model] names, from random weights; where it names none, a backbone that was downloaded, else the one that comes
    with lowres. "none" starts from random weights whatever there is."""

    adaptation: Literal["auto"] | Adaptation = "auto"
    """What of the backbone learns: "full", "adapter", "lora" or "last_layers"; "auto" chooses by hours, size and
    memory, and says why (`lowres.training.adaptation`)."""

    repeat_blocks: int = 1
    """Copies of each transformer block of the backbone, one behind the other: a deeper network that begins as about the
    same function. 1 keeps the backbone's depth; more need `adaptation` "full"."""

    adapter_width: int = 16
    """Inner width of the adapters (MMS: 16), where `adaptation` is "adapter" and the backbone brings none."""

    lora_rank: int = 8
    """Rank of the low-rank updates, where `adaptation` is "lora"."""

    num_last_layers: int = 4
    """Transformer blocks that learn, where `adaptation` is "last_layers"."""

    learning_rate: float | None = None
    """Peak learning rate of the tri-stage schedule."""

    updates: int | None = None
    """Number of optimizer updates; ignored with a time budget, which decides it from the speed it measures."""

    head_only_updates: int | None = None
    """First updates that train the CTC head alone. Under a time budget it is taken as its share of `updates`."""

    seconds_per_update: float | None = None
    """Seconds of audio that one update learns from; larger than a micro batch, it is accumulated from several."""

    micro_batch_seconds: float | None = None
    """Seconds of padded audio in memory at once; None measures the memory of the device."""

    time_span_start_probability: float | None = None
    """Share of frames at which a masked span starts, p of the paper (what fairseq calls mask_prob is p x M)."""

    time_span_length: int | None = None
    """Frames in a masked span, M of the paper."""

    channel_span_start_probability: float | None = None
    """Share of channels at which a masked span of channels starts."""

    channel_span_length: int | None = None
    """Channels in a masked span."""

    speed_change: float = 0.0
    """Training utterances are played at 1 - x, 1 or 1 + x times their speed, drawn anew in every pass (0.1 in Ko et al.
    2015); 0 leaves them as they are."""

    noise_lowest_snr_db: float | None = None
    """Half of the training utterances get noise, drawn anew in every pass, at a ratio of speech to noise between this
    and 20 dB above it; None adds none."""

    dropout: float | None = None
    """Dropout after each attention and feed-forward part of the context network, 0 to below 1."""

    activation_dropout: float | None = None
    """Dropout inside the feed-forward parts, after their activation, 0 to below 1."""

    layer_drop: float | None = None
    """Probability of leaving out a whole transformer layer in one update, 0 to below 1."""

    weight_decay: float | None = None
    """Decoupled weight decay; biases and the weights of norms are not decayed, the gain of the positional embedding's
    weight norm is."""

    train_feature_encoder: bool | None = None
    """Whether the convolutional feature encoder learns too: it must from random weights, and is frozen otherwise."""

    cache_latents: Literal["auto", "on", "off"] = "auto"
    """Whether the latents of a feature encoder that learns nothing are computed once, kept in the run folder and
    trained from, with the same result to the bit. "auto" does it where a run hears its speech more than once and
    computing them takes at most a quarter of a time budget; "on" wherever the disk has room."""

    self_train_share: float = 0.5
    """Share of the pieces of untranscribed recordings that `--self-train` keeps, those that the teacher is surest of;
    pieces in which it heard nothing are never kept and do not count."""

    evaluate_every_updates: int | None = None
    """Updates between two evaluations on dev; None means 40 evaluations in the whole run."""

    dev_seconds: float | None = None
    """Seconds of dev speech used for these evaluations, the same utterances every time; None means 900, and under a
    time budget at most 60 and 15 more for each of its minutes."""

    patience: int = 15
    """Evaluations without a better dev character error rate before training stops, counted from
    `collapse_check_share` of the run on; 0 never stops early."""

    minutes: float | None = None
    """Time budget in minutes; the whole schedule is fitted into it."""

    precision: Precision = "auto"
    """bf16 where the processor or GPU computes in it, else fp32; the CTC loss is always fp32."""

    gradient_clip: float = 1.0
    """Largest L2 norm of the gradient; larger ones are scaled down to it. 0 turns it off."""

    warmup_share: float = 0.1
    """Share of the schedule in which the learning rate rises (tri-stage schedule, paper section 4.3)."""

    constant_share: float = 0.4
    """Share of the schedule at the peak; the rest decays exponentially."""

    initial_scale: float = 0.01
    """Learning rate at the very first update, as a share of the peak."""

    final_scale: float = 0.05
    """Learning rate at the very last update, as a share of the peak."""

    adam_beta1: float = 0.9
    """Adam's first decay rate."""

    adam_beta2: float = 0.98
    """Adam's second decay rate."""

    adam_epsilon: float = 1e-8
    """Adam's epsilon. fairseq's fine-tuning uses 1e-8, its pretraining 1e-6."""

    seed: int = 1
    """Seed of the weights, the order of the batches, the masks and dropout."""

    log_every_updates: int = 10
    """Updates between two lines of metrics.jsonl."""

    checkpoint_every_minutes: float = 5.0
    """Longest time between two checkpoints; one is also written at every evaluation."""

    collapse_check_share: float = 0.4
    """Share of the schedule after which a recogniser that still says nothing counts as collapsed, and before which
    training never stops early; above 1 is never."""

    collapse_check_updates: int = 1_000
    """Updates before which no recogniser counts as collapsed: all of them are silent at first."""

    collapse_retries: int = 2
    """New attempts, with another seed and learning rate, after a collapse."""

    def __post_init__(self) -> None:
        """Refuse values that no run could use.

        Raises:
            ValueError: naming the field, its value and the range it must lie in.
        """
        refuse_out_of_range(self, _RANGES)
        if self.alters_waveforms and self.cache_latents == "on":
            raise ValueError('cache_latents is "on", but with speed_change or noise the latents differ in every pass')
        if self.repeat_blocks > 1 and self.adaptation not in ("auto", "full"):
            raise ValueError(f'repeat_blocks needs adaptation "full": {self.adaptation} keeps the backbone as it is')
        if self.warmup_share + self.constant_share > 1.0:
            raise ValueError("warmup_share and constant_share add up to more than 1: nothing is left for the decay")

    @property
    def alters_waveforms(self) -> bool:
        """Whether an utterance sounds different in every pass."""
        return self.speed_change > 0 or self.noise_lowest_snr_db is not None


NO_LIMIT: Final = math.inf
BELOW_ONE: Final = math.nextafter(1.0, 0.0)
"""Highest probability of dropping or masking, as `lowres.model.config` has it too."""
LEAST_EPSILON: Final = 1e-16
"""Lowest epsilon of Adam: without one, a weight whose gradient was always 0 would become not a number."""
MOST_MINUTES: Final = 1e7
"""Nineteen years: a time budget that is finite in seconds too."""


def refuse_out_of_range(settings: object, ranges: Mapping[str, tuple[float, float]]) -> None:
    """Refuse the first field of `settings` that lies outside its range; one that is None is not known yet.

    Args:
        settings: has every field that `ranges` names.
        ranges: lowest and highest value of each, NO_LIMIT where any finite one will do.

    Raises:
        ValueError: naming the field, its value and the range.
    """
    for name, (low, high) in ranges.items():
        value = getattr(settings, name)
        if value is not None and not (low <= value <= high and value != NO_LIMIT):
            raise ValueError(f"{name} is {value}: it must be {_describe_range(low, high)}")


def _describe_range(low: float, high: float) -> str:
    if high == NO_LIMIT:
        return f"at least {low:g} and finite"
    return f"at least {low:g} and below 1" if high == BELOW_ONE else f"between {low:g} and {high:g}"


_RANGES: dict[str, tuple[float, float]] = {
    "repeat_blocks": (1, 64),
    "adapter_width": (1, MOST),
    "lora_rank": (1, MOST),
    "num_last_layers": (1, NO_LIMIT),
    "learning_rate": (1e-12, 1.0),
    "updates": (1, NO_LIMIT),
    "head_only_updates": (0, NO_LIMIT),
    "seconds_per_update": (1e-3, NO_LIMIT),
    "micro_batch_seconds": (1e-3, NO_LIMIT),
    "time_span_start_probability": (0, BELOW_ONE),
    "time_span_length": (1, MOST),
    "channel_span_start_probability": (0, BELOW_ONE),
    "channel_span_length": (1, MOST),
    "speed_change": (0, 0.5),
    "noise_lowest_snr_db": (-20, 60),
    "dropout": (0, BELOW_ONE),
    "activation_dropout": (0, BELOW_ONE),
    "layer_drop": (0, BELOW_ONE),
    "weight_decay": (0, NO_LIMIT),
    "self_train_share": (0.01, 1),
    "evaluate_every_updates": (1, NO_LIMIT),
    "dev_seconds": (1e-3, NO_LIMIT),
    "patience": (0, NO_LIMIT),
    "minutes": (1e-3, MOST_MINUTES),
    "gradient_clip": (0, NO_LIMIT),
    "warmup_share": (0, 1),
    "constant_share": (0, 1),
    "initial_scale": (0, 1),
    "final_scale": (0, 1),
    "adam_beta1": (0, BELOW_ONE),
    "adam_beta2": (0, BELOW_ONE),
    "adam_epsilon": (LEAST_EPSILON, 1),
    "seed": (0, 2**63 - 1),
    "log_every_updates": (1, NO_LIMIT),
    "checkpoint_every_minutes": (0, NO_LIMIT),
    "collapse_check_share": (0, 2),
    "collapse_check_updates": (0, NO_LIMIT),
    "collapse_retries": (0, NO_LIMIT),
}


def dev_seconds_for(settings: FinetuneSettings) -> float:
    """Return the seconds of dev speech to evaluate on: more than a short run can afford would leave it no time."""
    if settings.dev_seconds is not None:
        return settings.dev_seconds
    return 900.0 if settings.minutes is None else min(60.0 + 15.0 * settings.minutes, 900.0)


def known(value: Known | None, name: str) -> Known:
    """Return a value that `with_hour_defaults` has filled.

    Raises:
        ValueError: when it is still None, which is a defect of the caller.
    """
    if value is None:
        raise ValueError(f"{name} is not known yet: call with_hour_defaults first")
    return value
